import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { NewSweep } from '../catalog/index.ts'
import { aPoint, aRun, pointIdOf, testNow } from '../catalog/testing.ts'
import type { KeepPointInput, RemovePointInput, SweepInput } from '../workflows/retention/contract.ts'
import { bench, type Bench } from './testing/bench.ts'

let here: Bench
beforeEach(() => void (here = bench()))
afterEach(() => here[Symbol.dispose]())

const series = 'a'.repeat(32)
const stem = (n: number): string => aPoint(n).stem
const id = pointIdOf(1)

function aSweep(runId: string, over: Partial<NewSweep['sweep']> = {}): NewSweep {
  const row = (n: number, keptBy: readonly string[]): NewSweep['points'][number] => ({
    stem: stem(n),
    series,
    pointId: pointIdOf(n),
    timeMs: testNow - n * 1000,
    origin: 'scheduled',
    policy: 'category standard',
    keptBy,
  })
  return {
    sweep: {
      runId,
      workflowId: 'retention/main',
      repositoryId: 'main',
      state: 'planned',
      dryRun: false,
      digest: 'd1',
      plannedMs: testNow,
      maxShare: 0.5,
      points: 3,
      going: 1,
      series: 1,
      asking: 0,
      orphans: 0,
      policies: [{ name: 'category standard', rules: '14 daily (UTC)' }],
      ...over,
    },
    series: [
      {
        series,
        vmId: 'web-01',
        vmName: '=cmd()',
        policy: 'category standard',
        orphan: null,
        points: 3,
        going: 1,
        asks: false,
      },
    ],
    points: [row(1, ['newest', 'daily']), row(2, ['daily']), row(3, [])],
  }
}
const status = async (method: string, path: string, json?: unknown): Promise<number> =>
  (await here.call(method, `/api/v1${path}`, json)).status

describe('a sweep', () => {
  it('starts as the run of its repository, with what was asked and nothing else decided', async () => {
    const body = { graceMs: 0, maxShare: 0.25, reason: 'test' }
    const response = await here.call('POST', '/api/v1/repositories/main/sweeps', body)
    expect(response.status).toBe(202)
    const [started] = here.engine.started
    expect(started).toMatchObject({ workflow: 'retentionSweep', workflowId: 'retention/main', whenRunning: 'fail' })
    expect(started?.input as SweepInput).toMatchObject({
      mode: 'sweep',
      approval: 'grace',
      graceMs: 0,
      maxShare: 0.25,
      collect: 'auto',
      waits: 'usual',
      requestedBy: { user: 'operator', reason: 'test' },
    })
    expect(await here.get('/api/v1/runs?kind=retention')).toMatchObject({
      items: [{ title: 'Retention of main', repositoryId: 'main', vmId: null }],
    })
    expect(await status('POST', '/repositories/main/sweeps', body)).toBe(409)
    expect(await status('POST', '/repositories/none/sweeps', body)).toBe(404)
    expect(await status('POST', '/repositories/main/sweeps', { maxShare: 2 })).toBe(400)
  })

  it('runs with what is set for its repository, where the request says nothing else', async () => {
    const day = 86_400_000
    const path = '/repositories/main/sweep-settings'
    expect(await here.get(`/api/v1${path}`)).toMatchObject({
      holds: { graceMs: day, approval: 'grace', approveWithinMs: 7 * day, maxShare: 0.5 },
      own: { graceMs: null, approval: null, approveWithinMs: null, maxShare: null },
      wasApproved: false,
    })
    expect(await status('PUT', '/sweep-settings', { maxShare: 0.2, approval: 'required' })).toBe(200)
    expect(await status('PUT', path, { graceMs: 0 })).toBe(200)
    const holds = { graceMs: 0, approval: 'required', approveWithinMs: 7 * day, maxShare: 0.2 }
    expect(await here.get(`/api/v1${path}`)).toMatchObject({ holds, own: { graceMs: 0, maxShare: null } })
    expect(await here.get('/api/v1/sweep-settings')).toMatchObject({ repositoryId: null, own: { maxShare: 0.2 } })
    expect(await status('POST', '/repositories/main/sweeps', { maxShare: 0.9 })).toBe(202)
    expect(here.engine.started.at(-1)?.input).toMatchObject({ ...holds, maxShare: 0.9 })
    // It replaces what was set.
    expect(await status('PUT', path, {})).toBe(200)
    expect(await here.get(`/api/v1${path}`)).toMatchObject({ holds: { graceMs: day } })
  })

  it.each([
    [{ graceMs: 30 * 86_400_000 + 1 }, 'a grace time is 0s to 30d'],
    [{ maxShare: 0 }, 'a share is 1% to 100%'],
    [{ maxShare: 1.01 }, 'a share is 1% to 100%'],
    [{ approveWithinMs: 59_000 }, 'a sweep waits for a person for 1h to 90d'],
    [{ grace: 1 }, 'grace'],
  ])('is not set to %j', async (settings, says) => {
    for (const path of ['/sweep-settings', '/repositories/main/sweep-settings']) {
      const response = await here.call('PUT', `/api/v1${path}`, settings)
      expect([response.status, await response.text()]).toEqual([400, expect.stringContaining(says)])
    }
    expect(await status('PUT', '/repositories/none/sweep-settings', {})).toBe(404)
    expect(here.catalog.sweepSettings.list()).toHaveLength(1)
  })

  it('is approved only by the digest of its own plan, and says who did it', async () => {
    const run = here.engine.put({ workflowId: 'retention/main', workflow: 'retentionSweep' })
    here.catalog.sweeps.record(aSweep(run.runId))
    expect(await status('POST', `/sweeps/${run.runId}/approve`, { digest: 'd0' })).toBe(400)
    expect(run.wishes).toEqual([])
    expect(await status('POST', `/sweeps/${run.runId}/approve`, { digest: 'd1', reason: 'seen' })).toBe(202)
    expect(run.wishes).toEqual([
      { kind: 'update', name: 'approveSweep', argument: { user: 'operator', reason: 'seen', digest: 'd1' } },
    ])
    expect(await status('POST', '/sweeps/none/approve', { digest: 'd1' })).toBe(404)
  })

  it('lists what goes and what stays by rule, page by page, and keeps only what earlier sweeps took', async () => {
    here.catalog.sweeps.record(aSweep('run-1'))
    const going = await here.get<{ items: { stem: string }[] }>('/api/v1/sweeps/run-1/points?state=going')
    expect(going.items.map((one) => one.stem)).toEqual([stem(3)])
    const first = await here.get<{ items: unknown[]; nextCursor: string }>('/api/v1/sweeps/run-1/points?limit=2')
    const rest = await here.get<{ items: unknown[] }>(`/api/v1/sweeps/run-1/points?limit=2&cursor=${first.nextCursor}`)
    expect([first.items.length, rest.items.length]).toEqual([2, 1])
    here.catalog.sweeps.mark('run-1', [{ stem: stem(3), state: 'removed', why: null }])
    here.catalog.sweeps.record(aSweep('run-2', { plannedMs: testNow + 1 }))
    expect(await here.get('/api/v1/sweeps/run-1/points')).toMatchObject({ total: 1, items: [{ state: 'removed' }] })
    expect(await here.get('/api/v1/sweeps?repositoryId=main')).toMatchObject({
      items: [{ runId: 'run-2' }, { runId: 'run-1', removed: 1 }],
    })
  })

  it('says of a point by which rule it is kept, as the newest look has found, or why it stays after all', async () => {
    const kept = async (): Promise<unknown[]> => {
      const page = await here.get<{ items: { stem: string; kept: unknown }[] }>('/api/v1/points?limit=10')
      return [1, 2, 3, 4].map((n) => page.items.find((point) => point.stem === stem(n))?.kept)
    }
    for (const n of [1, 2, 3, 4]) here.catalog.points.record(aPoint(n))
    expect(await kept()).toEqual([null, null, null, null])
    here.catalog.sweeps.record(aSweep('run-1', { plannedMs: testNow - 5 }))
    const location = { kind: 'posix', path: '/mnt/offsite' } as const
    here.catalog.repositories.add({ name: 'offsite', site: 'local', location, credentialRef: 'file:/secrets/offsite' })
    here.catalog.sweeps.record(aSweep('run-2', { repositoryId: 'offsite', plannedMs: testNow + 5 }))
    const ms = testNow - 5
    expect(await kept()).toEqual([{ by: ['newest', 'daily'], ms }, { by: ['daily'], ms }, { by: [], ms }, null])
    here.catalog.sweeps.mark('run-1', [{ stem: stem(3), state: 'spared', why: 'a restore reads it' }])
    expect((await kept())[2]).toEqual({ by: ['a restore reads it'], ms })
  })

  it('keeps its plan while it waits, whatever dry runs come meanwhile', async () => {
    here.engine.put({ workflowId: 'retention/main', workflow: 'retentionSweep' })
    expect(await status('POST', '/repositories/main/sweeps', { mode: 'plan' })).toBe(202)
    expect(here.engine.started.at(-1)?.workflowId).toBe('retention/main/plan')
    const waiting = aRun(1, { kind: 'retention', workflowId: 'retention/main', vmId: null })
    here.catalog.runs.started(waiting)
    here.catalog.sweeps.record(aSweep(waiting.runId))
    here.catalog.sweeps.record(aSweep('dry', { plannedMs: testNow + 1, dryRun: true }))
    expect(here.catalog.sweeps.going(waiting.runId)).toEqual([stem(3)])
    expect(here.catalog.sweeps.lastSweptMs('main')).toBe(testNow)
    here.catalog.runs.observe(waiting.runId, { state: 'completed', endedMs: testNow })
    here.catalog.sweeps.record(aSweep('dry-2', { plannedMs: testNow + 2, dryRun: true }))
    expect(here.catalog.sweeps.going(waiting.runId)).toEqual([])
  })

  it('is audited as CSV, in which no cell is a formula, and as JSON', async () => {
    here.catalog.sweeps.record(aSweep('run-1'))
    const csv = await (await here.call('GET', '/api/v1/sweeps/run-1/audit')).text()
    const [, line] = csv.split('\r\n')
    expect(line).toMatch(
      /^'=cmd\(\),0{31}1,.*,scheduled,category standard,14 daily \(UTC\),stays,newest daily,,,snap\//,
    )
    const json = await here.get<{ items: { kept_by: string }[] }>('/api/v1/sweeps/run-1/audit?format=json')
    expect(json.items.map((one) => one.kept_by)).toEqual(['newest daily', 'daily', ''])
  })
})

describe('a point', () => {
  beforeEach(() => {
    here.catalog.points.record(aPoint(1))
    here.engine.answers.set('keepPoint', () => ({ holds: [] }))
    here.engine.answers.set('removePoint', () => null)
  })
  const hold = (name: string, type: 'pin' | 'legal', actor = 'ann'): void => {
    here.catalog.retained.addHold({ name, repositoryId: 'main', pointId: id, type, actor, reason: 'why', ms: 1 })
  }

  it('is held with a reason, and shows what holds it', async () => {
    expect(await status('POST', `/points/${id}/holds`, { type: 'legal', reason: '' })).toBe(400)
    expect(await status('POST', `/points/${id}/holds`, { type: 'legal', reason: 'case 4711' })).toBe(200)
    expect(here.engine.started[0]?.input as KeepPointInput).toMatchObject({
      stem: stem(1),
      act: { kind: 'hold', type: 'legal' },
      requestedBy: { user: 'operator', reason: 'case 4711' },
    })
    hold('hold/x-1', 'pin')
    expect(await here.get(`/api/v1/points/${id}`)).toMatchObject({ holds: [{ name: 'hold/x-1', actor: 'ann' }] })
  })

  it('loses its pins by a release, a legal hold by its name only', async () => {
    hold('hold/x-1', 'legal')
    expect(await status('POST', `/points/${id}/release`, {})).toBe(404)
    hold('hold/x-2', 'pin')
    hold('hold/x-3', 'pin', `instant:${'a'.repeat(32)}`)
    hold('hold/x-4', 'pin', 'recovery:r1')
    expect(await status('POST', `/points/${id}/release`, {})).toBe(200)
    expect(await status('POST', `/points/${id}/release`, { hold: 'hold/x-1' })).toBe(200)
    expect(here.engine.started.map(({ input }) => (input as KeepPointInput).act)).toEqual([
      { kind: 'release', holds: ['hold/x-2'] },
      { kind: 'release', holds: ['hold/x-1'] },
    ])
  })

  it('is removed only with the name of its VM', async () => {
    expect(await status('POST', `/points/${id}/remove`, { confirmName: 'web-02', reason: 'wrong' })).toBe(400)
    expect(await status('POST', `/points/${id}/remove`, { confirmName: 'web-01', reason: 'wrong' })).toBe(204)
    expect(here.engine.started[0]?.input as RemovePointInput).toMatchObject({ stem: stem(1) })
    here.catalog.retained.recordRemoved('main', [stem(1)], { ms: testNow, by: 'ann', why: 'removed by hand: wrong' })
    const response = await here.call('GET', `/api/v1/points/${id}`)
    expect(response.status).toBe(404)
    expect(await response.text()).toContain('removed by ann')
    expect(await status('POST', `/points/${id}/holds`, { reason: 'too late' })).toBe(404)
  })

  it('of two repositories is removed from the one that is named, and each pin is ended where it is', async () => {
    const location = { kind: 's3', url: 's3://offsite/holdfast' } as const
    here.catalog.repositories.add({ name: 'offsite', site: 'local', location, credentialRef: 'file:/secrets/offsite' })
    const copy = `${stem(1).slice(0, -32)}${'e'.repeat(32)}`
    const seen = { sourceId: 'main', validatedMs: testNow, lockUntilMs: null }
    here.catalog.copies.found({ pointId: id, repositoryId: 'offsite', stem: copy, ...seen })
    const removal = { confirmName: 'web-01', reason: 'wrong' }
    const which = await here.call('POST', `/api/v1/points/${id}/remove`, removal)
    expect(await which.json()).toMatchObject({ status: 400, detail: 'this point of web-01 lies in main, offsite' })
    expect(await status('POST', `/points/${id}/remove`, { ...removal, repositoryId: 'offsite' })).toBe(204)
    // A removal from the other repository is no second wish for this one.
    expect(here.engine.started.at(-1)?.workflowId).toBe(`remove-point/offsite/${id}`)
    hold('hold/x-1', 'pin')
    here.catalog.retained.addHold({
      ...{ name: 'hold/x-2', repositoryId: 'offsite', pointId: id, type: 'pin', actor: 'ann', reason: 'why', ms: 1 },
    })
    expect(await status('POST', `/points/${id}/release`, {})).toBe(200)
    expect(here.engine.started.map(({ input }) => input as KeepPointInput | RemovePointInput)).toMatchObject([
      { repository: { id: 'offsite' }, stem: copy },
      { repository: { id: 'main' }, stem: stem(1), act: { holds: ['hold/x-1'] } },
      { repository: { id: 'offsite' }, stem: copy, act: { holds: ['hold/x-2'] } },
    ])
    here.catalog.retained.recordRemoved('offsite', [copy], { ms: testNow, by: 'ann', why: 'removed by hand: wrong' })
    const gone = await here.call('POST', `/api/v1/points/${id}/remove`, { ...removal, repositoryId: 'offsite' })
    expect(await gone.json()).toMatchObject({ code: 'NotFound', hint: 'It lies in main.' })
  })
})
