import { createHash } from 'node:crypto'
import { hostname } from 'node:os'
import {
  HoldfastError,
  describeError,
  isErrorCode,
  isHoldfastError,
  millis,
  toHoldfastError,
} from '../../base/index.ts'
import { allDisks, isFullDue, leftOut } from '../../policy/index.ts'
import type { DiskRequest, Finding, PointId, TrackerId, VmFacts, VmRef } from '../../drivers/values.ts'
import type { OpContext, HypervisorDriver } from '../../drivers/index.ts'
import type { PointEntry, PointInfo, Repository, SeriesOwners } from '../../repository/index.ts'
import type { Site } from '../shared/deps.ts'
import { operate } from '../shared/operation.ts'
import { claimSeries, claimVm, ignoredMark, refuseForeign } from './owner.ts'
import { parseRef } from './change-ref.ts'
import { ordinalOf } from './commit.ts'
import type { PlannedDisk, PreflightInput, PreflightResult } from './types.ts'

interface RepositoryView {
  readonly repositoryId: string
  readonly series: string
  readonly parent: PointInfo | null
  /** The newest point is one that must not be built on. */
  readonly parentDamaged: boolean
  readonly owners: SeriesOwners
}

/**
 * Everything that can be known before the guest is touched: who owns the VM, which disks, what the parent is, what the
 * driver and the repository object to. All problems at once.
 */
export async function preflight(site: Site, input: PreflightInput): Promise<PreflightResult> {
  return operate(
    site,
    { endpoint: input.endpoint, operation: input.pointId, vm: input.vm },
    async ({ driver, ctx }) => {
      const [hypervisor, view] = await Promise.allSettled([
        lookAtVm(driver, ctx, input.vm),
        site.repository(input.repository, (repository) => lookAtRepository(repository, input, ctx.signal)),
      ])
      if (hypervisor.status === 'rejected' || view.status === 'rejected') throw bothProblems(hypervisor, view)
      // Of both before either is marked: who is refused by one must not block the other.
      refuseForeign(site, input, hypervisor.value.facts.owner, view.value.owners)
      await claimVm(site, driver, ctx, input)
      const planned = await plan(driver, ctx, input, hypervisor.value, view.value)
      await site.repository(input.repository, (repository) => claimSeries(site, repository, input, ctx.signal))
      return planned
    },
  )
}

async function lookAtVm(
  driver: HypervisorDriver,
  ctx: OpContext,
  vm: VmRef,
): Promise<{
  readonly facts: VmFacts
  readonly version: string
  readonly needsEnabling: boolean
  readonly canStop: boolean
}> {
  const { version, capabilities } = await driver.probe(ctx)
  let facts: VmFacts | undefined
  for await (const found of driver.discover(ctx, [vm.id])) if (found.vm.id === vm.id) facts = found
  if (facts === undefined)
    throw new HoldfastError('NotFound', `${vm.name} (${vm.id}) is not at ${driver.endpoint.address} any more`)
  return { facts, version, needsEnabling: capabilities.trackingNeedsEnable, canStop: capabilities.cleanStop }
}

async function lookAtRepository(
  repository: Repository,
  { vm, damaged }: PreflightInput,
  signal: AbortSignal,
): Promise<RepositoryView> {
  const series = repository.series({ platform: vm.platform, scope: vm.scope, vm: vm.id })
  const newest = await newestPoint(repository, series, signal)
  const owners = await repository.owners(series, signal)
  const view = { repositoryId: repository.id, series, owners }
  if (newest === null) return { ...view, parent: null, parentDamaged: false }
  if (damaged.includes(newest.snap)) return { ...view, parent: null, parentDamaged: true }
  await using point = await repository.openPoint(newest.stem)
  return { ...view, parent: point.info, parentDamaged: false }
}

/** The newest recovery point of the series is the parent; tombstoned and unvalidated ones are none. */
async function newestPoint(repository: Repository, series: string, signal: AbortSignal): Promise<PointEntry | null> {
  for await (const entry of repository.listPoints({ series, signal }))
    if (entry.state === 'recovery-point') return entry
  return null
}

async function plan(
  driver: HypervisorDriver,
  ctx: OpContext,
  input: PreflightInput,
  { facts, version, needsEnabling, canStop }: Awaited<ReturnType<typeof lookAtVm>>,
  view: RepositoryView,
): Promise<PreflightResult> {
  const tracker = trackerOf(input.vm, view.repositoryId)
  const judged = facts.disks.map((disk) => ({ ...disk, skip: disk.skip ?? leftOut(input.selection ?? allDisks, disk) }))
  const wanted = judged.filter(({ skip }) => skip === null)
  const nowMs = Date.parse(ctx.now())
  const requests = wanted.map(({ key }): DiskRequest => {
    if (view.parentDamaged) return { disk: key, since: null, full: 'parent-damaged' }
    return atFullInterval(requestFor(key, input.mode, tracker, view.parent), input.fullInterval, nowMs)
  })
  const warnings: Finding[] = view.owners.ignored.map(ignoredMark)
  if (needsEnabling) warnings.push(...(await enableTracking(driver, ctx, input.vm, wanted)))
  const { findings, disks } = await driver.preflight(ctx, input.vm, {
    pointId: input.pointId,
    tracker,
    want: input.want,
    onQuiesceFailure: input.onQuiesceFailure,
    freezeLimit: millis(input.freezeLimitMs),
    audit: false,
    disks: requests,
    hooks: input.hooks ?? [],
  })
  const cannotStop = input.stopBefore === true && !canStop && facts.power !== 'stopped' ? [noCleanStop] : []
  refuseIfBlocked(input.vm.name, [...facts.findings, ...cannotStop, ...findings])
  warnings.push(...[...facts.findings, ...findings].filter(({ severity }) => severity === 'warning'))
  const planned = requests.map((request): PlannedDisk => {
    const seen = disks.find(({ disk }) => disk.key === request.disk)
    // Between two looks: a point without it would pass for whole.
    if (seen === undefined)
      throw new HoldfastError('Busy', `disk ${request.disk} of ${input.vm.name} was there a moment ago, and is not`, {
        hint: 'It may have been unplugged just now: the backup is tried again without it.',
        retryAfter: 10_000,
      })
    return { disk: seen.disk, since: request.since, full: request.full, mode: seen.mode, why: seen.why }
  })
  return {
    series: view.series,
    tracker,
    parent: view.parent && {
      stem: view.parent.stem,
      pointId: view.parent.snap as PointId,
      createdMs: view.parent.createdMs,
    },
    ordinal: view.parent === null ? 0 : ordinalOf(view.parent) + 1,
    disks: planned,
    skipped: judged.flatMap(({ key, label, skip }) => (skip === null ? [] : [{ disk: key, label, why: skip }])),
    warnings: warnings.slice(0, 20),
    tags: facts.tags,
    hypervisor: { platform: input.vm.platform, version, host: hostname() },
  }
}

const noCleanStop: Finding = {
  code: 'Unsupported',
  severity: 'blocking',
  disk: null,
  message: 'it is to be shut down for its backup, and its hypervisor cannot do that',
  hint: 'Back it up without the stop, or shut it down by hand before.',
}

/** What could not be looked up forces nothing: a catalog that is away would otherwise make every backup a full one. */
export function atFullInterval(
  request: DiskRequest,
  interval: PreflightInput['fullInterval'],
  nowMs: number,
): DiskRequest {
  if (request.full !== null || interval === undefined || interval.lastFulls === null) return request
  const last = interval.lastFulls.find(({ disk }) => disk === request.disk)
  return isFullDue(interval.everyMs, last?.createdMs, nowMs)
    ? { ...request, since: null, full: 'full-interval' }
    : request
}

/** One tracker per VM and repository: each repository is a chain of its own, and none breaks the other's. */
function trackerOf(vm: VmRef, repositoryId: string): TrackerId {
  const text = JSON.stringify(['tracker', vm.platform, vm.scope, vm.id, repositoryId])
  return createHash('sha256').update(text).digest('hex').slice(0, 32) as TrackerId
}

/** The parent's reference counts only if it stands for the parent itself (R4, rulings 5). */
export function requestFor(
  disk: DiskRequest['disk'],
  mode: 'auto' | 'full',
  tracker: TrackerId,
  parent: Pick<PointInfo, 'snap' | 'disks'> | null,
): DiskRequest {
  if (mode === 'full') return { disk, since: null, full: 'asked-by-operator' }
  const before = parent?.disks.find(({ id }) => id === disk)
  if (parent === null || before === undefined) return { disk, since: null, full: 'no-parent' }
  const since = parseRef(before.changeRef)
  if (since === null) return { disk, since: null, full: 'reference-missing' }
  if (since.point !== parent.snap || since.tracker !== tracker)
    return { disk, since: null, full: 'reference-of-another-point' }
  return { disk, since, full: null }
}

async function enableTracking(
  driver: HypervisorDriver,
  ctx: OpContext,
  vm: VmRef,
  disks: readonly { readonly key: DiskRequest['disk'] }[],
): Promise<readonly Finding[]> {
  try {
    await driver.enableTracking(
      ctx,
      vm,
      disks.map(({ key }) => key),
    )
    return []
  } catch (error) {
    if (!isHoldfastError(error) || !['AccessDenied', 'Unsupported'].includes(error.code)) throw error
    // The disks go full and the run goes on; the reason is shown.
    return [{ code: error.code, severity: 'warning', disk: null, message: error.message, hint: error.hint }]
  }
}

export function refuseIfBlocked(name: string, findings: readonly Finding[]): void {
  const blocking = findings.filter(({ severity }) => severity === 'blocking')
  const [first] = blocking
  if (first === undefined) return
  const code = blocking.length === 1 && isErrorCode(first.code) ? first.code : 'PreflightBlocked'
  const list = blocking.map(({ disk, message }) => (disk === null ? message : `${disk}: ${message}`)).join('; ')
  throw new HoldfastError(code, `${name}: ${list}`, {
    hint: blocking.map(({ hint }) => hint).join(' '),
    data: { findings: blocking.slice(0, 5).map(({ code: kind, disk, message }) => ({ kind, disk, message })) },
  })
}

function bothProblems(...looks: readonly PromiseSettledResult<unknown>[]): HoldfastError {
  const errors = looks.flatMap((look) => (look.status === 'rejected' ? [toHoldfastError(look.reason)] : []))
  const [first, second] = errors
  if (first === undefined) return new HoldfastError('Internal', 'preflight failed without an error')
  if (second === undefined) return first
  return new HoldfastError(first.code, errors.map(describeError).join('; and '), {
    hint: errors.map(({ hint }) => hint).join(' '),
    cause: new AggregateError(errors),
  })
}
