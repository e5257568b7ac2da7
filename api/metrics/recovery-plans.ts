import type { Catalog, RecoveryPlanView } from '../../catalog/index.ts'
import { rehearsalsOf } from '../rehearsals.ts'
import { promisedRtoOf } from '../views/recovery-plans.ts'
import { gauge, type Family, type Sample } from './exposition.ts'

/** When recovery plans were rehearsed, and how long it took. */
export function recoveryPlanFamilies(catalog: Catalog, nowMs: number): Family[] {
  const { recoveryPlans, recoveryRuns } = catalog
  const plans = recoveryPlans.list()
  const passed = (plan: RecoveryPlanView) => rehearsalsOf(catalog, plan).passed
  const of = (value: (plan: RecoveryPlanView) => number | null): Sample[] =>
    plans.flatMap((plan): Sample[] => {
      const found = value(plan)
      return found === null ? [] : [{ labels: { plan: plan.id }, value: found }]
    })
  const open = recoveryRuns.openRuns()
  return [
    gauge(
      'holdfast_recovery_plan_rehearsed_age_seconds',
      'Since the last rehearsal of what the plan says now in which every VM came back; of none that never had one',
      of((plan) => {
        const endedMs = passed(plan)?.endedMs ?? null
        return endedMs === null ? null : (nowMs - endedMs) / 1000
      }),
    ),
    gauge(
      'holdfast_recovery_plan_overdue',
      'Whether a rehearsal that passes is overdue',
      of((plan) => {
        const { dueMs } = rehearsalsOf(catalog, plan)
        return dueMs === null ? null : Number(dueMs < nowMs)
      }),
    ),
    gauge(
      'holdfast_recovery_plan_rto_seconds',
      'From the start of that rehearsal until its last tier was done; of none that left people out',
      of((plan) => {
        const run = passed(plan)
        const rtoMs = run === undefined ? null : promisedRtoOf(run)
        return rtoMs === null ? null : rtoMs / 1000
      }),
    ),
    gauge(
      'holdfast_recovery_plan_waiting',
      'Tiers of runs under way that wait for a person',
      of(({ id }) =>
        open
          .filter(({ planId }) => planId === id)
          .reduce((sum, { tiers }) => sum + tiers.filter(({ waitsFor }) => waitsFor !== null).length, 0),
      ),
    ),
    gauge(
      'holdfast_recovery_plan_lost',
      'VMs of runs under way that were back and whose own runs have ended since',
      of(
        ({ id }) =>
          open
            .filter(({ planId }) => planId === id)
            .flatMap(({ tiers }) => tiers.flatMap(({ members }) => members))
            .filter(({ state }) => state === 'lost').length,
      ),
    ),
  ]
}
