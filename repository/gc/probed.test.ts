import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { recordProbe } from '../probing.ts'
import { FaultyStore, type FaultPlan } from '../store/index.ts'
import { backUp, RepositoryLab, type MemoryBucket } from '../testing/index.ts'
import type { ProbeReport } from '../types.ts'
import { Recheck } from './recheck.ts'
import { bury, collectNow, twoChunks } from './testing.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const DAY = 86_400_000
const recheck = { objects: 4, rounds: 4, listed: 8 }

let lab: RepositoryLab
beforeAll(async () => {
  lab = await RepositoryLab.create()
})
afterAll(async () => {
  await lab[Symbol.asyncDispose]()
})

let bucket: MemoryBucket
beforeEach(async () => {
  bucket = lab.bucket.clone()
  await using repository = await lab.over(bucket).open()
  const { stem } = await backUp(repository, twoChunks(1))
  await backUp(repository, twoChunks(3))
  bury(bucket, repository, stem)
})

const opened = (plan: FaultPlan = () => undefined) =>
  lab.over(bucket).open({ recheck, clock: () => bucket.now(), connect: () => new FaultyStore(bucket.connect(), plan) })

const report = (more: Partial<ProbeReport> = {}): ProbeReport => {
  return { passed: true, checks: [], staleMs: 0, skewMs: 0, writeRate: 1, readRate: 1, ...more }
}

async function record(probe: ProbeReport): Promise<void> {
  await using repository = await lab.over(bucket).open()
  await recordProbe(bucket.connect(), repository.id, probe, bucket.now())
}

/** Nothing was deleted, and nothing condemned. */
async function expectRefused(of: MemoryBucket, code: string, message: RegExp): Promise<void> {
  const before = of.names()
  await using repository = await opened()
  await expect(collectNow(repository)).rejects.toMatchObject({
    code,
    message: expect.stringMatching(message) as string,
    hint: expect.stringContaining('Nothing was deleted') as string,
  })
  expect(of.names()).toEqual(before)
}

describe('before it deletes, a collection', () => {
  it('repeats the first checks of the probe, and leaves nothing of them behind', async () => {
    await using repository = await opened()
    const said: string[] = []
    const done = await collectNow(repository, { onProgress: (what) => void said.push(what) })
    expect(done).toMatchObject({ outcome: 'collected' })
    expect(said).toContain('probing the store')
    expect(bucket.names('probe-tmp/')).toEqual([])
  })

  it('removes what a probe that was killed has left, and nothing of one that may be under way', async () => {
    const run = 'ab'.repeat(16)
    bucket.set(`probe-tmp/${run}/old`, Buffer.from('x'))
    bucket.aheadMs = 2 * DAY
    bucket.set(`probe-tmp/${run}/young`, Buffer.from('x'))
    await using repository = await opened()
    await collectNow(repository)
    expect(bucket.names('probe-tmp/')).toEqual([`probe-tmp/${run}/young`])
  })

  it('goes by the age of the last probe, by the clock of the store: a week, and not longer', async () => {
    bucket.aheadMs = 7 * DAY - 60_000
    {
      await using repository = await opened()
      expect(await collectNow(repository, { dryRun: true })).toMatchObject({ outcome: 'dry-run' })
    }
    bucket.aheadMs = 7 * DAY + 60_000
    await expectRefused(bucket, 'ProbeOutdated', /last probed 168 h/)
    await using dry = await opened()
    expect(await collectNow(dry, { dryRun: true })).toMatchObject({ outcome: 'dry-run' })
    await record(report())
    await using repository = await opened()
    expect(await collectNow(repository)).toMatchObject({ outcome: 'collected' })
  })

  it('goes by that of the init where nothing else is there', async () => {
    for (const name of bucket.names('probe/')) bucket.objects.delete(name)
    {
      await using repository = await opened()
      expect(await collectNow(repository)).toMatchObject({ outcome: 'collected' })
    }
    bucket.aheadMs = 8 * DAY
    await expectRefused(bucket, 'ProbeOutdated', /last probed 192 h/)
  })

  it('is refused by a probe that failed, whichever check it was, and says which', async () => {
    const checks = [{ name: 'two writers see each other', passed: false, detail: 'both missed' }]
    await record(report({ passed: false, checks }))
    await expectRefused(bucket, 'StoreUnfit', /two writers see each other: both missed/)
    // Later, and passed: that one counts.
    bucket.aheadMs += 1000
    await record(report({ checks: [{ name: 'clock', passed: false, detail: 'slow' }] }))
    await using repository = await opened()
    expect(await collectNow(repository)).toMatchObject({ outcome: 'collected' })
  })

  it('is refused where the store breaks a promise now, whatever the last probe said', async () => {
    const before = bucket.names()
    const short: FaultPlan = ({ op, name }) =>
      op === 'list' && name.includes('/list-') ? { kind: 'truncated', share: 0.5 } : undefined
    await using repository = await opened(short)
    await expect(collectNow(repository)).rejects.toMatchObject({
      code: 'StoreUnfit',
      message: expect.stringContaining('listing of many objects') as string,
    })
    expect(bucket.names()).toEqual(before)
  })

  it('is refused where listings lag longer than this connection waits', async () => {
    await record(report({ staleMs: 400 }))
    await expectRefused(bucket, 'StoreUnfit', /lag by 400 ms/)
  })
})

describe('what a collection repeats of the probe', () => {
  it('may have been begun while the key was derived: it is believed once', async () => {
    let connections = 0
    const connect = () => {
      connections += 1
      return bucket.connect()
    }
    const repeated = new Recheck(connect, recheck)
    repeated.begin()
    expect(connections).toBe(2)
    expect((await repeated.run()).checks.every(({ passed }) => passed)).toBe(true)
    expect(connections).toBe(2)
    await repeated.run()
    expect(connections).toBe(4)
  })

  it('stops a collection that was begun so, too', async () => {
    const short: FaultPlan = ({ op, name }) =>
      op === 'list' && name.includes('/list-') ? { kind: 'truncated', share: 0.5 } : undefined
    const before = bucket.names()
    const connect = () => new FaultyStore(bucket.connect(), short)
    await using repository = await lab
      .over(bucket)
      .open({ recheck, purpose: 'collect', connect, clock: () => bucket.now() })
    await expect(collectNow(repository)).rejects.toMatchObject({ code: 'StoreUnfit' })
    expect(bucket.names()).toEqual(before)
  })

  it('leaves nothing where nobody collects after all, and where the secret is wrong', async () => {
    const before = bucket.names()
    {
      await using _repository = await lab.over(bucket).open({ recheck, purpose: 'collect' })
    }
    expect(bucket.names()).toEqual(before)
    const wrong = lab
      .over(bucket)
      .open({ recheck, purpose: 'collect', derive: () => Promise.resolve(Buffer.alloc(32)) })
    await expect(wrong).rejects.toMatchObject({ code: 'WrongSecret' })
    expect(bucket.names()).toEqual(before)
  })
})
