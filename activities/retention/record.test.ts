import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Catalog } from '../../catalog/index.ts'
import { aPoint, aRun, furnish, testCatalog, testNow, type TestCatalog } from '../../catalog/testing.ts'
import { planDefaults } from '../../policy/index.ts'
import { memoryBlobs } from '../testing/site.ts'
import { packBlob, surveyParts } from './blob.ts'
import { createRetentionRecordActivities } from './record.ts'
import type { RetentionRecordActivities, Survey } from './types.ts'

const day = 86_400_000
const known = 'a'.repeat(32)
const lost = 'c'.repeat(32)

let world: TestCatalog
let catalog: Catalog
let content: Map<string, Uint8Array>
let steps: RetentionRecordActivities
beforeEach(() => {
  world = testCatalog()
  catalog = world.catalog
  furnish(catalog)
  content = new Map()
  steps = createRetentionRecordActivities(catalog, memoryBlobs(content))
})
afterEach(() => world[Symbol.dispose]())

type Surveyed = Parameters<typeof surveyParts>[1][number]
const stemOf = (series: string, n: number): string =>
  `snap/${series}/${'0'.repeat(16)}-${n.toString(16).padStart(32, '0')}`
/** `n` days old. */
const surveyed = (series: string, n: number, over: Partial<Surveyed> = {}): Surveyed => ({
  stem: stemOf(series, n),
  series,
  snap: '',
  vm: 'web-01',
  origin: 'scheduled',
  timeMs: testNow - n * day,
  retentionClass: '',
  lockedUntilMs: null,
  guard: n === 0 ? 'newest' : null,
  ...over,
})
const days = (series: string, count: number, over: Partial<Surveyed> = {}): Surveyed[] =>
  Array.from({ length: count }, (_, n) => surveyed(series, n, over))

async function survey(
  points: readonly Surveyed[],
  more: { readonly removed?: readonly string[]; readonly holds?: Parameters<typeof surveyParts>[3] } = {},
  atMs = testNow,
): Promise<Survey> {
  const blobs: string[] = []
  for (const part of surveyParts('main', points, more.removed ?? [], more.holds ?? [])) {
    blobs.push(await memoryBlobs(content).put(packBlob(part), 'text/plain'))
  }
  return { blobs, points: points.length, series: 1, held: 0, atMs }
}
const plan = async (seen: Survey, runId = 'run-1', maxShare = 0.5) =>
  steps.planSweep({ workflowId: 'retention/main', runId, repositoryId: 'main', survey: seen, maxShare, dryRun: false })
const record = (...points: readonly Surveyed[]): void => {
  for (const { stem, timeMs } of points) {
    catalog.points.record(aPoint(0, { id: stem.slice(-32), stem, createdMs: timeMs, validatedMs: timeMs }))
  }
}
const going = (runId = 'run-1'): string[] => catalog.sweeps.going(runId)

describe('a plan', () => {
  it('follows the category of the VM, its own rules, or the plan that made a point, and names which', async () => {
    const points = days(known, 40)
    record(...points)
    expect(await plan(await survey(points))).toMatchObject({ points: 40, going: 25, asking: 1 })
    expect(catalog.sweeps.get('run-1').policies).toEqual([
      { name: 'category standard', rules: '14 daily, 4 weekly, 2 publish (UTC)' },
    ])
    catalog.vms.change('web-01', { override: { keep: { last: 39 } } })
    expect(await plan(await survey(points), 'run-2')).toMatchObject({ going: 1, asking: 0 })
    expect(catalog.sweeps.get('run-2').policies[0]?.name).toBe('set for web-01')
    // What was read is not kept in the store.
    expect(content.size).toBe(0)
  })

  it('is made once for a run, also when the step is repeated after what it read is gone', async () => {
    const seen = await survey(days(known, 3))
    const first = await plan(seen)
    expect(await plan(seen)).toEqual(first)
  })

  it('lets points of a VM that is gone age by the last policy, and keeps what nobody knows, whatever its class', async () => {
    const mine = days(known, 40)
    record(...mine)
    await plan(await survey(mine))
    // The catalog was lost and made anew, but for what it remembers of series.
    catalog.retained.recordRemoved(
      'main',
      mine.map(({ stem }) => stem),
      { ms: 1, by: 'test', why: '' },
    )
    const strange = days(lost, 40, { retentionClass: 'ephemeral', vm: 'old' })
    const nobodys = days('d'.repeat(32), 40, { vm: 'whose' })
    const made = await plan(await survey([...mine, ...strange, ...nobodys]), 'run-2')
    expect(made).toMatchObject({ orphans: 3 })
    const rows = catalog.sweeps.series('run-2', { limit: 10 }).items
    expect(rows.map(({ vmName, policy, orphan }) => [vmName, policy, orphan])).toEqual([
      ['web-01', 'category standard', 'unknown-vm'],
      ['old', 'none', 'unknown-vm'],
      ['whose', 'none', 'unknown-vm'],
    ])
    expect(rows.map((row) => row.going)).toEqual([25, 0, 0])
  })

  it('knows the VM and the plan of a copy in another repository, and leaves points alone that are in no list', async () => {
    const vault = catalog.repositories.add({
      name: 'vault',
      site: 'local',
      location: { kind: 'posix', path: '/srv/vault' },
      credentialRef: 'file:/srv/secrets/vault',
    }).id
    const target = (repository: string, daily: number) => ({ repository, copy: 'backup' as const, keep: { daily } })
    catalog.plans.put({ ...planDefaults, name: 'nightly', targets: [target('main', 5), target(vault, 30)] }, null)
    const mine = days(known, 40)
    for (const { stem, timeMs } of mine) {
      const times = { createdMs: timeMs, validatedMs: timeMs }
      catalog.points.record(aPoint(0, { id: stem.slice(-32), stem, plan: 'nightly', ...times }))
    }
    const sweepVault = async (seen: readonly Surveyed[], runId: string) => {
      const of = { workflowId: `retention/${vault}`, runId, repositoryId: vault, maxShare: 0.5, dryRun: false }
      return steps.planSweep({ ...of, survey: await survey(seen) })
    }
    expect(await sweepVault(mine, 'run-1')).toMatchObject({ going: 10, orphans: 0 })
    // The other repository has swept: its points, and with them their plan, are in no list any more.
    const swept = mine.slice(5).map(({ stem }) => stem)
    catalog.retained.recordRemoved('main', swept, { ms: 1, by: 'test', why: '' })
    expect(await sweepVault(mine, 'run-2')).toMatchObject({ going: 10, orphans: 0 })
    // Nothing is remembered for this series here: what is in no list stays, and its category is not asked.
    const stranger = Array.from({ length: 40 }, (_, n) => surveyed(known, n + 100))
    expect(await plan(await survey([...mine.slice(0, 5), ...stranger]), 'run-3')).toMatchObject({ going: 0 })
    expect(catalog.sweeps.points('run-3', { limit: 1 }, { state: 'stays' }).total).toBe(45)
    expect(catalog.sweeps.get('run-3').policies).toContainEqual({
      name: 'none',
      rules: 'not known: everything stays',
    })
  })

  it('never lets a damaged point take the place of a sound one, and knows holds and foreign tombstones', async () => {
    const points = days(known, 3)
    record(...points)
    const [newest, second, third] = points.map(({ stem }) => stem)
    catalog.points.recordDamage((newest ?? '').slice(-32), { ms: testNow, damage: 'a chunk is lost' })
    catalog.vms.change('web-01', { override: { keep: { last: 1 } } })
    const name = `hold/${(third ?? '').slice(-32)}-1`
    const hold = { name, snap: (third ?? '').slice(-32), type: 'pin', actor: 'ann', reason: 'why', ms: 1 } as const
    await plan(await survey(points.slice(0, 2), { removed: [third ?? ''], holds: [hold] }))
    expect(going()).toEqual([])
    expect(catalog.sweeps.points('run-1', { limit: 9 }).items.find(({ stem }) => stem === second)?.keptBy).toContain(
      'newest',
    )
    expect(catalog.retained.holdsOf((third ?? '').slice(-32))).toMatchObject([{ name, actor: 'ann' }])
    expect(catalog.points.find((third ?? '').slice(-32))).toBeUndefined()
    expect(catalog.retained.removed((third ?? '').slice(-32))).toMatchObject({ why: 'a tombstone was found' })
  })
})

it('a second look spares what is kept by now, adds nothing, and may come twice', async () => {
  const points = days(known, 40)
  record(...points)
  await plan(await survey(points))
  const before = going()
  catalog.vms.change('web-01', { override: { keep: { daily: 30 } } })
  const fresh = await survey([...points, surveyed(known, 60), surveyed(known, 61)], {}, testNow + 1)
  const again = { runId: 'run-1', repositoryId: 'main', survey: fresh, maxShare: 0.5, isApproved: false }
  const answer = await steps.confirmSweep(again)
  expect(answer.going).toBeLessThan(before.length)
  expect(await steps.confirmSweep(again)).toEqual(answer)
  expect(before).toEqual(expect.arrayContaining(going()))
  expect(catalog.sweeps.get('run-1').spared).toBe(before.length - going().length)
})

it('a second look spares what by now would be too much of a series, unless a person has agreed to exactly that', async () => {
  catalog.vms.change('web-01', { override: { keep: { last: 6 } } })
  const points = days(known, 10)
  record(...points)
  expect(await plan(await survey(points))).toMatchObject({ going: 4, asking: 0 })
  // Somebody removed four of the six that were to stay: 4 of 6 would go.
  const left = [...points.slice(0, 2), ...points.slice(6)]
  const look = async (isApproved: boolean, atMs: number) => {
    catalog.vms.change('web-01', { override: { keep: { last: 2 } } })
    return steps.confirmSweep({
      runId: 'run-1',
      repositoryId: 'main',
      survey: await survey(left, {}, atMs),
      maxShare: 0.5,
      isApproved,
    })
  }
  expect(await look(true, testNow + 1)).toEqual({ going: 4, spared: 0 })
  expect(await look(false, testNow + 2)).toEqual({ going: 0, spared: 4 })
  const rows = catalog.sweeps.points('run-1', { limit: 20 }, { state: 'spared' }).items
  expect(rows[0]?.why).toBe('4 of 6 points would go by now: the next sweep asks first')
})

it('a series that asked stays when nobody has answered, however many points it has got meanwhile', async () => {
  catalog.vms.change('web-01', { override: { keep: { last: 4 } } })
  const points = days(known, 10)
  record(...points)
  expect(await plan(await survey(points))).toMatchObject({ going: 6, asking: 1 })
  const newer = Array.from({ length: 20 }, (_, n) =>
    surveyed(known, 0, { stem: stemOf(known, 500 + n), guard: 'held' }),
  )
  const look = async (isApproved: boolean, atMs: number) => {
    const seen = await survey([...newer, ...points], {}, atMs)
    return steps.confirmSweep({ runId: 'run-1', repositoryId: 'main', survey: seen, maxShare: 0.5, isApproved })
  }
  expect(await look(true, testNow + 1)).toMatchObject({ going: 6 })
  expect(await look(false, testNow + 2)).toEqual({ going: 0, spared: 6 })
})

describe('what somebody left behind', () => {
  const planned = (name: string, repository: string, daily: number): void => {
    const keep = { daily }
    catalog.plans.put({ ...planDefaults, name, targets: [{ repository, copy: 'backup', keep }] }, null)
  }
  const recordOf = (planName: string, points: readonly Surveyed[]): void => {
    for (const { stem, timeMs } of points) {
      const times = { createdMs: timeMs, validatedMs: timeMs }
      catalog.points.record(aPoint(0, { id: stem.slice(-32), stem, plan: planName, ...times }))
    }
  }

  it('ages by what the plan said while it wrote here, and is listed', async () => {
    const points = days(known, 40)
    planned('nightly', 'main', 30)
    recordOf('nightly', points)
    expect(await plan(await survey(points))).toMatchObject({ going: 10, orphans: 0 })
    planned('nightly', 'vault', 5)
    expect(await plan(await survey(points), 'run-2')).toMatchObject({ going: 10, orphans: 1 })
    expect(catalog.sweeps.series('run-2', { limit: 9 }).items).toMatchObject([
      { orphan: 'plan-gone', policy: 'plan nightly' },
    ])
    catalog.plans.remove('nightly', null)
    expect(await plan(await survey(points), 'run-3')).toMatchObject({ going: 10, orphans: 1 })
  })

  it('stays while any of its policies keeps it, when nobody knows any more which point aged by which', async () => {
    const points = days(known, 40)
    planned('nightly', 'main', 30)
    recordOf('nightly', points.slice(0, 20))
    record(...points.slice(20))
    await plan(await survey(points))
    catalog.retained.recordRemoved(
      'main',
      points.map(({ stem }) => stem),
      { ms: 1, by: 'test', why: '' },
    )
    expect(await plan(await survey(points), 'run-2')).toMatchObject({ going: 10, orphans: 1 })
    expect(catalog.sweeps.get('run-2').policies).toEqual([
      { name: 'category standard or plan nightly', rules: '30 daily, 4 weekly, 2 publish (UTC)' },
    ])
  })
})

it('a person removes no point that a rule, a guard or a hold keeps, but one that is only counted as made by hand', async () => {
  const points = days(known, 20)
  record(...points)
  const manual = surveyed(known, 30, { origin: 'manual' })
  const judge = async (n: number, seen: readonly Surveyed[] = [...points, manual]) =>
    steps.judgePoint({ repositoryId: 'main', stem: stemOf(known, n), survey: await survey(seen) })
  await expect(judge(0)).rejects.toMatchObject({ code: 'RetentionRefused' })
  await expect(judge(0)).rejects.toThrow('kept by newest')
  await expect(judge(3)).rejects.toThrow('kept by daily')
  await expect(judge(18, days(known, 19, { guard: 'held' }))).rejects.toThrow('kept by held')
  await judge(18)
  await judge(30)
  // Nobody knows by what it ages: a person may decide.
  await steps.judgePoint({ repositoryId: 'main', stem: stemOf(lost, 1), survey: await survey(days(lost, 2)) })
})

it('no point goes that a restore or a drill is reading or a VM runs from, by no sweep and by nobody', async () => {
  const points = days(known, 40)
  record(...points)
  await plan(await survey(points))
  const [first = '', second = '', third = ''] = going().toSorted()
  const kept = (runId: string, stem: string) =>
    catalog.sweeps.points(runId, { limit: 200 }).items.find((one) => one.stem === stem)
  const starts = (n: number, kind: 'restore' | 'drill' | 'instant', stem: string) => {
    catalog.runs.started(aRun(n, { kind, workflowId: `${kind}/${n}`, pointId: stem.slice(-32) }))
    return aRun(n).runId
  }
  const restore = starts(7, 'restore', first)
  const drill = starts(8, 'drill', second)
  const instant = starts(9, 'instant', third)
  const again = { runId: 'run-1', repositoryId: 'main', maxShare: 0.5, isApproved: true }
  await steps.confirmSweep({ ...again, survey: await survey(points, {}, testNow + 1) })
  expect(kept('run-1', first)).toMatchObject({ state: 'spared', why: 'kept since the plan: being restored' })
  for (const stem of [second, third]) expect(kept('run-1', stem)).toMatchObject({ state: 'spared' })
  await plan(await survey(points), 'run-2')
  expect(kept('run-2', first)).toMatchObject({ state: 'stays', keptBy: ['being restored'] })
  const judge = async (stem: string) => steps.judgePoint({ repositoryId: 'main', stem, survey: await survey(points) })
  await expect(judge(first)).rejects.toThrow('kept by being restored')
  const held = points.map((one) => (one.stem === third ? { ...one, guard: 'held' as const } : one))
  const ofThird = { repositoryId: 'main', stem: third, survey: await survey(held) }
  await expect(steps.judgePoint(ofThird)).rejects.toThrow('kept by being restored')
  for (const run of [restore, drill, instant]) catalog.runs.observe(run, { state: 'completed', endedMs: testNow })
  await judge(first)
  await plan(await survey(points), 'run-3')
  expect(going('run-3')).toEqual(expect.arrayContaining([first, second, third]))
})

describe('a point that another repository needs', () => {
  const pair = { sourceId: 'main', targetId: 'offsite' }
  const points = days(known, 40)
  const stem = stemOf(known, 39)
  const id = stem.slice(-32)
  const judge = async () => steps.judgePoint({ repositoryId: 'main', stem, survey: await survey(points) })
  const keptBy = async (runId: string) => {
    await plan(await survey(points), runId)
    return catalog.sweeps.points(runId, { limit: 200 }).items.find((one) => one.stem === stem)?.keptBy
  }
  beforeEach(() => {
    const location = { kind: 's3', url: 's3://offsite' } as const
    catalog.repositories.add({ name: 'offsite', site: 'local', location, credentialRef: 'file:/secrets/offsite' })
    record(...points)
  })

  it('stays while a mirror that a plan names wants it, also after a failure that is tried again', async () => {
    catalog.mirrors.want(pair, id, false)
    expect(await keptBy('run-1')).toEqual([])
    const target = { repository: 'offsite', copy: 'mirror', keep: null } as const
    catalog.plans.put({ ...planDefaults, name: 'nightly', targets: [target] }, null)
    expect(await keptBy('run-2')).toEqual(['wanted in offsite'])
    await expect(judge()).rejects.toThrow('the copy here is wanted in offsite')
    catalog.mirrors.take(pair, 'm1', { nowMs: testNow, limit: 1 })
    catalog.mirrors.release(pair, 'm1', 'the store is away', testNow)
    expect(await keptBy('run-3')).toEqual(['wanted in offsite'])
    catalog.plans.remove('nightly', null)
    expect(await keptBy('run-4')).toEqual([])
    catalog.mirrors.want(pair, id, true)
    expect(await keptBy('run-5')).toEqual(['wanted in offsite'])
  })

  it('stays while the copy there is damaged and no other one is whole', async () => {
    const there = { pointId: id, stem, sourceId: 'main', validatedMs: testNow, lockUntilMs: null }
    catalog.copies.found({ ...there, repositoryId: 'offsite' })
    expect(await keptBy('run-1')).toEqual([])
    catalog.points.recordDamage(id, { ms: testNow, damage: 'a chunk is lost' }, 'offsite')
    expect(await keptBy('run-2')).toEqual(['the only whole copy'])
    await expect(judge()).rejects.toThrow('the copy here is the only whole copy')
    catalog.points.recordMended(id, testNow, 'offsite')
    expect(await keptBy('run-3')).toEqual([])
    await judge()
  })
})

it('a hold that was placed after the look stays in the catalog', async () => {
  const [newest] = days(known, 1)
  const pointId = (newest?.stem ?? '').slice(-32)
  const act = { type: 'pin', actor: 'ann', reason: 'why' } as const
  const placed = { repositoryId: 'main', stem: newest?.stem ?? '', ...act }
  await steps.recordHold({ ...placed, hold: 'hold/early-1', atMs: testNow - 1 })
  await steps.recordHold({ ...placed, hold: 'hold/late-1', atMs: testNow + 1 })
  await plan(await survey(days(known, 1)))
  expect(catalog.retained.holdsOf(pointId).map(({ name }) => name)).toEqual(['hold/late-1'])
})

it('a sweep whose run was ended from outside does not wait for anybody', async () => {
  const started = aRun(1, { kind: 'retention', workflowId: 'retention/main', vmId: null })
  catalog.runs.started(started)
  await plan(await survey(days(known, 3)), started.runId)
  await steps.recordSweepState({ runId: started.runId, state: 'waiting', waits: { for: 'approval', untilMs: 1 } })
  expect(catalog.sweeps.get(started.runId)).toMatchObject({ state: 'waiting', waitsFor: 'approval' })
  catalog.runs.observe(started.runId, { state: 'terminated', endedMs: testNow })
  expect(catalog.sweeps.get(started.runId)).toMatchObject({ state: 'failed', waitsFor: null, waitsUntilMs: null })
})

it('batches go out in order, come back once, and take the points out of the lists with who and why', async () => {
  const points = days(known, 60)
  record(...points)
  await plan(await survey(points))
  const all = going()
  expect(all.length).toBeGreaterThan(40)
  const common = { runId: 'run-1', repositoryId: 'main', by: 'sweep:ann', atMs: testNow }
  const first = await steps.nextSweepBatch({ ...common, done: null })
  expect(first.points).toHaveLength(40)
  const [held = { stem: '', policy: '' }] = first.points
  const done = { points: first.points, refused: [{ stem: held.stem, why: 'held' }] }
  const second = await steps.nextSweepBatch({ ...common, done })
  expect(await steps.nextSweepBatch({ ...common, done })).toEqual(second)
  expect(second.points).toHaveLength(all.length - 40)
  expect(catalog.sweeps.get('run-1')).toMatchObject({ removed: 39, refused: 1 })
  expect(catalog.points.find(held.stem.slice(-32))).toBeDefined()
  const gone = first.points[1]?.stem.slice(-32) ?? ''
  expect(catalog.points.find(gone)).toBeUndefined()
  expect(catalog.retained.removed(gone)).toMatchObject({
    removedBy: 'sweep:ann',
    why: 'no rule of category standard keeps it',
  })
  expect(catalog.sweeps.points('run-1', { limit: 200 }, { state: 'removed' }).items[0]).toMatchObject({
    policy: 'category standard',
    why: 'no rule of category standard keeps it',
  })
})

it('points that the catalog does not list are worth a collection as well', async () => {
  const strange = days(lost, 40)
  const rules = { last: 4, timeZone: 'UTC' }
  const last = { policy: 'category ephemeral', vmId: null, vmName: 'old', rules, seenMs: 1 }
  catalog.retained.rememberPolicies([{ repositoryId: 'main', series: lost, ...last }])
  const zero = { packs: 0, bytes: 0 }
  const sums = { listed: zero, live: zero, condemned: zero, reprieved: zero, deleted: zero, copied: zero }
  const summary = { outcome: 'nothing', roots: 2, ...sums, waiting: zero, young: zero, unknown: zero } as const
  const times = { startedMs: testNow - 10, endedMs: testNow - 5, why: 'test', known: null }
  const report = { ...summary, notes: [], durationMs: 5 }
  await steps.recordCollection({ runId: 'run-0', repositoryId: 'main', ...times, summary: report })
  await plan(await survey(strange))
  const common = { runId: 'run-1', repositoryId: 'main', by: 'sweep:ann', atMs: testNow }
  const { points } = await steps.nextSweepBatch({ ...common, done: null })
  await steps.nextSweepBatch({ ...common, done: { points, refused: [] } })
  const { why } = await steps.prepareCollection({ repositoryId: 'main', want: 'auto', atMs: testNow })
  expect(why).toBe(`${points.length} points were removed since the last one`)
})

it('a collection is prepared with what the catalog believes in, and remembered with what it freed', async () => {
  record(...days(known, 2))
  const first = await steps.prepareCollection({ repositoryId: 'main', want: 'auto', atMs: testNow })
  expect(first.why).toBe('there was none yet')
  expect(content.size).toBe(1)
  const count = { packs: 0, bytes: 0 }
  const sums = { listed: count, live: count, condemned: count, reprieved: count, deleted: count, copied: count }
  const kept = { waiting: count, young: count, unknown: count }
  const summary = { outcome: 'nothing', roots: 2, ...sums, ...kept, notes: [], durationMs: 5 } as const
  const times = { startedMs: testNow, endedMs: testNow + 5, why: 'test', known: first.known }
  await steps.recordCollection({ runId: 'run-1', repositoryId: 'main', ...times, summary })
  expect(content.size).toBe(0)
  expect(catalog.retained.collections('main', 9)).toMatchObject([{ report: { roots: 2 } }])
  const soon = { repositoryId: 'main', atMs: testNow + 1000 }
  expect(await steps.prepareCollection({ ...soon, want: 'auto' })).toEqual({ why: null, known: null })
  expect((await steps.prepareCollection({ ...soon, want: 'always' })).why).toBe('it was asked for')
})
