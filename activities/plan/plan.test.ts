import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { furnish, testCatalog, testNow, type TestCatalog } from '../../catalog/testing.ts'
import { planDefaults } from '../../policy/index.ts'
import type { PlanSpec } from '../../policy/index.ts'
import { sampleRequester } from '../testing/samples.ts'
import { createPlanActivities } from './index.ts'
import type { NextPlanVm, PlanActivities, PlanVmEnd } from './index.ts'

let world: TestCatalog
let steps: PlanActivities
beforeEach(() => {
  world = testCatalog()
  furnish(world.catalog, ['db-01', 'web-01'])
  steps = createPlanActivities(world.catalog)
})
afterEach(() => world[Symbol.dispose]())

const planRun = 'plan/nightly/at-2026-11-21T02:30:00Z'
async function opened(over: Partial<PlanSpec> = {}, trigger: 'schedule' | 'hand' = 'schedule'): Promise<void> {
  const targets = [{ repository: 'main', copy: 'backup', keep: null }] as const
  world.catalog.plans.put({ ...planDefaults, name: 'nightly', targets, retryAfterMs: 0, ...over }, 0)
  await begin(testNow, trigger)
}
const begin = (atMs = testNow, trigger: 'schedule' | 'hand' = 'schedule') => {
  const of = { planRun, runId: 'run-1', plan: 'nightly', trigger, again: null } as const
  return steps.openPlanRun({ ...of, atMs, goesOnUntilMs: null })
}
const next = (lane: string, turn: number, ended: PlanVmEnd | null = null) =>
  steps.nextPlanVm({ planRun, lane, turn, ended, wants: true, requestedBy: sampleRequester })
const failed = ({ position, attempt }: NextPlanVm): PlanVmEnd => ({
  position,
  attempt,
  state: 'failed',
  runId: `run of try ${attempt}`,
  detail: `try ${attempt}`,
  mayRetry: true,
})
const rows = () =>
  world.catalog.planRuns.vms(planRun, { limit: 9 }).items.map(({ vmName, state, detail }) => [vmName, state, detail])

it('a plan that shuts its VMs down says so to each backup, and no other does', async () => {
  await opened({ stopBefore: true })
  expect((await next('0/0', 0)).next?.input.stopBefore).toBe(true)
  world.catalog.plans.put(
    { ...planDefaults, name: 'nightly', targets: [{ repository: 'main', copy: 'backup', keep: null }] },
    1,
  )
  const second = await next('0/1', 0)
  expect(second.next?.vmName).toBe('web-01')
  expect(second.next?.input).not.toHaveProperty('stopBefore')
})

describe('a VM that the plan wants and cannot back up', () => {
  it('has failed if its repository is not in the catalog', async () => {
    await opened({ targets: [{ repository: 'elsewhere', copy: 'backup', keep: null }] })
    expect(await next('0/0', 0)).toEqual({ next: null, againMs: null })
    const why = 'there is no repository elsewhere in the catalog'
    expect(rows()).toEqual([
      ['db-01', 'failed', why],
      ['web-01', 'failed', why],
    ])
    expect(await steps.closePlanRun({ planRun, rest: null })).toMatchObject({ counts: { failed: 2, skipped: 0 } })
  })

  it('has failed if its hypervisor is at another site than the repository', async () => {
    const location = { kind: 'posix', path: '/srv/far' } as const
    world.catalog.repositories.add({ name: 'far', site: 'far-away', location, credentialRef: 'file:/srv/secrets/far' })
    await opened({ targets: [{ repository: 'far', copy: 'backup', keep: null }] })
    expect(await next('0/0', 0)).toEqual({ next: null, againMs: null })
    expect(rows()[0]).toEqual([
      'db-01',
      'failed',
      'it is at site local, and the repository far is reached from far-away',
    ])
  })
})

it('a VM that is not wanted any more is skipped: left out on purpose, or its plan is gone', async () => {
  await opened()
  const { items } = world.catalog.vms.list({ limit: 9 })
  const db = items.find(({ name }) => name === 'db-01')
  world.catalog.vms.change(db?.id ?? '', { excludedReason: 'rebuilt from code' })
  expect(await next('0/0', 0)).toMatchObject({ next: { vmName: 'web-01' } })
  expect(rows()[0]).toEqual(['db-01', 'skipped', 'left out on purpose: rebuilt from code'])
})

it('what a run that somebody started makes ages by the plan, and counts as nothing made by hand', async () => {
  await opened({}, 'hand')
  expect((await next('0/0', 0)).next?.input.origin).toBe('scheduled')
})

it('a backup of a plan waits for a person for minutes, so that its lane is free for the others', async () => {
  await opened()
  expect((await next('0/0', 0)).next?.input.tuning).toEqual({ operatorWaitMs: 600_000 })
})

it('an end that is told a second time, after the VM was taken again, does not end its later try', async () => {
  await opened({ retries: 3 })
  const first = (await next('0/0', 0)).next as NextPlanVm
  await next('0/1', 0)
  await steps.nextPlanVm({
    planRun,
    lane: '0/0',
    turn: 1,
    ended: failed(first),
    wants: false,
    requestedBy: sampleRequester,
  })
  const second = (await next('0/2', 0)).next as NextPlanVm
  expect(second).toMatchObject({ vmName: 'db-01', attempt: 2 })
  // The answer to the first telling was lost on its way.
  await steps.nextPlanVm({
    planRun,
    lane: '0/0',
    turn: 1,
    ended: failed(first),
    wants: false,
    requestedBy: sampleRequester,
  })
  expect(rows()[0]).toMatchObject(['db-01', 'running', expect.anything()])
  await next('0/2', 1, failed(second))
  expect(world.catalog.planRuns.vms(planRun, { limit: 1 }).items[0]).toMatchObject({ attempts: 3 })
})

describe('beside another run of the plan', () => {
  const byHand = 'plan/nightly/20261121t022800'
  const dueMs = Date.parse('2026-11-21T02:30:00Z')
  const observed = (workflowId: string, runId: string) => ({
    runId,
    workflowId,
    kind: 'plan' as const,
    title: 'Plan nightly',
    vmId: null,
    repositoryId: null,
    pointId: null,
    requestedUser: sampleRequester.user,
    requestedReason: sampleRequester.reason,
    idempotencyKey: null,
    startedMs: testNow,
  })
  /** A run by hand that has chosen its VMs, and then the start by the clock. */
  async function both(trigger: 'schedule' | 'hand' = 'schedule') {
    const targets = [{ repository: 'main', copy: 'backup', keep: null }] as const
    world.catalog.plans.put({ ...planDefaults, name: 'nightly', targets, retryAfterMs: 0 }, 0)
    world.catalog.runs.started(observed(byHand, 'run-0'))
    const of = { plan: 'nightly', again: null, atMs: testNow, goesOnUntilMs: null } as const
    await steps.openPlanRun({ ...of, planRun: byHand, runId: 'run-0', trigger: 'hand' })
    world.catalog.runs.started(observed(planRun, 'run-1'))
    return begin(testNow, trigger)
  }

  it('a start by the clock takes no VM, is told as skipped, and is not the newest run of the plan', async () => {
    expect(await both()).toMatchObject({ vms: 0, skippedFor: byHand })
    expect(world.catalog.planRuns.find(planRun)).toBeUndefined()
    expect(world.catalog.planRuns.latest('nightly')?.id).toBe(byHand)
    expect(world.catalog.planStarts.missed('nightly', 0, 9)).toMatchObject([{ dueMs, kind: 'skipped' }])
    expect(await steps.closePlanRun({ planRun, rest: null })).toMatchObject({ counts: { completed: 0, failed: 0 } })
    // And no proof that the plan works again.
    ended('run-1')
    expect(world.catalog.runs.succeededSince({ plan: 'nightly' }, testNow)).toBe(false)
    ended('run-0')
    expect(world.catalog.runs.succeededSince({ plan: 'nightly' }, testNow)).toBe(true)
  })

  it('one that chose before goes on when it is asked again', async () => {
    await both()
    ended('run-0')
    expect(await begin()).toMatchObject({ vms: 2 })
    expect(world.catalog.planStarts.missed('nightly', 0, 9)).toEqual([])
    world.catalog.runs.started(observed('plan/nightly/20261121t023100', 'run-2'))
    expect(await begin()).toMatchObject({ vms: 2 })
  })

  it('a run by hand is refused', async () => {
    await expect(both('hand')).rejects.toMatchObject({ code: 'AlreadyRunning' })
  })

  function ended(runId: string): void {
    world.catalog.runs.observe(runId, { state: 'completed', endedMs: testNow + 1 })
  }
})

describe('the window of the plan', () => {
  const night = { window: { start: '22:00', end: '06:00', atEnd: 'pause' }, timeZone: 'Europe/Paris' } as const
  // 07:36:40 on the clocks of the plan.
  const heed = (atMs: number) => steps.heedWindow({ planRun, plan: 'nightly', atMs, goesOnUntilMs: null })
  const claim = (vmId: string) => {
    const needs = ['host/lab'] as const
    const of = { runId: `run of ${vmId}`, workflowId: `backup/${vmId}`, kind: 'backup', title: vmId, priority: 3 }
    return world.catalog.slots.claim({ ...of, needs })
  }

  it('is told with what the run takes, and shown on the run', async () => {
    await opened(night)
    expect(await begin()).toMatchObject({ window: { open: false, until: 'Sat 21 Nov 22:00 (Europe/Paris)' } })
    expect(world.catalog.planRuns.find(planRun)?.standsUntil).toBe('Sat 21 Nov 22:00 (Europe/Paris)')
    expect(await heed(testNow + 15 * 3_600_000)).toMatchObject({ open: true })
    expect(world.catalog.planRuns.find(planRun)?.standsUntil).toBeNull()
  })

  it('outside it its backups take no room from others, and those of others keep theirs', async () => {
    await opened({ ...night, concurrency: 2 })
    const { slots } = world.catalog
    slots.setLimit('host/lab', 1)
    await next('0/0', 0)
    expect(claim('db-01').granted).toBe(true)
    expect(claim('elsewhere').granted).toBe(false)
    await heed(testNow)
    expect(slots.list().map(({ workflowId, parked, grantedMs }) => [workflowId, parked, grantedMs !== null])).toEqual([
      ['backup/db-01', true, true],
      ['backup/elsewhere', false, true],
    ])
    await heed(testNow + 15 * 3_600_000)
    expect(slots.list().every(({ parked }) => !parked)).toBe(true)
  })

  it('that was taken out of the plan meanwhile is none', async () => {
    await opened(night)
    world.catalog.plans.remove('nightly', null)
    expect(await heed(testNow)).toBeNull()
  })
})
