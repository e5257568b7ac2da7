import { afterEach, beforeEach, expect, test } from 'vitest'
import type { PlanRunVmState } from './plan-runs.ts'
import { aRun, furnish, testCatalog, testNow, type TestCatalog } from './testing.ts'

let here: TestCatalog
beforeEach(() => {
  here = testCatalog()
  furnish(here.catalog, ['a', 'b'])
})
afterEach(() => here[Symbol.dispose]())

const day = 86_400_000
const rule = { retries: 0, retryAfterMs: 0 }

/** A run of the plan that took these, as it stands; its run is open until it is told to have ended. */
function started(id: string, outcomes: readonly PlanRunVmState[], again: string | null = null): void {
  const { planRuns, runs } = here.catalog
  runs.started(aRun(1, { workflowId: id, runId: id, kind: 'plan', title: id, vmId: null, startedMs: here.clock.ms }))
  const vms = outcomes.map((_, at) => ({ id: `vm-${at}`, name: `vm-${at}` }))
  planRuns.open({ id, runId: id, plan: 'nightly', trigger: 'schedule', again }, vms)
  for (const [at, state] of outcomes.entries()) {
    if (state === 'waiting') continue
    planRuns.take(id, `${at}`, 0, rule)
    if (state === 'running') continue
    planRuns.end(id, { position: at, attempt: 1, state, runId: null, detail: '', mayRetry: false })
  }
}
const ended = (id: string): unknown => here.catalog.runs.observe(id, { state: 'completed', endedMs: here.clock.ms })
const days = (count = 3) => here.catalog.planDays.of('nightly', count).map(({ day: _, ...rest }) => rest)
const none = { done: 0, failed: 0, left: 0, open: 0, missed: 0 }

test('counts what came of the starts of each day, and of this plan alone', () => {
  here.clock.ms = testNow - 2 * day
  started('one', ['completed', 'failed', 'completed-with-residue', 'skipped'])
  ended('one')
  here.clock.ms = testNow
  started('two', ['completed', 'running', 'waiting'])
  here.catalog.planStarts.record('nightly', testNow, [{ dueMs: testNow - day, kind: 'missed' }])
  here.catalog.planStarts.record('other', testNow, [{ dueMs: testNow - day, kind: 'missed' }])
  expect(days()).toEqual([
    { ...none, done: 2, failed: 1, left: 1 },
    { ...none, missed: 1 },
    { ...none, done: 1, open: 2 },
  ])
  expect(here.catalog.planDays.of('other', 1)).toEqual([{ ...none, day: '2026-11-21' }])
})

test('a repetition mends the day of the run that it repeats, also after that day was counted', () => {
  here.clock.ms = testNow - 4 * day
  started('one', ['completed', 'failed'])
  ended('one')
  here.clock.ms = testNow
  expect(days(5)[0]).toEqual({ ...none, done: 1, failed: 1 })
  started('two', ['completed', 'completed'], 'one')
  expect(days(5)).toEqual([{ ...none, done: 2 }, none, none, none, none])
})

test('days move on, and what a run that was ended from outside left in hand is not open for ever', () => {
  here.clock.ms = testNow - 3 * day
  started('one', ['completed', 'running'])
  here.clock.ms = testNow
  expect(days(4)[0]).toEqual({ ...none, done: 1, open: 1 })
  ended('one')
  expect(days(4)[0]).toEqual({ ...none, done: 1, left: 1 })
  here.clock.ms = testNow + day
  expect(days(4)).toEqual([none, none, none, none])
  expect(days(5)[0]).toEqual({ ...none, done: 1, left: 1 })
})
