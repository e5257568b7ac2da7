import type { Catalog, RecoveryPlanView, RecoveryRunRow } from '../catalog/index.ts'
import { rehearsalDueMs } from '../policy/index.ts'

/** When a recovery plan was rehearsed, and when it is to be next. */
export interface Rehearsals {
  /** The newest that passed and did what the plan says now. */
  readonly passed: RecoveryRunRow | undefined
  /** Unix ms; null: none is promised. */
  readonly dueMs: number | null
}

/** What is due counts from a rehearsal of the same VMs as well: a plan whose delays were changed is not overdue at once. */
export function rehearsalsOf({ recoveryRuns }: Pick<Catalog, 'recoveryRuns'>, plan: RecoveryPlanView): Rehearsals {
  const { id, rehearseEveryMs: everyMs, definedMs, tiers } = plan
  const usual = { mode: 'rehearse', state: 'passed' } as const
  const passed = recoveryRuns.newest(id, { ...usual, definition: plan })
  const vmIds = tiers.flatMap(({ members }) => members.map(({ vmId }) => vmId))
  const last = passed ?? recoveryRuns.newest(id, { ...usual, vmIds })
  return { passed, dueMs: rehearsalDueMs({ everyMs, passedMs: last?.endedMs ?? null, definedMs }) }
}
