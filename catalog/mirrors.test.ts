import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { planDefaults } from '../policy/index.ts'
import type { Catalog, CopyOutcome, WantedCopy } from './index.ts'
import { aPoint, aRun, furnish, pointIdOf, testCatalog, testNow, type TestCatalog } from './testing.ts'

const pair = { sourceId: 'main', targetId: 'offsite' } as const
const hour = 3_600_000
let here: TestCatalog
let catalog: Catalog
beforeEach(() => {
  here = testCatalog()
  catalog = here.catalog
  furnish(catalog, ['web-01', 'db-01'])
  const location = { kind: 's3', url: 's3://offsite/holdfast' } as const
  catalog.repositories.add({ name: 'offsite', site: 'local', location, credentialRef: 'file:/srv/secrets/offsite' })
  for (const n of [1, 2, 3]) point(n)
})
afterEach(() => here[Symbol.dispose]())

/** The n-th of web-01, an hour after the one before. */
function point(n: number, vmId = 'web-01', plan: string | null = 'nightly'): void {
  const ms = testNow - 10 * hour + n * hour
  const stem = `snap/${(vmId === 'web-01' ? 'a' : 'b').repeat(32)}/${'0'.repeat(16)}-${pointIdOf(n)}`
  catalog.points.record(aPoint(n, { vmId, stem, plan, createdMs: ms, validatedMs: ms + 60_000 }))
}
const want = (n: number, byHand = false): void => catalog.mirrors.want(pair, pointIdOf(n), byHand)
const take = (runId = 'r1', limit = 8): string[] => taken(runId, limit).map(({ pointId }) => pointId)
const taken = (runId: string, limit: number): WantedCopy[] =>
  catalog.mirrors.take(pair, runId, { nowMs: here.clock.ms, limit })
const stateOf = (n: number) => catalog.copies.find(pointIdOf(n), 'offsite')?.state
function told(n: number, over: Partial<CopyOutcome> = {}, runId = 'r1'): void {
  const { stem } = catalog.points.get(pointIdOf(n))
  const bytes = { storedBytes: 4096, verifiedBytes: 5 * 2 ** 20 }
  const outcome = { pointId: pointIdOf(n), outcome: 'mirrored', stem, ...bytes, lockUntilMs: 0, problem: null } as const
  catalog.mirrors.record(pair, runId, [{ ...outcome, ...over }], here.clock.ms)
}

describe('copies that are wanted', () => {
  it('are taken oldest first, and are there with what was read back', () => {
    for (const n of [3, 1, 2]) want(n)
    want(2)
    expect(catalog.mirrors.due(here.clock.ms)).toEqual([pair])
    expect(take('r1', 2)).toEqual([pointIdOf(1), pointIdOf(2)])
    expect([1, 2, 3].map(stateOf)).toEqual(['in-progress', 'in-progress', 'pending'])
    told(1)
    told(2, { outcome: 'there', storedBytes: 0 })
    expect(catalog.copies.find(pointIdOf(1), 'offsite')).toMatchObject({
      ...{ state: 'done', storedBytes: 4096, verifyLevel: 'spot-checked', verifyChunks: 5, validatedMs: testNow },
    })
    expect(catalog.copies.find(pointIdOf(2), 'offsite')).toMatchObject({ state: 'done', storedBytes: null })
    expect(catalog.points.get(pointIdOf(1)).repositoryId).toBe('main')
    expect(take()).toEqual([pointIdOf(3)])
    told(3)
    expect(take()).toEqual([])
    expect(catalog.mirrors.due(here.clock.ms)).toEqual([])
    expect(catalog.repositories.get('offsite')).toMatchObject({ points: 3, vms: 1 })
  })

  it('are due although a clock that was set back since dated their next try', () => {
    want(1)
    here.clock.ms += 400 * 24 * hour
    take()
    told(1, { outcome: 'failed', problem: 'away' })
    here.clock.ms = testNow
    expect(catalog.mirrors.due(here.clock.ms)).toEqual([pair])
    expect(take('r2')).toEqual([pointIdOf(1)])
  })

  it('come again to the run that has them in hand, and to the next one when that run is dead', () => {
    want(1)
    expect([take(), take()]).toEqual([[pointIdOf(1)], [pointIdOf(1)]])
    catalog.runs.started(aRun(1, { runId: 'r1', kind: 'mirror', workflowId: 'mirror/main/offsite' }))
    expect(catalog.mirrors.due(here.clock.ms)).toEqual([])
    catalog.runs.observe('r1', { state: 'terminated', endedMs: testNow })
    expect(catalog.mirrors.due(here.clock.ms)).toEqual([pair])
    expect(take('r2')).toEqual([pointIdOf(1)])
    // What the dead one says now counts for nothing.
    told(1)
    expect(stateOf(1)).toBe('in-progress')
    told(1, {}, 'r2')
    expect(stateOf(1)).toBe('done')
  })

  it('wait longer after each failure, not in the same run, and not at all when a person asks', () => {
    want(1)
    take()
    told(1, { outcome: 'failed', problem: 'chunk 7 is lost' })
    expect(catalog.copies.find(pointIdOf(1), 'offsite')).toMatchObject({
      ...{ state: 'failed', problem: 'chunk 7 is lost', attempts: 1, retryMs: testNow + 600_000 },
    })
    here.clock.ms += 600_000
    expect(take('r1')).toEqual([])
    expect(take('r2')).toEqual([pointIdOf(1)])
    told(1, { outcome: 'failed', problem: 'again' }, 'r2')
    here.clock.ms += 600_000
    expect(catalog.mirrors.due(here.clock.ms)).toEqual([])
    want(1)
    expect(catalog.mirrors.due(here.clock.ms)).toEqual([])
    want(1, true)
    expect(taken('r2', 8)).toMatchObject([{ pointId: pointIdOf(1), byHand: true }])
  })

  it('of a damaged one stay known as damaged until they were read as a whole', () => {
    want(1)
    take()
    told(1)
    const { stem } = catalog.points.get(pointIdOf(1))
    catalog.points.recordDamage(pointIdOf(1), { ms: testNow, damage: 'a chunk is lost' }, 'offsite')
    want(1, true)
    expect(taken('r2', 8)).toMatchObject([{ pointId: pointIdOf(1), byHand: true }])
    told(1, { outcome: 'failed', problem: 'a chunk is lost' }, 'r2')
    expect(catalog.retained.damaged('offsite')).toEqual(new Set([stem]))
    const found = { stem, sourceId: 'main', validatedMs: testNow, lockUntilMs: null }
    catalog.copies.found({ pointId: pointIdOf(1), repositoryId: 'offsite', ...found })
    expect(catalog.copies.find(pointIdOf(1), 'offsite')).toMatchObject({ state: 'failed', damage: 'a chunk is lost' })
    here.clock.ms += hour
    take('r3')
    told(1, { outcome: 'there' }, 'r3')
    expect(catalog.copies.find(pointIdOf(1), 'offsite')).toMatchObject({ state: 'done', damagedMs: null, damage: null })
    expect(catalog.retained.damaged('offsite').size).toBe(0)
  })

  it('are given back by a run that ends: as they were after a cancel, as an attempt after a failure', () => {
    want(1)
    take()
    catalog.mirrors.release(pair, 'r1', null, testNow)
    expect(catalog.copies.find(pointIdOf(1), 'offsite')).toMatchObject({ state: 'pending', retryMs: null })
    take('r2')
    catalog.mirrors.release(pair, 'r2', 'the store is away', testNow)
    expect(catalog.copies.find(pointIdOf(1), 'offsite')).toMatchObject({
      ...{ state: 'failed', problem: 'the store is away', retryMs: testNow + 600_000 },
    })
  })

  it('are given up when their source no longer has the point, and go with its last copy', () => {
    want(1)
    const removed = { ms: testNow, by: 'a sweep', why: 'old' }
    const { stem } = catalog.points.get(pointIdOf(1))
    catalog.retained.recordRemoved('main', [stem], removed)
    expect(catalog.copies.of(pointIdOf(1))).toEqual([])
    catalog.points.recordGone(pointIdOf(3), testNow, 'main')
    want(3)
    expect(take()).toEqual([])
    expect(catalog.copies.find(pointIdOf(3), 'offsite')).toMatchObject({
      ...{ state: 'failed', problem: 'its source no longer has the point', retryMs: null },
    })
  })

  it('are given up as well where they failed before, so that nothing stays due that nobody takes', () => {
    want(1)
    take()
    told(1, { outcome: 'failed', problem: 'the store is away' })
    expect(catalog.mirrors.wasInHand(pair, 'r1')).toBe(true)
    catalog.points.recordGone(pointIdOf(1), testNow, 'main')
    here.clock.ms += hour
    expect(catalog.mirrors.due(here.clock.ms)).toEqual([pair])
    expect(take('r2')).toEqual([])
    expect(catalog.mirrors.wasInHand(pair, 'r2')).toBe(false)
    expect(catalog.mirrors.due(here.clock.ms)).toEqual([])
    expect(catalog.copies.find(pointIdOf(1), 'offsite')).toMatchObject({
      ...{ state: 'failed', problem: 'its source no longer has the point', retryMs: null },
    })
  })

  it('of which nobody has the point any more are owed by nobody: no lag and no failure stays for ever', () => {
    want(1)
    expect(catalog.mirrors.lags()).toMatchObject([{ behind: 1 }])
    catalog.points.recordGone(pointIdOf(1), testNow, 'main')
    expect(take()).toEqual([])
    expect(catalog.mirrors.lags()).toEqual([])
    expect(catalog.mirrors.failing()).toEqual([])
    expect(catalog.mirrors.states()).toMatchObject([{ behind: 0, failed: 0 }])
    catalog.mirrors.wantBack()
    expect(catalog.copies.find(pointIdOf(1), 'offsite')?.state).toBe('failed')
    // It is back at its source.
    catalog.points.recordFound(pointIdOf(1), testNow, 'main')
    catalog.mirrors.wantBack()
    expect(take('r2')).toEqual([pointIdOf(1)])
  })

  it('whose source no longer has the point come from another repository that has it', () => {
    want(1)
    const location = { kind: 's3', url: 's3://third/holdfast' } as const
    catalog.repositories.add({ name: 'third', site: 'local', location, credentialRef: 'file:/secrets/third' })
    const { stem } = catalog.points.get(pointIdOf(1))
    catalog.copies.found({
      ...{ pointId: pointIdOf(1), repositoryId: 'third', stem, sourceId: 'main' },
      ...{ validatedMs: testNow, lockUntilMs: null },
    })
    catalog.points.recordGone(pointIdOf(1), testNow, 'main')
    expect(take()).toEqual([])
    // Somebody has it: it is owed.
    expect(catalog.mirrors.lags()).toMatchObject([{ sourceId: 'main', behind: 1 }])
    catalog.mirrors.wantBack()
    const [other] = catalog.mirrors.due(testNow)
    expect(other).toEqual({ sourceId: 'third', targetId: 'offsite' })
    if (other === undefined) return
    expect(catalog.mirrors.take(other, 'r2', { nowMs: testNow, limit: 8 })).toMatchObject([{ pointId: pointIdOf(1) }])
  })

  it('that arrive after the last other copy was removed are a point again; what does not arrive is none', () => {
    for (const n of [1, 2]) want(n)
    expect(take()).toEqual([pointIdOf(1), pointIdOf(2)])
    const stems = [1, 2].map((n) => catalog.points.get(pointIdOf(n)).stem)
    catalog.retained.recordRemoved('main', stems, { ms: testNow, by: 'ann', why: 'by hand' })
    for (const n of [1, 2])
      expect(catalog.points.get(pointIdOf(n))).toMatchObject({ validatedMs: null, goneMs: testNow })
    told(1)
    expect(catalog.points.get(pointIdOf(1))).toMatchObject({ repositoryId: 'offsite', goneMs: null })
    expect(catalog.vms.get('web-01').posture.state).toBe('protected')
    told(2, { outcome: 'failed', problem: 'it is not restorable' })
    here.clock.ms += hour
    expect(take('r2')).toEqual([])
    expect(catalog.points.find(pointIdOf(2))).toBeUndefined()
    expect(catalog.retained.removed(pointIdOf(2))).toMatchObject({ removedBy: 'ann' })
    expect(catalog.mirrors.states()).toMatchObject([{ done: 1, behind: 0, failed: 0 }])
  })

  it('are spared by sweeps while they are being copied', () => {
    want(1)
    expect(catalog.retained.beingRead().size).toBe(0)
    take()
    expect([...catalog.retained.beingRead()]).toEqual([[pointIdOf(1), 'being mirrored']])
  })
})

describe('what a person asks for', () => {
  it('is what is newer than the newest there, or all that was not removed there', () => {
    point(4, 'db-01')
    want(2)
    take()
    told(2)
    expect(catalog.mirrors.wantNewer(pair, { vmId: 'web-01', all: false })).toBe(1)
    expect(stateOf(3)).toBe('pending')
    expect(stateOf(4)).toBeUndefined()
    catalog.retained.recordRemoved('offsite', [catalog.points.get(pointIdOf(2)).stem], { ms: 1, by: 'a', why: 'b' })
    expect(catalog.mirrors.wantNewer(pair, { vmId: null, all: true })).toBe(3)
    expect([1, 2, 3, 4].map(stateOf)).toEqual(['pending', 'removed', 'pending', 'pending'])
    want(2)
    expect(stateOf(2)).toBe('removed')
    want(2, true)
    expect(stateOf(2)).toBe('pending')
  })
})

describe('copies that were lost in the mirror', () => {
  beforeEach(() => {
    for (const n of [1, 2, 3]) want(n)
    take()
    for (const n of [1, 2, 3]) told(n)
    here.clock.ms += hour
    catalog.points.recordDamage(pointIdOf(1), { ms: here.clock.ms, damage: 'a chunk is lost' }, 'offsite')
    catalog.points.recordGone(pointIdOf(2), here.clock.ms, 'offsite')
  })

  it('are behind, since they were lost, while their source has the point', () => {
    expect(catalog.mirrors.states()).toMatchObject([{ done: 1, behind: 2, failed: 0, oldestMs: here.clock.ms }])
    expect(catalog.mirrors.lags()).toMatchObject([{ plan: 'nightly', behind: 2, oldestMs: here.clock.ms }])
    catalog.points.recordGone(pointIdOf(2), here.clock.ms, 'main')
    expect(catalog.mirrors.states()).toMatchObject([{ done: 1, behind: 1 }])
  })

  it('come back by themselves where they are damaged, are read as a whole, and not asked for twice', () => {
    catalog.mirrors.wantBack()
    expect([1, 2, 3].map(stateOf)).toEqual(['pending', 'done', 'done'])
    expect(catalog.mirrors.due(here.clock.ms)).toEqual([pair])
    expect(taken('r2', 8)).toMatchObject([{ pointId: pointIdOf(1), byHand: false, isDamaged: true }])
    told(1, { outcome: 'failed', problem: 'a chunk is lost' }, 'r2')
    catalog.mirrors.wantBack()
    expect(stateOf(1)).toBe('failed')
    here.clock.ms += hour
    take('r3')
    told(1, {}, 'r3')
    expect(catalog.copies.find(pointIdOf(1), 'offsite')).toMatchObject({ state: 'done', damagedMs: null })
    catalog.mirrors.wantBack()
    expect(catalog.mirrors.due(here.clock.ms)).toEqual([])
  })

  it('stay as they are while no other repository has the point whole', () => {
    catalog.points.recordDamage(pointIdOf(1), { ms: here.clock.ms, damage: 'a chunk is lost' }, 'main')
    catalog.mirrors.wantBack()
    expect(stateOf(1)).toBe('done')
  })

  it('come back when a person asks, whether damaged or vanished', () => {
    expect(catalog.mirrors.wantNewer(pair, { vmId: 'db-01', all: false })).toBe(0)
    expect(catalog.mirrors.wantNewer(pair, { vmId: 'web-01', all: false })).toBe(2)
    expect(taken('r2', 8).map(({ pointId, isDamaged }) => [pointId, isDamaged])).toEqual([
      [pointIdOf(1), true],
      [pointIdOf(2), false],
    ])
  })
})

describe('a mirror that a plan names no more', () => {
  it('is owed nothing by that plan: what nobody has begun is withdrawn; what a person wants, and other plans want, stays', () => {
    const main = { repository: 'main', copy: 'backup', keep: null } as const
    const offsite = { repository: 'offsite', copy: 'mirror', keep: null } as const
    const nightly = { ...planDefaults, name: 'nightly', targets: [main, offsite] }
    catalog.plans.put(nightly, 0)
    catalog.plans.put({ ...nightly, name: 'weekly' }, 0)
    point(4)
    point(5, 'web-01', 'weekly')
    for (const n of [1, 2, 3, 5]) want(n)
    want(4, true)
    take('r1', 1)
    told(1)
    take('r1', 1)
    const states = () => [1, 2, 3, 4, 5].map(stateOf)
    catalog.plans.put({ ...nightly, priority: 7 }, null)
    expect(states()).toEqual(['done', 'in-progress', 'pending', 'pending', 'pending'])
    expect(catalog.retained.neededElsewhere('main').get(pointIdOf(3))).toBe('wanted in offsite')
    catalog.plans.put({ ...nightly, targets: [main] }, null)
    expect(states()).toEqual(['done', 'in-progress', undefined, 'pending', 'pending'])
    expect(catalog.retained.neededElsewhere('main').has(pointIdOf(3))).toBe(false)
    expect(catalog.mirrors.lags().map(({ plan, behind }) => [plan, behind])).toEqual([
      ['nightly', 2],
      ['weekly', 1],
    ])
    // Taken back: what it would owe by now, and not what is older than what is there.
    catalog.plans.put(nightly, null)
    expect(states()).toEqual(['done', 'in-progress', 'pending', 'pending', 'pending'])
  })
})

describe('lag', () => {
  it('is also that of points of a deleted plan, and of none', () => {
    point(4, 'web-01', null)
    for (const n of [3, 4]) want(n)
    expect(catalog.mirrors.lags().map(({ plan, behind }) => [plan, behind])).toEqual([
      [null, 1],
      ['nightly', 1],
    ])
  })

  it('is what is not there yet, and since when it could have been', () => {
    expect(catalog.mirrors.states()).toEqual([])
    here.clock.ms = testNow - 9 * hour
    for (const n of [1, 2]) want(n)
    here.clock.ms = testNow
    take('r1', 1)
    const names = { sourceName: 'main', targetName: 'offsite' }
    const since = testNow - 9 * hour + 60_000
    expect(catalog.mirrors.states()).toEqual([
      { ...pair, ...names, done: 0, behind: 2, failed: 0, oldestMs: since, newestMs: null },
    ])
    expect(catalog.mirrors.lags()).toEqual([
      { ...pair, plan: 'nightly', targetName: 'offsite', oldestId: aPoint(1).id, behind: 2, oldestMs: since },
    ])
    told(1)
    take()
    told(2)
    expect(catalog.mirrors.lags()).toEqual([])
    expect(catalog.mirrors.states()).toEqual([
      { ...pair, ...names, done: 2, behind: 0, failed: 0, oldestMs: null, newestMs: testNow - 8 * hour },
    ])
  })
})
