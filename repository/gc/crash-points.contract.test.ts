import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { isHoldfastError, MiB } from '../../base/index.ts'
import { FaultClock, FaultyStore } from '../store/index.ts'
import {
  atCrashPoints,
  backUp,
  expectIdentical,
  ModelDisk,
  noSignal,
  RepositoryLab,
  seededBytes,
  type MemoryBucket,
} from '../testing/index.ts'
import { bury, collectNow } from './testing.ts'

let lab: RepositoryLab
beforeAll(async () => {
  lab = await RepositoryLab.create()
})
afterAll(async () => {
  await lab[Symbol.asyncDispose]()
})

let before: MemoryBucket
let live: { readonly stem: string; readonly model: ModelDisk }
/** Garbage to delete, a pack to empty, segments to merge, a tombstone to act upon. */
beforeEach(async () => {
  before = lab.bucket.clone()
  await using repository = await lab.over(before).open()
  const old = new ModelDisk(4 * MiB)
  for (let index = 0; index < 4; index++) old.write(index * MiB, seededBytes(10 + index, 5000))
  const first = await backUp(repository, old)
  const model = old.clone()
  for (let index = 1; index < 4; index++) model.write(index * MiB, seededBytes(20 + index, 5000))
  const { stem } = await backUp(repository, model)
  bury(before, repository, first.stem)
  live = { stem, model }
})

/** Runs `work` in a process that dies at its n-th store call. The number of calls if it did not die. */
async function dyingAt(
  bucket: MemoryBucket,
  n: number,
  work: (repository: Awaited<ReturnType<RepositoryLab['open']>>) => Promise<unknown>,
): Promise<number | undefined> {
  const clock = new FaultClock()
  let base = Infinity
  const connect = () =>
    new FaultyStore(
      bucket.connect(),
      (call) => (call.n - base >= n ? { kind: 'fail', code: 'StoreUnavailable' } : undefined),
      clock,
    )
  await using repository = await lab.over(bucket).open({ connect })
  base = clock.calls.length
  try {
    await work(repository)
    return clock.calls.length - base
  } catch (error) {
    const codes = ['StoreUnavailable', 'CollectionAborted']
    if (!isHoldfastError(error) || !codes.includes(error.code)) throw error
    return undefined
  }
}

async function expectSettled(bucket: MemoryBucket): Promise<void> {
  await using repository = await lab.over(bucket).open()
  await expectIdentical(repository, live.stem, live.model)
  await collectNow(repository)
  const last = await collectNow(repository)
  expect(last.outcome).toBe('nothing')
  expect(last.live).toEqual(last.listed)
  await using fresh = await lab.over(bucket).open()
  await expectIdentical(fresh, live.stem, live.model)
  expect((await backUp(fresh, live.model, { vm: 'again' })).disks[0]?.newBytes).toBe(0)
  const report = await fresh.verify({ level: 'quick', signal: noSignal, onProgress: () => undefined })
  expect(report.damages).toEqual([])
}

/** §18 test 3, for who deletes. */
describe('a process that dies at its n-th store call, for every n', () => {
  it('while it collects: the next ones finish, nothing that is needed goes, and nothing else stays', async () => {
    const calls = await dyingAt(before.clone(), Infinity, (repository) => collectNow(repository))
    expect(calls).toBeGreaterThan(40)
    await atCrashPoints(calls ?? 0, 2, async (n) => {
      const bucket = before.clone()
      await dyingAt(bucket, n, (repository) => collectNow(repository))
      await expectSettled(bucket)
    })
  })

  it('while it prunes', async () => {
    const prune = async (repository: Awaited<ReturnType<RepositoryLab['open']>>) => {
      const options = { remove: [], reason: 'operator', actor: 'test', abandonAfterMs: 0, signal: noSignal } as const
      await repository.prune(options)
    }
    const calls = await dyingAt(before.clone(), Infinity, prune)
    await atCrashPoints(calls ?? 0, 2, async (n) => {
      const bucket = before.clone()
      await dyingAt(bucket, n, prune)
      await expectSettled(bucket)
    })
  })

  it('while it rebuilds a lost index', async () => {
    for (const name of before.names('idx/')) before.objects.delete(name)
    const rebuild = async (repository: Awaited<ReturnType<RepositoryLab['open']>>) => {
      await repository.rebuildIndex({ signal: noSignal, onProgress: () => undefined })
    }
    const calls = await dyingAt(before.clone(), Infinity, rebuild)
    await atCrashPoints(calls ?? 0, 2, async (n) => {
      const bucket = before.clone()
      await dyingAt(bucket, n, rebuild)
      await dyingAt(bucket, Infinity, rebuild)
      await expectSettled(bucket)
    })
  })
})
