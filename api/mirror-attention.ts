import type { z } from '@hono/zod-openapi'
import { formatDuration, shellWord } from '../base/index.ts'
import { lagAllowedMs, mirrorLagMs } from '../policy/index.ts'
import type { PlanLag } from '../catalog/index.ts'
import type { ApiDeps } from './deps.ts'
import type { attentionSchema } from './schemas/overview.ts'

type Attention = z.infer<typeof attentionSchema>
type Deps = Pick<ApiDeps, 'catalog' | 'now'>

const shown = 200
const unplanned = 'points that no plan made'

/** Mirrors that are further behind than their plan allows, copies that failed and are not told by that, and damaged ones. */
export function mirrorTrouble(deps: Deps): Attention[] {
  const { catalog } = deps
  const late = lateOf(deps)
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
      action: { label: 'Try again now', command: mirrorCommand(one) },
    }))
  const byTarget = Map.groupBy(late, ({ targetId }) => targetId)
  return [...[...byTarget.values()].flatMap((lags) => behind(deps, lags)), ...failed, ...damagedCopies(deps)]
}

interface Late extends PlanLag {
  readonly lagMs: number
  readonly allowedMs: number
}

/** Longest behind first. */
function lateOf({ catalog, now }: Deps): Late[] {
  const isExpected = catalog.shipments.underWay(now())
  return catalog.mirrors.lags(shown).flatMap((lag) => {
    // It comes by post, and is told again from the day on that somebody expects it.
    if (isExpected(lag)) return []
    const known = lag.plan === null ? undefined : catalog.plans.last(lag.plan)
    const late = { ...lag, lagMs: mirrorLagMs(lag.oldestMs, now()), allowedMs: lagAllowedMs(known) }
    return late.lagMs > late.allowedMs ? [late] : []
  })
}

/** Of one repository: however many plans wait for it, it is one thing that lags. */
function behind(deps: Deps, [worst, ...others]: readonly Late[]): Attention[] {
  if (worst === undefined) return []
  const apart = apartOf(deps, worst)
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
      title: `${targetName} is behind for ${name}`,
      detail: `${points} not there yet: ${since} has been waiting for ${formatDuration(lagMs)}, longer than ${allowed}.${also}${apart?.why ?? ''}`,
      sinceMs: Math.min(oldestMs + allowedMs, deps.now()),
      subject: { kind: 'repository', id: targetId },
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
  const ofRepository = Map.groupBy(catalog.copies.damaged(shown), ({ repositoryId }) => repositoryId)
  return [...ofRepository.values()].flatMap((all): Attention[] => {
    const [first] = all
    if (first === undefined) return []
    const { repositoryId, repositoryName, vmId, vmName, pointId, damagedMs, damage } = first
    const what = all.length === 1 ? `The copy of a point of ${vmName}` : `Copies of ${all.length} points`
    return [
      {
        kind: 'copy-damaged',
        severity: 'attention',
        title: `${what} in ${repositoryName} ${all.length === 1 ? 'is' : 'are'} damaged`,
        detail: `${damage ?? 'See the point'}. Another repository holds ${all.length === 1 ? 'it' : 'them'} whole, and restores read that.`,
        sinceMs: damagedMs,
        subject: { kind: 'repository', id: repositoryId },
        action: { label: 'See the point', command: `holdfast points ${shellWord(vmId)} --point ${shellWord(pointId)}` },
      },
    ]
  })
}

function mirrorCommand({ sourceId, targetId }: Pick<PlanLag, 'sourceId' | 'targetId'>): string {
  return `holdfast mirror ${shellWord(sourceId)} ${shellWord(targetId)}`
}
