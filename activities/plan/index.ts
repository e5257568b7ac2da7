/** What of a plan's run is in the catalog: which VMs it takes, how far it is, what came of each. */
import { HoldfastError } from '../../base/index.ts'
import { largestPage, type Catalog, type PlanRunVmRow, type RunView } from '../../catalog/index.ts'
import { backupSettings, isSelected, planWindowAt } from '../../policy/index.ts'
import type { Plan, WindowNow } from '../../policy/index.ts'
import { backupWorkflowId } from '../../workflows/backup/contract.ts'
import type { BackupInput } from '../../workflows/backup/contract.ts'
import type { Requester } from '../../workflows/shared/contract.ts'
import { scheduledTimeOf } from '../../workflows/plan/contract.ts'
import { repositoryRefOf, targetOf } from '../../workflows/shared/targets.ts'
import type { PlanActivities, PlanRunEnd } from './types.ts'

export type * from './types.ts'

/**
 * How long a backup of a plan waits for a person before it makes room for the next VM: nobody may be there at night, and
 * the plan tries again by itself.
 */
const patienceMs = 10 * 60_000

/** A run tells the first of what did not go well; the catalog has all. */
const mostTroubles = 20

export function createPlanActivities(catalog: Catalog): PlanActivities {
  const { planRuns } = catalog
  return {
    openPlanRun: async ({ planRun, runId, plan: name, trigger, again, ...asked }) => {
      const plan = catalog.plans.get(name)
      const other = planRuns.find(planRun) === undefined ? runOpenBeside(catalog, name, planRun) : undefined
      if (other !== undefined) {
        if (trigger === 'hand')
          throw new HoldfastError(
            'AlreadyRunning',
            `the run ${other.workflowId} of the plan ${name} is under way already`,
          )
        catalog.planStarts.tell(name, [{ dueMs: scheduledTimeOf(planRun) ?? asked.atMs, kind: 'skipped' }])
        return { vms: 0, concurrency: plan.concurrency, window: null, skippedFor: other.workflowId }
      }
      const only = again === null || planRuns.find(again) === undefined ? null : new Set(unfinished(catalog, again))
      const taken = [...catalog.policy.candidates()].filter(
        (vm) => isSelected(plan.where, vm) && (only === null || only.has(vm.id)),
      )
      const byName = taken.sort((a, b) => (a.name < b.name ? -1 : 1))
      planRuns.open({ id: planRun, runId, plan: name, trigger, again }, byName)
      const dueMs = scheduledTimeOf(planRun)
      if (dueMs !== null) catalog.planStarts.came(name, dueMs)
      const { waiting, running, failed } = planRuns.counts(planRun)
      const window = windowOf(catalog, planRun, plan, asked)
      return { vms: waiting + running + failed, concurrency: plan.concurrency, window }
    },
    heedWindow: async ({ planRun, plan, ...asked }) => windowOf(catalog, planRun, catalog.plans.find(plan), asked),
    nextPlanVm: async ({ planRun, lane, turn, ended, wants, requestedBy }) => {
      if (ended !== null) planRuns.end(planRun, ended)
      const run = planRuns.find(planRun)
      if (run === undefined) throw new HoldfastError('NotFound', `there is no run ${planRun} of a plan`)
      const plan = catalog.plans.find(run.plan)
      const rule = plan ?? { retries: 0, retryAfterMs: 0 }
      if (!wants) return { next: null, againMs: null }
      const take = () => planRuns.inHand(planRun, lane, turn) ?? planRuns.take(planRun, lane, turn, rule)
      for (let row = take(); row !== undefined; row = take()) {
        const { position, vmName, attempts: attempt, vmId } = row
        const given = backupOf(catalog, { plan, row }, requestedBy)
        if ('input' in given) {
          const next = { position, vmName, attempt, workflowId: backupWorkflowId(vmId), input: given.input }
          return { next, againMs: null }
        }
        planRuns.end(planRun, { position, attempt, ...given, runId: null, mayRetry: false })
      }
      return { next: null, againMs: planRuns.againMs(planRun, rule) }
    },
    closePlanRun: async ({ planRun, rest }) => {
      if (rest !== null) planRuns.giveUp(planRun, rest)
      return endOf(catalog, planRun)
    },
  }
}

/**
 * Another run of the plan that has chosen its VMs and has not ended: both would take the same ones. The one that chose
 * first goes on, so two that begin at once never both stand back.
 */
function runOpenBeside({ planRuns, runs }: Catalog, plan: string, planRun: string): RunView | undefined {
  const open = runs.list({ limit: largestPage }, { plan, state: 'open' }).items
  return open.find(({ workflowId }) => workflowId !== planRun && planRuns.find(workflowId) !== undefined)
}

/** Written down beside, so that people see for what the run waits, and the capacity governor for what it does not. */
function windowOf(
  { planRuns, slots }: Catalog,
  planRun: string,
  plan: Plan | undefined,
  { atMs, goesOnUntilMs }: { readonly atMs: number; readonly goesOnUntilMs: number | null },
): WindowNow | null {
  const { window = null, timeZone = '' } = plan ?? {}
  const now = window === null ? null : planWindowAt(window, timeZone, atMs, goesOnUntilMs)
  planRuns.standsUntil(planRun, now?.until ?? null)
  const backups = new Set(planRuns.backupsUnderWay(planRun).map(backupWorkflowId))
  const isParked = now?.open === false
  const claims = slots.list().filter(({ workflowId, parked }) => backups.has(workflowId) && parked !== isParked)
  if (claims.length > 0)
    slots.park(
      claims.map(({ runId }) => runId),
      isParked,
    )
  return now
}

/** Of an earlier run: the VMs that have no point of it. */
function* unfinished({ planRuns }: Catalog, planRun: string): Generator<string> {
  for (let cursor: string | undefined; ;) {
    const page = planRuns.vms(planRun, { limit: largestPage, cursor })
    for (const { vmId, state } of page.items) if (!state.startsWith('completed')) yield vmId
    if (page.nextCursor === null) return
    cursor = page.nextCursor
  }
}

function endOf({ planRuns }: Catalog, planRun: string): PlanRunEnd {
  const { completed, failed, cancelled, skipped, ...of } = planRuns.counts(planRun)
  const troubles = (['failed', 'cancelled', 'skipped'] as const).flatMap((state) =>
    planRuns
      .vms(planRun, { limit: mostTroubles }, state)
      .items.map((row) => ({ vm: row.vmName, state, why: row.detail })),
  )
  return {
    counts: { completed: completed + of['completed-with-residue'], failed, cancelled, skipped },
    troubles: troubles.slice(0, mostTroubles),
  }
}

/**
 * The input of its backup, or why there is none, in words. `skipped` is only what is not wanted any more; what is wanted
 * and cannot be has failed, or a run without a single point would be green. What the plan says now counts, not what it
 * said at the start.
 */
function backupOf(
  catalog: Catalog,
  { plan, row }: { readonly plan: Plan | undefined; readonly row: PlanRunVmRow },
  requestedBy: Requester,
): { readonly input: BackupInput } | { readonly state: 'skipped' | 'failed'; readonly detail: string } {
  if (plan === undefined) return { state: 'skipped', detail: 'the plan was removed meanwhile' }
  const vm = catalog.vms.find(row.vmId)
  if (vm === undefined || vm.goneMs !== null) return { state: 'skipped', detail: 'its hypervisor no longer lists it' }
  if (vm.excludedReason !== null) return { state: 'skipped', detail: `left out on purpose: ${vm.excludedReason}` }
  const [target] = plan.targets
  const repository = target && catalog.repositories.find(target.repository)
  if (repository === undefined)
    return { state: 'failed', detail: `there is no repository ${target?.repository ?? ''} in the catalog` }
  const of = targetOf(vm, catalog.endpoints.get(vm.endpointId))
  if (of.site !== repository.site) {
    const detail = `it is at site ${of.site}, and the repository ${repository.name} is reached from ${repository.site}`
    return { state: 'failed', detail }
  }
  const input: BackupInput = {
    ...backupSettings(catalog.policy.effective(vm, plan)),
    v: 1,
    vm: of,
    repository: repositoryRefOf(repository),
    // Also of a run that somebody started: it ages by the plan's rules, and pushes out no point that was made by hand.
    origin: 'scheduled',
    name: null,
    description: null,
    plan: plan.name,
    bandwidth: { limits: plan.bandwidth, timeZone: plan.timeZone },
    // 1 is for restores.
    priority: Math.max(2, plan.priority),
    retentionClass: vm.category,
    ...(plan.stopBefore && { stopBefore: true }),
    requestedBy,
    tuning: { operatorWaitMs: patienceMs },
  }
  return { input }
}
