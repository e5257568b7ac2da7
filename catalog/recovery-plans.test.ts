import { expect, test } from 'vitest'
import type { RecoverySpec, RecoveryTier } from '../policy/index.ts'
import { testCatalog, testNow } from './testing.ts'

const tier = (key: string, vmId: string): RecoveryTier => ({
  ...{
    key,
    name: key,
    after: null,
    delayMs: 0,
    before: [],
    then: [],
    needs: 'checks',
    bootTimeoutMs: 1000,
    rtoMs: null,
  },
  members: [{ vmId, hypervisorId: null, name: null }],
})
const spec: RecoverySpec = {
  ...{
    name: 'The shop',
    description: '',
    hypervisorId: null,
    networks: [],
    identity: 'new',
    atOnce: 2,
    rehearseEveryMs: null,
  },
  tiers: [tier('db', 'erp-db-01'), tier('web', 'web-01')],
}
const opened = {
  ...{ runId: 'r1', workflowId: 'recovery/the-shop/t1', planId: 'the-shop', planName: 'The shop' },
  mode: 'rehearse',
  ...{ spec, untilMs: null, withoutPeople: false, requestedUser: 'ann', startedMs: testNow },
  vmNames: new Map([['erp-db-01', 'ERP database']]),
} as const

test('a plan is found by id or name, changes by revision, and is never one that cannot be carried out', () => {
  using world = testCatalog()
  const { recoveryPlans } = world.catalog
  const made = recoveryPlans.add(spec)
  expect(made).toMatchObject({ id: 'the-shop', revision: 1, name: 'The shop' })
  expect(recoveryPlans.get('The shop')).toEqual(made)
  expect(() => recoveryPlans.add(spec)).toThrow(/already/)
  expect(recoveryPlans.set('the-shop', spec, 1).revision).toBe(1)
  world.clock.ms += 1
  const changed = recoveryPlans.set('the-shop', { ...spec, atOnce: 3 }, 1)
  expect(changed).toMatchObject({ revision: 2, atOnce: 3, createdMs: testNow, changedMs: testNow + 1 })
  expect(() => recoveryPlans.set('the-shop', spec, 1)).toThrow(/revision 2/)
  const circle = [{ ...tier('a', 'v1'), after: ['b'] }, tier('b', 'v2')]
  expect(() => recoveryPlans.set('the-shop', { ...spec, tiers: circle }, null)).toThrow(/wait for each other/)
  recoveryPlans.remove('the-shop')
  expect(() => recoveryPlans.get('the-shop')).toThrow(/no recovery plan/)
})

test('a run keeps what its plan said when it began', () => {
  using world = testCatalog()
  const { recoveryPlans, recoveryRuns } = world.catalog
  recoveryPlans.add(spec)
  recoveryRuns.open(opened)
  recoveryPlans.set('the-shop', { ...spec, tiers: [tier('other', 'x')] }, null)
  // Once more, as a step that is repeated: nothing changes.
  recoveryRuns.open({ ...opened, mode: 'run' })
  const run = recoveryRuns.get('r1')
  expect(run).toMatchObject({ mode: 'rehearse', state: 'running' })
  expect(run.tiers.map(({ key }) => key)).toEqual(['db', 'web'])
  expect(run.tiers[0]?.members[0]).toMatchObject({ vmName: 'ERP database', state: 'pending' })
})

test('runs of another definition, and of a plan that is gone, are not those of the plan as it is', () => {
  using world = testCatalog()
  const { recoveryPlans, recoveryRuns } = world.catalog
  const passed = { mode: 'rehearse', state: 'passed' } as const
  const seen = () => recoveryRuns.newest('the-shop', { ...passed, definition: recoveryPlans.get('the-shop') })?.runId
  recoveryPlans.add(spec)
  const { name: _, ...definition } = spec
  recoveryRuns.open({ ...opened, spec: definition })
  recoveryRuns.close('r1', { state: 'passed', why: '', endedMs: testNow + 1 })
  recoveryPlans.set('the-shop', { ...spec, description: 'Orders', rehearseEveryMs: 1 }, null)
  expect(seen()).toBe('r1')
  recoveryPlans.set('the-shop', { ...spec, tiers: [tier('web', 'web-01')] }, null)
  expect(seen()).toBeUndefined()
  expect(recoveryRuns.newest('the-shop', passed)?.runId).toBe('r1')
  recoveryPlans.remove('the-shop')
  expect(recoveryPlans.add(spec).id).toBe('the-shop-2')
})

test('time for people is counted apart, an answer once, and what never began is skipped at the end', () => {
  using world = testCatalog()
  const { recoveryRuns } = world.catalog
  recoveryRuns.open(opened)
  const wait = { id: 'before-0', kind: 'step', title: 'Call', detail: '', sinceMs: testNow + 1000 } as const
  recoveryRuns.noteTier('r1', 'db', { state: 'waiting', startedMs: testNow, waitsFor: wait }, testNow + 1000)
  const answer = { id: 'before-0', title: 'Call', answer: 'done', user: 'ann', reason: '', ms: testNow + 4000 }
  for (const again of [0, 1])
    recoveryRuns.noteTier('r1', 'db', { state: 'running', waitsFor: null, answer }, testNow + 4000 + again)
  recoveryRuns.noteMember('r1', 'db', 'erp-db-01', { state: 'short', verdict: 'failed', attempts: 1 })
  recoveryRuns.noteMember('r1', 'web', 'web-01', { state: 'recovering' })
  const choice = { ...wait, id: 'choice-1', kind: 'choice', sinceMs: testNow + 5000 } as const
  recoveryRuns.noteTier('r1', 'db', { state: 'waiting', waitsFor: choice }, testNow + 5000)
  recoveryRuns.close('r1', { state: 'aborted', why: 'ann gave up', endedMs: testNow + 7000 })
  recoveryRuns.close('r1', { state: 'passed', why: '', endedMs: testNow + 9000 })
  const run = recoveryRuns.get('r1')
  expect(run).toMatchObject({ state: 'aborted', endedMs: testNow + 7000 })
  expect(run.tiers).toMatchObject([
    { state: 'failed', waitedMs: 5000, waitsFor: null, answers: [{ id: 'before-0' }] },
    { state: 'skipped', waitedMs: 0 },
  ])
  expect(run.tiers[0]?.members).toMatchObject([{ state: 'short', verdict: 'failed' }])
  // Nobody goes on with what was half-made.
  expect(run.tiers[1]?.members).toMatchObject([{ state: 'removed' }])
  expect(recoveryRuns.newest('the-shop', { mode: 'rehearse', state: 'aborted' })?.runId).toBe('r1')
  expect(recoveryRuns.newest('the-shop', { state: 'passed' })).toBeUndefined()
  expect(recoveryRuns.openRuns()).toEqual([])
  expect(recoveryRuns.list({ limit: 10 }, { planId: 'the-shop' }).total).toBe(1)
})

test('a run that was terminated says nothing of its end: its plan can be begun anew, and the record is closed', () => {
  using world = testCatalog()
  const { recoveryRuns, runs } = world.catalog
  runs.started({
    ...{ workflowId: opened.workflowId, runId: 'r1', kind: 'recovery', title: '', vmId: null, repositoryId: null },
    ...{ pointId: null, startedMs: testNow, requestedUser: 'ann', requestedReason: '', idempotencyKey: null },
  })
  recoveryRuns.open(opened)
  expect(() => recoveryRuns.open({ ...opened, runId: 'r2' })).toThrow(/under way/)
  recoveryRuns.closeLost()
  expect(recoveryRuns.get('r1').state).toBe('running')
  runs.observe('r1', { state: 'terminated', endedMs: testNow + 1 })
  expect(recoveryRuns.openRuns()).toEqual([])
  recoveryRuns.closeLost()
  expect(recoveryRuns.get('r1')).toMatchObject({ state: 'failed', endedMs: testNow + 1 })
  expect(recoveryRuns.open({ ...opened, runId: 'r2' }).state).toBe('running')
})

test('no two runs for real bring the same VM back at the same time', () => {
  using world = testCatalog()
  const { recoveryRuns } = world.catalog
  recoveryRuns.open({ ...opened, mode: 'run' })
  const other = { ...opened, runId: 'r2', planId: 'mail', planName: 'Mail', mode: 'run' } as const
  const elsewhere = { ...spec, tiers: [tier('mail', 'mail-01')] }
  expect(() => recoveryRuns.open({ ...other, spec: { ...spec, tiers: [tier('a', 'web-01')] } })).toThrow(
    /web-01 is being brought back by The shop/,
  )
  expect(recoveryRuns.find('r2')).toBeUndefined()
  expect(recoveryRuns.open({ ...other, spec: elsewhere }).state).toBe('running')
  // A rehearsal reaches nothing and is in nobody's way.
  expect(recoveryRuns.open({ ...opened, runId: 'r3', planId: 'third', planName: 'Third' }).state).toBe('running')
})
