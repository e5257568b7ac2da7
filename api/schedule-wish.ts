import { isDeepStrictEqual } from 'node:util'
import type { ScheduleDescription, ScheduleUpdateOptions } from '@temporalio/client'
import { ScheduleOverlapPolicy } from '@temporalio/client'
import { engineSpec, meansTheSame, timingOf, type Plan } from '../policy/index.ts'
import { planWorkflow, scheduledPlanId, type PlanRunInput } from '../workflows/plan/contract.ts'
import { controlQueue } from '../workflows/shared/queues.ts'
import type { RunMemo } from './orchestrator.ts'

export const memoKey = 'holdfast'

/** On every schedule that we make: whose it is. */
export interface Tag {
  readonly v: 1
  readonly installation: string
  readonly plan: string
}

export function isByClock({ schedule }: Plan): boolean {
  return schedule.kind !== 'manual' && schedule.kind !== 'after'
}

/** What the schedule of a plan has to be. */
export function wish(plan: Plan): Required<Pick<ScheduleUpdateOptions, 'spec' | 'action' | 'policies' | 'state'>> {
  const { name, schedule, timeZone, paused } = plan
  const spec = engineSpec(schedule, timeZone)
  const timing = timingOf(schedule)
  if (spec === null || timing === null) throw new RangeError(`${name} does not start by the clock`)
  const requestedBy = { user: `plan ${name}`, reason: 'by its schedule' }
  const input: PlanRunInput = { v: 1, plan: name, trigger: 'schedule', again: null, requestedBy, part: 0 }
  const none = { vmId: null, repositoryId: null, pointId: null, idempotencyKey: null }
  const memo: RunMemo = { v: 1, title: `Plan ${name}`, requestedBy, ...none }
  return {
    spec,
    action: {
      type: 'startWorkflow',
      workflowType: planWorkflow,
      workflowId: scheduledPlanId(name),
      taskQueue: controlQueue,
      args: [input],
      memo: { [memoKey]: memo },
    },
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: timing.catchupMs, pauseOnFailure: false },
    state: { paused, note: paused ? `the plan ${name} is paused` : `by the plan ${name}; changes by hand do not last` },
  }
}

export function isAsWanted(plan: Plan, { action, policies, spec, state }: ScheduleDescription): boolean {
  const { action: wanted, policies: rules } = wish(plan)
  return (
    meansTheSame(plan.schedule, plan.timeZone, spec) &&
    state.paused === plan.paused &&
    state.remainingActions === undefined &&
    policies.overlap === rules.overlap &&
    policies.catchupWindow === rules.catchupWindow &&
    !policies.pauseOnFailure &&
    action.workflowType === wanted.workflowType &&
    action.workflowId === wanted.workflowId &&
    action.taskQueue === wanted.taskQueue &&
    JSON.stringify(action.args) === JSON.stringify(wanted.args) &&
    isDeepStrictEqual(action.memo, wanted.memo) &&
    // A limit would end a run of the plan in its midst, and a retry would start it anew: a plan run has neither.
    isUnset(action.workflowRunTimeout) &&
    isUnset(action.workflowExecutionTimeout) &&
    action.retry === undefined
  )
}

/** The engine says none as nothing or as zero. */
function isUnset(limit: ScheduleDescription['action']['workflowRunTimeout']): boolean {
  return limit === undefined || limit === 0
}

export function tagOf(memo: { readonly [name: string]: unknown } | undefined): Tag | null {
  const tag = memo?.[memoKey]
  return typeof tag === 'object' && tag !== null && 'v' in tag && tag.v === 1 ? (tag as Tag) : null
}
