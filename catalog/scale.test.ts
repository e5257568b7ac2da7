import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { aPoint, furnish, testCatalog, testNow, type TestCatalog } from './testing.ts'
import { queryPlans, wholeTables } from './testing-plans.ts'

let folder: string
let path: string
let here: TestCatalog
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-scale-'))
  path = join(folder, 'catalog.db')
  here = testCatalog(path)
  furnish(here.catalog)
  const location = { kind: 's3', url: 's3://offsite/holdfast' } as const
  here.catalog.repositories.add({
    name: 'offsite',
    site: 'local',
    location,
    credentialRef: 'file:/srv/secrets/offsite',
  })
  here.catalog.points.record(aPoint(1))
})
afterEach(() => {
  here[Symbol.dispose]()
  rmSync(folder, { recursive: true })
})

test('what is asked every few seconds, and by every scrape, reads no table of points or copies as a whole', () => {
  const pair = { sourceId: 'main', targetId: 'offsite' }
  here.catalog.mirrors.want(pair, aPoint(1).id, false)
  // Opened anew, so that it has prepared nothing yet.
  here[Symbol.dispose]()
  here = testCatalog(path)
  const { catalog } = here
  const plans = queryPlans(path, () => {
    catalog.repositories.get('main')
    catalog.repositories.list({ limit: 50 })
    catalog.repositories.consumption('main', 20)
    catalog.workloadUsage.look('main')
    catalog.workloadUsage.list('main', { limit: 50 }, { sinceMs: 0, untilMs: Infinity })
    catalog.mirrors.states()
    catalog.mirrors.lags()
    catalog.mirrors.lags('web-01')
    catalog.mirrors.wantBack()
    catalog.mirrors.due(testNow)
    catalog.mirrors.wasInHand(pair, 'run')
    expect(catalog.mirrors.take(pair, 'run', { nowMs: testNow, limit: 8 })).toHaveLength(1)
    catalog.copies.damaged()
    catalog.copies.at('main', aPoint(1).stem)
    catalog.retained.neededElsewhere('main')
    catalog.retained.beingRead()
    catalog.retained.seriesVm('a'.repeat(32))
    catalog.retained.policies('main', 'a'.repeat(32))
    catalog.retained.rulesSource('main').planOf(aPoint(1).stem)
    catalog.retained.madeBy('nightly', 'main', 'web-01')
    catalog.planLately.since({ name: 'nightly', quiesce: null, consistency: 'filesystem' }, testNow)
    catalog.retained.recordRemoved('main', [aPoint(1).stem, 'unknown'], { ms: testNow, by: 'test', why: '' })
    catalog.metrics.newestPoints()
    catalog.metrics.verified()
    catalog.metrics.lastSweeps()
    catalog.metrics.lastCollections()
    catalog.metrics.held()
    catalog.metrics.manualPoints(1)
    catalog.metrics.goneVms()
    catalog.slots.list()
    catalog.points.countAll()
    catalog.points.unexpectedFulls(testNow, 50)
    catalog.points.list({ limit: 50 }, { damaged: true })
    catalog.runs.list({ limit: 50 })
    catalog.runs.list({ limit: 50 }, { state: 'open' })
    catalog.runs.list({ limit: 50 }, { state: 'failed' })
    catalog.runs.open()
    catalog.runs.recentlyEnded(10)
    catalog.runs.succeededSince({ kind: 'backup', vmId: 'web-01' }, testNow)
    catalog.statistics.days(30)
    catalog.statistics.residueRuns(0, 50)
    catalog.statistics.postureCounts()
    catalog.statistics.posturesWithOutside(50)
    catalog.vms.list({ limit: 50 })
    catalog.drills.candidates()
    catalog.mirrors.failing()
  })
  expect(plans.size).toBeGreaterThan(20)
  expect(wholeTables(plans)).toEqual([])
})

test('what a VM waits for is asked of that VM: a plan run of ten thousand others costs a list nothing', () => {
  here[Symbol.dispose]()
  here = testCatalog(path)
  const plans = queryPlans(path, () => void here.catalog.vms.get('web-01'))
  const ofRuns = [...plans.values()].flat().filter((step) => /^(SCAN|SEARCH) (m|r|runs)\b/.test(step))
  expect(ofRuns.toSorted()).toEqual([
    'SEARCH m USING INDEX plan_run_vms_open (vm_id=?)',
    'SEARCH r USING INDEX runs_by_workflow (workflow_id=?)',
    'SEARCH runs USING COVERING INDEX runs_backups (vm_id=?)',
    'SEARCH runs USING COVERING INDEX runs_backups (vm_id=?)',
    'SEARCH runs USING INDEX runs_open_of (vm_id=?)',
  ])
})

test('a statement that reads all copies is told', () => {
  const sqlite = new Database(path)
  const plans = queryPlans(path, () => {
    sqlite.prepare(`SELECT count(*) FROM copies c WHERE c.attempts > 7`).get()
    sqlite.prepare(`SELECT count(*) FROM copies c WHERE c.repository_id = 'main' AND c.attempts > 7`).get()
    sqlite.prepare(`SELECT max(attempts) FROM copies`).get()
    sqlite.prepare(`SELECT max(p.read_bytes) FROM copies c JOIN points p ON p.id = c.point_id`).get()
  })
  sqlite.close()
  expect(wholeTables(plans)).toHaveLength(4)
})
