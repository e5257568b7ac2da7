import { noSignal } from '../../repository/testing/index.ts'
import type { PointEntry } from '../../repository/index.ts'
import { note, openWhenReady, peakRssMiB, say, taskOf } from './world.ts'

/** Removes old points and collects without waiting times, again and again until it is killed. */
const KEPT = 4
const { open, log } = taskOf(process.argv)
const repository = await openWhenReady(open, log)

for (;;) {
  try {
    await prune()
    const report = await repository.collect({ waits: 'none', signal: noSignal, onProgress: () => undefined })
    say(log, {
      collected: report.deleted.packs,
      bytes: report.deleted.bytes,
      outcome: report.outcome,
      rssMiB: peakRssMiB(),
    })
  } catch (error) {
    note(log, error)
  }
  await new Promise((resolve) => setTimeout(resolve, 200))
}

async function prune(): Promise<void> {
  const points: PointEntry[] = []
  for await (const point of repository.listPoints()) if (point.state === 'recovery-point') points.push(point)
  const old = [...Map.groupBy(points, ({ series }) => series).values()].flatMap((all) =>
    all.toSorted((a, b) => b.createdMs - a.createdMs).slice(KEPT),
  )
  for (const { snap } of old) say(log, { removing: snap })
  await repository.prune({
    remove: old.map(({ stem }) => ({ stem })),
    reason: 'retention',
    actor: 'soak',
    maxShare: 1,
    abandonAfterMs: 15_000,
    signal: noSignal,
  })
}
