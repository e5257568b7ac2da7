import { afterEach, beforeEach, expect, it } from 'vitest'
import { aPoint, pointIdOf, testNow } from '../catalog/testing.ts'
import type { InstantInput } from '../workflows/instant/contract.ts'
import { bench, type Bench } from './testing/bench.ts'

let here: Bench
beforeEach(() => {
  here = bench()
  here.catalog.points.record(aPoint(1))
})
afterEach(() => here[Symbol.dispose]())

const wish = { pointId: pointIdOf(1), hypervisorId: 'lab', name: 'web-01-now', reason: 'audit' }
const post = (path: string, body: unknown): Promise<Response> => here.call('POST', `/api/v1${path}`, body)
const read = async (path: string): Promise<Record<string, unknown>> =>
  (await here.call('GET', `/api/v1${path}`)).json() as Promise<Record<string, unknown>>

/** Started, and written down by the run itself. */
async function started(): Promise<{ runId: string; workflowId: string }> {
  const run = (await (await post('/instants', wish)).json()) as { runId: string; workflowId: string }
  here.catalog.instants.started({
    ...{ ...run, repositoryId: 'main', pointId: wish.pointId, vmId: 'web-01', endpointId: 'lab', name: wish.name },
    ...{ network: 'isolated', requestedUser: 'operator', startedMs: testNow },
  })
  return { runId: run.runId, workflowId: run.workflowId }
}

it('boots a point isolated unless told otherwise, and only one that is validated', async () => {
  const run = await post('/instants', wish)
  expect(run.status).toBe(202)
  const { workflow, workflowId, input, priority } = here.engine.started[0] ?? {}
  expect(workflow).toBe('instantRestore')
  expect(priority).toBe(1)
  expect(input as InstantInput).toMatchObject({
    name: 'web-01-now',
    network: 'isolated',
    identity: 'new',
    vmId: 'web-01',
    requestId: workflowId?.split('/')[1],
    requestedBy: { reason: 'audit' },
  })
  expect((await post('/instants', { ...wish, pointId: pointIdOf(2) })).status).toBe(404)
  here.catalog.points.record(aPoint(3, { validatedMs: null }))
  expect((await post('/instants', { ...wish, pointId: pointIdOf(3) })).status).toBe(422)
})

it('what a boot of the VM reads first goes with it, and is told of the point', async () => {
  const told = { drillId: 'web-01.1', recordedMs: testNow - 1, bytes: 2 ** 20 }
  const list = { ...told, disks: [{ key: 'virtio0', runs: [[0, 1]] as const }] }
  expect(await read(`/points/${pointIdOf(1)}`)).toMatchObject({ bootList: null })
  here.catalog.bootLists.keep('web-01', list)
  await post('/instants', wish)
  expect((here.engine.started[0]?.input as InstantInput).boot).toEqual(list)
  expect((await read(`/points/${pointIdOf(1)}`))['bootList']).toEqual(told)
})

it('lists what runs with its age, what the guest does and what remains to be done', async () => {
  const { runId } = await started()
  expect(await read(`/instants/${runId}`)).toMatchObject({ state: 'starting', io: null, vmName: 'web-01' })
  here.catalog.instants.observe(runId, { state: 'running', error: null, atMs: testNow + 5_000 })
  const [run] = here.engine.runs
  const beat = { v: 1, power: 'running', readBytes: 10, writtenBytes: 20, overlayBytes: 30, fetchedBytes: null }
  run?.pending.push({
    ...{ activityId: 'attend', activityType: 'attendInstant', state: 'started', attempt: 1, maximumAttempts: 0 },
    ...{ scheduledMs: 1, startedMs: 1, nextAttemptMs: null, heartbeatMs: 7, worker: null, lastFailure: null },
    heartbeat: beat,
  })
  here.clock.ms = testNow + 60_000
  const { items, total } = await read('/instants')
  expect(total).toBe(1)
  expect(items).toMatchObject([
    {
      ageMs: 60_000,
      isForgotten: false,
      todo: 'Migrate it, or discard it.',
      io: { readBytes: 10, overlayBytes: 30, seenMs: 7 },
    },
  ])
  if (run) run.pending[0] = { ...(run.pending[0] as (typeof run.pending)[0]), heartbeat: { ...beat, readBytes: -1 } }
  expect(await read(`/instants/${runId}`)).toMatchObject({ io: null })
  here.catalog.instants.observe(runId, { state: 'discarded', error: null, atMs: testNow })
  expect((await read('/instants'))['total']).toBe(0)
  expect((await read('/instants?open=all'))['total']).toBe(1)
})

it('an engine that is away takes the figures with it, not the list', async () => {
  await started()
  here.engine.away = true
  expect(await read('/instants')).toMatchObject({ total: 1, items: [{ io: null }] })
})

it('passes the word on; discarding needs the name of the VM', async () => {
  const { runId } = await started()
  expect((await post(`/instants/${runId}/migrate`, { reason: 'it stays' })).status).toBe(202)
  expect((await post(`/instants/${runId}/discard`, { confirmName: 'web-01' })).status).toBe(400)
  expect((await post(`/instants/${runId}/discard`, { confirmName: 'web-01-now' })).status).toBe(202)
  expect(here.engine.runs[0]?.wishes.map(({ argument }) => (argument as { end: string }).end)).toEqual([
    'migrate',
    'discard',
  ])
  expect((await post('/instants/none/migrate', {})).status).toBe(404)
})

it('needs a person after a day, also while it is copied; a terminated run is no longer open', async () => {
  const { runId } = await started()
  here.catalog.instants.observe(runId, { state: 'running', error: null, atMs: testNow })
  const forgotten = async (): Promise<unknown[]> =>
    ((await read('/overview'))['needsYou'] as { kind: string }[]).filter(({ kind }) => kind === 'instant-forgotten')
  expect(await forgotten()).toEqual([])
  here.clock.ms = testNow + 24 * 3_600_000
  expect(await forgotten()).toMatchObject([{ subject: { kind: 'run', id: runId } }])
  expect(await read(`/instants/${runId}`)).toMatchObject({ isForgotten: true })
  here.catalog.instants.observe(runId, { state: 'migrating', error: null, atMs: here.clock.ms })
  expect(JSON.stringify(await forgotten())).toContain('Its copy has not ended')
  here.catalog.runs.observe(runId, { state: 'terminated', endedMs: here.clock.ms })
  expect(await forgotten()).toEqual([])
  expect(await read(`/instants/${runId}`)).toMatchObject({
    state: 'failed',
    todo: 'Its VM may still run: see the run.',
  })
})
