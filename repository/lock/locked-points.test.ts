import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { MiB } from '../../base/index.ts'
import { names, parseName } from '../format/index.ts'
import { bury, collectNow, twoChunks } from '../gc/testing.ts'
import type { OpenedRepository } from '../repository.ts'
import { FaultClock, FaultyStore, type StoreCall } from '../store/index.ts'
import {
  backUp,
  expectIdentical,
  ModelDisk,
  noSignal,
  RepositoryLab,
  robbed,
  seededBytes,
  smallDisk,
  type MemoryBucket,
} from '../testing/index.ts'
import { DAY_MS } from './index.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const DAYS = 14
const GENERATION = 10

let lab: RepositoryLab
beforeAll(async () => {
  lab = await RepositoryLab.create(undefined, { days: DAYS, generationDays: GENERATION })
})
afterAll(async () => {
  await lab[Symbol.asyncDispose]()
})

let bucket: MemoryBucket
beforeEach(() => {
  bucket = lab.bucket.clone()
})

/** A process of its own, with what it asks of the store. */
async function opened(of = bucket) {
  const clock = new FaultClock()
  const connect = () => new FaultyStore(of.connect(), () => undefined, clock)
  const repository = await lab.over(of).open({ connect, clock: () => of.now() })
  return { repository, extensions: () => clock.calls.filter(({ op }) => op === 'retention').map(({ name }) => name) }
}

/** Moves the clocks of the store and of every process on. */
function later(days: number): void {
  bucket.aheadMs += days * DAY_MS
}

async function lockOf(repository: OpenedRepository, stem: string): Promise<number> {
  const { manifest } = await repository.points.load(stem, false)
  return manifest.header.lockUntilSec * 1000
}

/** Everything without which the point does not restore, found by trying. */
async function expectKept(stem: string, model: ModelDisk, untilMs: number): Promise<void> {
  await using reader = await lab.over(await robbed(bucket, untilMs - 1000)).open()
  await expectIdentical(reader, stem, model)
}

describe('a point of a repository that locks', () => {
  it('says until when, and everything that it needs outlives whoever deletes all that can be deleted', async () => {
    const { repository } = await opened()
    await using _ = repository
    expect(repository.lock).toEqual({ days: DAYS, mode: 'compliance', generationDays: GENERATION })
    const model = smallDisk(1)
    const configs = [{ name: 'xml', type: 'native', content: Buffer.alloc(3_000, 7) }] as const
    const before = bucket.now()
    const { stem } = await backUp(repository, model, { configs })
    const until = await lockOf(repository, stem)
    expect(until).toBeGreaterThanOrEqual(before + DAYS * DAY_MS)
    expect(until).toBeLessThanOrEqual(bucket.now() + DAYS * DAY_MS + 1000)
    await using point = await repository.openPoint(stem)
    expect(point.info.retention.lockUntilSec * 1000).toBe(until)
    await expectKept(stem, model, until)
  })

  it('locks what must stay and leaves deletable what is rebuilt', async () => {
    const { repository } = await opened()
    await using _ = repository
    await backUp(repository, twoChunks(1))
    const locked = new Set<string | undefined>()
    const free = new Set<string | undefined>()
    for (const name of bucket.names()) {
      const kinds = bucket.lockedUntil(name) > 0 ? locked : free
      kinds.add(parseName(name)?.kind)
    }
    expect([...locked].sort()).toEqual(['fmt', 'key-set', 'key-slot', 'manifest', 'pack', 'validated'])
    expect([...free].sort()).toEqual(['floor', 'probe', 'segment', 'session'])
    // All of one generation end together.
    const ends = new Set(bucket.names().map((name) => bucket.lockedUntil(name)))
    for (const end of ends) expect(end % (GENERATION * DAY_MS)).toBe(0)
  })

  it('that inherits extends what it inherits once in a generation, and not again', async () => {
    const model = twoChunks(1)
    const { repository } = await opened()
    const first = await backUp(repository, model)
    await repository[Symbol.asyncDispose]()
    // The next generation, whatever the day is on which this test runs.
    later(GENERATION)
    const next = await opened()
    const second = await backUp(next.repository, model, { parent: first.stem, source: { extents: [] } })
    const packs = bucket.names('pack/')
    expect(
      next
        .extensions()
        .filter((name) => name.startsWith('pack/'))
        .sort(),
    ).toEqual(packs)
    await expectKept(second.stem, model, await lockOf(next.repository, second.stem))
    await next.repository[Symbol.asyncDispose]()
    const same = await opened()
    await using _ = same.repository
    const third = await backUp(same.repository, model, { parent: second.stem, source: { extents: [] } })
    expect(same.extensions()).toEqual([])
    await expectKept(third.stem, model, await lockOf(same.repository, third.stem))
  })

  it('that reuses what another VM has stored extends it, keys and descriptor with it', async () => {
    const model = twoChunks(1)
    const first = await opened()
    await backUp(first.repository, model, { vm: 'one' })
    await first.repository[Symbol.asyncDispose]()
    later(GENERATION)
    const second = await opened()
    await using _ = second.repository
    const { stem } = await backUp(second.repository, model, { vm: 'two' })
    const until = await lockOf(second.repository, stem)
    expect(bucket.names('keys/').length).toBeGreaterThan(0)
    for (const name of [...bucket.names('pack/'), ...bucket.names('keys/'), names.fmt(0), names.fmt(1), names.fmt(2)]) {
      expect([name, bucket.lockedUntil(name) >= until]).toEqual([name, true])
    }
    await expectKept(stem, model, until)
  })

  it('is not published as one if the store refuses to extend: the backup fails and names the right', async () => {
    const model = twoChunks(1)
    {
      const { repository } = await opened()
      await backUp(repository, model, { vm: 'one' })
      await repository[Symbol.asyncDispose]()
    }
    later(GENERATION)
    const refusing = () =>
      new FaultyStore(bucket.connect(), ({ op }) =>
        op === 'retention' ? { kind: 'fail', code: 'StoreDenied' } : undefined,
      )
    await using repository = await lab.over(bucket).open({ connect: refusing, clock: () => bucket.now() })
    await expect(backUp(repository, model, { vm: 'two' })).rejects.toMatchObject({ code: 'StoreDenied' })
    const points = (await Array.fromAsync(repository.listPoints())).map(({ state }) => state)
    expect(points.sort()).toEqual(['not-validated', 'recovery-point'])
  })

  it('counts by the clock of the store: that of a host which is years ahead locks nothing for years', async () => {
    await using repository = await lab.over(bucket).open({ clock: () => bucket.now() + 3_650 * DAY_MS })
    const { stem } = await backUp(repository, twoChunks(1))
    const until = await lockOf(repository, stem)
    expect(Math.abs(until - bucket.now() - DAYS * DAY_MS)).toBeLessThan(10_000)
  })

  it('is read from a copy in a directory, and no backup goes there', async () => {
    const model = twoChunks(1)
    const { repository } = await opened()
    await using _ = repository
    const { stem } = await backUp(repository, model)
    const copy = bucket.clone()
    const unlocked = () => new FaultyStore(withoutLock(copy), () => undefined)
    await using reader = await lab.over(copy).open({ connect: unlocked })
    await expectIdentical(reader, stem, model)
    await expect(backUp(reader, model)).rejects.toMatchObject({ code: 'StoreUnfit' })
  })
})

/** What any tool has copied: the bytes without their locks. */
function withoutLock(of: MemoryBucket) {
  const inner = of.connect()
  return new Proxy(inner, {
    get(target, member) {
      if (member === 'capabilities') return { ...target.capabilities, objectLock: 'none' }
      const value: unknown = Reflect.get(target, member, target)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
}

describe('whoever removes', () => {
  const pruneOptions = { reason: 'operator', actor: 'test', maxShare: 1, signal: noSignal } as const

  it('prune refuses what is locked, held or the newest, and says which it is; later it goes', async () => {
    const { repository } = await opened()
    const [old, held, newest] = [
      await backUp(repository, twoChunks(1)),
      await backUp(repository, twoChunks(3)),
      await backUp(repository, twoChunks(5)),
    ]
    await repository.hold({ stem: held.stem, type: 'pin', actor: 'test', reason: 'test' }, noSignal)
    const remove = [old, held, newest].map(({ stem }) => ({ stem }))
    const refused = await repository.prune({ ...pruneOptions, remove })
    const until = new Date(await lockOf(repository, old.stem)).toISOString()
    expect(refused).toMatchObject({
      tombstoned: [],
      refused: [
        { stem: old.stem, why: `locked until ${until}` },
        { stem: held.stem, why: 'held' },
        { stem: newest.stem, why: 'newest' },
      ],
    })
    const points = await repository.retentionPoints(noSignal)
    expect(points.map(({ stem, guard }) => [stem, guard])).toEqual([
      [newest.stem, 'newest'],
      [held.stem, 'held'],
      [old.stem, 'locked'],
    ])
    await repository[Symbol.asyncDispose]()
    later(DAYS + 1)
    const after = await opened()
    await using _ = after.repository
    const done = await after.repository.prune({ ...pruneOptions, remove: [{ stem: old.stem }] })
    expect(done).toMatchObject({ tombstoned: [old.stem], refused: [] })
  })

  it('a tombstone that somebody put all the same removes nothing: what is locked stays, without an error', async () => {
    const { repository } = await opened()
    await using _ = repository
    const model = twoChunks(1)
    const { stem } = await backUp(repository, model)
    await backUp(repository, twoChunks(3))
    bury(bucket, repository, stem)
    const packs = bucket.names('pack/')
    for (let run = 0; run < 2; run++) {
      expect(await repository.prune({ ...pruneOptions, remove: [] })).toMatchObject({ removed: 0, locked: 1 })
      const report = await collectNow(repository)
      expect(report).toMatchObject({ outcome: 'nothing', condemned: { packs: 0 }, deleted: { packs: 0 } })
      expect(report.kept.locked.packs).toBeGreaterThan(0)
    }
    expect(bucket.names('pack/')).toEqual(packs)
    await expectIdentical(repository, stem, model, { explicit: true })
    // Its retention over, it goes in the ordinary way.
    later(DAYS + GENERATION + 1)
    await using late = await lab.over(bucket).open({ clock: () => bucket.now() })
    expect(await late.prune({ ...pruneOptions, remove: [] })).toMatchObject({ removed: 1, locked: 0 })
    expect(await collectNow(late)).toMatchObject({ outcome: 'collected', kept: { locked: { packs: 0 } } })
    expect(bucket.names('pack/').length).toBeLessThan(packs.length)
  })

  it('a mostly empty pack is not emptied while it is locked, nor before it is a generation old', async () => {
    const { repository } = await opened()
    const before = new ModelDisk(6 * MiB)
    for (let index = 0; index < 6; index++) before.write(index * MiB, seededBytes(40 + index, 20_000))
    const first = await backUp(repository, before)
    const after = before.clone()
    for (let index = 1; index < 6; index++) after.write(index * MiB, seededBytes(90 + index, 20_000))
    const second = await backUp(repository, after)
    bury(bucket, repository, first.stem)
    const report = await collectNow(repository)
    expect(report).toMatchObject({ outcome: 'nothing', copied: { packs: 0 } })
    expect(report.kept.locked.packs).toBeGreaterThan(0)
    await repository[Symbol.asyncDispose]()
    // As a store says it whose lock was lifted by somebody who may: the age alone keeps it.
    for (const name of bucket.names('pack/')) bucket.change(name, { retainUntil: 0 })
    for (const name of bucket.names('idx/')) bucket.objects.delete(name)
    await using fresh = await lab.over(bucket).open({ clock: () => bucket.now() })
    await fresh.rebuildIndex({ signal: noSignal, onProgress: () => undefined })
    expect(await collectNow(fresh)).toMatchObject({ copied: { packs: 0 } })
    later(GENERATION + 1)
    expect(await collectNow(fresh)).toMatchObject({ copied: { packs: 1 } })
    await using reader = await lab.over(bucket).open()
    await expectIdentical(reader, second.stem, after)
  })
})

describe('a legal hold', () => {
  const wish = { type: 'legal', actor: 'test', reason: 'court' } as const

  it('is the store’s as well: what the point needs stays when its retention is over, until it is released', async () => {
    const { repository } = await opened()
    await using _ = repository
    const [model, other] = [smallDisk(1), twoChunks(3)]
    const { stem } = await backUp(repository, model)
    const second = await backUp(repository, other)
    const hold = await repository.hold({ ...wish, stem }, noSignal)
    await expectKept(stem, model, bucket.now() + 1_000 * DAY_MS)
    await expect(expectKept(second.stem, other, bucket.now() + 1_000 * DAY_MS)).rejects.toThrow()
    await repository.release(hold)
    expect(bucket.names().filter((name) => bucket.objects.get(name)?.isHeld === true)).toEqual([])
    expect(bucket.names('hold/')).toEqual([])
  })

  it('that is released leaves what another one needs, also one that was placed meanwhile', async () => {
    const model = twoChunks(1)
    const first = await opened()
    const a = await backUp(first.repository, model, { vm: 'a' })
    const b = await backUp(first.repository, model, { vm: 'b' })
    const c = await backUp(first.repository, model, { vm: 'c' })
    const [holdA] = [
      await first.repository.hold({ ...wish, stem: a.stem }, noSignal),
      await first.repository.hold({ ...wish, stem: b.stem }, noSignal),
    ]
    await first.repository.release(holdA)
    await expectKept(b.stem, model, bucket.now() + 1_000 * DAY_MS)
    const [holdB = ''] = bucket.names('hold/')
    await first.repository[Symbol.asyncDispose]()
    // The last one goes while a third one comes: its object is there, its holds were set, and are now taken away.
    await using placer = await lab.over(bucket).open()
    let placed: Promise<string> | undefined
    const meanwhile = ({ op, name }: StoreCall) => {
      if (op !== 'hold' || !name.startsWith('pack/')) return undefined
      placed ??= placer.hold({ ...wish, stem: c.stem }, noSignal)
      return { kind: 'late', ms: 0 } as const
    }
    const connect = () => new FaultyStore(bucket.connect(), meanwhile, undefined, async () => await placed)
    await using releaser = await lab.over(bucket).open({ connect })
    await releaser.release(holdB)
    expect(await placed).toMatch(/^hold\//)
    await expectKept(c.stem, model, bucket.now() + 1_000 * DAY_MS)
  })
})
