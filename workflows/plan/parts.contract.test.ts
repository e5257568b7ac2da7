import type { WorkflowHandle } from '@temporalio/client'
import { CancelledFailure } from '@temporalio/common'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createPlanActivities } from '../../activities/plan/index.ts'
import { createRecordActivities } from '../../activities/record/index.ts'
import { planFailure, planResult, planWorld, runPlan } from '../../server/testing/plans.ts'
import { WorkflowBench, eventually } from '../../server/testing/workflows.ts'
import { testSeal } from '../../evidence/testing.ts'

/** A history is long enough after so many events here; in production after thousands. */
const longEnough = 90
let bench: WorkflowBench
beforeAll(async () => {
  bench = await WorkflowBench.start([`limit.historyCount.suggestContinueAsNew=${longEnough}`])
})
afterAll(async () => {
  await bench[Symbol.asyncDispose]()
})
const names = Array.from({ length: 24 }, (_, n) => `vm-${String(n).padStart(2, '0')}`)

it('a long run goes on in its next part, and no VM is taken twice or left out', async () => {
  using world = planWorld(names, { concurrency: 3 })
  const { value, steps, outcome, workflowId } = await runPlan(bench, world, {}, planResult)
  expect(value).toMatchObject({ more: false, counts: { completed: 24 } })
  expect(
    steps
      .inputs('openPoint')
      .map(({ vm }) => vm.name)
      .sort(),
  ).toEqual(names)
  expect(outcome.every(([, state]) => state === 'completed')).toBe(true)
  const parts = world.catalog.runs.list({ limit: 50 }, { workflowId }).items
  expect(parts.length).toBeGreaterThan(1)
  const { events } = await bench.history(workflowId)
  // What is under way when it is long enough comes to its end.
  expect(events.length).toBeLessThan(longEnough + 3 * 30)
})

describe('between two parts of a run', () => {
  /** The first part stands in this step, near its end, until it is let go. */
  function standing(step: 'nextPlanVm' | 'closePlanRun' | 'recordRunFinished', concurrency = 3) {
    const world = planWorld(names, { concurrency })
    const reached = Promise.withResolvers<undefined>()
    const going = Promise.withResolvers<undefined>()
    const stand = async (): Promise<void> => {
      reached.resolve(undefined)
      await going.promise
    }
    const { nextPlanVm, closePlanRun } = createPlanActivities(world.catalog)
    const { recordRunFinished } = createRecordActivities(world.catalog, testSeal)
    const script = {
      nextPlanVm: async (of: Parameters<typeof nextPlanVm>[0]) => {
        // Only what ended is written down: the history is long enough.
        if (step === 'nextPlanVm' && !of.wants) await stand()
        return nextPlanVm(of)
      },
      closePlanRun: async (of: Parameters<typeof closePlanRun>[0]) => {
        if (step === 'closePlanRun') await stand()
        return closePlanRun(of)
      },
      recordRunFinished: async (of: Parameters<typeof recordRunFinished>[0]) => {
        if (step === 'recordRunFinished' && of.started.kind === 'plan') await stand()
        return recordRunFinished(of)
      },
    }
    return { world, script, reached: reached.promise, go: () => going.resolve(undefined) }
  }
  const cancelRequested = (handle: WorkflowHandle) =>
    eventually('the cancel', async () => {
      const { events } = await bench.history(handle.workflowId)
      return events.some(({ eventType }) => eventType === 'EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED')
    })

  it.each(['closePlanRun', 'recordRunFinished'] as const)('a cancel during %s ends the run', async (step) => {
    const { world, script, reached, go } = standing(step)
    using _ = world
    const drive = async (handle: WorkflowHandle): Promise<unknown> => {
      await reached
      await handle.cancel()
      await cancelRequested(handle)
      go()
      return planFailure(handle)
    }
    const { value, rows, workflowId } = await runPlan(bench, world, script, drive)
    expect(value).toBeInstanceOf(CancelledFailure)
    const states = new Set(rows.map(({ state }) => state))
    expect(states).toEqual(new Set(['completed', 'cancelled']))
    const parts = world.catalog.runs.list({ limit: 9 }, { workflowId }).items
    expect(parts.map(({ state }) => state)).toEqual(['cancelled'])
  })

  it('a cancel while it is paused there ends the run', async () => {
    const { world, script, reached, go } = standing('nextPlanVm', 1)
    using _ = world
    const drive = async (handle: WorkflowHandle): Promise<unknown> => {
      await reached
      await handle.executeUpdate('pause', { args: [{ user: 'ann', reason: 'storage work' }] })
      go()
      await eventually('the pause between the parts', async () => {
        const { events } = await bench.history(handle.workflowId)
        const types = events.map(({ eventType }) => eventType)
        return (
          types.at(-1) === 'EVENT_TYPE_WORKFLOW_TASK_COMPLETED' && types.at(-4) === 'EVENT_TYPE_ACTIVITY_TASK_COMPLETED'
        )
      })
      await handle.cancel()
      return planFailure(handle)
    }
    const { value, rows } = await runPlan(bench, world, script, drive)
    expect(value).toBeInstanceOf(CancelledFailure)
    expect(new Set(rows.map(({ state }) => state))).toEqual(new Set(['completed', 'cancelled']))
  })

  it('a pause is refused, so that none is lost', async () => {
    const { world, script, reached, go } = standing('closePlanRun')
    using _ = world
    const drive = async (handle: WorkflowHandle) => {
      await reached
      const [pause] = await Promise.allSettled([
        handle.executeUpdate('pause', { args: [{ user: 'ann', reason: 'storage work' }] }),
      ])
      go()
      return { pause, result: await planResult(handle) }
    }
    const { value } = await runPlan(bench, world, script, drive)
    expect(value.pause).toMatchObject({
      status: 'rejected',
      reason: { cause: { message: /goes on in its next part/ } },
    })
    expect(value.result.counts).toMatchObject({ completed: 24 })
  })
})
