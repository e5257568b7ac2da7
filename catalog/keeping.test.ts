import Database from 'better-sqlite3'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { keptSince, recordKinds } from '../policy/index.ts'
import type { CollectionRow } from './retained.ts'
import type { NewSweep } from './sweeps.ts'
import { aPoint, aRun, furnish, pointIdOf, testCatalog, testNow, type TestCatalog } from './testing.ts'

let folder: string
let path: string
let here: TestCatalog
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-keeping-'))
  path = join(folder, 'catalog.db')
  here = testCatalog(path)
  furnish(here.catalog)
})
afterEach(() => {
  here[Symbol.dispose]()
  rmSync(folder, { recursive: true })
})

const oldMs = (kind: keyof typeof recordKinds): number => keptSince(testNow, recordKinds[kind].months) - 1
const rowsOf = (table: string): number => {
  const sqlite = new Database(path, { readonly: true })
  try {
    return sqlite.prepare<[], number>(`SELECT count(*) FROM ${table}`).pluck().get() ?? 0
  } finally {
    sqlite.close()
  }
}

function aSweep(runId: string, plannedMs: number, series: number, over: Partial<NewSweep['sweep']> = {}): NewSweep {
  const nameOf = (n: number): string => n.toString(16).padStart(32, '0')
  return {
    sweep: {
      ...{ runId, workflowId: 'retention/main', repositoryId: 'main', state: 'planned', dryRun: false, digest: 'd' },
      ...{ plannedMs, maxShare: 0.5, points: series, going: series, series, asking: 0, orphans: 0, policies: [] },
      ...over,
    },
    series: Array.from({ length: series }, (_, n) => ({
      ...{ series: nameOf(n), vmId: null, vmName: `vm-${n}`, policy: 'p', orphan: null, points: 1, going: 1 },
      asks: false,
    })),
    points: Array.from({ length: series }, (_, n) => ({
      ...{ stem: `snap/${nameOf(n)}/x`, series: nameOf(n), pointId: nameOf(n), timeMs: plannedMs },
      ...{ origin: 'scheduled', policy: 'p', keptBy: [] },
    })),
  }
}
const endedSweep = (runId: string, plannedMs: number, series: number, over: Partial<NewSweep['sweep']> = {}): void => {
  const { sweeps } = here.catalog
  const sweep = aSweep(runId, plannedMs, series, over)
  sweeps.record(sweep)
  sweeps.mark(
    runId,
    sweep.points.map(({ stem }) => ({ stem, state: 'removed', why: null })),
  )
  sweeps.update(runId, { state: 'completed', endedMs: plannedMs + 1000 })
}

test('of old sweeps everything goes, more than a batch of it; what is open, newest or young stays', async () => {
  const { catalog } = here
  const old = oldMs('sweeps')
  endedSweep('old', old - 3000, 1500)
  catalog.runs.started(aRun(7, { kind: 'retention', vmId: null, startedMs: old - 2000 }))
  catalog.sweeps.record(aSweep('run-7', old - 2000, 1))
  endedSweep('newest-dry', old - 500, 1, { dryRun: true })
  endedSweep('young', old + 1, 1)
  expect([rowsOf('sweep_series'), rowsOf('sweep_points')]).toEqual([1503, 1503])
  expect(await catalog.keeping.purge()).toMatchObject({ sweeps: 1 })
  expect(['old', 'run-7', 'newest-dry', 'young'].map((id) => catalog.sweeps.find(id) !== undefined)).toEqual([
    ...[false, true, true, true],
  ])
  expect([rowsOf('sweep_series'), rowsOf('sweep_points')]).toEqual([3, 3])
  // Ended from outside: nobody could say so.
  catalog.runs.observe('run-7', { state: 'terminated', endedMs: testNow })
  expect(await catalog.keeping.purge()).toMatchObject({ sweeps: 1 })
  // The only one that there is says when the next is due.
  here.clock.ms += 5 * 365 * 86_400_000
  expect(await catalog.keeping.purge()).toMatchObject({ sweeps: 0 })
  expect(catalog.sweeps.lastSweptMs('main')).toBe(old + 1)
})

test('who removed a point is told for as long as that is kept', async () => {
  const { catalog } = here
  const old = oldMs('removed-points')
  for (const [n, ms] of [old, old + 1].entries()) {
    catalog.points.record(aPoint(n, { createdMs: old - 1000 }))
    catalog.retained.recordRemoved('main', [aPoint(n).stem], { ms, by: 'operator', why: 'test' })
  }
  expect(await catalog.keeping.purge()).toMatchObject({ 'removed-points': 1 })
  expect([0, 1].map((n) => catalog.retained.removed(pointIdOf(n))?.removedBy)).toEqual([undefined, 'operator'])
  // A sweep that comes upon its tombstone again brings nothing back.
  catalog.retained.recordRemoved('main', [aPoint(0).stem], { ms: testNow, by: 'somebody', why: '' })
  expect(catalog.retained.removed(pointIdOf(0))).toBeUndefined()
})

test('the last collection stays, and a dry run does not stand in for it', async () => {
  const { catalog } = here
  const none = { packs: 0, bytes: 0 }
  const add = (runId: string, endedMs: number, outcome: 'collected' | 'dry-run'): void => {
    const row: CollectionRow = {
      ...{ runId, repositoryId: 'main', startedMs: endedMs - 1000, endedMs, why: 'test' },
      report: {
        ...{ outcome, roots: 1, listed: none, live: none, condemned: none, reprieved: none, copied: none },
        ...{ deleted: none, waiting: none, young: none, unknown: none, notes: [], durationMs: 5 },
      },
    }
    catalog.retained.recordCollection(row)
  }
  const old = oldMs('collections')
  add('first', old - 2000, 'collected')
  add('second', old - 1000, 'collected')
  add('dry', old, 'dry-run')
  expect(await catalog.keeping.purge()).toMatchObject({ collections: 1 })
  expect(catalog.retained.collections('main', 9).map(({ runId }) => runId)).toEqual(['dry', 'second'])
})

test('of old verifies the newest of each level stays, and one that has not ended', async () => {
  const { catalog } = here
  const old = oldMs('verifications')
  const verify = (n: number, startedMs: number, level: 'data' | 'full', isOpen = false): void => {
    const runId = `run-${n}`
    catalog.runs.started(aRun(n, { kind: 'verify', vmId: null, startedMs }))
    catalog.verifyRuns.started({
      ...{ runId, workflowId: 'verify/main', repositoryId: 'main', level, quarantine: false },
      ...{ budgetBytes: null, startedMs },
    })
    if (isOpen) return
    catalog.verifyRuns.ended(runId, { state: 'failed', error: null, endedMs: startedMs + 1000 })
    catalog.runs.observe(runId, { state: 'failed', endedMs: startedMs + 1000 })
  }
  verify(1, old - 5000, 'data')
  verify(2, old - 4000, 'data', true)
  verify(3, old - 3000, 'full')
  verify(4, old - 2000, 'data')
  expect(await catalog.keeping.purge()).toMatchObject({ verifications: 1 })
  const { items } = catalog.verifyRuns.list({ limit: 9 })
  expect(items.map(({ runId }) => runId)).toEqual(['run-4', 'run-3', 'run-2'])
})
