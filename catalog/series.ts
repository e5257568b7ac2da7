/** Series: the points of a VM under one folder of a repository, and the rules by which they age. */
import { and, eq, notInArray, sql } from 'drizzle-orm'
import type { RuleSource, VmOverride } from '../policy/index.ts'
import { inTransaction, type CatalogContext } from './context.ts'
import { given, lazy } from './lazy.ts'
import { categories, copies, plans, points, seriesPolicies, vms } from './schema.ts'
import type { CategoryName } from './types.ts'

export type SeriesPolicyRow = typeof seriesPolicies.$inferSelect

/** A VM that has, or had, points under a series. */
export interface SeriesVm {
  readonly series: string
  readonly vmId: string
  readonly vmName: string
  readonly category: CategoryName
  readonly override: VmOverride
  readonly goneMs: number | null
}

export interface SeriesQueries {
  /** Whose points a series holds; undefined: of no VM of the catalog. */
  seriesVm(series: string): SeriesVm | undefined
  /** What says by which rules points of a repository age, as of now. */
  rulesSource(repositoryId: string): RuleSource
  /** The last policies of a series. */
  policies(repositoryId: string, series: string): SeriesPolicyRow[]
  /** Those of one series take the place of its earlier ones. */
  rememberPolicies(rows: readonly SeriesPolicyRow[]): void
}

/** snap/<series>/… */
export function seriesOf(stem: string): string {
  return stem.slice(5, 37)
}

export function seriesQueries(context: CatalogContext): SeriesQueries {
  const { db } = context
  const policies = lazy(() =>
    db
      .select()
      .from(seriesPolicies)
      .where(and(eq(seriesPolicies.repositoryId, given('repositoryId')), eq(seriesPolicies.series, given('series'))))
      .prepare(),
  )
  const policiesOf = (repositoryId: string, series: string): SeriesPolicyRow[] =>
    policies().all({ repositoryId, series })
  /** A series is the folder of its points: one that has any names its VM. */
  const vmOfSeries = lazy(() =>
    db
      .select({ vmId: vms.id, vmName: vms.name, category: vms.category, override: vms.override, goneMs: vms.goneMs })
      .from(copies)
      .innerJoin(points, eq(points.id, copies.pointId))
      .innerJoin(vms, eq(vms.id, points.vmId))
      .where(sql`${copies.stem} > ${given('folder')} || '/' AND ${copies.stem} < ${given('folder')} || '0'`)
      .limit(1)
      .prepare(),
  )
  // By every name that its copies have: one that was made again after a removal has a name of its own.
  const planOfStem = lazy(() =>
    db
      .select({ plan: points.plan })
      .from(copies)
      .innerJoin(points, eq(points.id, copies.pointId))
      .where(eq(copies.stem, given('stem')))
      .limit(1)
      .prepare(),
  )
  return {
    seriesVm(series) {
      const row = vmOfSeries().get({ folder: `snap/${series}` })
      return row && { series, ...row }
    },
    rulesSource(repositoryId) {
      return {
        repositoryId,
        category: (name) => db.select().from(categories).where(eq(categories.name, name)).get()?.spec,
        plan(name) {
          const row = db.select().from(plans).where(eq(plans.name, name)).get()
          return row && { ...row.spec, isDeleted: row.deletedMs !== null }
        },
        planOf: (stem) => planOfStem().get({ stem })?.plan,
        lastRules: (stem, policy) =>
          policiesOf(repositoryId, seriesOf(stem)).find((row) => row.policy === policy)?.rules,
      }
    },
    policies: policiesOf,
    rememberPolicies(rows) {
      inTransaction(context, () => {
        for (const own of Map.groupBy(rows, (row) => `${row.repositoryId} ${row.series}`).values()) {
          const [first] = own
          if (first === undefined) continue
          const { repositoryId, series } = first
          db.delete(seriesPolicies)
            .where(
              and(
                eq(seriesPolicies.repositoryId, repositoryId),
                eq(seriesPolicies.series, series),
                notInArray(
                  seriesPolicies.policy,
                  own.map(({ policy }) => policy),
                ),
              ),
            )
            .run()
          for (const row of own) {
            const { policy, repositoryId: _r, series: _s, ...set } = row
            const target = [seriesPolicies.repositoryId, seriesPolicies.series, seriesPolicies.policy]
            db.insert(seriesPolicies).values(row).onConflictDoUpdate({ target, set }).run()
          }
        }
      })
    },
  }
}
