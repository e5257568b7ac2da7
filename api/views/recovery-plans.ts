import type { z } from '@hono/zod-openapi'
import { HoldfastError } from '../../base/index.ts'
import {
  isSameDefinition,
  originalFacts,
  planSpecOf,
  type Catalog,
  type RecoveryPlanView,
  type RecoveryRunRow,
} from '../../catalog/index.ts'
import type { TierRecord } from '../../catalog/types.ts'
import { originalProblems, recoveryProblems, recoveryStages, unitedMs, type RecoverySpec } from '../../policy/index.ts'
import { rehearsalsOf } from '../rehearsals.ts'
import type { recoveryCheckSchema, recoveryPlanSchema, recoveryRunSchema } from '../schemas/recovery-plans.ts'

type Check = z.infer<typeof recoveryCheckSchema>
type Finding = Check['findings'][number]

/** The order of its tiers, and all that would keep a VM from coming back. */
export function planCheck(catalog: Catalog, spec: RecoverySpec): Check {
  const problems = recoveryProblems(spec)
  const findings = problems.map(({ at, message }): Finding => ({ at, severity: 'blocking', message, hint: '' }))
  const say = (at: string, severity: Finding['severity'], message: string, hint: string): void =>
    void findings.push({ at, severity, message, hint })
  const place = (at: string, id: string | null): void => {
    if (id !== null && catalog.endpoints.find(id) === undefined)
      say(at, 'blocking', `there is no hypervisor ${id}`, 'List them with `holdfast hypervisor list`.')
  }
  place('hypervisorId', spec.hypervisorId)
  for (const [index, { members, needs }] of spec.tiers.entries())
    for (const [number, { vmId, hypervisorId }] of members.entries()) {
      const at = `tiers.${index}.members.${number}`
      place(`${at}.hypervisorId`, hypervisorId)
      const vm = catalog.vms.find(vmId)
      if (vm === undefined) {
        say(at, 'blocking', `there is no VM ${vmId}`, 'List them with `holdfast vms`.')
        continue
      }
      if (catalog.points.newestValidated(vmId) === undefined)
        say(at, 'warning', `${vm.name} has no whole point: it cannot come back`, `holdfast backup ${vmId}`)
      if (needs === 'checks' && catalog.policy.drill(vm).checks.value.length === 0)
        say(
          ...([at, 'warning', `${vm.name} is asked nothing, so its tier stops and asks a person`] as const),
          `Set its checks, holdfast drill-checks ${vmId}, or let the tier wait for its answer only.`,
        )
    }
  return { stages: problems.length === 0 ? recoveryStages(spec.tiers) : [], findings }
}

export function recoveryPlanView(
  catalog: Catalog,
  plan: RecoveryPlanView,
  nowMs: number,
): z.infer<typeof recoveryPlanSchema> {
  const { id, name, revision, createdMs, changedMs } = plan
  const { recoveryRuns } = catalog
  const last = (filter: Parameters<typeof recoveryRuns.newest>[1]) => {
    const row = recoveryRuns.newest(id, filter)
    if (row === undefined) return null
    const { runId, state, startedMs, endedMs } = row
    const isCurrent = isSameDefinition(row.spec, plan)
    return { ...{ runId, state, startedMs, endedMs, isCurrent }, skipped: hasSkipped(row), rtoMs: promisedRtoOf(row) }
  }
  const lastPassed = last({ mode: 'rehearse', state: 'passed', definition: plan })
  const { dueMs } = rehearsalsOf(catalog, plan)
  return {
    ...{
      id,
      revision,
      createdMs,
      changedMs,
      spec: specView({ name, ...planSpecOf(plan) }),
      check: planCheck(catalog, plan),
    },
    vms: plan.tiers.flatMap(({ members }) => members).length,
    ...{ lastRehearsal: last({ mode: 'rehearse' }), lastPassed, lastRun: last({ mode: 'run' }) },
    running: recoveryRuns.openRuns().find(({ planId }) => planId === id)?.runId ?? null,
    ...{ dueMs, isOverdue: dueMs !== null && dueMs < nowMs },
    originals: originalsThere(catalog, plan),
  }
}

/** As the catalog last knew them; a run for real looks itself. */
function originalsThere(catalog: Catalog, { tiers }: RecoverySpec): z.infer<typeof recoveryPlanSchema>['originals'] {
  return tiers
    .flatMap(({ members }) => members)
    .flatMap(({ vmId }) => {
      const vm = catalog.vms.find(vmId)
      if (vm === undefined) return []
      const facts = originalFacts(catalog, vm, {
        seen: { state: vm.goneMs === null ? vm.power : 'gone' },
        pointMs: catalog.points.newestValidated(vmId)?.createdMs ?? null,
        isOfThePast: false,
      })
      const problems = originalProblems(facts)
      return problems.length === 0 ? [] : [{ vmId, vmName: vm.name, problems }]
    })
}

/** Throws AlreadyRunning: nobody takes a plan away from its run. */
export function requireEnded({ recoveryRuns }: Pick<Catalog, 'recoveryRuns'>, planId: string, name: string): void {
  if (recoveryRuns.openRuns().some((run) => run.planId === planId))
    throw new HoldfastError('AlreadyRunning', `${name} is under way`)
}

/** Lists that a client may change. */
function specView(spec: RecoverySpec): z.infer<typeof recoveryPlanSchema>['spec'] {
  return {
    ...spec,
    networks: [...spec.networks],
    tiers: spec.tiers.map((tier) => ({
      ...tier,
      after: tier.after === null ? null : [...tier.after],
      ...{ before: [...tier.before], then: [...tier.then], members: [...tier.members] },
    })),
  }
}

export function recoveryRunView(
  catalog: Catalog,
  run: RecoveryRunRow,
  nowMs: number,
): z.infer<typeof recoveryRunSchema> {
  const { spec: _, tiers, ...row } = run
  const members = tiers.flatMap((tier) => tier.members)
  return {
    ...row,
    rtoMs: rtoOf(run),
    waitedMs: waitedMsOf(tiers),
    back: members.filter(({ state, wasBack }) => state === 'ready' || state === 'kept' || wasBack === true).length,
    vms: members.length,
    tiers: tiers.map((tier) => tierView(catalog, run, tier, nowMs)),
  }
}

/** Runs of earlier versions did not say when each wait was. */
function waitedMsOf(tiers: readonly TierRecord[]): number {
  const told = tiers.flatMap(({ waits = [] }) => waits)
  const untold = tiers.reduce((sum, { waits, waitedMs }) => sum + (waits === undefined ? waitedMs : 0), 0)
  return unitedMs(told) + untold
}

function tierView(
  catalog: Catalog,
  run: RecoveryRunRow,
  { waits: _, ...tier }: TierRecord,
  nowMs: number,
): z.infer<typeof recoveryRunSchema>['tiers'][number] {
  const { startedMs, endedMs, answers, members } = tier
  const sinceStartMs = endedMs === null ? null : endedMs - run.startedMs
  return {
    ...tier,
    tookMs: startedMs === null || endedMs === null ? null : endedMs - startedMs,
    sinceStartMs,
    isInTime: isInTime(run, tier, nowMs),
    answers: [...answers],
    members: members.map(({ workflowId, wasBack: __, residue = [], original = '', ...member }) => ({
      ...{ ...member, original, residue: [...residue] },
      runId: workflowId === null ? null : (catalog.runs.latest(workflowId)?.runId ?? null),
    })),
  }
}

/**
 * Whether a tier was done when it was promised. Late is told as soon as it is; null: not yet, the run ended before, or people
 * were left out, whose time belongs to it. One that somebody went on from without its VMs was not done.
 */
export function isInTime(
  run: Pick<RecoveryRunRow, 'startedMs' | 'endedMs' | 'withoutPeople' | 'spec'>,
  { rtoMs, endedMs, state }: Pick<TierRecord, 'rtoMs' | 'endedMs' | 'state'>,
  nowMs: number,
): boolean | null {
  if (rtoMs === null) return null
  if ((endedMs ?? run.endedMs ?? nowMs) - run.startedMs > rtoMs) return false
  if (endedMs === null) return null
  if (state === 'continued') return false
  return hasSkipped(run) ? null : true
}

/** null: a tier is not done, or was gone on from without some of its VMs. */
export function rtoOf({ tiers, startedMs }: Pick<RecoveryRunRow, 'tiers' | 'startedMs'>): number | null {
  if (!tiers.every(({ state, endedMs }) => state === 'done' && endedMs !== null)) return null
  return Math.max(...tiers.map(({ endedMs }) => (endedMs ?? startedMs) - startedMs))
}

/** What the plan takes on the day itself; null: also where people were left out, whose time belongs to it. */
export function promisedRtoOf(run: RecoveryRunRow): number | null {
  return hasSkipped(run) ? null : rtoOf(run)
}

function hasSkipped({ withoutPeople, spec: { tiers } }: Pick<RecoveryRunRow, 'withoutPeople' | 'spec'>): boolean {
  return withoutPeople && tiers.some(({ before, then }) => before.length + then.length > 0)
}
