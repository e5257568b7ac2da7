import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { aPoint } from '../catalog/testing.ts'
import type { World } from '../cli/io.ts'
import { runCli } from '../cli/program.ts'
import type { RecoveryInput } from '../workflows/recovery-plan/contract.ts'
import { adminToken, bench, type Bench } from './testing/bench.ts'
import { rtoOf } from './views/recovery-plans.ts'

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
function world(): World {
  return {
    stdout: { write: (text) => void (out += String(text)) },
    stderr: { write: (text) => void (err += text) },
    stdin: new PassThrough(),
    env: { HOLDFAST_SERVER: 'http://holdfast.test', HOLDFAST_TOKEN: adminToken },
    fetch: async (request) => here.app.fetch(request),
    now: () => here.clock.ms,
    sleep: async () => undefined,
    signal: new AbortController().signal,
  }
}
function holdfast(...argv: readonly string[]): Promise<number> {
  out = err = ''
  return runCli(argv, world(), '0.1.0')
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
  const { id, name, revision: _, createdMs: __, changedMs: ___, ...spec } = here.catalog.recoveryPlans.get('the-shop')
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
