import { Context } from '@temporalio/activity'
import { WorkflowFailedError } from '@temporalio/client'
import type { WorkflowHandle } from '@temporalio/client'
import { ApplicationFailure, CancelledFailure } from '@temporalio/common'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createCapacityActivities } from '../../activities/capacity/index.ts'
import { createPlanActivities } from '../../activities/plan/index.ts'
import { createRecordActivities } from '../../activities/record/index.ts'
import { sampleBackup, sampleRequester, sampleSite, sampleTarget } from '../../activities/testing/samples.ts'
import { Scripted, copied, untilCancelled } from '../../activities/testing/scripted.ts'
import { HoldfastError } from '../../base/index.ts'
import { aVm, testCatalog } from '../../catalog/testing.ts'
import type { TestCatalog } from '../../catalog/testing.ts'
import { planDefaults } from '../../policy/index.ts'
import type { PlanSpec } from '../../policy/index.ts'
import { WorkflowBench, eventually } from '../../server/testing/workflows.ts'
import { backupWorkflow, backupWorkflowId } from '../backup/contract.ts'
import { controlQueue } from '../shared/queues.ts'
import { planWorkflow, planWorkflowId } from './contract.ts'
import type { PlanRunInput, PlanRunResult } from './contract.ts'

/** A history is long enough after so many events here; in production after thousands. */
const longEnough = 90
let bench: WorkflowBench
beforeAll(async () => {
  bench = await WorkflowBench.start([`limit.historyCount.suggestContinueAsNew=${longEnough}`])
})
afterAll(async () => {
  await bench[Symbol.asyncDispose]()
})

function worldOf(vms: readonly string[], over: Partial<PlanSpec> = {}): TestCatalog {
  const world = testCatalog()
  const { catalog } = world
  const lab = { name: 'lab', platform: 'qemu', address: '/srv/lab', site: sampleSite, credentialRef: '' } as const
  catalog.endpoints.add({ ...lab, options: { scope: 'scope-1' } })
  const listed = vms.map((name) => aVm(name))
  catalog.vms.recordDiscovered('lab', 'listing-1', listed)
  const location = { kind: 'posix', path: '/srv/repository' } as const
  catalog.repositories.add({ name: 'main', site: sampleSite, location, credentialRef: 'file:/srv/secrets/main' })
  const targets = [{ repository: 'main', copy: 'backup', keep: null }] as const
  const where = [{ field: 'tag', is: ['lab'] }] as const
  catalog.plans.put({ ...planDefaults, name: 'nightly', where, targets, retryAfterMs: 0, ...over }, 0)
  return world
}

const input: PlanRunInput = {
  v: 1,
  plan: 'nightly',
  trigger: 'schedule',
  again: null,
  requestedBy: sampleRequester,
  part: 0,
}

let runs = 0
/** The real catalog and the real steps of the plan; what touches sites is from a script. */
async function run<T>(
  { catalog }: TestCatalog,
  script: ConstructorParameters<typeof Scripted>[0],
  drive: (handle: WorkflowHandle, steps: Scripted) => Promise<T>,
  over: Partial<PlanRunInput> = {},
) {
  const { recordRunStarted, recordRunFinished } = createRecordActivities(catalog)
  const real = { recordRunStarted, recordRunFinished, ...createPlanActivities(catalog) }
  const steps = new Scripted({ ...real, ...createCapacityActivities(catalog), ...script })
  const workflowId = planWorkflowId('nightly', Date.UTC(2026, 10, 21, 0, 0, (runs += 1)))
  const value = await bench.during(steps.activities, async () => {
    const args = [{ ...input, ...over }]
    const handle = await bench.client.start(planWorkflow, { workflowId, taskQueue: controlQueue, args })
    return drive(handle, steps)
  })
  const rows = catalog.planRuns.vms(workflowId, { limit: 200 }).items
  return { value, steps, workflowId, rows, outcome: rows.map(({ vmName, state, detail }) => [vmName, state, detail]) }
}

const result = (handle: WorkflowHandle) => handle.result() as Promise<PlanRunResult>
const vmOfStep = (of: { readonly vm: { readonly name: string } }): string => of.vm.name

async function failureOf(handle: WorkflowHandle): Promise<unknown> {
  const error: unknown = await handle.result().catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(WorkflowFailedError)
  return (error as WorkflowFailedError).cause
}

it('every VM that the plan takes is backed up once, so many at a time, and by the policy that holds for it', async () => {
  const names = ['db-01', 'web-01', 'web-02', 'web-03', 'web-04']
  using world = worldOf([...names, 'other'], { concurrency: 2, compressionLevel: 7, fullEveryMs: 86_400_000 })
  const other = world.catalog.vms.list({ limit: 9 }).items.find(({ name }) => name === 'other')
  world.catalog.vms.change(other?.id ?? '', { excludedReason: 'rebuilt from code' })
  const busy: string[] = []
  let most = 0
  const two = Promise.withResolvers<undefined>()
  const script = {
    copyDisk: async (of: Parameters<typeof copied>[0]) => {
      busy.push(of.vm.name)
      most = Math.max(most, new Set(busy).size)
      // However slow the machine is: nobody goes on before a second VM has begun.
      if (most > 1) two.resolve(undefined)
      await two.promise
      busy.splice(busy.indexOf(of.vm.name), 1)
      return copied(of)
    },
  }
  const { value, steps, outcome, workflowId } = await run(world, script, result)
  expect(value).toMatchObject({ outcome: 'completed', counts: { completed: 5, failed: 0, skipped: 0 }, more: false })
  expect(outcome).toEqual(names.map((name) => [name, 'completed', '']))
  expect(most).toBe(2)
  expect(steps.inputs('openPoint').map(vmOfStep).sort()).toEqual(names)
  expect(steps.inputs('recordPoint').every(({ plan, origin }) => plan === 'nightly' && origin === 'scheduled')).toBe(
    true,
  )
  expect(steps.inputs('copyDisk')[0]).toMatchObject({ compressionLevel: 7 })
  expect(steps.inputs('preflight')[0]).toMatchObject({ fullInterval: { everyMs: 86_400_000 } })
  expect(world.catalog.runs.latest(workflowId)).toMatchObject({
    kind: 'plan',
    title: 'Plan nightly',
    state: 'completed',
    summary: '5 of 5 VMs backed up',
  })
  expect(world.catalog.slots.list()).toEqual([])
})

it('what fails at one VM is nothing to the others, and the run says in the end who was not backed up', async () => {
  using world = worldOf(['db-01', 'web-01', 'web-02'], { concurrency: 1 })
  const script = {
    checkPoint: async ({ vm }: { readonly vm: { readonly name: string } }) => {
      if (vm.name === 'db-01') throw new HoldfastError('Unsupported', 'its disks are passed through')
    },
  }
  const first = await run(world, script, failureOf)
  expect(first.value).toBeInstanceOf(ApplicationFailure)
  const failure = first.value as ApplicationFailure
  expect(failure.type).toBe('PlanIncomplete')
  expect(failure.message).toBe('1 of 3 VMs were not backed up: db-01 (its disks are passed through)')
  expect(failure.details?.[0]).toMatchObject({ data: { counts: { completed: 2, failed: 1 } } })
  expect(first.outcome).toEqual([
    ['db-01', 'failed', 'its disks are passed through'],
    ['web-01', 'completed', ''],
    ['web-02', 'completed', ''],
  ])
  expect(world.catalog.runs.latest(first.workflowId)).toMatchObject({
    state: 'failed',
    error: { code: 'PlanIncomplete' },
  })
  const failed = first.rows[0]?.runId ?? ''
  expect(world.catalog.runs.find(failed)).toMatchObject({ workflowId: 'backup/db-01', state: 'failed' })

  const again = await run(world, {}, result, { trigger: 'hand', again: first.workflowId })
  expect(again.outcome).toEqual([['db-01', 'completed', '']])
})

it('what failed is tried again in the same run, as often as the plan says', async () => {
  using world = worldOf(['db-01', 'web-01'], { retries: 2 })
  const script = (refusals: number) => {
    let tries = 0
    return {
      checkPoint: async ({ vm }: { readonly vm: { readonly name: string } }) => {
        if (vm.name === 'db-01' && (tries += 1) <= refusals) throw new HoldfastError('Unsupported', `try ${tries}`)
      },
    }
  }
  const third = await run(world, script(2), result)
  expect(third.rows.map(({ vmName, state, attempts }) => [vmName, state, attempts])).toEqual([
    ['db-01', 'completed', 3],
    ['web-01', 'completed', 1],
  ])
  const none = await run(world, script(3), failureOf)
  expect(none.rows[0]).toMatchObject({ state: 'failed', attempts: 3, detail: 'try 3' })
})

it('a VM of which a backup is under way, and one that is gone by its turn, are skipped with the reason', async () => {
  using world = worldOf(['db-01', 'web-01', 'web-02'], { concurrency: 1 })
  const script = {
    copyDisk: async (of: Parameters<typeof copied>[0]) => {
      const isByHand = Context.current().info.workflowExecution?.workflowId === backupWorkflowId('web-01')
      while (turns() < (isByHand ? 3 : 1) || !begun()) await new Promise((resolve) => setTimeout(resolve, 20))
      return copied(of)
    },
  }
  let turns = (): number => 0
  let begun = (): boolean => false
  const { outcome } = await run(world, script, async (handle, steps) => {
    turns = () => steps.inputs('nextPlanVm').length
    begun = () => steps.inputs('copyDisk').length === 4
    const vm = { ...sampleTarget, id: 'web-01' }
    const byHand = { workflowId: backupWorkflowId('web-01'), taskQueue: controlQueue, args: [sampleBackup({ vm })] }
    const other = await bench.client.start(backupWorkflow, byHand)
    world.catalog.vms.recordDiscovered('lab', 'listing-2', [aVm('db-01'), aVm('web-01')])
    await eventually('the choice', () => steps.inputs('openPlanRun').length > 0 && turns() > 0)
    world.catalog.vms.closeListing('lab', 'listing-2')
    await Promise.allSettled([other.result()])
    return result(handle)
  })
  expect(outcome).toEqual([
    ['db-01', 'completed', ''],
    ['web-01', 'skipped', 'another backup of this VM is under way'],
    ['web-02', 'skipped', 'its hypervisor no longer lists it'],
  ])
})

describe('what people do to a run', () => {
  it('paused, its backups stand still where they are and nothing begins; resumed, all go on in the same point', async () => {
    using world = worldOf(['db-01', 'web-01', 'web-02'], { concurrency: 2 })
    let going = false
    const script = {
      copyDisk: async (of: Parameters<typeof copied>[0]) => (going ? copied(of) : untilCancelled()),
    }
    const { value, steps, rows } = await run(world, script, async (handle, of) => {
      await eventually('both backups', () => of.inputs('copyDisk').length === 4)
      await handle.executeUpdate('pause', { args: [{ user: 'ann', reason: 'storage work' }] })
      const child = bench.client.getHandle(backupWorkflowId('db-01'))
      await eventually('the stop', async () => {
        const { pendingActivities } = (await child.describe()).raw
        return (pendingActivities ?? []).length === 0
      })
      const [hers] = await Promise.allSettled([child.executeUpdate('resume', { args: [sampleRequester] })])
      expect(hers).toMatchObject({ status: 'rejected', reason: { cause: { message: /resume that/ } } })
      going = true
      expect(of.inputs('openPoint')).toHaveLength(2)
      await handle.executeUpdate('resume', { args: [{ user: 'ann', reason: '' }] })
      return result(handle)
    })
    expect(value.counts).toMatchObject({ completed: 3 })
    expect(steps.inputs('openPoint')).toHaveLength(3)
    expect(rows.every(({ attempts }) => attempts === 1)).toBe(true)
  })

  it('cancelled, it cancels what is under way with the same words, begins nothing more, and says so of each VM', async () => {
    using world = worldOf(['db-01', 'web-01', 'web-02'], { concurrency: 2 })
    const script = { copyDisk: () => untilCancelled() }
    const { value, outcome, steps, workflowId } = await run(world, script, async (handle, of) => {
      await eventually('both backups', () => of.inputs('copyDisk').length === 4)
      await handle.signal('cancelNote', { user: 'ann', reason: 'wrong night' })
      await handle.cancel()
      return failureOf(handle)
    })
    expect(value).toBeInstanceOf(CancelledFailure)
    expect(outcome).toEqual([
      ['db-01', 'cancelled', 'cancelled'],
      ['web-01', 'cancelled', 'cancelled'],
      ['web-02', 'cancelled', 'the run was cancelled before its turn came'],
    ])
    expect(steps.inputs('abortPoint')).toHaveLength(2)
    const { catalog } = world
    expect(catalog.runs.latest(workflowId)).toMatchObject({ state: 'cancelled' })
    for (const vm of ['db-01', 'web-01'])
      expect(catalog.runs.latest(backupWorkflowId(vm))?.summary).toBe('cancelled by ann, nothing was left behind')
  })
})

it('a long run goes on in its next part, and no VM is taken twice or left out', async () => {
  const names = Array.from({ length: 24 }, (_, n) => `vm-${String(n).padStart(2, '0')}`)
  using world = worldOf(names, { concurrency: 3 })
  const { value, steps, outcome, workflowId } = await run(world, {}, result)
  expect(value).toMatchObject({ more: false, counts: { completed: 24 } })
  expect(steps.inputs('openPoint').map(vmOfStep).sort()).toEqual(names)
  expect(outcome.every(([, state]) => state === 'completed')).toBe(true)
  const parts = world.catalog.runs.list({ limit: 50 }, { workflowId }).items
  expect(parts.length).toBeGreaterThan(1)
  const { events } = await bench.history(workflowId)
  // What is under way when it is long enough comes to its end.
  expect(events.length).toBeLessThan(longEnough + 3 * 30)
})

it('a plan that is gone fails its run with the reason', async () => {
  using world = worldOf(['db-01'])
  world.catalog.plans.remove('nightly', null)
  const { value } = await run(world, {}, failureOf)
  expect(value).toMatchObject({ type: 'NotFound', message: 'there is no plan nightly' })
})
