import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { OpenedRepository } from '../repository.ts'
import { FaultyStore } from '../store/index.ts'
import {
  backUp,
  expectIdentical,
  ModelBackup,
  noSignal,
  RepositoryLab,
  type BackupOptions,
  type MemoryBucket,
} from '../testing/index.ts'
import { bury, collectNow, twoChunks } from './testing.ts'
import type { PruneOptions } from './types.ts'

let lab: RepositoryLab
beforeAll(async () => {
  lab = await RepositoryLab.create()
})
afterAll(async () => {
  await lab[Symbol.asyncDispose]()
})

let bucket: MemoryBucket
let repository: OpenedRepository
let nowMs: number
beforeEach(async () => {
  bucket = lab.bucket.clone()
  nowMs = Date.now()
  repository = await lab.over(bucket).open({ connect: () => clocked(), clock: () => nowMs })
})

/** The store's clock is the test's. */
function clocked() {
  return new (class extends FaultyStore {
    override async now() {
      return nowMs as Awaited<ReturnType<FaultyStore['now']>>
    }
  })(bucket.connect(), () => undefined)
}

const prune = async (options: Partial<PruneOptions> = {}) => {
  return await repository.prune({ remove: [], reason: 'retention', actor: 'test', signal: noSignal, ...options })
}
const hold = async (stem: string) => {
  return await repository.hold({ stem, type: 'pin', actor: 'test', reason: 'proof' }, noSignal)
}
const point = async (seed: number, options: BackupOptions = {}) =>
  (await backUp(repository, twoChunks(seed), options)).stem
const filesOf = (stem: string) => bucket.names(stem).map((name) => name.slice(stem.length))
const DAY = 24 * 60 * 60 * 1000

describe('pruning', () => {
  it('puts a tombstone, removes .ok and .m, and forgets after 30 days, once no roster remembers', async () => {
    const [old, newest] = [await point(1), await point(10)]
    await collectNow(repository)
    const report = await prune({ remove: [{ stem: old, policy: 'daily' }] })
    expect(report).toMatchObject({ tombstoned: [old], refused: [], removed: 1, forgotten: 0 })
    expect(filesOf(old)).toEqual(['.t'])
    nowMs += 31 * DAY
    expect(await prune()).toMatchObject({ forgotten: 0 })
    await collectNow(repository)
    expect(await prune()).toMatchObject({ forgotten: 1 })
    expect(filesOf(old)).toEqual([])
    await expectIdentical(repository, newest, twoChunks(10))
  })

  it('says of each point which class its writer has named, and looks only at the series that are asked for', async () => {
    const mine = await point(1, { retentionClass: 'critical' })
    const other = await point(4, { vm: 'other' })
    const classes = new Map((await repository.retentionPoints(noSignal)).map((one) => [one.stem, one.retentionClass]))
    expect(classes).toEqual(
      new Map([
        [mine, 'critical'],
        [other, ''],
      ]),
    )
    const only = await repository.retentionPoints(noSignal, [other.split('/')[1] ?? ''])
    expect(only).toMatchObject([{ stem: other, guard: 'newest' }])
  })

  it('leaves what has a tombstone to a later call when it is told to, and lists it as removed until it is forgotten', async () => {
    const [old, newest] = [await point(1), await point(10)]
    await prune({ remove: [{ stem: old }], tidy: false })
    expect(filesOf(old).sort()).toEqual(['.m', '.ok', '.t'])
    expect(await repository.removedPoints(noSignal)).toEqual([old])
    // Again: what has a tombstone is done.
    expect(await prune({ remove: [{ stem: old }], tidy: false })).toMatchObject({ tombstoned: [], refused: [] })
    expect(await prune()).toMatchObject({ removed: 1 })
    expect(await repository.removedPoints(noSignal)).toEqual([old])
    await hold(newest)
    expect((await repository.retentionPoints(noSignal)).map(({ stem }) => stem)).toEqual([newest])
  })

  it('changes nothing in a dry run', async () => {
    const [old] = [await point(1), await point(10)]
    const before = bucket.names()
    expect(await prune({ remove: [{ stem: old }], dryRun: true })).toMatchObject({ tombstoned: [old] })
    expect(bucket.names()).toEqual(before)
  })

  it('refuses the newest point, a held one, the parent of a live session, and what is not there', async () => {
    const stems = [await point(1), await point(4), await point(7), await point(10)]
    const [held = '', parent = '', , newest = ''] = stems
    await hold(held)
    await new ModelBackup(repository, twoChunks(4), { parent, mode: 'incremental' }).open(repository)
    const absent = `${newest.slice(0, -32)}${'ab'.repeat(16)}`
    const report = await prune({ remove: [...stems, absent].map((stem) => ({ stem })), maxShare: 1 })
    expect(report.tombstoned).toEqual([stems[2]])
    expect(report.refused.map(({ why }) => why)).toEqual([
      'held',
      'parent of a live session',
      'newest',
      'there is no such point',
    ])
  })

  it('reports a point as held whose hold was confirmed before its tombstone, also when it is asked again', async () => {
    const [stem, newest] = [await point(1), await point(10)]
    await using racing = await lab.over(bucket).open({
      connect: () =>
        new (class extends FaultyStore {
          override async putIfAbsent(...args: Parameters<FaultyStore['putIfAbsent']>) {
            if (args[0] === `${stem}.t`) await hold(stem)
            return await super.putIfAbsent(...args)
          }
        })(bucket.connect(), () => undefined),
    })
    const sweep = { remove: [{ stem }], reason: 'retention', actor: 'test', maxShare: 1, signal: noSignal } as const
    const held = { tombstoned: [], refused: [{ stem, why: 'held' }], removed: 0 }
    expect(await racing.prune(sweep)).toMatchObject(held)
    expect(await prune(sweep)).toMatchObject(held)
    expect(filesOf(stem).sort()).toEqual(['.m', '.ok', '.t'])
    await expectIdentical(repository, stem, twoChunks(1))
    await expectIdentical(repository, newest, twoChunks(10))
  })

  it('refuses a sweep that takes more than its share, and any while the clocks differ', async () => {
    const stems = [await point(1), await point(4), await point(7), await point(10)]
    const remove = stems.slice(0, 3).map((stem) => ({ stem }))
    await expect(prune({ remove })).rejects.toMatchObject({ code: 'RetentionRefused' })
    expect(bucket.names('snap/').filter((name) => name.endsWith('.t'))).toEqual([])
    await using late = await lab.over(bucket).open({ connect: () => clocked(), clock: () => nowMs - DAY })
    const one = { remove: remove.slice(0, 1), reason: 'operator', actor: 'test', signal: noSignal } as const
    await expect(late.prune(one)).rejects.toMatchObject({ code: 'RetentionRefused' })
    await expect(late.retentionClock()).rejects.toMatchObject({ code: 'RetentionRefused' })
    expect(await repository.retentionClock()).toBe(nowMs)
    expect(await prune({ remove, maxShare: 1 })).toMatchObject({ removed: 3 })
  })

  it('dates points by the store where a writer has dated them far off', async () => {
    const far = await point(1, { createdMs: nowMs - 400 * DAY })
    const ahead = await point(4, { createdMs: nowMs + 400 * DAY })
    const times = new Map((await repository.retentionPoints(noSignal)).map(({ stem, timeMs }) => [stem, timeMs]))
    expect(Math.abs((times.get(far) ?? 0) - (nowMs - 7 * DAY))).toBeLessThan(60_000)
    expect(Math.abs((times.get(ahead) ?? 0) - (nowMs + 600_000))).toBeLessThan(60_000)
  })
})

describe('a hold', () => {
  it('keeps a point that gets a tombstone after it, through removal and collection, until it is released', async () => {
    const [stem] = [await point(1), await point(10)]
    const name = await hold(stem)
    bury(bucket, repository, stem)
    expect(await prune()).toMatchObject({ removed: 0 })
    expect(await collectNow(repository)).toMatchObject({ outcome: 'nothing', roots: 2 })
    await expectIdentical(repository, stem, twoChunks(1))
    expect(await repository.listHolds(noSignal)).toMatchObject([{ name, type: 'pin', reason: 'proof' }])
    await repository.release(name)
    nowMs += DAY
    expect(await prune()).toMatchObject({ removed: 1 })
    expect(await collectNow(repository)).toMatchObject({ outcome: 'collected', roots: 1 })
  })

  it('is refused for a point with a tombstone, or one that is not validated', async () => {
    const stem = await point(1)
    const ok = bucket.body(`${stem}.ok`)
    bucket.objects.delete(`${stem}.ok`)
    await expect(hold(stem)).rejects.toMatchObject({ code: 'HoldRefused' })
    bucket.set(`${stem}.ok`, ok)
    bury(bucket, repository, stem)
    await expect(hold(stem)).rejects.toMatchObject({ code: 'HoldRefused' })
    expect(bucket.names('hold/')).toEqual([])
  })

  it('is taken back if a tombstone appears while it is placed, or the point is already removed', async () => {
    for (const act of [
      (stem: string) => bury(bucket, repository, stem),
      (stem: string) => void bucket.objects.delete(`${stem}.ok`),
    ]) {
      const stem = await point(1)
      await using racing = await lab.over(bucket).open({
        connect: () =>
          new (class extends FaultyStore {
            override async putIfAbsent(...args: Parameters<FaultyStore['putIfAbsent']>) {
              const outcome = await super.putIfAbsent(...args)
              if (args[0].startsWith('hold/')) act(stem)
              return outcome
            }
          })(bucket.connect(), () => undefined),
      })
      const request = { stem, type: 'legal', actor: 'test', reason: '' } as const
      await expect(racing.hold(request, noSignal)).rejects.toMatchObject({ code: 'HoldRefused' })
      expect(bucket.names('hold/')).toEqual([])
    }
  })

  it('that is damaged keeps all the same, and is listed as unknown', async () => {
    const [stem] = [await point(1), await point(10)]
    const name = await hold(stem)
    bucket.set(name, Buffer.from('{}'))
    bury(bucket, repository, stem)
    expect(await prune()).toMatchObject({ removed: 0 })
    expect(await repository.listHolds(noSignal)).toMatchObject([{ name, type: 'unknown' }])
  })
})

describe('a manifest that was never validated', () => {
  const unvalidated = async () => {
    const stem = await point(1)
    const ok = bucket.body(`${stem}.ok`)
    bucket.objects.delete(`${stem}.ok`)
    return { stem, ok }
  }

  it('is abandoned a day after its session was over, not before', async () => {
    const { stem } = await unvalidated()
    expect(await prune()).toMatchObject({ abandoned: [] })
    nowMs += DAY + 3_600_000
    expect(await prune()).toMatchObject({ abandoned: [stem], removed: 1 })
    expect(filesOf(stem)).toEqual(['.a', '.t'])
    expect(await collectNow(repository)).toMatchObject({ outcome: 'collected', roots: 0 })
  })

  it('is left alone if its .ok appears after the intent', async () => {
    const { stem, ok } = await unvalidated()
    nowMs += 3 * DAY
    await using racing = await lab.over(bucket).open({
      clock: () => nowMs,
      connect: () =>
        new (class extends FaultyStore {
          override async now() {
            return nowMs as Awaited<ReturnType<FaultyStore['now']>>
          }
          override async putIfAbsent(...args: Parameters<FaultyStore['putIfAbsent']>) {
            const outcome = await super.putIfAbsent(...args)
            if (args[0].endsWith('.a')) bucket.set(`${stem}.ok`, ok)
            return outcome
          }
        })(bucket.connect(), () => undefined),
    })
    const options = { remove: [], reason: 'retention', actor: 'test', signal: noSignal } as const
    expect(await racing.prune(options)).toMatchObject({ abandoned: [] })
    expect(filesOf(stem)).toEqual(['.a', '.m', '.ok'])
    await expectIdentical(racing, stem, twoChunks(1))
  })

  it('whose writer slept until even its tombstone was forgotten is reported as refused', async () => {
    const sleeper = new ModelBackup(repository, twoChunks(1))
    await sleeper.open(repository)
    await sleeper.copy(repository)
    // It sleeps between W2 and its `.ok`; meanwhile the snapshot is removed without a trace.
    await using asleep = await lab.over(bucket).open({
      connect: () =>
        new (class extends FaultyStore {
          override async putIfAbsent(...args: Parameters<FaultyStore['putIfAbsent']>) {
            const outcome = await super.putIfAbsent(...args)
            if (args[0].endsWith('.ok'))
              for (const name of bucket.names(args[0].slice(0, -3))) bucket.objects.delete(name)
            return outcome
          }
        })(bucket.connect(), () => undefined),
    })
    await expect(sleeper.commit(asleep, 2, 1)).rejects.toMatchObject({ code: 'CommitRefused' })
  })
})
