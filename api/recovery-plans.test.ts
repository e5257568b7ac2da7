import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { planSpecOf } from '../catalog/index.ts'
import { aPoint } from '../catalog/testing.ts'
import { ran as runLine } from '../cli/testing.ts'
import type { RecoveryInput } from '../workflows/recovery-plan/contract.ts'
import { bench, type Bench } from './testing/bench.ts'
import { failedRuns } from './failed-runs.ts'
import { isInTime, rtoOf } from './views/recovery-plans.ts'

const day = 86_400_000
let here: Bench
let out = ''
let err = ''
beforeEach(() => {
  here = bench({ vms: ['db-01', 'web-01'] })
  out = err = ''
})
afterEach(() => here[Symbol.dispose]())

const yaml = `
name: The shop
rehearseEveryMs: ${30 * day}
tiers:
  - key: databases
    members: [{ vmId: db-01 }]
    rtoMs: 600000
  - key: web
    needs: answer
    before: [{ title: Switch the name servers }]
    members: [{ vmId: web-01 }]
`
const shop = {
  name: 'The shop',
  tiers: [{ key: 'databases', members: [{ vmId: 'db-01' }] }],
}
const post = (path: string, body: object) => here.call('POST', `/api/v1/recovery-plans${path}`, body)
async function holdfast(...argv: readonly string[]): Promise<number> {
  const said = await runLine(here, argv)
  out = said.out
  err = said.err
  return said.code
}
const plan = () => here.get<object>('/api/v1/recovery-plans/the-shop')
const needs = async () =>
  (
    await here.get<{ needsYou: readonly { kind: string; title: string; action: { command: string } }[] }>(
      '/api/v1/overview',
    )
  ).needsYou
const began = () => here.engine.started.at(-1)
/** As the run itself writes it down. */
function opened(runId: string): void {
  const { input, workflowId } = began() ?? { input: null, workflowId: '' }
  const plan = here.catalog.recoveryPlans.get('the-shop')
  const { id, name } = plan
  const spec = planSpecOf(plan)
  const { mode, untilMs, withoutPeople } = input as RecoveryInput
  here.catalog.recoveryRuns.open({
    ...{ runId, workflowId, planId: id, planName: name, mode, spec, untilMs, withoutPeople, requestedUser: 'operator' },
    ...{ startedMs: here.clock.ms, vmNames: new Map() },
  })
}

it('a plan is made from YAML, says its order and what is missing, and is changed by revision', async () => {
  const file = join(here.home, 'shop.yaml')
  writeFileSync(file, yaml)
  expect([await holdfast('recovery-plan', 'check', '-f', file), err]).toEqual([0, ''])
  expect(out).toContain('Order: databases, then web')
  expect(out).toContain('db-01 has no whole point')
  expect([await holdfast('recovery-plan', 'create', '-f', file), err]).toEqual([0, ''])
  expect(out).toContain('db-01 is asked nothing, so its tier stops and asks a person')
  expect(out).not.toContain('web-01 is asked nothing')
  expect(await plan()).toMatchObject({
    revision: 1,
    isOverdue: false,
    spec: { atOnce: 2, tiers: [{ name: 'databases' }, { after: null }] },
  })

  const put = (body: object) => here.call('PUT', '/api/v1/recovery-plans/the-shop', body)
  expect((await put({ spec: { ...shop, atOnce: 3 }, revision: 1 })).status).toBe(200)
  expect((await put({ spec: shop, revision: 1 })).status).toBe(409)
  const circle = [{ ...shop.tiers[0], after: ['databases'] }]
  expect((await put({ spec: { ...shop, tiers: circle } })).status).toBe(400)
  expect((await post('', shop)).status).toBe(409)
  here.clock.ms += 31 * day
  expect((await needs()).map(({ kind }) => kind)).not.toContain('rehearsal-overdue')
  expect([await holdfast('recovery-plan', 'edit', 'the-shop', '-f', file), err]).toEqual([0, ''])
  // It says something else since just now: there was no time to rehearse that.
  expect((await needs()).map(({ kind }) => kind)).not.toContain('rehearsal-overdue')
  here.clock.ms += 31 * day
  expect(await needs()).toContainEqual(expect.objectContaining({ kind: 'rehearsal-overdue' }))
  expect([await holdfast('recovery-plan', 'remove', 'the-shop'), err]).toEqual([0, ''])
})

it('a run for real needs the name of the plan and skips nobody, and a plan runs once at a time', async () => {
  await post('', shop)
  expect((await post('/the-shop/start', { mode: 'run' })).status).toBe(400)
  expect((await post('/the-shop/start', { mode: 'run', confirmName: 'The shop', withoutPeople: true })).status).toBe(
    400,
  )
  expect((await post('/the-shop/start', { mode: 'run', confirmName: 'The shop', untilMs: 5 })).status).toBe(202)
  expect(began()).toMatchObject({ priority: 1, input: { mode: 'run', untilMs: 5, planId: 'the-shop' } })
  opened('0192f3a6-0000-4000-8000-000000000001')
  expect((await post('/the-shop/start', { mode: 'rehearse' })).status).toBe(409)
  expect((await here.call('DELETE', '/api/v1/recovery-plans/the-shop')).status).toBe(409)
})

it('a run that went on without VMs has no time in which all of them were back', () => {
  const tier = (state: 'done' | 'continued') => ({
    ...{ key: 'a', name: 'A', rtoMs: null, state, waitedMs: 0, startedMs: 0, endedMs: 700 },
    ...{ waitsFor: null, answers: [], members: [] },
  })
  expect(rtoOf({ startedMs: 100, tiers: [tier('done'), tier('done')] })).toBe(600)
  expect(rtoOf({ startedMs: 100, tiers: [tier('done'), tier('continued')] })).toBeNull()
})

it('a plan that names a VM that is not there is not begun', async () => {
  await post('', { ...shop, tiers: [{ key: 'a', members: [{ vmId: 'nobody' }] }] })
  const refused = await post('/the-shop/start', { mode: 'rehearse' })
  expect([refused.status, await refused.text()]).toEqual([400, expect.stringContaining('there is no VM nobody')])
})

it('who waits is told, answered by the command line, and the report says how long each tier took', async () => {
  here.catalog.points.record(aPoint(1, { vmId: 'db-01' }))
  const file = join(here.home, 'shop.yaml')
  writeFileSync(file, yaml)
  await holdfast('recovery-plan', 'create', '-f', file)
  expect([await holdfast('recovery-plan', 'rehearse', 'the-shop', '--without-people'), err]).toEqual([0, ''])
  expect(began()).toMatchObject({ priority: 4, input: { mode: 'rehearse', withoutPeople: true, patienceMs: day } })
  const runId = here.catalog.runs.latest(began()?.workflowId ?? '')?.runId ?? ''
  opened(runId)
  const { recoveryRuns } = here.catalog
  const startedMs = here.clock.ms
  recoveryRuns.noteTier(runId, 'databases', { state: 'running', startedMs }, startedMs)
  recoveryRuns.noteMember(runId, 'databases', 'db-01', { state: 'short', verdict: 'failed', why: 'orders are lost' })
  const wait = {
    id: 'choice-1',
    kind: 'choice',
    title: '1 of 1 VMs did not come up',
    detail: 'db-01',
    sinceMs: startedMs,
  } as const
  recoveryRuns.noteTier(runId, 'databases', { state: 'waiting', waitsFor: wait }, startedMs)
  expect(await needs()).toContainEqual(
    expect.objectContaining({
      kind: 'recovery-waiting',
      action: {
        label: 'Say what becomes of it',
        command: `holdfast recovery-plan choose ${runId} databases choice-1 retry`,
      },
    }),
  )
  expect(await holdfast('recovery-plan', 'approve', 'the-shop', 'web', 'before-0')).not.toBe(0)
  expect(err).toContain('web waits for nobody')
  const said = here.engine.runs.at(-1)?.wishes.length
  expect(await holdfast('recovery-plan', 'choose', 'the-shop', 'databases', 'choice-2', 'retry')).not.toBe(0)
  expect(err).toContain('databases waits for choice-1, not for choice-2')
  expect(await holdfast('recovery-plan', 'choose', 'the-shop', 'databases', 'retry')).not.toBe(0)
  expect(here.engine.runs.at(-1)?.wishes).toHaveLength(said ?? 0)
  expect([
    await holdfast('recovery-plan', 'choose', 'the-shop', 'databases', 'choice-1', 'retry', '--reason', 'again'),
    err,
  ]).toEqual([0, ''])
  expect(here.engine.runs.at(-1)?.wishes.at(-1)).toEqual({
    ...{ kind: 'update', name: 'chooseTier' },
    argument: { tier: 'databases', wait: 'choice-1', choice: 'retry', reason: 'again', user: 'operator' },
  })
  expect([await holdfast('recovery-plan', 'abort', runId, '--clean-up'), err]).toEqual([0, ''])
  expect(here.engine.runs.at(-1)?.wishes.at(-1)).toMatchObject({ name: 'abortRecovery', argument: { end: 'clean-up' } })

  const answer = { id: 'choice-1', title: '', answer: 'retry', user: 'ann', reason: '', ms: startedMs + 60_000 }
  recoveryRuns.noteTier(runId, 'databases', { state: 'running', waitsFor: null, answer }, startedMs + 60_000)
  for (const [key, vmId] of [
    ['databases', 'db-01'],
    ['web', 'web-01'],
  ] as const) {
    recoveryRuns.noteMember(runId, key, vmId, { state: 'ready', verdict: 'passed', rtoSeconds: 20 })
    recoveryRuns.noteTier(runId, key, { state: 'done', startedMs, endedMs: startedMs + 700_000 }, startedMs + 700_000)
  }
  recoveryRuns.close(runId, { state: 'passed', why: 'all came back', endedMs: startedMs + 710_000 })
  expect(await here.get(`/api/v1/recovery-runs/${runId}`)).toMatchObject({
    ...{ state: 'passed', back: 2, vms: 2, rtoMs: 700_000, waitedMs: 60_000 },
    tiers: [{ isInTime: false, sinceStartMs: 700_000, waitedMs: 60_000 }, { isInTime: null }],
  })
  expect([await holdfast('recovery-plan', 'report', 'the-shop'), err]).toEqual([0, ''])
  expect(out).toContain('2 of 2 came back')
  expect(out).toContain('(late)')
  expect([await holdfast('recovery-plan', 'list'), err]).toEqual([0, ''])
  expect(out).toContain('passed')
  const metrics = await (await here.call('GET', '/metrics')).text()
  expect(metrics).toContain('holdfast_recovery_plan_rehearsed_age_seconds{plan="the-shop"}')
  // People were left out, whose time belongs to it.
  expect(metrics).not.toContain('holdfast_recovery_plan_rto_seconds{')
  expect(await plan()).toMatchObject({ lastPassed: { skipped: true, rtoMs: null } })
  const { spec, workflowId, tiers } = recoveryRuns.get(runId)
  recoveryRuns.open({
    ...{ runId: 'whole', workflowId, planId: 'the-shop', planName: 'The shop', mode: 'rehearse', spec, untilMs: null },
    ...{ withoutPeople: false, requestedUser: 'ann', startedMs: startedMs + 1, vmNames: new Map() },
  })
  for (const { key, endedMs } of tiers)
    recoveryRuns.noteTier('whole', key, { state: 'done', startedMs, endedMs: (endedMs ?? 0) + 1 }, startedMs)
  recoveryRuns.close('whole', { state: 'passed', why: '', endedMs: startedMs + 710_000 })
  here.clock.ms += 60_000
  const whole = await (await here.call('GET', '/metrics')).text()
  expect(whole).toContain('holdfast_recovery_plan_rto_seconds{plan="the-shop"} 700')
  // A rehearsal of what the plan said is none of what it says.
  await here.call('PUT', '/api/v1/recovery-plans/the-shop', { spec: shop })
  here.clock.ms += 60_000
  expect(await plan()).toMatchObject({ lastPassed: null, lastRehearsal: { isCurrent: false } })
  expect(await (await here.call('GET', '/metrics')).text()).not.toMatch(/recovery_plan_r(to|ehearsed_age)_seconds\{/)
  expect((await here.call('POST', `/api/v1/recovery-runs/${runId}/abort`, { end: 'clean-up' })).status).toBe(409)
})

/** A run that has ended, `ago` ms before now. */
function ran(runId: string, mode: 'rehearse' | 'run', state: 'passed' | 'failed', ago: number): void {
  const workflowId = `recovery/the-shop/${runId}`
  const startedMs = here.clock.ms - ago
  const { name: _, ...spec } = here.catalog.recoveryPlans.get('the-shop')
  here.catalog.runs.started({
    ...{
      workflowId,
      runId,
      kind: 'recovery',
      title: `${mode} ${runId}`,
      vmId: null,
      repositoryId: null,
      pointId: null,
    },
    ...{ startedMs, requestedUser: 'ann', requestedReason: '', idempotencyKey: null },
  })
  here.catalog.recoveryRuns.open({
    ...{ runId, workflowId, planId: 'the-shop', planName: 'The shop', mode, spec, untilMs: null, withoutPeople: false },
    ...{ requestedUser: 'ann', startedMs, vmNames: new Map() },
  })
  here.catalog.recoveryRuns.close(runId, { state, why: '', endedMs: startedMs })
  here.catalog.runs.observe(runId, { state: state === 'passed' ? 'completed' : 'failed', endedMs: startedMs })
}

it('what is due counts from the last rehearsal of the same VMs, whatever else was changed since', async () => {
  await post('', { ...shop, rehearseEveryMs: 30 * day })
  ran('r1', 'rehearse', 'passed', 0)
  const passedMs = here.clock.ms
  here.clock.ms += 20 * day
  const change = async (spec: object) => {
    await here.call('PUT', '/api/v1/recovery-plans/the-shop', { spec: { ...spec, rehearseEveryMs: 30 * day } })
    return plan()
  }
  expect(await change({ ...shop, atOnce: 4 })).toMatchObject({ lastPassed: null, dueMs: passedMs + 30 * day })
  const more = [...shop.tiers, { key: 'web', members: [{ vmId: 'web-01' }] }]
  const changedMs = here.clock.ms
  expect(await change({ ...shop, tiers: more })).toMatchObject({ dueMs: changedMs + 30 * day })
  // Words alone move nothing.
  here.clock.ms += day
  expect(await change({ ...shop, tiers: more, description: 'Orders' })).toMatchObject({ dueMs: changedMs + 30 * day })
})

it('a request that is repeated with its key finds the run that it has started, although that is under way', async () => {
  await post('', shop)
  const start = (key: string, body: object = {}) =>
    here.call(
      'POST',
      '/api/v1/recovery-plans/the-shop/start',
      { mode: 'rehearse', ...body },
      { 'idempotency-key': key },
    )
  const first = await (await start('start-0001')).json()
  opened(here.catalog.runs.latest(began()?.workflowId ?? '')?.runId ?? '')
  const again = await start('start-0001')
  expect([again.status, await again.json()]).toEqual([202, first])
  expect(here.engine.started).toHaveLength(1)
  expect((await start('start-0001', { reason: 'another' })).status).toBe(400)
  expect((await start('start-0002')).status).toBe(409)
})

it('a run for real that failed is told until one for real has passed, whatever came of rehearsals', async () => {
  await post('', shop)
  const told = () => failedRuns(here.catalog, here.clock.ms).map(({ title }) => title)
  ran('r1', 'run', 'failed', 4 * day)
  ran('r2', 'rehearse', 'failed', 3 * day)
  expect(told()).toEqual(['rehearse r2 failed', 'run r1 failed'])
  ran('r3', 'rehearse', 'passed', 2 * day)
  expect(told()).toEqual(['run r1 failed'])
  ran('r4', 'run', 'passed', day)
  expect(told()).toEqual([])
})

it('a VM that is gone again after its tier was done is told at once, and counted', async () => {
  await post('', shop)
  await post('/the-shop/start', { mode: 'rehearse' })
  const runId = here.catalog.runs.latest(began()?.workflowId ?? '')?.runId ?? ''
  opened(runId)
  here.catalog.recoveryRuns.noteMember(runId, 'databases', 'db-01', { state: 'lost', why: 'its run was cancelled' })
  expect(await needs()).toContainEqual(
    expect.objectContaining({ kind: 'recovery-lost', severity: 'failed', title: 'db-01 of The shop is gone again' }),
  )
  expect(await (await here.call('GET', '/metrics')).text()).toContain('holdfast_recovery_plan_lost{plan="the-shop"} 1')
})

it('tiers that wait for people at the same time wait once, and VMs that were not begun are skipped', async () => {
  const tiers = ['db-01', 'web-01'].map((vmId) => ({ key: vmId, after: [], members: [{ vmId }] }))
  await post('', { ...shop, tiers })
  await post('/the-shop/start', { mode: 'rehearse' })
  const runId = here.catalog.runs.latest(began()?.workflowId ?? '')?.runId ?? ''
  opened(runId)
  const { recoveryRuns } = here.catalog
  const atMs = here.clock.ms
  const waits = (key: string, sinceMs: number) =>
    recoveryRuns.noteTier(
      runId,
      key,
      { state: 'waiting', waitsFor: { id: 'before-0', kind: 'step', title: 'Call', detail: '', sinceMs } },
      sinceMs,
    )
  waits('db-01', atMs)
  waits('web-01', atMs + 1000)
  recoveryRuns.noteTier(runId, 'db-01', { state: 'running', waitsFor: null }, atMs + 5000)
  recoveryRuns.close(runId, { state: 'aborted', why: '', endedMs: atMs + 8000 })
  expect(await here.get(`/api/v1/recovery-runs/${runId}`)).toMatchObject({
    waitedMs: 8000,
    tiers: [
      { waitedMs: 5000, members: [{ state: 'skipped' }] },
      { waitedMs: 7000, members: [{ state: 'skipped' }] },
    ],
  })
})

it('whether a tier was in time is said as soon as it is late, and not where people were left out', () => {
  const spec = { ...shop, tiers: [{ before: [{ title: 'Call', detail: '' }], then: [] }] } as never
  const of = (run: object, tier: object, nowMs = 0) =>
    isInTime(
      { ...{ startedMs: 0, endedMs: null, withoutPeople: false, spec }, ...run },
      { ...{ rtoMs: 1000, endedMs: null, state: 'running' }, ...tier },
      nowMs,
    )
  expect(of({}, { rtoMs: null }, 5000)).toBeNull()
  expect([of({}, {}, 900), of({}, {}, 1100)]).toEqual([null, false])
  const done = { state: 'done', endedMs: 900 }
  expect([of({}, done, 9000), of({}, { ...done, state: 'continued' }), of({}, { ...done, endedMs: 1001 })]).toEqual([
    ...[true, false, false],
  ])
  expect(of({ withoutPeople: true }, done)).toBeNull()
  expect(of({ withoutPeople: true }, { ...done, endedMs: 2000 })).toBe(false)
  // The run ended before the promise did.
  expect([of({ endedMs: 500 }, { state: 'failed' }, 9000), of({ endedMs: 1500 }, { state: 'skipped' })]).toEqual([
    ...[null, false],
  ])
})

it('a plan says which of its VMs are there already, and a run for real takes only their names', async () => {
  await post('', shop)
  expect(await plan()).toMatchObject({
    originals: [{ vmId: 'db-01', problems: ['it is running on lab'] }],
  })
  expect([await holdfast('recovery-plan', 'show', 'the-shop'), err]).toEqual([0, ''])
  expect(out).toContain('--beside db-01, as far as is known: it is running on lab')
  expect(await holdfast('recovery-plan', 'run', 'the-shop', '--confirm', 'The shop', '--beside', 'web-01')).not.toBe(0)
  expect(err).toContain('web-01 is no VM of The shop')
  expect([
    await holdfast('recovery-plan', 'run', 'the-shop', '--confirm', 'The shop', '--beside', 'db-01'),
    err,
  ]).toEqual([0, ''])
  expect(began()).toMatchObject({ input: { mode: 'run', beside: ['db-01'] } })
})
