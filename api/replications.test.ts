import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { HoldfastError } from '../base/index.ts'
import { aPoint, aVm, pointIdOf } from '../catalog/testing.ts'
import { ran } from '../cli/testing.ts'
import type { Message } from '../notify/index.ts'
import type { FailoverInput, ReplicationInput } from '../workflows/replication/contract.ts'
import { alertKeeper } from './alerts/index.ts'
import { housekeeping } from './housekeeping.ts'
import { bench, type Bench } from './testing/bench.ts'
import { aChannel } from './testing/channels.ts'

const second = 1000
let here: Bench
let out = ''
let err = ''
beforeEach(() => {
  here = bench()
  out = err = ''
  const options = { scope: 'paris' }
  const paris = { name: 'paris', platform: 'qemu', address: '/srv/paris', site: 'south', credentialRef: '' } as const
  here.catalog.endpoints.add({ ...paris, options })
})
afterEach(() => here[Symbol.dispose]())

interface Replication {
  readonly id: string
  readonly state: string
  readonly doing: string | null
  readonly lagMs: number | null
  readonly isLate: boolean
  readonly todo: string
  readonly failures: number
  readonly error: { readonly message: string } | null
}
const wish = { vmId: 'web-01', hypervisorId: 'paris', rpoMs: 300 * second }
const post = (path: string, body: object): Promise<Response> => here.call('POST', `/api/v1/replications${path}`, body)
const make = async (): Promise<string> => ((await (await post('', wish)).json()) as Replication).id
const look = (id: string): Promise<Replication> => here.get(`/api/v1/replications/${id}`)
const rows = () => here.catalog.replications
const standby = { platform: 'qemu', endpoint: 'paris', scope: 'paris', id: 'u', name: 'web-01-standby' } as const
const cycleRuns = (): string[] =>
  here.engine.started.map(({ workflowId }) => workflowId).filter((one) => one.startsWith('replication/'))
function cycled(id: string, runId: string): void {
  rows().begin(id, 'cycle', runId, here.clock.ms)
  rows().cycled(id, runId, {
    ...{ pointId: 'p', atMs: here.clock.ms, links: 1, storedBytes: 5, standby },
    ...{ bytes: 4, durationMs: 3 * second, endedMs: here.clock.ms },
  })
}
function runs(runId: string): void {
  here.catalog.runs.started({
    ...{ workflowId: `replication/${runId}`, runId, kind: 'replication', title: 'Replication', vmId: 'web-01' },
    ...{ repositoryId: null, pointId: null, startedMs: here.clock.ms, requestedUser: 'holdfast' },
    ...{ requestedReason: '', idempotencyKey: null },
  })
}
const needs = async (): Promise<readonly { kind: string; severity: string; title: string }[]> =>
  (await here.get<{ needsYou: readonly { kind: string; severity: string; title: string }[] }>('/api/v1/overview'))
    .needsYou

it('a standby beside its source is refused, and so is a second one in the same place', async () => {
  expect((await post('', { ...wish, hypervisorId: 'lab' })).status).toBe(400)
  expect((await post('', { ...wish, rpoMs: 1000 })).status).toBe(400)
  expect((await post('', wish)).status).toBe(201)
  expect((await post('', wish)).status).toBe(409)
  expect((await here.call('GET', '/api/v1/replications/nobody')).status).toBe(404)
})

it('cycles begin by themselves: the seed at once, the next half way through the promise, none while paused', async () => {
  const id = await make()
  await housekeeping(here.deps).tick()
  expect(cycleRuns()).toEqual([`replication/${id}`])
  const { input } = here.engine.started.find(({ workflowId }) => workflowId === `replication/${id}`) ?? {}
  expect(input as ReplicationInput).toMatchObject({
    ...{ full: false, pair: { id, site: 'south', name: 'web-01-standby', source: { id: 'web-01', site: 'local' } } },
  })
  cycled(id, 'r1')
  expect(rows().due(here.clock.ms + 149 * second)).toEqual([])
  expect(rows().due(here.clock.ms + 150 * second)).toHaveLength(1)
  await here.call('PATCH', `/api/v1/replications/${id}`, { isPaused: true })
  expect(rows().due(here.clock.ms + 999 * second)).toEqual([])
})

it('says how far it is behind: in the list, as a finding, and as a figure', async () => {
  const id = await make()
  cycled(id, 'r1')
  here.clock.ms += 299 * second
  expect(await look('web-01')).toMatchObject({ id, state: 'following', lagMs: 299 * second, isLate: false })
  expect((await needs()).map(({ kind }) => kind)).not.toContain('replication-lag')
  here.clock.ms += 2 * second
  expect(await look('web-01')).toMatchObject({ isLate: true })
  expect((await needs()).find(({ kind }) => kind === 'replication-lag')).toMatchObject({ severity: 'failed' })
})

it('a failover takes the place of a cycle, whose word counts no more, and a second one is refused', async () => {
  const id = await make()
  expect((await post(`/${id}/move`, { move: 'planned', confirmName: 'web-01' })).status).toBe(409)
  cycled(id, 'r1')
  expect((await post(`/${id}/move`, { move: 'planned', confirmName: 'db-01' })).status).toBe(400)
  const moved = await post(`/${id}/move`, { move: 'planned', confirmName: 'web-01' })
  expect(moved.status).toBe(202)
  expect(here.engine.started.at(-1)).toMatchObject({ workflow: 'failOver', workflowId: `failover/${id}` })
  expect(here.engine.started.at(-1)?.input as FailoverInput).toMatchObject({ move: 'planned', pair: { id } })

  runs('r2')
  runs('r3')
  rows().begin(id, 'cycle', 'r2', here.clock.ms)
  const begin = (act: 'failover' | 'cycle' | 'remove', run: string) => () => rows().begin(id, act, run, here.clock.ms)
  expect(begin('remove', 'r3')).toThrow(HoldfastError)
  expect(begin('failover', 'r3')).toThrow(/under way/)
  rows().begin(id, 'failover', 'r3', here.clock.ms, true)
  expect(await look(id)).toMatchObject({ state: 'failing-over', doing: 'failover', lagMs: null })
  expect(begin('failover', 'r4')).toThrow(/under way/)
  expect(begin('cycle', 'r5')).toThrow(/under way/)
  rows().cycled(id, 'r2', {
    ...{ pointId: 'late', atMs: 1, links: 1, storedBytes: 5, standby, bytes: 4, durationMs: 3, endedMs: 4 },
  })
  expect(rows().find(id)).toMatchObject({ headPoint: 'p' })
  const end = { error: null, atMs: here.clock.ms, head: null }
  rows().ended(id, 'r2', { ...end, state: 'following', change: {} })
  expect(await look(id)).toMatchObject({ state: 'failing-over' })
  rows().ended(id, 'r3', { ...end, state: 'failed-over', change: { fence: 'unreachable', movedMs: here.clock.ms } })
  expect((await look(id)).todo).toMatch(/make sure that it does not run/)
  expect((await needs()).find(({ kind }) => kind === 'failed-over')).toMatchObject({ severity: 'failed' })
  expect((await post(`/${id}/test`, {})).status).toBe(409)
  expect((await post(`/${id}/cycle`, {})).status).toBe(409)
  expect((await post(`/${id}/move`, { move: 'failback', confirmName: 'web-01' })).status).not.toBe(400)
})

it('a failover that fails leaves the pair as it was; a cycle that fails is counted and told', async () => {
  const id = await make()
  cycled(id, 'r1')
  runs('r2')
  rows().begin(id, 'failover', 'r2', here.clock.ms)
  const error = { code: 'CapacityExhausted', message: 'no memory', hint: 'h', docs: 'd' }
  const end = { state: null, error, atMs: here.clock.ms, change: {}, head: null }
  rows().ended(id, 'r2', { ...end, state: 'following' })
  expect(await look(id)).toMatchObject({
    state: 'following',
    doing: null,
    failures: 0,
    error: { message: 'no memory' },
  })
  runs('r3')
  rows().begin(id, 'cycle', 'r3', here.clock.ms)
  rows().ended(id, 'r3', end)
  expect(await look(id)).toMatchObject({ failures: 1 })
  expect(rows().due(here.clock.ms + 19 * second)).toEqual([])
  expect(rows().due(here.clock.ms + 20 * second)).toHaveLength(1)
  // One that knows no more is not guessed about.
  runs('r4')
  rows().begin(id, 'failover', 'r4', here.clock.ms)
  rows().ended(id, 'r4', end)
  expect(await look(id)).toMatchObject({ state: 'failing-over', doing: null })
  runs('r5')
  rows().begin(id, 'failback', 'r5', here.clock.ms)
  rows().ended(id, 'r5', { ...end, error: null, state: 'seeding' })
  expect(rows().find(id)).toMatchObject({ state: 'seeding', headMs: null, headPoint: null, links: 0 })
})

it('a failover that ended without saying who runs is a finding, and may be asked for again', async () => {
  const id = await make()
  cycled(id, 'r1')
  runs('r2')
  expect(rows().begin(id, 'failover', 'r2', here.clock.ms)).toMatchObject({ was: 'following', state: 'failing-over' })
  expect((await look(id)).todo).toMatch(/under way/)
  expect(await needs()).not.toContainEqual(expect.objectContaining({ kind: 'failed-over' }))
  here.catalog.runs.observe('r2', { state: 'terminated', endedMs: here.clock.ms })
  expect(await look(id)).toMatchObject({ state: 'failing-over', doing: null })
  expect((await look(id)).todo).toMatch(/without saying who runs/)
  expect(await needs()).toContainEqual(expect.objectContaining({ kind: 'failed-over', severity: 'failed' }))
  expect(rows().due(here.clock.ms + 3600 * second)).toEqual([])
  runs('r3')
  expect(rows().begin(id, 'failover', 'r3', here.clock.ms)).toMatchObject({ was: 'failing-over' })
  here.catalog.runs.observe('r3', { state: 'terminated', endedMs: here.clock.ms })
  expect((await post(`/${id}/cycle`, {})).status).toBe(202)
  // Only a standby that follows takes a state.
  cycled(id, 'r4')
  expect(await look(id)).toMatchObject({ state: 'following' })
})

it('a test without an answer is a finding until one answers, and a move is asked for anew instead of repeated', async () => {
  const id = await make()
  cycled(id, 'r1')
  for (const outcome of ['silent', 'failed'] as const) {
    rows().tested(id, { outcome, atMs: here.clock.ms })
    expect(await needs()).toContainEqual(expect.objectContaining({ kind: 'drill-failed', severity: 'failed' }))
  }
  rows().tested(id, { outcome: 'answered', atMs: here.clock.ms })
  expect((await needs()).map(({ kind }) => kind)).not.toContain('drill-failed')

  await post(`/${id}/move`, { move: 'planned', confirmName: 'web-01' })
  const ended = here.engine.started.at(-1)
  const runId = here.catalog.runs.latest(`failover/${id}`)?.runId ?? ''
  here.catalog.runs.observe(runId, { state: 'failed', endedMs: here.clock.ms })
  const refused = await here.call('POST', `/api/v1/runs/${runId}/retry`, { reason: 'again', confirmName: 'web-01' })
  expect([refused.status, await refused.text()]).toEqual([400, expect.stringContaining('ask anew')])
  expect(here.engine.started.at(-1)).toBe(ended)
})

it('a failover that failed is not mended by a test of the standby', async () => {
  const start = (workflowId: string, runId: string): void => {
    here.catalog.runs.started({
      ...{ workflowId, runId, kind: 'failover', title: 'Planned failover', vmId: 'web-01' },
      ...{ repositoryId: null, pointId: null, startedMs: here.clock.ms, requestedUser: 'lea' },
      ...{ requestedReason: '', idempotencyKey: null },
    })
  }
  start('failover/p', 'm1')
  here.catalog.runs.observe('m1', { state: 'failed', endedMs: here.clock.ms })
  here.clock.ms += second
  start('failover/p/test', 't1')
  here.catalog.runs.observe('t1', { state: 'completed', endedMs: here.clock.ms })
  expect((await needs()).map(({ kind }) => kind)).toContain('run-failed')
  start('failover/p', 'm2')
  here.catalog.runs.observe('m2', { state: 'completed', endedMs: here.clock.ms })
  expect((await needs()).map(({ kind }) => kind)).not.toContain('run-failed')
})

it('a run that was terminated holds the pair no longer than it is open', async () => {
  const id = await make()
  runs('r1')
  rows().begin(id, 'cycle', 'r1', here.clock.ms)
  expect(rows().find(id).isActing).toBe(true)
  here.catalog.runs.observe('r1', { state: 'terminated', endedMs: here.clock.ms })
  expect(rows().find(id).isActing).toBe(false)
  expect(rows().due(here.clock.ms + 60 * second)).toHaveLength(1)
})

it('of two standbys of a VM one takes over; the other stands still, says why, and goes on when the guest is back', async () => {
  const first = await make()
  const lyon = { name: 'lyon', platform: 'qemu', address: '/srv/lyon', site: 'south', credentialRef: '' } as const
  here.catalog.endpoints.add({ ...lyon, options: {} })
  await post('', { ...wish, hypervisorId: 'lyon', name: 'web-01-lyon' })
  const other =
    rows()
      .list()
      .find(({ endpointName }) => endpointName === 'lyon')?.id ?? ''
  cycled(first, 'r1')
  cycled(other, 'r2')
  runs('m1')
  rows().begin(first, 'failover', 'm1', here.clock.ms)
  const refused = async (): Promise<void> => {
    for (const move of ['planned', 'unplanned'])
      expect((await post(`/${other}/move`, { move, confirmName: 'web-01' })).status).toBe(409)
    expect((await post(`/${other}/cycle`, {})).status).toBe(409)
    for (const act of ['failover', 'cycle'] as const)
      expect(() => rows().begin(other, act, 'm2', here.clock.ms)).toThrow(/web-01-standby on paris/)
    expect(rows().due(here.clock.ms + 3600 * second)).toEqual([])
    expect(await look(other)).toMatchObject({ lagMs: null, isLate: false })
    expect((await look(other)).todo).toMatch(/stands still.*web-01-standby on paris/)
  }
  await refused()
  const end = { error: null, atMs: here.clock.ms, head: null, change: {} }
  rows().ended(first, 'm1', { ...end, state: 'failed-over' })
  await refused()
  expect((await post(`/${first}/move`, { move: 'accept', confirmName: 'web-01' })).status).toBe(409)
  expect((await post(`/${other}/move`, { move: 'remove', confirmName: 'web-01' })).status).toBe(202)
  runs('m3')
  rows().begin(first, 'failback', 'm3', here.clock.ms)
  await refused()
  rows().ended(first, 'm3', { ...end, state: 'following' })
  expect((await look(other)).todo).not.toMatch(/stands still/)
  expect(rows().due(here.clock.ms + 3600 * second)).toHaveLength(2)
  runs('m4')
  expect(rows().begin(other, 'failover', 'm4', here.clock.ms)).toMatchObject({ state: 'failing-over' })
})

it('a VM is restored in place or moved, never both; a restore as a new VM is in nobody’s way', async () => {
  const id = await make()
  cycled(id, 'r1')
  here.catalog.points.record(aPoint(1))
  const restore = (target: object): Promise<Response> =>
    here.call('POST', '/api/v1/restores', { pointId: pointIdOf(1), target })
  const inPlace = { kind: 'original', confirmName: 'web-01' }
  const asNew = { kind: 'new', hypervisorId: 'lab', name: 'web-01-restored' }
  expect((await restore(asNew)).status).toBe(202)
  expect((await restore(inPlace)).status).toBe(202)
  const started = here.engine.runs.at(-1)
  const runId = started?.runId ?? ''
  runs('m1')
  expect(() => rows().begin(id, 'failover', 'm1', here.clock.ms)).toThrow(/Restore of web-01 in place is under way/)
  here.catalog.runs.observe(runId, { state: 'failed', endedMs: here.clock.ms })
  rows().begin(id, 'failover', 'm1', here.clock.ms)
  const refused = async (): Promise<void> => {
    const answer = await restore(inPlace)
    expect([answer.status, await answer.text()]).toEqual([409, expect.stringContaining('web-01-standby on paris')])
    const again = await here.call('POST', `/api/v1/runs/${runId}/retry`, { reason: 'again', confirmName: 'web-01' })
    expect([again.status, await again.text()]).toEqual([409, expect.stringContaining('web-01-standby on paris')])
    expect((await restore(asNew)).status).toBe(202)
  }
  await refused()
  const end = { error: null, atMs: here.clock.ms, head: null, change: {} }
  rows().ended(id, 'm1', { ...end, state: 'failed-over' })
  await refused()
  const open = here.engine.runs.length
  runs('m2')
  rows().begin(id, 'failback', 'm2', here.clock.ms)
  rows().ended(id, 'm2', { ...end, state: 'following' })
  expect((await here.call('POST', `/api/v1/runs/${runId}/retry`, { reason: '', confirmName: 'web-01' })).status).toBe(
    202,
  )
  expect(here.engine.runs.length).toBe(open + 1)
  // A repeated one is told from one that makes a new VM as well.
  runs('m3')
  expect(() => rows().begin(id, 'failover', 'm3', here.clock.ms)).toThrow(/in place is under way/)
})

it('a name that means two standbys has to be said by its id', async () => {
  const id = await make()
  const lyon = { name: 'lyon', platform: 'qemu', address: '/srv/lyon', site: 'south', credentialRef: '' } as const
  here.catalog.endpoints.add({ ...lyon, options: {} })
  await post('', { ...wish, hypervisorId: 'lyon' })
  expect((await here.call('GET', '/api/v1/replications/web-01')).status).toBe(400)
  expect(await look(id)).toMatchObject({ id })
  here.catalog.vms.recordDiscovered('lab', 'listing-2', [aVm('web-01')])
})

async function holdfast(...argv: readonly string[]): Promise<number> {
  const said = await ran(here, argv)
  out += said.out
  err += said.err
  return said.code
}

it('the command line says and does the same', async () => {
  expect([await holdfast('replication'), err]).toEqual([0, ''])
  expect(out).toContain('No VM has a standby')
  expect([await holdfast('replication', 'create', 'web-01', '--to', 'paris', '--rpo', '120'), err]).toEqual([0, ''])
  const { id } = await look('web-01')
  cycled(id, 'r1')
  here.clock.ms += 61 * second
  out = ''
  expect([await holdfast('replication', 'list'), err]).toEqual([0, ''])
  expect(out).toMatch(/web-01 +web-01-standby on paris +following +1 min 1 s +2 min/)
  expect([await holdfast('replication', 'show', 'web-01'), err]).toEqual([0, ''])
  expect([await holdfast('replication', 'pause', 'web-01'), err]).toEqual([0, ''])
  expect(await look(id)).toMatchObject({ todo: expect.stringContaining('paused') as string })
  expect([await holdfast('replication', 'test', 'web-01', '--hold', '5'), err]).toEqual([0, ''])
  expect(here.engine.started.at(-1)).toMatchObject({ workflowId: `failover/${id}/test`, input: { holdMs: 300_000 } })
  expect(await holdfast('replication', 'failover', 'web-01', '--confirm', 'web-01')).not.toBe(0)
  err = ''
  expect([await holdfast('replication', 'failover', 'web-01', '--unplanned', '--confirm', 'web-01'), err]).toEqual([
    0,
    '',
  ])
  expect(here.engine.started.at(-1)).toMatchObject({ workflowId: `failover/${id}`, input: { move: 'unplanned' } })
  expect(await holdfast('replication', 'failback', 'web-01', '--confirm', 'web-01')).not.toBe(0)
})

it('cycles begin in time, whatever else is held up', async () => {
  const id = await make()
  const start = here.engine.start.bind(here.engine)
  const held = Promise.withResolvers<never>()
  const hung: string[] = []
  // An engine that does not come back to whoever writes the catalog into a repository.
  here.engine.start = (spec) => {
    if (spec.workflowId.startsWith('replication/')) return start(spec)
    hung.push(spec.workflowId)
    return held.promise
  }
  here.clock.ms += 3600 * second
  const stop = new AbortController()
  const running = housekeeping(here.deps, { lookEveryMs: 5 }).run(stop.signal)
  await vi.waitFor(() => expect([cycleRuns(), hung]).toEqual([[`replication/${id}`], ['housekeeping/own-backup/main']]))
  cycled(id, 'r1')
  here.engine.runs.forEach((run) => here.engine.end(run, 'completed'))
  here.clock.ms += 151 * second
  await vi.waitFor(() => expect(cycleRuns()).toHaveLength(2))
  expect(hung).toHaveLength(1)
  stop.abort()
  held.reject(new HoldfastError('TemporalUnavailable', 'no answer'))
  await running
})

describe('alerts of standbys', () => {
  let told: string[]
  /** So long that whatever has begun or ended is told. */
  const settle = async (): Promise<void> => {
    const send = async (_: unknown, { notices }: Message): Promise<void> => {
      for (const { kind, state, title } of notices)
        if (kind === 'replication-lag') told.push(`${state}: ${title.replace(/ is .*/, '')}`)
    }
    for (let n = 0; n < 3; n += 1) {
      here.clock.ms += 61 * second
      const keeper = alertKeeper({ ...here.deps, sender: { send, ping: async () => {} } })
      await keeper.tick(new AbortController().signal)
      await keeper.idle()
    }
  }
  const open = (): number => here.catalog.alerts.open().filter(({ kind }) => kind === 'replication-lag').length
  beforeEach(() => {
    told = []
    here.catalog.alerts.putChannel(aChannel('team'))
  })

  it('each of two standbys that lag is told, and ends, by itself', async () => {
    const first = await make()
    const rome = { name: 'rome', platform: 'qemu', address: '/srv/rome', site: 'north', credentialRef: '' } as const
    here.catalog.endpoints.add({ ...rome, options: { scope: 'rome' } })
    const other = (await (
      await post('', { ...wish, hypervisorId: 'rome', rpoMs: 3600 * second })
    ).json()) as Replication
    cycled(first, 'r1')
    cycled(other.id, 'r2')
    here.clock.ms += 2 * 3600 * second
    await settle()
    expect(open()).toBe(2)
    expect(told).toHaveLength(2)
    cycled(first, 'r3')
    // Only the one that caught up.
    await settle()
    expect(open()).toBe(1)
    expect(told.slice(2)).toEqual(['recovered: The standby of web-01'])
  })

  it('one that lags and takes over, or is removed, has not recovered', async () => {
    const id = await make()
    cycled(id, 'r1')
    here.clock.ms += 3600 * second
    await settle()
    expect(told).toEqual(['opened: The standby of web-01'])
    runs('f1')
    rows().begin(id, 'failover', 'f1', here.clock.ms)
    await settle()
    expect(open()).toBe(1)
    // The run fails, and all is as it was.
    const none = { error: null, atMs: here.clock.ms, change: {}, head: null }
    rows().ended(id, 'f1', { ...none, state: 'following' })
    await settle()
    expect(told).toHaveLength(1)
    runs('f2')
    rows().begin(id, 'failover', 'f2', here.clock.ms)
    rows().ended(id, 'f2', { ...none, state: 'failed-over' })
    await settle()
    expect(open()).toBe(0)
    expect(told.slice(1)).toEqual(['ended: The standby of web-01'])
    expect(here.catalog.alerts.overSince(0).map(({ endedBy }) => endedBy)).toContain(
      'nothing follows since a standby has taken over',
    )
  })
})
