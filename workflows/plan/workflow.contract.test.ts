import { Context } from '@temporalio/activity'
import type { WorkflowHandle } from '@temporalio/client'
import { ApplicationFailure, CancelledFailure } from '@temporalio/common'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sampleBackup, sampleRequester, sampleTarget } from '../../activities/testing/samples.ts'
import { copied, untilCancelled } from '../../activities/testing/scripted.ts'
import type { Scripted } from '../../activities/testing/scripted.ts'
import { HoldfastError } from '../../base/index.ts'
import { aVm } from '../../catalog/testing.ts'
import type { TestCatalog } from '../../catalog/testing.ts'
import { planFailure, planResult, planWorld, runPlan } from '../../server/testing/plans.ts'
import { WorkflowBench, eventually } from '../../server/testing/workflows.ts'
import { backupWorkflow, backupWorkflowId } from '../backup/contract.ts'
import { controlQueue } from '../shared/queues.ts'
import { planWorkflow, scheduledRunId } from './contract.ts'
import type { PlanRunInput, PlanRunResult } from './contract.ts'

let bench: WorkflowBench
beforeAll(async () => {
  bench = await WorkflowBench.start()
})
afterAll(async () => {
  await bench[Symbol.asyncDispose]()
})

const run = <T>(
  world: TestCatalog,
  script: ConstructorParameters<typeof Scripted>[0],
  drive: (handle: WorkflowHandle, steps: Scripted) => Promise<T>,
  over: Partial<PlanRunInput> = {},
) => runPlan(bench, world, script, drive, over)
const vmOfStep = (of: { readonly vm: { readonly name: string } }): string => of.vm.name

it('every VM that the plan takes is backed up once, so many at a time, and by the policy that holds for it', async () => {
  const names = ['db-01', 'web-01', 'web-02', 'web-03', 'web-04']
  using world = planWorld([...names, 'other'], { concurrency: 2, compressionLevel: 7, fullEveryMs: 86_400_000 })
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
  const { value, steps, outcome, workflowId } = await run(world, script, planResult)
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
  using world = planWorld(['db-01', 'web-01', 'web-02'], { concurrency: 1 })
  const script = {
    checkPoint: async ({ vm }: { readonly vm: { readonly name: string } }) => {
      if (vm.name === 'db-01') throw new HoldfastError('Unsupported', 'its disks are passed through')
    },
  }
  const first = await run(world, script, planFailure)
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

  const again = await run(world, {}, planResult, { trigger: 'hand', again: first.workflowId })
  expect(again.outcome).toEqual([['db-01', 'completed', '']])
})

it('what failed is tried again in the same run, as often as the plan says', async () => {
  using world = planWorld(['db-01', 'web-01'], { retries: 2 })
  const script = (refusals: number) => {
    let tries = 0
    return {
      checkPoint: async ({ vm }: { readonly vm: { readonly name: string } }) => {
        if (vm.name === 'db-01' && (tries += 1) <= refusals) throw new HoldfastError('Unsupported', `try ${tries}`)
      },
    }
  }
  const third = await run(world, script(2), planResult)
  expect(third.rows.map(({ vmName, state, attempts }) => [vmName, state, attempts])).toEqual([
    ['db-01', 'completed', 3],
    ['web-01', 'completed', 1],
  ])
  const none = await run(world, script(3), planFailure)
  expect(none.rows[0]).toMatchObject({ state: 'failed', attempts: 3, detail: 'try 3' })
})

it('what needed a person is tried again too: somebody may have come by then', async () => {
  using world = planWorld(['db-01'], { retries: 1 })
  const script = {
    openPoint: async () => {
      throw new HoldfastError('AccessDenied', 'the account may not take snapshots')
    },
  }
  const { rows } = await run(world, script, planFailure)
  expect(rows).toMatchObject([{ state: 'failed', attempts: 2, detail: 'the account may not take snapshots' }])
})

it('a VM of which another backup is under way has failed until it has one of its own; one that is gone is skipped', async () => {
  using world = planWorld(['db-01', 'web-01', 'web-02'], { concurrency: 1, retries: 0 })
  const script = {
    copyDisk: async (of: Parameters<typeof copied>[0]) => {
      const isByHand = Context.current().info.workflowExecution?.workflowId === backupWorkflowId('web-01')
      while (turns() < (isByHand ? 3 : 1) || !begun()) await new Promise((resolve) => setTimeout(resolve, 20))
      return copied(of)
    },
  }
  let turns = (): number => 0
  let begun = (): boolean => false
  const { value, outcome, rows } = await run(world, script, async (handle, steps) => {
    turns = () => steps.inputs('nextPlanVm').length
    begun = () => steps.inputs('copyDisk').length >= 4
    const vm = { ...sampleTarget, id: 'web-01' }
    const byHand = { workflowId: backupWorkflowId('web-01'), taskQueue: controlQueue, args: [sampleBackup({ vm })] }
    const other = await bench.client.start(backupWorkflow, byHand)
    world.catalog.vms.recordDiscovered('lab', 'listing-2', [aVm('db-01'), aVm('web-01')])
    await eventually('the choice', () => steps.inputs('openPlanRun').length > 0 && turns() > 0)
    world.catalog.vms.closeListing('lab', 'listing-2')
    await Promise.allSettled([other.result()])
    return planFailure(handle)
  })
  expect(value).toMatchObject({ type: 'PlanIncomplete' })
  expect(rows[1]).toMatchObject({ mayRetry: true })
  expect(outcome).toEqual([
    ['db-01', 'completed', ''],
    ['web-01', 'failed', 'another backup of this VM is under way'],
    ['web-02', 'skipped', 'its hypervisor no longer lists it'],
  ])
})

it('beside a run by hand the start by the clock takes no VM, says why, and is told as skipped', async () => {
  using world = planWorld(['db-01', 'web-01'], { concurrency: 1 })
  const { catalog } = world
  const going = Promise.withResolvers<undefined>()
  const copyDisk = async (of: Parameters<typeof copied>[0]) => {
    await going.promise
    return copied(of)
  }
  const dueMs = Date.UTC(2026, 10, 21, 2, 30)
  const workflowId = scheduledRunId('nightly', dueMs)
  const drive = async (handle: WorkflowHandle, steps: Scripted): Promise<unknown> => {
    await eventually('the first backup', () => steps.inputs('copyDisk').length > 0)
    const byClock = { v: 1, plan: 'nightly', trigger: 'schedule', again: null, part: 0 } as const
    const args = [{ ...byClock, requestedBy: sampleRequester }]
    const second = await bench.client.start(planWorkflow, { workflowId, taskQueue: controlQueue, args })
    const { counts } = (await second.result()) as PlanRunResult
    expect(counts).toEqual({ completed: 0, failed: 0, cancelled: 0, skipped: 0 })
    expect(catalog.runs.latest(workflowId)?.summary).toBe(`skipped: the run ${handle.workflowId} was still under way`)
    expect(catalog.planStarts.missed('nightly', 0, 9)).toMatchObject([{ dueMs, kind: 'skipped' }])
    going.resolve(undefined)
    return planResult(handle)
  }
  const { value, outcome, steps } = await run(world, { copyDisk }, drive, { trigger: 'hand' })
  expect(value).toMatchObject({ counts: { completed: 2 } })
  expect(outcome.map(([, state]) => state)).toEqual(['completed', 'completed'])
  expect(steps.inputs('openPoint').map(vmOfStep)).toEqual(['db-01', 'web-01'])
})

describe('what people do to a run', () => {
  it('paused, its backups stand still where they are and nothing begins; resumed, all go on in the same point', async () => {
    using world = planWorld(['db-01', 'web-01', 'web-02'], { concurrency: 2 })
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
      return planResult(handle)
    })
    expect(value.counts).toMatchObject({ completed: 3 })
    expect(steps.inputs('openPoint')).toHaveLength(3)
    expect(rows.every(({ attempts }) => attempts === 1)).toBe(true)
  })

  it('cancelled, it cancels what is under way with the same words, begins nothing more, and says so of each VM', async () => {
    using world = planWorld(['db-01', 'web-01', 'web-02'], { concurrency: 2 })
    const script = { copyDisk: () => untilCancelled() }
    const { value, outcome, steps, workflowId } = await run(world, script, async (handle, of) => {
      await eventually('both backups', () => of.inputs('copyDisk').length === 4)
      await handle.signal('cancelNote', { user: 'ann', reason: 'wrong night' })
      await handle.cancel()
      return planFailure(handle)
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

it('a backup that somebody cancelled leaves its VM without a point: the run is not complete', async () => {
  using world = planWorld(['db-01', 'web-01'])
  const script = {
    copyDisk: (of: Parameters<typeof copied>[0]) =>
      of.vm.name === 'db-01' ? untilCancelled() : Promise.resolve(copied(of)),
  }
  const { value, outcome } = await run(world, script, async (handle, steps) => {
    await eventually('its copy', () => steps.inputs('copyDisk').some(({ vm }) => vm.name === 'db-01'))
    await bench.client.getHandle(backupWorkflowId('db-01')).cancel()
    return planFailure(handle)
  })
  expect(value).toMatchObject({
    type: 'PlanIncomplete',
    message: '1 of 2 VMs were not backed up: db-01 (cancelled)',
  })
  expect(outcome).toEqual([
    ['db-01', 'cancelled', 'cancelled'],
    ['web-01', 'completed', ''],
  ])
})

it('a plan that is gone fails its run with the reason', async () => {
  using world = planWorld(['db-01'])
  world.catalog.plans.remove('nightly', null)
  const { value } = await run(world, {}, planFailure)
  expect(value).toMatchObject({ type: 'NotFound', message: 'there is no plan nightly' })
})
