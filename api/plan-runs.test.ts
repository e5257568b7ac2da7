import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { planWorkflow, planWorkflowId, scheduledRunId } from '../workflows/plan/contract.ts'
import { planChangedSignal } from '../workflows/shared/contract.ts'
import { bench, workerToken, type Bench } from './testing/bench.ts'

let here: Bench
beforeEach(async () => {
  here = bench({ vms: ['db-01', 'web-01'] })
  const schedule = { kind: 'calendar', at: ['02:30'] }
  await here.call('PUT', '/api/v1/plans/nightly', { where: [], schedule, targets: [{ repository: 'main' }] })
})
afterEach(() => here[Symbol.dispose]())

const bodyOf = async <T>(response: Response | Promise<Response>): Promise<T> => (await (await response).json()) as T
const start = (body: object = {}, headers: Record<string, string> = {}) =>
  here.call('POST', '/api/v1/plans/nightly/run', body, headers)
/** What the run itself writes down when it begins. */
function opened(workflowId: string, runId: string): void {
  const vms = ['db-01', 'web-01'].map((name) => ({ id: name, name }))
  here.catalog.planRuns.open({ id: workflowId, runId, plan: 'nightly', trigger: 'hand', again: null }, vms)
}

describe('a plan run by hand', () => {
  test('is started under an id of its own, with who and why; a second one is refused while it is under way', async () => {
    const response = await start({ reason: 'before the move' })
    expect(response.status).toBe(202)
    const run = await bodyOf<{ workflowId: string; runId: string }>(response)
    expect(run.workflowId).toBe(planWorkflowId('nightly', here.clock.ms))
    const requestedBy = { user: 'operator', reason: 'before the move' }
    expect(here.engine.started).toMatchObject([
      { workflow: planWorkflow, input: { plan: 'nightly', trigger: 'hand', again: null, part: 0, requestedBy } },
    ])
    expect(await here.get(`/api/v1/runs/${run.runId}`)).toMatchObject({ kind: 'plan', title: 'Plan nightly' })
    here.clock.ms += 5_000
    const second = await start()
    expect([second.status, await second.json()]).toMatchObject([
      409,
      { code: 'AlreadyRunning', data: { runId: run.runId } },
    ])
    expect((await here.call('POST', '/api/v1/plans/nothing/run', {})).status).toBe(404)
    const asWorker = await start({}, { authorization: `Bearer ${workerToken}` })
    expect(asWorker.status).toBe(403)
  })

  test('is started once, however often the request comes', async () => {
    const key = { 'idempotency-key': 'of-the-test' }
    const first = await bodyOf<{ runId: string }>(start({}, key))
    here.clock.ms += 5_000
    const again = await start({}, key)
    expect([again.status, await again.json()]).toMatchObject([202, { runId: first.runId }])
    expect(here.engine.started).toHaveLength(1)
  })

  test('says what came of each VM, and the plan its last run', async () => {
    const { workflowId, runId } = await bodyOf<{ workflowId: string; runId: string }>(start())
    opened(workflowId, runId)
    const { planRuns, runs } = here.catalog
    const rule = { retries: 0, retryAfterMs: 0 }
    planRuns.take(workflowId, '0/0', 0, rule)
    planRuns.end(workflowId, {
      position: 0,
      attempt: 1,
      state: 'failed',
      runId: 'r-db',
      detail: 'no space left',
      mayRetry: true,
    })
    planRuns.take(workflowId, '0/0', 1, rule)
    const of = { kind: 'backup', title: 'Backup of web-01', repositoryId: 'main', pointId: null } as const
    const by = { requestedUser: 'operator', requestedReason: '', idempotencyKey: null }
    runs.started({
      ...of,
      ...by,
      workflowId: 'backup/web-01',
      runId: 'r-web',
      vmId: 'web-01',
      startedMs: here.clock.ms,
    })
    expect(await here.get(`/api/v1/runs/${encodeURIComponent(workflowId)}/vms`)).toMatchObject({
      total: 2,
      items: [
        { vmName: 'db-01', state: 'failed', attempts: 1, runId: 'r-db', detail: 'no space left' },
        // Under way: its run is found by the lock of its VM.
        { vmName: 'web-01', state: 'running', runId: 'r-web' },
      ],
    })
    expect(await here.get('/api/v1/plans/nightly')).toMatchObject({
      last: { runId, state: 'running', trigger: 'hand', vms: { done: 0, failed: 1, total: 2 } },
    })
    expect(await here.get('/api/v1/runs?plan=nightly')).toMatchObject({ total: 1, items: [{ runId }] })
    expect(await here.get('/api/v1/runs?plan=night')).toMatchObject({ total: 0 })
  })

  test('repeated, takes what is missing', async () => {
    const { workflowId, runId } = await bodyOf<{ workflowId: string; runId: string }>(start())
    const run = here.engine.runOf({ workflowId, runId })
    if (run) here.engine.end(run, 'failed')
    await here.deps.live.tick()
    here.clock.ms += 60_000
    expect((await here.call('POST', `/api/v1/runs/${runId}/retry`, { reason: 'space again' })).status).toBe(202)
    expect(here.engine.started.at(-1)).toMatchObject({
      workflowId: planWorkflowId('nightly', here.clock.ms),
      workflow: planWorkflow,
      input: { trigger: 'hand', again: workflowId, part: 0 },
    })
    await here.deps.live.tick()
    // Of last night's run while tonight's is under way: both would take the same VMs.
    here.clock.ms += 60_000
    const second = await here.call('POST', `/api/v1/runs/${runId}/retry`, { reason: 'once more' })
    expect([second.status, await second.json()]).toMatchObject([409, { code: 'AlreadyRunning' }])
  })
})

describe('a change of a plan', () => {
  test('is told to the run that is under way, and saved also when that cannot be told', async () => {
    const { workflowId, runId } = await bodyOf<{ workflowId: string; runId: string }>(start())
    opened(workflowId, runId)
    const put = (end: string) => {
      const window = { start: '22:00', end, atEnd: 'pause' }
      const body = { where: [], schedule: { kind: 'manual' }, targets: [{ repository: 'main' }], window }
      return here.call('PUT', '/api/v1/plans/nightly', body)
    }
    expect((await put('06:00')).status).toBe(200)
    expect(here.engine.runOf({ workflowId })?.wishes).toMatchObject([{ name: planChangedSignal }])
    here.engine.away = true
    expect((await put('07:00')).status).toBe(200)
    expect(here.catalog.plans.get('nightly').window?.end).toBe('07:00')
  })

  test('the plan says until when its run stands still, as long as that is open', async () => {
    const { workflowId, runId } = await bodyOf<{ workflowId: string; runId: string }>(start())
    opened(workflowId, runId)
    here.catalog.planRuns.standsUntil(workflowId, 'Sat 21 Nov 22:00 (UTC)')
    const last = { last: { standsUntil: 'Sat 21 Nov 22:00 (UTC)' } }
    expect(await here.get('/api/v1/plans/nightly')).toMatchObject(last)
    here.catalog.runs.observe(runId, { state: 'cancelled', endedMs: here.clock.ms })
    expect(await here.get('/api/v1/plans/nightly')).toMatchObject({ last: { standsUntil: null } })
  })
})

describe('a start that did not come', () => {
  const dueMs = Date.UTC(2026, 10, 21, 2, 30)
  test('is told at the plan and needs somebody, until the plan runs again', async () => {
    here.catalog.planStarts.record('nightly', dueMs, [{ dueMs, kind: 'missed' }])
    expect(await here.get('/api/v1/plans/nightly')).toMatchObject({ last: null, missed: [{ dueMs, kind: 'missed' }] })
    const needs = async () => {
      const { needsYou } = await here.get<{ needsYou: { kind: string }[] }>('/api/v1/overview')
      return needsYou.filter(({ kind }) => kind === 'missed-start')
    }
    expect(await needs()).toMatchObject([
      {
        title: 'nightly did not start',
        subject: { kind: 'plan', id: 'nightly' },
        action: { command: 'holdfast plans run nightly' },
      },
    ])
    opened(scheduledRunId('nightly', dueMs), 'r1')
    // Long enough to be told of one that is noticed only by then.
    expect(await needs()).toHaveLength(1)
    here.clock.ms += 10 * 60_000
    expect(await needs()).toEqual([])
  })
})
