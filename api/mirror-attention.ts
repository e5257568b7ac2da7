import type { z } from '@hono/zod-openapi'
import { formatDuration, formatInstant, shellWord } from '../base/index.ts'
import { lagAllowedMs, mirrorLagMs } from '../policy/index.ts'
import type { PlanLag, ShipmentRow } from '../catalog/index.ts'
import type { ApiDeps } from './deps.ts'
import type { attentionSchema } from './schemas/overview.ts'

type Attention = z.infer<typeof attentionSchema>
type Deps = Pick<ApiDeps, 'catalog' | 'now'>

const unplanned = 'points that no plan made'

/** Mirrors that are further behind than their plan allows, copies that failed and are not told by that, and damaged ones. */
export function mirrorTrouble(deps: Deps): Attention[] {
  const { catalog, now } = deps
  const isExpected = catalog.shipments.underWay(now())
  // What comes by post is told again from the day on that somebody expects it.
  const late = lateOf(deps).filter((lag) => !isExpected(lag))
  const told = new Set(late.map(({ sourceId, targetId }) => `${sourceId} ${targetId}`))
  const failed = catalog.mirrors
    .failing()
    .filter((one) => !told.has(`${one.sourceId} ${one.targetId}`))
    .map((one): Attention => ({
      kind: 'copy-failed',
      severity: 'attention',
      title: `${one.failed} ${one.failed === 1 ? 'point' : 'points'} could not be copied to ${one.targetName}`,
      detail: `From ${one.sourceName}. It is tried again by itself; the page of each point says why it failed.`,
      sinceMs: one.oldestMs,
      subject: { kind: 'repository', id: one.targetId },
      part: one.oldestId,
      action: { label: 'Try again now', command: mirrorCommand(one) },
    }))
  const byTarget = Map.groupBy(late, ({ targetId }) => targetId)
  return [...[...byTarget.values()].flatMap((lags) => behind(deps, lags)), ...failed, ...damagedCopies(deps)]
}

interface Late extends PlanLag {
  readonly lagMs: number
  readonly allowedMs: number
}

/** Whether something is not there that should be by now, wherever it is meanwhile: media on their way are no copy yet. */
export function isMirrorLate(deps: Deps, targetId: string): boolean {
  return lateOf(deps).some((late) => late.targetId === targetId)
}

/** Until when media were expected that have not arrived, of what is late in a repository; null: none are overdue. */
export function mediaOverdueMs(deps: Deps, targetId: string): number | null {
  const until = overdueMedia(
    deps,
    lateOf(deps).filter((late) => late.targetId === targetId),
  ).map(({ untilMs }) => untilMs)
  return until.length === 0 ? null : Math.max(...until)
}

function overdueMedia({ catalog, now }: Deps, lags: readonly PlanLag[]): ShipmentRow[] {
  return catalog.shipments
    .list()
    .filter(
      ({ sourceId, targetId, untilMs }) =>
        untilMs <= now() && lags.some((one) => one.sourceId === sourceId && one.targetId === targetId),
    )
}

/** Longest behind first, also what comes by post. */
function lateOf({ catalog, now }: Deps): Late[] {
  return catalog.mirrors.lags().flatMap((lag) => {
    const known = lag.plan === null ? undefined : catalog.plans.last(lag.plan)
    const late = { ...lag, lagMs: mirrorLagMs(lag.oldestMs, now()), allowedMs: lagAllowedMs(known) }
    return late.lagMs > late.allowedMs ? [late] : []
  })
}

/** Of one repository: however many plans wait for it, it is one thing that lags. */
function behind(deps: Deps, lags: readonly Late[]): Attention[] {
  const [worst, ...others] = lags
  if (worst === undefined) return []
  const apart = apartOf(deps, worst)
  const media = overdueMedia(deps, lags).map(
    ({ untilMs, note }) => ` Media${note === '' ? '' : ` (${note})`} were expected by ${formatInstant(untilMs)}.`,
  )
  const { plan, targetId, targetName, lagMs, allowedMs, oldestMs } = worst
  const points = worst.behind === 1 ? '1 point is' : `${worst.behind} points are`
  const since = worst.behind === 1 ? 'it' : 'the oldest'
  const name = plan ?? unplanned
  const also =
    others.length === 0 ? '' : ` Behind too: ${[...new Set(others.map((one) => one.plan ?? unplanned))].join(', ')}.`
  const allowed = plan === null ? formatDuration(allowedMs) : `${plan} takes to make the next`
  return [
    {
      kind: 'mirror-lag',
      severity: 'attention',
      title: `${targetName} is behind for ${name}${media.length > 0 ? ': media have not arrived' : ''}`,
      detail: `${points} not there yet: ${since} has been waiting for ${formatDuration(lagMs)}, longer than ${allowed}.${media.join('')}${also}${apart?.why ?? ''}`,
      sinceMs: Math.min(oldestMs + allowedMs, deps.now()),
      subject: { kind: 'repository', id: targetId },
      part: worst.oldestId,
      action: apart?.action ?? { label: 'Copy now', command: mirrorCommand(worst) },
    },
  ]
}

/** Two that no worker reaches both: nothing is copied between them, whoever asks. null: some worker may. */
function apartOf({ catalog }: Deps, { sourceId, targetId }: PlanLag) {
  const [source, target] = [catalog.repositories.find(sourceId), catalog.repositories.find(targetId)]
  if (source === undefined || target === undefined || source.site === target.site) return null
  const why = ` Nothing is copied: ${source.name} is reached from ${source.site}, ${target.name} from ${target.site}.`
  const command = `holdfast repository set ${shellWord(targetId)} --site ${shellWord(source.site)}`
  return { why, action: { label: 'Let one site reach both', command } }
}

/** A damaged point of which no repository has a whole copy is told as such. */
function damagedCopies({ catalog }: Deps): Attention[] {
  return catalog.copies
    .damaged()
    .map(({ repositoryId, repositoryName, vmId, vmName, pointId, damagedMs, damage, copies }) => ({
      kind: 'copy-damaged',
      severity: 'attention',
      title: `${copies === 1 ? `The copy of a point of ${vmName}` : `Copies of ${copies} points`} in ${repositoryName} ${copies === 1 ? 'is' : 'are'} damaged`,
      detail: `${damage ?? 'See the point'}. Another repository holds ${copies === 1 ? 'it' : 'them'} whole, and restores read that.`,
      sinceMs: damagedMs,
      subject: { kind: 'repository', id: repositoryId },
      action: { label: 'See the point', command: `holdfast points ${shellWord(vmId)} --point ${shellWord(pointId)}` },
    }))
}

function mirrorCommand({ sourceId, targetId }: Pick<PlanLag, 'sourceId' | 'targetId'>): string {
  return `holdfast mirror ${shellWord(sourceId)} ${shellWord(targetId)}`
}
