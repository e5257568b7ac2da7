import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { PendingStep } from '../runbook/types.ts'
import { aPoint, pointIdOf } from '../catalog/testing.ts'
import { heldRefusal } from '../workflows/shared/contract.ts'
import { bench, type Bench } from './testing/bench.ts'
import type { FakeRun } from './testing/fake-orchestrator.ts'

let here: Bench
let run: FakeRun
beforeEach(async () => {
  here = bench()
  await here.call('POST', '/api/v1/vms/web-01/backups', { reason: 'first' })
  const [started] = here.engine.runs
  if (!started) throw new Error('nothing was started')
  run = started
})
afterEach(() => here[Symbol.dispose]())

const progress = {
  bytesDone: 5,
  bytesTotal: 10,
  bytesRead: 5,
  bytesStored: 2,
  bytesResumed: 0,
  durableOffset: 5,
  rate: 1,
  secondsLeft: 5,
  bottleneck: 'source',
  seenMs: 1,
}
function step(activityId: string, over: Partial<PendingStep> = {}): PendingStep {
  return {
    activityId,
    activityType: 'copyDisk',
    state: 'started',
    attempt: 1,
    maximumAttempts: 0,
    scheduledMs: 1,
    startedMs: 2,
    nextAttemptMs: null,
    heartbeatMs: 3,
    heartbeat: progress,
    worker: 'mover-1',
    lastFailure: null,
    ...over,
  }
}
const act = (verb: string, body: object = {}, name = run.runId): Promise<Response> =>
  here.call('POST', `/api/v1/runs/${encodeURIComponent(name)}/${verb}`, body)
const codeOf = async (response: Response): Promise<[number, string]> => [
  response.status,
  ((await response.json()) as { code: string }).code,
]

describe('a run is named', () => {
  test('by its run id, or by its workflow id for the latest run', async () => {
    expect(await here.get(`/api/v1/runs/${run.runId}`)).toMatchObject({ runId: run.runId })
    expect(await here.get('/api/v1/runs/backup%2Fweb-01')).toMatchObject({ runId: run.runId })
    here.engine.end(run, 'completed')
    await here.deps.live.tick()
    here.clock.ms += 1000
    await here.call('POST', '/api/v1/vms/web-01/backups', {})
    expect(await here.get('/api/v1/runs/backup%2Fweb-01')).toMatchObject({ runId: here.engine.runs[1]?.runId })
    expect(await here.get('/api/v1/runs?workflowId=backup/web-01')).toMatchObject({ total: 2 })
  })

  test('also if only the engine knows it yet', async () => {
    here.engine.put({ workflowId: 'backup/other', workflow: 'backupVm' })
    expect(await here.get('/api/v1/runs/backup%2Fother')).toMatchObject({
      kind: 'backup',
      title: 'Backup of other',
      requestedBy: { user: 'holdfast' },
    })
    expect((await here.call('GET', '/api/v1/runs/discover%2Flab')).status).toBe(404)
  })
})

describe('wishes reach the run with who and why', () => {
  const by = { user: 'operator', reason: 'storage maintenance' }

  test('pause and resume are updates, cancel is a note and then a cancel', async () => {
    for (const verb of ['pause', 'resume', 'cancel']) expect((await act(verb, { reason: by.reason })).status).toBe(202)
    expect(run.wishes).toEqual([
      { kind: 'update', name: 'pause', argument: by },
      { kind: 'update', name: 'resume', argument: by },
      { kind: 'signal', name: 'cancelNote', argument: by },
      { kind: 'cancel', name: 'cancel', argument: null },
    ])
  })

  test('what the run refuses is said in its words', async () => {
    run.refuses = 'the run is paused already, by operator'
    const response = await act('pause')
    expect([response.status, await response.json()]).toMatchObject([
      400,
      { code: 'InvalidRequest', detail: run.refuses },
    ])
  })

  test('one that stands still with its plan goes on by itself only once the engine proves that the run of the plan is over', async () => {
    const parent = here.engine.put({ workflowId: 'plan/nightly/20261121t023000', workflow: 'planRun' })
    const held = here.engine.put({
      workflowId: 'backup/held-01',
      workflow: 'backupVm',
      parent: { workflowId: parent.workflowId, runId: parent.runId },
      refuses: heldRefusal,
    })
    const resume = (): Promise<Response> => act('resume', {}, held.workflowId)
    expect(await codeOf(await resume())).toEqual([400, 'InvalidRequest'])
    here.engine.end(parent, 'terminated')
    expect((await resume()).status).toBe(202)
    expect(held.wishes).toEqual([{ kind: 'signal', name: 'hold', argument: null }])

    held.refuses = 'the run is neither paused nor waiting'
    expect(await codeOf(await resume())).toEqual([400, 'InvalidRequest'])
    expect(held.wishes).toHaveLength(1)
  })

  test('an ended run takes none, whether the catalog or only the engine knows', async () => {
    here.engine.end(run, 'completed')
    for (const verb of ['pause', 'resume', 'cancel', 'retry-now']) {
      const [status, code] = await codeOf(await act(verb))
      expect([verb, status, code]).toEqual(verb === 'retry-now' ? [verb, 409, 'RunEnded'] : [verb, 409, 'RunEnded'])
    }
    await here.deps.live.tick()
    expect(await codeOf(await act('pause'))).toEqual([409, 'RunEnded'])
  })

  test('an engine that is away is said', async () => {
    here.engine.away = true
    expect(await codeOf(await act('cancel'))).toEqual([503, 'TemporalUnavailable'])
  })
})

describe('retry now', () => {
  test('ends the wait of every step between two attempts, and of no other', async () => {
    run.pending = [
      step('copy-a'),
      step('copy-b', { state: 'scheduled', attempt: 3 }),
      step('copy-c', { state: 'scheduled' }),
      step('copy-d', { state: 'scheduled', attempt: 2 }),
    ]
    expect(await (await act('retry-now')).json()).toEqual({ steps: ['copy-b', 'copy-d'] })
    expect(run.wishes.map((wish) => wish.name)).toEqual(['copy-b', 'copy-d'])
  })

  test('of one step leaves the others alone, and says if it does not wait', async () => {
    run.pending = [
      step('copy-b', { state: 'scheduled', attempt: 3 }),
      step('copy-d', { state: 'scheduled', attempt: 2 }),
    ]
    expect(await (await act('retry-now', { step: 'copy-d' })).json()).toEqual({ steps: ['copy-d'] })
    expect(await codeOf(await act('retry-now', { step: 'copy-x' }))).toEqual([404, 'NotFound'])
  })

  test('tells a run that waits for a person to look again', async () => {
    expect(await (await act('retry-now', { reason: 'made space' })).json()).toEqual({ steps: [] })
    expect(run.wishes).toEqual([
      { kind: 'update', name: 'retryNow', argument: { user: 'operator', reason: 'made space' } },
    ])
  })
})

describe('retry', () => {
  test('of a running run is a conflict', async () => {
    expect(await codeOf(await act('retry'))).toEqual([409, 'AlreadyRunning'])
  })

  test('starts an ended one again with the same input and the new reason', async () => {
    here.engine.end(run, 'failed')
    await here.deps.live.tick()
    const response = await act('retry', { reason: 'made space' })
    expect(response.status).toBe(202)
    const [first, second] = here.engine.started
    expect(second).toMatchObject({
      workflow: 'backupVm',
      workflowId: 'backup/web-01',
      memo: { requestedBy: { reason: 'made space' } },
    })
    expect(second?.input).toEqual({
      ...(first?.input as object),
      requestedBy: { user: 'operator', reason: 'made space' },
    })
  })

  test('works from the archive when the engine has forgotten the run', async () => {
    here.engine.end(run, 'failed')
    await here.deps.live.tick()
    here.engine.runs.length = 0
    expect((await act('retry')).status).toBe(202)
  })

  test('of a restore or a drill is a new request with an id of its own', async () => {
    here.catalog.points.record(aPoint(1))
    await here.call('POST', '/api/v1/restores', {
      pointId: pointIdOf(1),
      target: { kind: 'new', hypervisorId: 'lab', name: 'x' },
    })
    await here.call('POST', '/api/v1/drills', { pointId: pointIdOf(1) })
    for (const one of here.engine.runs) here.engine.end(one, 'failed')
    await here.deps.live.tick()
    here.clock.ms += 60_000
    for (const one of here.engine.runs.slice(1)) expect((await act('retry', {}, one.runId)).status).toBe(202)
    const ids = here.engine.started.map((spec) => spec.workflowId)
    expect(new Set(ids).size).toBe(ids.length)
    const again = here.engine.started[3]
    expect(again?.workflowId).toBe(`restore/${(again?.input as { requestId: string }).requestId}`)
  })
})

describe('retry of a restore', () => {
  async function restored(target: object, end: 'failed' | 'completed'): Promise<FakeRun> {
    here.catalog.points.record(aPoint(1))
    expect((await here.call('POST', '/api/v1/restores', { pointId: pointIdOf(1), target })).status).toBe(202)
    const one = here.engine.runs.at(-1)
    if (!one) throw new Error('nothing was started')
    here.engine.end(one, end)
    await here.deps.live.tick()
    return one
  }
  const inPlace = { kind: 'original', confirmName: 'web-01' }
  const elsewhere = { kind: 'new', hypervisorId: 'lab', name: 'x' }
  const started = (): number => here.engine.started.length

  test('in place begins only with the name of the VM', async () => {
    const failed = await restored(inPlace, 'failed')
    const before = started()
    for (const body of [{}, { confirmName: 'web-02' }]) {
      const response = await act('retry', body, failed.runId)
      expect([response.status, await response.json()]).toMatchObject([
        400,
        { code: 'InvalidRequest', data: { confirmName: 'web-01' } },
      ])
    }
    expect(started()).toBe(before)
    expect((await act('retry', { confirmName: 'web-01' }, failed.runId)).status).toBe(202)
    expect(here.engine.started.at(-1)?.input).toMatchObject({ target: inPlace })
  })

  test('that has completed is refused, wherever it went', async () => {
    for (const target of [inPlace, elsewhere]) {
      const done = await restored(target, 'completed')
      const before = started()
      expect(await codeOf(await act('retry', { confirmName: 'web-01' }, done.runId))).toEqual([409, 'RunEnded'])
      expect(started()).toBe(before)
    }
  })

  test('starts one, however often the answer was lost', async () => {
    const failed = await restored(elsewhere, 'failed')
    const again = (): Promise<Response> =>
      here.call('POST', `/api/v1/runs/${failed.runId}/retry`, { reason: 'x' }, { 'idempotency-key': 'wish-0001' })
    const before = started()
    here.engine.away = 'after-start'
    expect((await again()).status).toBe(503)
    here.engine.away = false
    const [first, second] = [await (await again()).json(), await (await again()).json()]
    expect(second).toEqual(first)
    expect(new Set(here.engine.started.slice(before).map((spec) => spec.workflowId)).size).toBe(1)
    expect(here.engine.runs.filter((one) => one.status === 'running' && one.workflow === 'restoreVm')).toHaveLength(1)
  })
})

test('a repeated retry by workflow id finds the run that its first attempt has started', async () => {
  here.engine.end(run, 'failed')
  await here.deps.live.tick()
  const again = (): Promise<Response> =>
    here.call('POST', '/api/v1/runs/backup%2Fweb-01/retry', {}, { 'idempotency-key': 'wish-0002' })
  const [first, second] = [await again(), await again()]
  expect([first.status, second.status]).toEqual([202, 202])
  expect(await second.json()).toEqual(await first.json())
})

describe('the projection follows the engine', () => {
  test('progress comes from heartbeats, and the history is read again only when it has grown', async () => {
    run.pending = [step('copy-a')]
    await here.deps.live.tick()
    await here.deps.live.tick()
    await here.deps.live.tick()
    expect(here.engine.historyReads).toBe(1)
    expect(await here.get(`/api/v1/runs/${run.runId}`)).toMatchObject({
      state: 'running',
      progress,
      bytesRead: 5,
      bytesStored: 2,
    })
  })

  test('an ended run gets its last word, keeps its figures, and its history goes to the archive', async () => {
    run.pending = [step('copy-a')]
    await here.deps.live.tick()
    here.clock.ms += 1000
    here.engine.end(run, 'failed')
    await here.deps.live.tick()
    expect(await here.get(`/api/v1/runs/${run.runId}`)).toMatchObject({
      state: 'failed',
      endedMs: here.clock.ms,
      durationMs: 1000,
      progress: null,
      bytesRead: 5,
      error: { code: 'StoreFull', docs: 'errors.md#storefull' },
    })
    here.engine.runs.length = 0
    expect(await here.get(`/api/v1/runs/${run.runId}/runbook`)).toMatchObject({ state: 'failed', eventCount: 2 })
    expect(await here.get(`/api/v1/runs/${run.runId}/events?limit=1`)).toMatchObject({
      total: 2,
      nextCursor: '1',
      items: [{ eventId: 1, type: 'WorkflowExecutionStarted' }],
    })
    expect(await here.get(`/api/v1/runs/${run.runId}/events?limit=1&cursor=1`)).toMatchObject({
      nextCursor: null,
      items: [{ type: 'WorkflowExecutionFailed' }],
    })
    expect((await here.call('GET', `/api/v1/runs/${run.runId}/events?cursor=x`)).status).toBe(400)
  })

  test('the end that the run itself has written down is kept, its figures too', async () => {
    here.catalog.runs.observe(run.runId, {
      state: 'completed',
      endedMs: here.clock.ms,
      bytesRead: 77,
      bytesStored: 33,
      summary: '77 bytes read',
    })
    here.engine.end(run, 'completed')
    await here.deps.live.tick()
    expect(here.catalog.histories.has(run.runId)).toBe(true)
    expect(await here.get(`/api/v1/runs/${run.runId}`)).toMatchObject({
      state: 'completed',
      bytesRead: 77,
      bytesStored: 33,
      summary: '77 bytes read',
    })
  })

  test('a history that is not closed yet is not archived', async () => {
    here.catalog.runs.observe(run.runId, { state: 'completed', endedMs: here.clock.ms })
    await here.deps.live.tick()
    expect(here.catalog.histories.has(run.runId)).toBe(false)
    here.engine.end(run, 'completed')
    await here.deps.live.tick()
    expect(here.catalog.histories.has(run.runId)).toBe(true)
  })

  test('runs that somebody else started are found, running or ended, and other workflows are not', async () => {
    here.engine.put({
      workflowId: 'backup/db-07',
      workflow: 'backupVm',
      memo: {
        v: 1,
        title: 'Backup of db-07',
        vmId: null,
        repositoryId: 'main',
        pointId: null,
        requestedBy: { user: 'plan nightly', reason: '' },
        idempotencyKey: null,
      },
    })
    here.engine.end(
      here.engine.put({ workflowId: 'drill/web-01/20261101t000000', workflow: 'restoreDrill' }),
      'completed',
    )
    here.engine.put({ workflowId: 'discover/lab', workflow: 'discoverEndpoint' })
    await here.deps.live.tick()
    expect(await here.get('/api/v1/runs')).toMatchObject({ total: 3 })
    expect(await here.get('/api/v1/runs/backup%2Fdb-07')).toMatchObject({ requestedBy: { user: 'plan nightly' } })
    expect(await here.get('/api/v1/runs/drill%2Fweb-01%2F20261101t000000')).toMatchObject({
      state: 'completed',
      vmId: 'web-01',
    })
  })

  test('a run that the engine has lost with its state is said to be terminated', async () => {
    here.engine.runs.length = 0
    await here.deps.live.tick()
    expect(await here.get(`/api/v1/runs/${run.runId}`)).toMatchObject({
      state: 'terminated',
      error: { message: 'the engine no longer knows this run' },
    })
    expect((await here.call('GET', `/api/v1/runs/${run.runId}/runbook`)).status).toBe(404)
  })

  test('an engine that is away changes nothing: unreadable is not gone', async () => {
    here.engine.away = true
    await expect(here.deps.live.tick()).rejects.toMatchObject({ code: 'TemporalUnavailable' })
    expect(await here.get(`/api/v1/runs/${run.runId}`)).toMatchObject({ state: 'running', endedMs: null })
    expect((await here.call('GET', `/api/v1/runs/${run.runId}/runbook`)).status).toBe(503)
  })

  test('one run that cannot be read does not keep the others from being followed', async () => {
    const other = here.engine.put({ workflowId: 'backup/db-01', workflow: 'backupVm' })
    await here.deps.live.tick()
    here.engine.end(other, 'completed')
    const history = here.engine.history.bind(here.engine)
    here.engine.history = async (handle) => {
      if (handle.runId === run.runId) throw new Error('broken')
      return history(handle)
    }
    run.events.push(...run.events)
    await expect(here.deps.live.tick()).rejects.toThrow('broken')
    expect(here.catalog.runs.find(other.runId)?.state).toBe('completed')
  })

  test('following ends with its signal', async () => {
    const stop = new AbortController()
    const following = here.deps.live.run(stop.signal)
    stop.abort()
    await following
  })
})

describe('overview, workers and doctor', () => {
  test('the overview says the answer, what needs a person, and what runs', async () => {
    const first = await here.get<{ needsYou: { kind: string; action: { command: string } }[] }>('/api/v1/overview')
    expect(first).toMatchObject({
      sentence: '1 VM needs you.',
      state: 'failed',
      counts: { vms: 1, unprotected: 1 },
      running: [{ workflowId: 'backup/web-01' }],
      setup: { repository: true, hypervisor: true, firstPoint: false },
    })
    expect(first.needsYou).toMatchObject([{ kind: 'unprotected', action: { command: 'holdfast backup web-01' } }])
    here.catalog.points.record(aPoint(1))
    expect(await here.get('/api/v1/overview')).toMatchObject({
      sentence: 'The one VM is inside its RPO.',
      lead: 'Nothing waits for you.',
      state: 'ok',
      needsYouTotal: 0,
      days: { length: 30 },
    })
  })

  test('it says when the engine is away or a site has no worker, and still answers', async () => {
    here.catalog.points.record(aPoint(1))
    here.engine.pollersByQueue.clear()
    const silent = await here.get<{ needsYou: { kind: string; title: string }[] }>('/api/v1/overview')
    expect(silent.needsYou.map((item) => item.title)).toEqual([
      'No server works on the control queue',
      'No worker is connected for site local',
    ])
    here.engine.away = true
    expect(await here.get('/api/v1/overview')).toMatchObject({
      sentence: 'The engine does not answer.',
      state: 'unknown',
      engine: { up: false },
      needsYou: [{ kind: 'engine' }],
    })
  })

  test('workers are listed by queue, and a queue without any is silent', async () => {
    here.engine.pollersByQueue.delete('holdfast.site.local')
    expect(await here.get('/api/v1/workers')).toMatchObject({
      queues: [
        { queue: 'holdfast.control', site: null, state: 'ok', workers: [{ identity: 'worker-1' }] },
        { queue: 'holdfast.site.local', site: 'local', state: 'silent', lastSeenMs: null },
      ],
    })
  })

  test('a worker that has not asked for a minute and a half is gone, though the engine still lists it', async () => {
    here.engine.pollersByQueue.set('holdfast.site.local', [
      { identity: 'worker-9', role: 'activity', lastSeenMs: here.clock.ms - 280_000 },
    ])
    const { queues } = await here.get<{ queues: unknown[] }>('/api/v1/workers')
    expect(queues[1]).toMatchObject({ state: 'silent', workers: [], lastSeenMs: here.clock.ms - 280_000 })
    const { checks } = await here.get<{ checks: { id: string }[] }>('/api/v1/doctor')
    expect(checks.find((check) => check.id === 'queue-holdfast.site.local')).toMatchObject({
      state: 'failed',
      detail: 'nobody polls holdfast.site.local; last seen 4 min 40 s ago',
    })
    expect((await here.get<{ needsYou: object[] }>('/api/v1/overview')).needsYou).toContainEqual(
      expect.objectContaining({ kind: 'no-worker', title: 'No worker is connected for site local' }),
    )
    expect(await codeOf(await here.call('POST', '/api/v1/hypervisors/lab/test', {}))).toEqual([503, 'NoWorker'])
  })

  test('the doctor says how old the tests are that it repeats, and trusts none of more than a day', async () => {
    const probe = {
      testedMs: here.clock.ms - 3_600_000,
      version: '7.2',
      identity: null,
      evidence: null,
      capabilities: null,
      findings: [],
      error: null,
    }
    here.catalog.endpoints.recordProbe('lab', probe)
    const check = async (): Promise<unknown> =>
      (await here.get<{ checks: { id: string }[] }>('/api/v1/doctor')).checks.find((one) => one.id === 'hypervisor-lab')
    expect(await check()).toMatchObject({ state: 'ok', detail: 'version 7.2; tested 1 h ago', hint: null })
    here.clock.ms += 86_400_000
    expect(await check()).toMatchObject({ state: 'attention', hint: expect.stringContaining('test lab') as string })
  })

  test('the doctor reports everything, also what is broken', async () => {
    here.engine.attributes = [
      'HoldfastVm',
      'HoldfastPlan',
      'HoldfastRepo',
      'HoldfastSite',
      'HoldfastOutcome',
      'HoldfastBytesStored',
    ]
    const well = await here.get<{ state: string; checks: { id: string; state: string }[] }>('/api/v1/doctor')
    const stateOf = (id: string): string | undefined => well.checks.find((check) => check.id === id)?.state
    expect(
      ['engine', 'retention', 'search-attributes', 'catalog', 'queue-holdfast.site.local', 'time-zones'].map(stateOf),
    ).toEqual(['ok', 'ok', 'ok', 'ok', 'ok', 'ok'])
    expect(stateOf('secrets')).toBe('failed')
    here.engine.away = true
    const ill = await here.get<typeof well>('/api/v1/doctor')
    expect(ill.state).toBe('failed')
    expect(ill.checks.find((check) => check.id === 'engine')?.state).toBe('failed')
    expect(ill.checks.find((check) => check.id === 'catalog')?.state).toBe('ok')
  })
})
