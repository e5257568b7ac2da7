import type { z } from '@hono/zod-openapi'
import type {
  Catalog,
  CollectionRow,
  HoldRow,
  RetentionAuditRow,
  SweepPointView,
  SweepSeriesRow,
  SweepView,
} from '../../catalog/index.ts'
import type { holdSchema } from '../schemas/holds.ts'
import { sentenceOf } from '../retention-audit.ts'
import type {
  collectionSchema,
  retentionAuditSchema,
  sweepPointSchema,
  sweepSchema,
  sweepSeriesSchema,
  sweepSettingsSchema,
} from '../schemas/retention.ts'

export function sweepView({ ...sweep }: SweepView): z.infer<typeof sweepSchema> {
  const { confirmedMs: _, ...rest } = sweep
  return { ...rest, policies: [...rest.policies] }
}

export function sweepSeriesView({ runId: _, ...series }: SweepSeriesRow): z.infer<typeof sweepSeriesSchema> {
  return series
}

export function sweepPointView({ runId: _, ...point }: SweepPointView): z.infer<typeof sweepPointSchema> {
  return { ...point, keptBy: [...point.keptBy] }
}

export function collectionView({ report, repositoryId: _, ...row }: CollectionRow): z.infer<typeof collectionSchema> {
  return { ...row, ...report, notes: [...report.notes] }
}

export function retentionAuditView(audit: RetentionAuditRow): z.infer<typeof retentionAuditSchema> {
  return { ...audit, sentence: sentenceOf(audit), deviations: audit.deviations.map(({ goneMs: _, ...one }) => one) }
}

export function sweepSettingsView(
  { sweepSettings, sweeps }: Catalog,
  repositoryId: string | null,
): z.infer<typeof sweepSettingsSchema> {
  return {
    repositoryId,
    holds: sweepSettings.of(repositoryId),
    own: sweepSettings.own(repositoryId),
    wasApproved: repositoryId !== null && sweeps.wasApproved(repositoryId),
  }
}

export function holdView({ name, repositoryId, type, actor, reason, ms }: HoldRow): z.infer<typeof holdSchema> {
  return { name, repositoryId, type, actor, reason, ms }
}

export const auditColumns = [
  'vm',
  'point',
  'time',
  'origin',
  'policy',
  'rules',
  'state',
  'kept_by',
  'why',
  'agreed_by',
  'stem',
] as const

export type AuditRow = { readonly [column in (typeof auditColumns)[number]]: string | null }

/** Policy against reality: every point of the plan, by VM, page by page. */
export function* auditRows(catalog: Catalog, { runId, policies, approval }: SweepView): Generator<AuditRow> {
  const rules = new Map(policies.map((policy) => [policy.name, policy.rules]))
  let cursor: string | undefined
  do {
    const page = catalog.sweeps.points(runId, { limit: 200, cursor })
    for (const point of page.items) {
      yield {
        vm: point.vmName,
        point: point.pointId,
        time: new Date(point.timeMs).toISOString(),
        origin: point.origin,
        policy: point.policy,
        rules: rules.get(point.policy) ?? null,
        state: point.state,
        kept_by: point.keptBy.join(' '),
        why: point.why,
        agreed_by: point.state === 'removed' ? (approval?.user ?? 'nobody was asked') : null,
        stem: point.stem,
      }
    }
    cursor = page.nextCursor ?? undefined
  } while (cursor !== undefined)
}
