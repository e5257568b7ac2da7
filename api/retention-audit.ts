import { setImmediate } from 'node:timers/promises'
import { formatDuration } from '../base/index.ts'
import type { Catalog, RetentionAuditRow, RetentionDeviation } from '../catalog/index.ts'
import { Rulebook, sweepOverdueAfterMs } from '../policy/index.ts'
import type { Attention } from './attention.ts'
import { guardsOf, stayingBy } from './policy/removals.ts'
import { vanishedToldMs } from './watched.ts'

const dayMs = 86_400_000
/** Deviations that an audit names; it counts all. */
const mostNamed = 500
const atOnce = 50

/** Whether the daily audit of a repository is to be made. */
export function isAuditDue(catalog: Catalog, repositoryId: string, nowMs: number): boolean {
  const lastMs = catalog.retentionAudits.lastMs(repositoryId)
  // A clock that was ahead must not stop it for as long as it was wrong.
  return lastMs === null || nowMs < lastMs || nowMs - lastMs >= dayMs
}

/**
 * Policy against reality (product P-AUDIT), by what the catalog knows of a repository: what a sweep was to take, is there
 * still, and neither a rule nor anything else keeps by now; what vanished although a rule keeps it; whether sweeps come to
 * their end. Written down, and returned. `sweepsAreDue`: somebody or something sweeps every day.
 */
export async function auditRetention(
  catalog: Catalog,
  repositoryId: string,
  { nowMs, sweepsAreDue }: { readonly nowMs: number; readonly sweepsAreDue: boolean },
): Promise<RetentionAuditRow> {
  const { retentionAudits } = catalog
  const left = Map.groupBy(retentionAudits.left(repositoryId), ({ vmId }) => vmId)
  const suspects = new Set([...retentionAudits.vmsWithVanished(repositoryId), ...left.keys()])
  const found: RetentionDeviation[] = []
  if (suspects.size > 0) {
    const rulebook = new Rulebook(catalog.retained.rulesSource(repositoryId))
    const guards = guardsOf(catalog, repositoryId)
    let looked = 0
    for (const vmId of suspects) {
      // Requests of others are served in between.
      if ((looked += 1) % atOnce === 0) await setImmediate()
      const points = retentionAudits.pointsOf(repositoryId, vmId)
      // As if what vanished were there: it may be what a rule counts.
      const promised = stayingBy(rulebook, points, guards, nowMs)
      const standing = stayingBy(
        rulebook,
        points.filter(({ goneMs }) => goneMs === null),
        guards,
        nowMs,
      )
      const why = new Map(left.get(vmId)?.map((point) => [point.stem, point.why]))
      for (const audited of points) {
        const { stem, pointId, timeMs, vmName, goneMs } = audited
        const policy = rulebook.ofPoint(audited, stem)
        const point = { vmId, vmName, pointId, timeMs, policy: policy?.policy ?? null }
        // Points of which no policy is known stay in a sweep, and are promised to nobody.
        if (goneMs !== null && (policy?.rules ?? null) !== null && promised.has(stem))
          found.push({
            kind: 'vanished',
            ...point,
            goneMs,
            why: `it was not found any more on ${new Date(goneMs).toISOString().slice(0, 10)}`,
          })
        else if (goneMs === null && why.has(stem) && !standing.has(stem))
          found.push({ kind: 'kept', ...point, why: why.get(stem) ?? 'the last sweep did not come to it' })
      }
    }
  }
  const sweptMs = retentionAudits.sweptMs(repositoryId)
  const sinceMs = sweptMs ?? catalog.repositories.get(repositoryId).createdMs
  const overdueAfterMs = sweepOverdueAfterMs(catalog.sweepSettings.of(repositoryId))
  if (sweepsAreDue && nowMs - sinceMs > overdueAfterMs) found.push(overdue(sweptMs, nowMs - sinceMs))
  const of = (kind: RetentionDeviation['kind']): number => found.filter((one) => one.kind === kind).length
  const row: RetentionAuditRow = {
    ...{ repositoryId, ms: nowMs, ...retentionAudits.counts(repositoryId), sweptMs },
    ...{ kept: of('kept'), vanished: of('vanished'), overdue: of('overdue') },
    deviations: found.slice(0, mostNamed),
  }
  retentionAudits.record(row)
  return row
}

function overdue(sweptMs: number | null, ms: number): RetentionDeviation {
  const point = { vmId: null, vmName: null, pointId: null, timeMs: null, policy: null }
  const why =
    sweptMs === null ? 'no sweep ever came to its end' : `no sweep has come to its end for ${formatDuration(ms)}`
  return { kind: 'overdue', ...point, why }
}

/** What the last audit of each repository found; each kind by itself, so that one that stays does not hide another that comes. */
export function retentionTrouble(catalog: Catalog, nowMs: number): Attention[] {
  return catalog.own.backups().flatMap(({ repositoryId }): Attention[] => {
    const [audit] = catalog.retentionAudits.list(repositoryId, 1)
    if (audit === undefined) return []
    const { name } = catalog.repositories.get(repositoryId)
    const common = {
      severity: 'attention',
      sinceMs: audit.ms,
      subject: { kind: 'repository', id: repositoryId },
      action: { label: 'Look at them', command: `holdfast retention check ${repositoryId}` },
    } as const
    const only = { kept: 0, vanished: 0, overdue: 0 }
    const told = { ...audit, vanished: recentlyVanished(audit, nowMs) }
    return (['kept', 'vanished', 'overdue'] as const)
      .filter((kind) => told[kind] > 0)
      .map((kind) => ({
        ...common,
        kind: `retention-${kind}` as const,
        title: titles[kind](name),
        detail: `${sentenceOf({ ...told, ...only, [kind]: told[kind] })}.`,
      }))
  })
}

const titles: { readonly [kind in RetentionDeviation['kind']]: (repository: string) => string } = {
  kept: (name) => `${name} keeps points that no rule keeps`,
  vanished: (name) => `Points that a rule keeps are gone from ${name}`,
  overdue: (name) => `The retention sweeps of ${name} are overdue`,
}

/** An audit names what vanished for as long as a rule would keep it, which may be years; somebody is told for a month. */
function recentlyVanished({ vanished, deviations }: RetentionAuditRow, nowMs: number): number {
  const old = deviations.filter(({ goneMs }) => goneMs !== undefined && nowMs - goneMs > vanishedToldMs)
  return vanished - old.length
}

export function sentenceOf({ points, kept, vanished, overdue: late, deviations }: RetentionAuditRow): string {
  const parts = [
    ...(kept > 0 ? [`${kept} kept that no rule and no hold keeps`] : []),
    ...(vanished > 0 ? [`${vanished} gone that a rule keeps`] : []),
    ...(late > 0 ? [deviations.find(({ kind }) => kind === 'overdue')?.why ?? 'sweeps are overdue'] : []),
  ]
  return `${points.toLocaleString('en-US')} points checked: ${parts.length === 0 ? 'all as the policies say' : parts.join(', ')}`
}
