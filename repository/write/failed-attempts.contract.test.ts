import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { MiB } from '../../base/index.ts'
import { decodeManifestHeader, names } from '../format/index.ts'
import { FaultyStore, type FaultPlan } from '../store/index.ts'
import { GcScript, ModelBackup, ModelDisk, RepositoryLab, seededBytes } from '../testing/index.ts'
import { Copy } from '../verify/testing.ts'

vi.setConfig({ testTimeout: 30_000 })

let lab: RepositoryLab
beforeAll(async () => {
  lab = await RepositoryLab.create()
})
afterAll(async () => {
  await lab[Symbol.asyncDispose]()
})

function disk(seed: number): ModelDisk {
  const model = new ModelDisk(16 * MiB)
  model.write(0, seededBytes(seed, 12 * MiB))
  return model
}

/** The n-th call of an operation fails, as on a full disk. */
function fullAt(op: string, n: number): FaultPlan {
  let seen = 0
  return (call) => (call.op === op && ++seen === n ? { kind: 'fail', code: 'StoreFull' } : undefined)
}

describe('an attempt that finds the disk full', () => {
  it.each([
    ['in the middle of a part', 2, false],
    ['while the configuration is stored', 1, true],
  ] as const)('%s leaves nothing of it in tmp/', async (_when, flush, inCommit) => {
    using copy = new Copy()
    let plan: FaultPlan = () => undefined
    await using repository = await copy.open((store) => new FaultyStore(store, (call) => plan(call)))
    const configs = [{ name: 'c', type: 'native', content: Buffer.from('c') }] as const
    const backup = new ModelBackup(repository, disk(1), { journalSourceBytes: 4 * MiB, configs })
    await backup.open(repository)
    if (inCommit) await backup.copy(repository)
    plan = fullAt('flush', flush)
    const failing = inCommit ? backup.commit(repository) : backup.copy(repository)
    await expect(failing).rejects.toMatchObject({ code: 'StoreFull', data: { side: 'store-write' } })
    expect(readdirSync(join(copy.path, 'tmp'))).toEqual([])
    expect(copy.warnings).toEqual([])
  })

  it('fails for its own reason where nothing can be removed either, and says that too', async () => {
    using copy = new Copy()
    let isFull = false
    const plan: FaultPlan = ({ op }) =>
      isFull && (op === 'flush' || op === 'discard') ? { kind: 'fail', code: 'StoreFull' } : undefined
    await using repository = await copy.open((store) => new FaultyStore(store, plan))
    const backup = new ModelBackup(repository, disk(2))
    await backup.open(repository)
    isFull = true
    await expect(backup.copy(repository)).rejects.toMatchObject({ code: 'StoreFull', message: 'injected: flush ' })
    expect(copy.warnings).toEqual([expect.stringContaining('still there: injected: discard')])
  })
})

describe('stampEpoch of a manifest', () => {
  /** Attempt 1 stores under epoch 0; then collectors raise the epoch to 5, and attempt 2 goes on. */
  async function resumed(diesAfterResult: boolean, commitElsewhere: boolean): Promise<number> {
    const own = lab.over(lab.bucket.clone())
    await using first = await own.open()
    const backup = new ModelBackup(first, disk(3), { journalSourceBytes: 4 * MiB })
    await backup.open(first)
    if (diesAfterResult) await backup.copy(first)
    else {
      let puts = 0
      const plan: FaultPlan = ({ op, name }) =>
        op === 'put' && name.startsWith('sess/') && ++puts > 1 ? { kind: 'fail', code: 'StoreUnavailable' } : undefined
      await using dying = await own.open({ connect: () => new FaultyStore(own.bucket.connect(), plan) })
      await expect(backup.copy(dying)).rejects.toMatchObject({ code: 'StoreUnavailable' })
    }
    new GcScript(own.bucket, first.engine.ring).raiseFloor(6)
    await using next = await own.open()
    await backup.copy(next, 2)
    await using other = await own.open()
    const { stem } = await backup.commit(commitElsewhere ? other : next, 1, 2)
    const object = own.bucket.body(names.snap(stem, 'manifest'))
    return decodeManifestHeader(object, object.length, stem).stampEpoch
  }

  it.each([
    ['of a part that was resumed', false, false],
    ['of a result that was taken up', true, false],
    ['of a resumed part, committed by another process', false, true],
  ])('is not later than what earlier attempts have stored: %s', async (_what, diesAfterResult, commitElsewhere) => {
    expect(await resumed(diesAfterResult, commitElsewhere)).toBe(0)
  })

  it('is that of the S0 of the session where nothing was stored, whoever commits', async () => {
    const own = lab.over(lab.bucket.clone())
    await using first = await own.open()
    const backup = new ModelBackup(first, new ModelDisk(4 * MiB))
    await backup.open(first)
    await backup.copy(first)
    new GcScript(own.bucket, first.engine.ring).raiseFloor(6)
    await using other = await own.open()
    const { stem } = await backup.commit(other)
    const object = own.bucket.body(names.snap(stem, 'manifest'))
    expect(decodeManifestHeader(object, object.length, stem).stampEpoch).toBe(0)
  })
})

describe('sessions that nobody ends', () => {
  it('are forgotten by a process that meets many more, and can be finished all the same', async () => {
    const own = lab.over(lab.bucket.clone())
    await using repository = await own.open()
    const backup = new ModelBackup(repository, disk(4))
    await backup.open(repository)
    await backup.copy(repository)
    for (let n = 0; n < 70; n++) await new ModelBackup(repository, new ModelDisk(MiB)).open(repository)
    await backup.commit(repository)
    await repository.endSession(backup.spec.session, 'committed')
  })
})
