import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isHoldfastError, MiB } from '../../base/index.ts'
import { collectNow } from '../gc/testing.ts'
import { PosixStore } from '../store/index.ts'
import {
  atCrashPoints,
  bucketOf,
  expectOnePoint,
  layOut,
  ModelBackup,
  ModelDisk,
  noSignal,
  PowerCut,
  RepositoryLab,
  seededBytes,
  uuid,
  type BackupOptions,
  type Loss,
} from '../testing/index.ts'

let lab: RepositoryLab
let folder: string
beforeAll(async () => {
  lab = await RepositoryLab.create()
  folder = mkdtempSync(join(tmpdir(), 'holdfast-power-'))
})
afterAll(async () => {
  await lab[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

/** Small, so that few bytes are written: two chunks, one of them journalled before the other is read. */
const model = new ModelDisk(3 * MiB)
model.write(0, seededBytes(1, 1500))
model.write(2 * MiB, seededBytes(2, 1500))
const options = {
  journalSourceBytes: MiB,
  configs: [{ name: 'c', type: 'native', content: Buffer.from('c') }],
} as const

/** A generator of its own for each point: the same point loses the same. */
function chance(seed: number): () => number {
  let n = 0
  return () => createHash('sha256').update(`${seed} ${n++}`).digest().readUInt32LE() / 2 ** 32
}

async function backUpOn(root: string, cut: PowerCut | undefined, spec: BackupOptions, attempt: number): Promise<void> {
  const connect = () => new PosixStore(root, { reserveBytes: 0, ...(cut && { files: cut.files }) })
  await using repository = await lab.open({ connect })
  const backup = new ModelBackup(repository, model, { ...options, ...spec })
  await backup.open(repository)
  await backup.copy(repository, attempt)
  await backup.commit(repository, attempt, attempt)
  await repository.endSession(backup.spec.session, 'committed')
}

let serial = 0
/** A backup that dies after so many bytes and calls, and what the disk holds then. */
async function dying(at: number, loss: Loss, spec: BackupOptions): Promise<{ root: string; ticks: number }> {
  const root = join(folder, String(serial++))
  await layOut(lab.bucket, root)
  const cut = new PowerCut(at, chance(at))
  try {
    await backUpOn(root, cut, spec, 1)
  } catch (error) {
    if (!cut.isDead || !isHoldfastError(error) || error.code !== 'StoreUnavailable') throw error
  }
  if (loss === 'power') await cut.loseWhatWasNotSynced()
  return { root, ticks: cut.ticks }
}

const identity = () => ({ session: uuid(), snap: uuid(), createdMs: 1_800_000_000_000 })

/** §18 test 3: every byte that a backup writes to a directory is the last one. */
describe.each<Loss>(['process', 'power'])('a backup on a directory whose %s is cut off', (loss) => {
  it('after any byte leaves no torn object, and is finished by the next process, byte-identical', async () => {
    const { root, ticks } = await dying(Infinity, 'process', identity())
    expect(ticks).toBeGreaterThan(10_000)
    await expectOnePoint(lab, await bucketOf(root), model)
    await atCrashPoints(ticks, Math.ceil(ticks / 12), async (n) => {
      const spec = identity()
      const { root: left } = await dying(n, loss, spec)
      await expectWhole(left)
      await backUpOn(left, undefined, spec, 2)
      const bucket = await bucketOf(left)
      await expectOnePoint(lab, bucket, model)
      // What the dead one left is garbage like any other.
      await using repository = await lab.over(bucket).open()
      await collectNow(repository)
      await expectOnePoint(lab, bucket, model)
      rmSync(left, { recursive: true })
    })
  })
})

/** Whatever has a name is whole: packs and segments hash to it, and a full verify understands all the rest. */
async function expectWhole(root: string): Promise<void> {
  const bucket = await bucketOf(root)
  for (const name of [...bucket.names('pack/'), ...bucket.names('idx/')]) {
    expect(name.endsWith(createHash('sha256').update(bucket.body(name)).digest('hex'))).toBe(true)
  }
  await using repository = await lab.over(bucket).open()
  const report = await repository.verify({ level: 'full', signal: noSignal, onProgress: () => undefined })
  expect(report.damages).toEqual([])
}
