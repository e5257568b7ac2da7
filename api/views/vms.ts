import type { z } from '@hono/zod-openapi'
import { formatDuration } from '../../base/index.ts'
import type { Catalog, PointView, VmView } from '../../catalog/index.ts'
import {
  copyShortages,
  isDatedAhead,
  keepFor,
  lagAllowedMs,
  mirrorLagMs,
  weaknesses,
  weaknessWords,
  type CopyShortage,
} from '../../policy/index.ts'
import { keptChecksSchema } from '../schemas/drill-checks.ts'
import type { postureSchema, vmDetailSchema, vmSchema } from '../schemas/vms.ts'
import { vmOverrideSchema } from '../schemas/policy.ts'
import { originWords, policyLines } from './policy.ts'
import { pointView } from './points.ts'
import { runView } from './runs.ts'

const words: { readonly [state in VmView['posture']['state']]: string } = {
  protected: 'Inside its RPO',
  late: 'Late: a backup is running',
  overdue: 'Overdue: no backup is running',
  failed: 'The last backup failed',
  unprotected: 'No recovery point',
  excluded: 'Left out on purpose',
}

export function postureView(vm: VmView): z.infer<typeof postureSchema> {
  const { state } = vm.posture
  const ageMs = vm.posture.ageMs === null ? null : Math.max(0, vm.posture.ageMs)
  const { rpoMs } = vm.promised
  const age =
    vm.posture.ageMs === null
      ? ''
      : isDatedAhead(vm.posture.ageMs)
        ? ` Its points are dated ${formatDuration(-vm.posture.ageMs)} ahead: how old they are is not known.`
        : ` The newest point is ${formatDuration(Math.max(0, vm.posture.ageMs))} old, promise ${formatDuration(rpoMs)}.`
  const until = vm.excludedUntilMs === null ? '' : `, until ${new Date(vm.excludedUntilMs).toISOString().slice(0, 10)}`
  const reason = state === 'excluded' && vm.excludedReason ? `: ${vm.excludedReason}${until}` : ''
  return { state, sentence: `${words[state]}${reason}.${age}`, ageMs, rpoMs: state === 'excluded' ? null : rpoMs }
}

/** `plans`: names of those that take it now. */
export function vmView(
  catalog: Catalog,
  vm: VmView,
  nowMs: number,
  plans: readonly string[],
): z.infer<typeof vmSchema> {
  const newest = catalog.points.newestValidated(vm.id)
  const last = catalog.drills.latest(vm.id)
  const { open, ended } = catalog.runs.newestOf(vm.id)
  return {
    id: vm.id,
    name: vm.name,
    hypervisorId: vm.endpointId,
    hypervisorName: vm.endpointName,
    platform: vm.platform,
    site: vm.site,
    power: vm.power,
    tags: [...vm.tags],
    sizeBytes: vm.sizeBytes,
    diskCount: vm.disks.length,
    category: vm.category,
    plans: [...plans],
    posture: postureView(vm),
    newestPoint: newest ? pointView(newest) : null,
    pointCount: catalog.points.countOf(vm.id),
    changedPerDay: catalog.points.changedPerDay(vm.id),
    lastProof: last
      ? { drillId: last.id, verdict: last.verdict, endedMs: last.endedMs, rtoSeconds: last.rtoSeconds }
      : null,
    running: open ? runView(open, nowMs) : null,
    lastRun: ended ? runView(ended, nowMs) : null,
    flags: flagsOf(vm, newest, last?.verdict, shortagesOf(catalog, vm.id).length > 0),
    seenMs: vm.seenMs,
    goneMs: vm.goneMs,
  }
}

function flagsOf(vm: VmView, newest: PointView | undefined, verdict: string | undefined, isShort: boolean): string[] {
  const skipped = vm.disks.filter((disk) => disk.skip !== null).length
  return [
    ...(vm.goneMs === null ? [] : ['gone']),
    ...(skipped > 0 ? [`${skipped} ${skipped === 1 ? 'disk' : 'disks'} left out`] : []),
    ...(newest?.change?.isSuspicious && newest.change.review === null ? ['suspicious change'] : []),
    ...(verdict === 'failed' ? ['drill failed'] : []),
    ...(newest?.consistency === 'crash' && newest.atRest === null && vm.promised.quiesce !== 'none'
      ? ['crash consistent']
      : []),
    ...(isShort ? ['too few copies'] : []),
    ...(vm.foreignSnapshots > 0 ? ['foreign snapshot'] : []),
    ...(vm.findings.some((finding) => finding.severity === 'blocking') ? ['blocked'] : []),
  ]
}

export function vmDetailView(catalog: Catalog, vm: VmView, nowMs: number): z.infer<typeof vmDetailSchema> {
  return {
    ...vmView(catalog, vm, nowMs, catalog.policy.takers()(vm)),
    disks: vm.disks.map((disk) => ({ ...disk })),
    scope: vm.scope,
    externalId: vm.externalId,
    guestAgent: vm.guestAgent,
    os: vm.os,
    foreignSnapshots: vm.foreignSnapshots,
    owner: vm.owner && { ...vm.owner, ours: vm.owner.installation === catalog.installation.get().uuid },
    findings: [...vm.findings],
    excludedReason: vm.excludedReason,
    excludedUntilMs: vm.excludedUntilMs,
    defaultRepositoryId: defaultRepositoryOf(catalog, vm.id),
    weaknesses: weaknessesOf(catalog, vm, nowMs),
    policy: policyLines(catalog, vm),
    override: vmOverrideSchema.parse(vm.override),
    revision: vm.revision,
    drillChecks: keptChecksSchema.parse(vm.drillChecks),
    drill: drillView(catalog, vm),
    createdMs: vm.createdMs,
  }
}

function drillView(catalog: Catalog, vm: VmView): z.infer<typeof vmDetailSchema>['drill'] {
  const { checks, bootTimeoutMs } = catalog.policy.drill(vm)
  return {
    checks: keptChecksSchema.parse(checks.value),
    checksFrom: originWords(checks.origin),
    bootTimeoutMs: bootTimeoutMs.value,
    bootTimeoutFrom: originWords(bootTimeoutMs.origin),
  }
}

function weaknessesOf(catalog: Catalog, vm: VmView, nowMs: number): z.infer<typeof vmDetailSchema>['weaknesses'] {
  const repository = defaultRepositoryOf(catalog, vm.id)
  const [passed] = catalog.drills.list({ limit: 1 }, { vmId: vm.id, verdict: 'passed' }).items
  const newest = catalog.points.newestValidated(vm.id)
  const found = weaknesses({
    nowMs,
    excluded: vm.excludedReason !== null || vm.goneMs !== null,
    drillEveryMs: vm.promised.drillEveryMs,
    lastPassedMs: passed?.endedMs ?? null,
    lastVerdict: catalog.drills.latest(vm.id)?.verdict ?? null,
    firstPointMs: catalog.points.firstValidatedMs(vm.id),
    newestConsistency: newest?.consistency ?? null,
    isNewestAtRest: newest !== undefined && newest.atRest !== null,
    wantsApplication: catalog.plans.find(newest?.plan ?? '')?.consistency === 'application',
    repositories: catalog.copies.repositoriesOf(vm.id),
    shortages: shortagesOf(catalog, vm.id),
    areCopiesLate: areCopiesLate(catalog, vm.id, nowMs),
    isSuspicious: catalog.changes.unreviewed(1, vm.id).total > 0,
    quiesce: vm.promised.quiesce,
    keep: catalog.policy.plansOf(vm).map((plan) => keepFor(catalog.policy.effective(vm, plan), repository ?? '').value),
    rpoMs: vm.promised.rpoMs,
  })
  return found.map((code) => ({ code, ...weaknessWords[code] }))
}

function shortagesOf(catalog: Catalog, vmId: string): CopyShortage[] {
  const copies = catalog.copyPromises.of(vmId)
  return copies === undefined ? [] : copyShortages(copies.has, copies.wants)
}

function areCopiesLate(catalog: Catalog, vmId: string, nowMs: number): boolean {
  return catalog.mirrors
    .lags(vmId)
    .some(
      ({ plan, oldestMs }) =>
        mirrorLagMs(oldestMs, nowMs) > lagAllowedMs(plan === null ? undefined : catalog.plans.last(plan)),
    )
}

/** Where its newest point was made, whoever holds it now, else the only repository there is. */
export function defaultRepositoryOf(catalog: Catalog, vmId: string): string | null {
  const newest = catalog.points.newestValidated(vmId)
  if (newest) {
    const own = catalog.copies.of(newest.id).find(({ sourceId }) => sourceId === null)
    return own?.repositoryId ?? newest.repositoryId
  }
  const { items, total } = catalog.repositories.list({ limit: 1 })
  return total === 1 ? (items[0]?.id ?? null) : null
}
