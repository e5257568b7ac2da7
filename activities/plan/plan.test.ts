import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { furnish, testCatalog, type TestCatalog } from '../../catalog/testing.ts'
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
async function opened(over: Partial<PlanSpec> = {}): Promise<void> {
  const targets = [{ repository: 'main', copy: 'backup', keep: null }] as const
  world.catalog.plans.put({ ...planDefaults, name: 'nightly', targets, retryAfterMs: 0, ...over }, 0)
  await steps.openPlanRun({ planRun, runId: 'run-1', plan: 'nightly', trigger: 'schedule', again: null })
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
