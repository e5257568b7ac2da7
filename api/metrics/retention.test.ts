import { afterEach, beforeEach, expect, test } from 'vitest'
import type { CollectionRow, NewSweep } from '../../catalog/index.ts'
import { aPoint, aRun, aVm, pointIdOf } from '../../catalog/testing.ts'
import { bench, type Bench } from '../testing/bench.ts'
import { expose } from './exposition.ts'
import { retentionFamilies } from './retention.ts'
import { slotFamilies } from './slots.ts'

const hour = 3_600_000
let here: Bench
beforeEach(() => {
  here = bench({ vms: ['web-01', 'db-01'] })
  const location = { kind: 's3', url: 's3://offsite/holdfast' } as const
  here.catalog.repositories.add({ name: 'offsite', site: 'lyon', location, credentialRef: 'file:/srv/secrets/offsite' })
})
afterEach(() => here[Symbol.dispose]())

/** The samples of one metric, without its name. */
async function of(name: string): Promise<string[]> {
  const families = [...retentionFamilies(here.catalog), ...slotFamilies(here.catalog, here.clock.ms)]
  const { text } = await expose(families)
  return text
    .split('\n')
    .filter((line) => line.startsWith(`holdfast_${name}{`))
    .map((line) => line.slice(`holdfast_${name}`.length))
}

function aSweep(runId: string, over: Partial<NewSweep['sweep']> = {}): NewSweep {
  const sweep: NewSweep['sweep'] = {
    ...{ runId, workflowId: 'retention/main', repositoryId: 'main', state: 'planned', dryRun: false, digest: 'd' },
    ...{ plannedMs: here.clock.ms, maxShare: 0.5, points: 2, going: 2, series: 1, asking: 1, orphans: 0, policies: [] },
    ...over,
  }
  const series = 'a'.repeat(32)
  const row = { series, vmId: 'web-01', vmName: 'web-01', policy: 'category standard', orphan: null }
  const point = (n: number): NewSweep['points'][number] => ({
    ...{ stem: aPoint(n).stem, series, pointId: pointIdOf(n), timeMs: here.clock.ms, origin: 'scheduled' },
    ...{ policy: 'category standard', keptBy: [] },
  })
  return { sweep, series: [{ ...row, points: 2, going: 2, asks: true }], points: [point(1), point(2)] }
}

test('a sweep says when it was planned, what it took, and whether it stands until somebody agrees', async () => {
  const { catalog, clock } = here
  expect(await of('repo_last_sweep_timestamp_seconds')).toEqual([])
  catalog.sweeps.record(aSweep('run-1'))
  catalog.runs.started(aRun(1, { kind: 'retention', vmId: null }))
  catalog.sweeps.update('run-1', { state: 'waiting', waitsFor: 'approval' })
  const at = clock.ms / 1000
  expect(await of('repo_last_sweep_timestamp_seconds')).toEqual([`{repo="main"} ${at}`])
  expect(await of('repo_sweep_waiting')).toEqual(['{repo="main"} 1'])
  // A dry run since then is none.
  catalog.sweeps.record(aSweep('run-2', { dryRun: true, plannedMs: clock.ms + hour }))
  expect(await of('repo_last_sweep_timestamp_seconds')).toEqual([`{repo="main"} ${at}`])
  catalog.sweeps.update('run-1', { state: 'waiting', waitsFor: 'grace' })
  expect(await of('repo_sweep_waiting')).toEqual(['{repo="main"} 0'])
  catalog.sweeps.mark('run-1', [
    { stem: aPoint(1).stem, state: 'removed', why: null },
    { stem: aPoint(2).stem, state: 'refused', why: 'the store says no' },
  ])
  expect(await of('repo_last_sweep_points_removed')).toEqual(['{repo="main"} 1'])
  expect(await of('repo_last_sweep_points_refused')).toEqual(['{repo="main"} 1'])
})

test('a sweep whose run was ended from outside waits for nobody', async () => {
  const { catalog, clock } = here
  catalog.sweeps.record(aSweep('run-1'))
  catalog.runs.started(aRun(1, { kind: 'retention', vmId: null }))
  catalog.sweeps.update('run-1', { state: 'waiting', waitsFor: 'approval' })
  catalog.runs.observe('run-1', { state: 'terminated', endedMs: clock.ms })
  expect(await of('repo_sweep_waiting')).toEqual(['{repo="main"} 0'])
})

test('a collection says when it ended and what it freed, a dry run nothing', async () => {
  const { catalog, clock } = here
  const none = { packs: 0, bytes: 0 }
  const row = (runId: string, outcome: 'collected' | 'dry-run', bytes: number, endedMs: number): CollectionRow => ({
    ...{ runId, repositoryId: 'main', startedMs: endedMs - 1000, endedMs, why: 'test' },
    report: {
      ...{ outcome, roots: 1, listed: none, live: none, condemned: none, reprieved: none, copied: none },
      ...{ deleted: { packs: 1, bytes }, waiting: none, young: none, unknown: none, notes: [], durationMs: 5 },
    },
  })
  catalog.retained.recordCollection(row('run-1', 'collected', 700, clock.ms - 2 * hour))
  catalog.retained.recordCollection(row('run-2', 'collected', 500, clock.ms - hour))
  catalog.retained.recordCollection(row('run-3', 'dry-run', 900, clock.ms))
  expect(await of('repo_last_collection_timestamp_seconds')).toEqual([`{repo="main"} ${(clock.ms - hour) / 1000}`])
  expect(await of('repo_last_collection_freed_bytes')).toEqual(['{repo="main"} 500'])
})

test('points that are held are counted once for each kind, and a repository without any says 0', async () => {
  const hold = { repositoryId: 'main', actor: 'operator', reason: '', ms: here.clock.ms } as const
  here.catalog.retained.addHold({ ...hold, name: 'h1', pointId: pointIdOf(1), type: 'pin' })
  here.catalog.retained.addHold({ ...hold, name: 'h2', pointId: pointIdOf(1), type: 'pin' })
  here.catalog.retained.addHold({ ...hold, name: 'h3', pointId: pointIdOf(2), type: 'legal' })
  expect(await of('repo_held_points')).toEqual([
    '{repo="main",type="pin"} 1',
    '{repo="main",type="legal"} 1',
    '{repo="offsite",type="pin"} 0',
    '{repo="offsite",type="legal"} 0',
  ])
})

test('a quota is full when the next backup by hand would be refused, by whatever policy decides that', async () => {
  const { catalog } = here
  const full = (): Promise<string[]> => of('repo_manual_quota_full_vms')
  for (const n of [1, 2]) catalog.points.record(aPoint(n, { plan: null }))
  catalog.points.record(aPoint(3, { vmId: 'db-01', stem: aPoint(3).stem.replaceAll('a', 'b') }))
  catalog.points.record(aPoint(4, { origin: 'scheduled' }))
  expect(await full()).toEqual(['{repo="main"} 0', '{repo="offsite"} 0'])
  catalog.vms.change('web-01', { override: { keep: { daily: 1, manual: 2 } } })
  expect(await full()).toEqual(['{repo="main"} 1', '{repo="offsite"} 0'])
  const refused = await here.call('POST', '/api/v1/vms/web-01/backups', { reason: 'test', origin: 'manual' })
  expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([409, 'QuotaFull'])
  catalog.vms.change('web-01', { override: { keep: { daily: 1, manual: 3 } } })
  expect(await full()).toEqual(['{repo="main"} 0', '{repo="offsite"} 0'])
  // Of the category, which both have.
  catalog.vms.change('web-01', { override: {} })
  const { name, revision, ...category } = catalog.categories.get('standard')
  catalog.categories.put(name, { ...category, keep: { ...category.keep, manual: 1 } }, revision)
  expect(await full()).toEqual(['{repo="main"} 2', '{repo="offsite"} 0'])
  // What is damaged, or gone, takes no room.
  catalog.points.recordDamage(pointIdOf(3), { ms: here.clock.ms, damage: 'a pack is broken' })
  expect(await full()).toEqual(['{repo="main"} 1', '{repo="offsite"} 0'])
  for (const n of [1, 2]) catalog.points.recordGone(pointIdOf(n), here.clock.ms)
  expect(await full()).toEqual(['{repo="main"} 0', '{repo="offsite"} 0'])
})

test('a VM that is no longer listed is counted where it has points', async () => {
  const { catalog } = here
  catalog.points.record(aPoint(1))
  expect(await of('repo_gone_vms')).toEqual(['{repo="main"} 0', '{repo="offsite"} 0'])
  catalog.vms.recordDiscovered('lab', 'listing-2', [aVm('db-01')])
  catalog.vms.closeListing('lab', 'listing-2')
  expect(await of('repo_gone_vms')).toEqual(['{repo="main"} 1', '{repo="offsite"} 0'])
})

test('slots say what is there, what is taken, and who waits for which kind and how long', async () => {
  const { catalog, clock } = here
  const claim = (n: number, ...needs: string[]) =>
    catalog.slots.claim({
      ...{ runId: `run-${n}`, workflowId: `backup/${n}`, kind: 'backup', title: `Backup ${n}` },
      ...{ priority: 3, needs },
    })
  const rows = async (name: string) => (await of(name)).map((line) => line.replace(/^\{kind="(\w+)"\} /, '$1 '))
  expect(await rows('slots_limit')).toEqual(['host 4', 'datastore 0', 'repository 16', 'link 32'])
  catalog.slots.setLimit('host/lab', 1)
  expect(claim(1, 'host/lab', 'repository/main', 'link/local').granted).toBe(true)
  expect(claim(2, 'host/lab', 'repository/main', 'link/local').granted).toBe(false)
  clock.ms += hour
  expect(claim(3, 'host/lab', 'repository/main', 'link/local').granted).toBe(false)
  clock.ms += hour
  expect(await rows('slots_limit')).toEqual(['host 1', 'datastore 0', 'repository 16', 'link 32'])
  expect(await rows('slots_used')).toEqual(['host 1', 'datastore 0', 'repository 1', 'link 1'])
  // The repository and the link have room: nobody waits for them.
  expect(await rows('slots_waiting')).toEqual(['host 2', 'datastore 0', 'repository 0', 'link 0'])
  expect(await rows('slots_oldest_wait_seconds')).toEqual(['host 7200', 'datastore 0', 'repository 0', 'link 0'])
  catalog.slots.release('run-1')
  expect(await rows('slots_oldest_wait_seconds')).toContain('host 3600')
  // One that stands still takes no room, and the next one works.
  catalog.slots.park(['run-2'], true)
  expect(await rows('slots_used')).toContain('host 1')
  expect(await rows('slots_waiting')).toContain('host 0')
})
