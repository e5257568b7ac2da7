/**
 * `npm run soak -- [--minutes 10] [--store posix|seaweedfs|versitygw|minio] [--writers 3]`: writers and a collector as
 * processes of their own on one repository, each of them and the store killed (SIGKILL) again and again. In the end every
 * recovery point is restored and compared, and every point that was reported and not removed must be there.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { formatBytes } from '../../base/index.ts'
import { S3Lab, type S3Server } from '../../lab/stores/index.ts'
import { createRepository, parseLocation, type OpenOptions } from '../../repository/index.ts'
import { openRepositoryWith } from '../../repository/repository.ts'
import { expectIdentical, noSignal, passphrase } from '../../repository/testing/index.ts'
import { diskAt, heard, type SoakTask } from './world.ts'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    store: { type: 'string', default: 'minio' },
    writers: { type: 'string', default: '3' },
  },
})
const minutes = Number(values.minutes)
const writers = Number(values.writers)
if (!(minutes > 0) || !Number.isInteger(writers) || writers < 1)
  throw new RangeError('--minutes and --writers are numbers')

const folder = await mkdtemp(join(tmpdir(), 'hf-soak-'))
const lab = values.store === 'posix' ? undefined : await S3Lab.start(values.store as S3Server)
const children = new Map<number, ChildProcess>()
let isOver = false
try {
  const location = parseLocation(lab ? (await lab.bucket({ prefix: 'soak/' })).url : join(folder, 'repository'))
  await createRepository({ location, passphrase, argon2: { m: 19_456, t: 2, p: 1 } })
  const opening = (name: string): OpenOptions => {
    return { location, secret: { kind: 'passphrase', passphrase }, cacheDir: join(folder, `cache-${name}`), threads: 1 }
  }
  const logOf = (who: number) => join(folder, `${who}.log`)
  const start = (who: number): void => {
    const task: SoakTask = { open: opening(String(who)), log: logOf(who), writer: who }
    const program = join(import.meta.dirname, who < 0 ? 'collector.ts' : 'writer.ts')
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', program, JSON.stringify(task)], {
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    children.set(who, child)
    child.once('exit', () => {
      if (!isOver) start(who)
    })
  }
  const everybody = [-1, ...Array.from({ length: writers }, (_, index) => index)]
  for (const who of everybody) start(who)

  const collected = (): number => heard(logOf(-1)).filter((line) => 'collected' in line).length
  // Now and then the collector is spared until it has come to its end once: on a slow machine that takes longer than the time
  // between two kills. The others are not.
  let spared = { until: 0, collections: 0 }
  const isSpared = (): boolean => Date.now() < spared.until && collected() < spared.collections
  const kills = new Map<string, number>()
  const killed = (who: string) => void kills.set(who, (kills.get(who) ?? 0) + 1)
  const until = Date.now() + minutes * 60_000
  while (Date.now() < until) {
    await sleep(randomInt(1_000, 3_000))
    if (!isSpared() && randomInt(6) === 0) spared = { until: Date.now() + 90_000, collections: collected() + 1 }
    const victim = randomInt(lab ? everybody.length + 1 : everybody.length)
    if (lab && victim === everybody.length) {
      await lab.process.kill()
      killed('store')
      await sleep(randomInt(0, 1_500))
      await lab.process.start()
      continue
    }
    const who = everybody[victim] ?? -1
    if (who < 0 && isSpared()) continue
    children.get(who)?.kill('SIGKILL')
    killed(who < 0 ? 'collector' : 'writer')
  }
  isOver = true
  await Promise.all([...children.values()].map((child) => end(child)))

  const faults: string[] = []
  await using repository = await openRepositoryWith(opening('end'))
  const last = await repository.collect({ waits: 'none', signal: noSignal, onProgress: () => undefined })
  const content = new Map<string, { writer: number; n: number }>()
  const reported = new Set<string>()
  const removed = new Set<string>()
  const errors = new Map<string, number>()
  let reclaimed = last.deleted.bytes
  let collections = 0
  let rssMiB = { writer: 0, collector: 0 }
  for (const who of everybody) {
    for (const line of heard(logOf(who))) {
      if ('begun' in line) content.set(line.begun, { writer: who, n: line.n })
      else if ('done' in line) reported.add(line.done)
      else if ('removing' in line) removed.add(line.removing)
      else if ('failed' in line) errors.set(line.failed, (errors.get(line.failed) ?? 0) + 1)
      if ('failed' in line && !isExpected(line.failed)) faults.push(`${line.failed}: ${line.message}`)
      if ('collected' in line) {
        collections += 1
        reclaimed += line.bytes
        rssMiB = { ...rssMiB, collector: Math.max(rssMiB.collector, line.rssMiB) }
      } else if ('rssMiB' in line) rssMiB = { ...rssMiB, writer: Math.max(rssMiB.writer, line.rssMiB) }
    }
  }
  const present = new Set<string>()
  for await (const { stem, snap, state } of repository.listPoints()) {
    if (state !== 'recovery-point') continue
    present.add(snap)
    const known = content.get(snap)
    if (known === undefined) {
      faults.push(`${stem} is in no log`)
      continue
    }
    await expectIdentical(repository, stem, diskAt(known.writer, known.n)).catch((error: unknown) => {
      faults.push(`${stem}: ${String(error)}`)
    })
  }
  for (const snap of reported)
    if (!present.has(snap) && !removed.has(snap)) faults.push(`point ${snap} was reported and is lost`)
  const report = await repository.verify({ level: 'full', signal: noSignal, onProgress: () => undefined })
  for (const damage of report.damages) faults.push(`verify: ${JSON.stringify(damage)}`)
  const usage = await repository.usage()

  const list = (counts: ReadonlyMap<string, number>) =>
    [...counts].map(([name, count]) => `${name} ${count}`).join(', ')
  console.log(`store ${values.store}, ${writers} writers, one collector, ${minutes} min`)
  console.log(`killed: ${list(kills)}`)
  console.log(
    `points: ${reported.size} reported, ${removed.size} removed, ${present.size} there and compared byte by byte`,
  )
  console.log(
    `collections: ${collections}, ${formatBytes(reclaimed)} freed; stored now ${formatBytes(usage.storedBytes)}`,
  )
  console.log(`peak RSS: writer ${rssMiB.writer} MiB, collector ${rssMiB.collector} MiB`)
  console.log(`errors met: ${list(errors) || 'none'}`)
  for (const fault of faults) console.error(`✗ ${fault}`)
  console.log(faults.length === 0 ? '✓ nothing lost' : `✗ ${faults.length} faults`)
  if (reported.size === 0 || collections === 0) throw new Error('nothing was done, so nothing was shown')
  process.exitCode = faults.length === 0 ? 0 : 1
} finally {
  isOver = true
  for (const child of children.values()) child.kill('SIGKILL')
  await lab?.[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
}

/** What a killed store, a killed peer or a cleaner that was faster may answer with; anything else is a fault. */
function isExpected(code: string): boolean {
  return code.startsWith('Store') || ['SessionFenced', 'PointAbandoned', 'Cancelled'].includes(code)
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGKILL')
  await new Promise((resolve) => child.once('exit', resolve))
}
