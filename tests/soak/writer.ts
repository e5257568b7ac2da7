import { randomBytes } from 'node:crypto'
import type { OpenedRepository } from '../../repository/repository.ts'
import { ModelBackup, noSignal, uuid } from '../../repository/testing/index.ts'
import { changesBetween, diskAt, heard, note, openWhenReady, peakRssMiB, say, taskOf, type Begun } from './world.ts'

/** Backs up one VM again and again until it is killed; takes up half of what it finds unfinished. */
const { open, log, writer } = taskOf(process.argv)
const repository = (await openWhenReady(open, log)) as OpenedRepository
const vm = `vm-${writer}`
const series = repository.series({ platform: 'image', scope: 'lab', vm })

for (;;) {
  try {
    await backUpOnce()
    say(log, { rssMiB: peakRssMiB() })
  } catch (error) {
    note(log, error)
    await new Promise((resolve) => setTimeout(resolve, 300))
  }
}

async function backUpOnce(): Promise<void> {
  const next = unfinished() ?? (await fresh())
  say(log, next)
  const { begun: snap, session, attempt, n, createdMs, parentStem, parentN } = next
  const extents = parentN === null ? {} : { extents: changesBetween(writer, parentN, n) }
  const disk = diskAt(writer, n)
  const backup = new ModelBackup(repository, disk, {
    session,
    snap,
    createdMs,
    parent: parentStem,
    source: { ...extents },
    attempt,
    commitAttempt: attempt,
    journalSourceBytes: 2 * 1024 * 1024,
    vm,
    // The collector takes what a session had stored before its lease lapsed; the frozen disk is still there.
    reread: async (_disk, at, into) => disk.read(at, into),
  })
  // A lease as short as it may be: the collector must not wait an hour for the dead (rulings 13).
  await repository.openSession({ ...backup.spec, leaseSec: 10 }, noSignal)
  await backup.copy(repository)
  const { stem } = await backup.commit(repository, attempt)
  say(log, { done: snap, stem })
  await repository.endSession(session, 'committed')
}

/** The last session that did not come to its end, in half of the cases. */
function unfinished(): Begun | undefined {
  const lines = heard(log)
  const last = lines.findLast((line) => 'begun' in line)
  if (last === undefined || randomBytes(1).readUInt8(0) < 128) return undefined
  if (lines.some((line) => 'done' in line && line.done === last.begun)) return undefined
  return { ...last, attempt: last.attempt + 1 }
}

async function fresh(): Promise<Begun> {
  const begun = heard(log).filter((line) => 'begun' in line)
  const n = Math.max(-1, ...begun.map((line) => line.n)) + 1
  let parent: { stem: string; n: number; createdMs: number } | undefined
  for await (const point of repository.listPoints({ series })) {
    if (point.state !== 'recovery-point') continue
    const known = begun.find((line) => line.begun === point.snap)
    if (known === undefined) throw new Error(`point ${point.snap} of ${vm} is in no log`)
    if (parent === undefined || point.createdMs > parent.createdMs) {
      parent = { stem: point.stem, n: known.n, createdMs: point.createdMs }
    }
  }
  return {
    begun: uuid(),
    session: uuid(),
    attempt: 1,
    n,
    createdMs: Date.now(),
    parentStem: parent?.stem ?? null,
    parentN: parent?.n ?? null,
  }
}
