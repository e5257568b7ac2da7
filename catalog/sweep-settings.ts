import { asc, eq, ne } from 'drizzle-orm'
import { HoldfastError } from '../base/index.ts'
import { nothingSet, sweepSettingsOf, type OwnSweepSettings, type SweepSettings } from '../policy/index.ts'
import { inTransaction, type CatalogContext } from './context.ts'
import { repositories, sweepSettings } from './schema.ts'

export interface SweepSettingsQueries {
  /** What is set for a repository; null: for all that say nothing. */
  own(repositoryId: string | null): OwnSweepSettings
  /** What holds for a repository; null: for one of which nothing is set. */
  of(repositoryId: string | null): SweepSettings
  /** Everything that is set, what is for all first. */
  list(): { readonly repositoryId: string | null; readonly own: OwnSweepSettings }[]
  /** Replaces what was set. Throws NotFound. */
  set(repositoryId: string | null, own: OwnSweepSettings): void
}

/** In place of an id: all that say nothing. */
const all = '*'

export function sweepSettingsQueries(context: CatalogContext): SweepSettingsQueries {
  const { db, now, publish } = context
  type Row = typeof sweepSettings.$inferSelect
  const view = ({ repositoryId: _, changedMs: _m, ...own }: Row): OwnSweepSettings => own
  const own = (repositoryId: string | null): OwnSweepSettings => {
    const row = db
      .select()
      .from(sweepSettings)
      .where(eq(sweepSettings.repositoryId, repositoryId ?? all))
      .get()
    return row === undefined ? nothingSet : view(row)
  }
  return {
    own,
    of: (repositoryId) => sweepSettingsOf(...(repositoryId === null ? [] : [own(repositoryId)]), own(null)),
    list() {
      const of = db.select().from(sweepSettings)
      const rows = of.where(ne(sweepSettings.repositoryId, all)).orderBy(asc(sweepSettings.repositoryId)).all()
      return [
        { repositoryId: null, own: own(null) },
        ...rows.map((row) => ({ repositoryId: row.repositoryId, own: view(row) })),
      ]
    },
    set(repositoryId, { graceMs, approval, approveWithinMs, maxShare }) {
      const set = { graceMs, approval, approveWithinMs, maxShare, changedMs: now() }
      inTransaction(context, () => {
        if (
          repositoryId !== null &&
          db.select({ id: repositories.id }).from(repositories).where(eq(repositories.id, repositoryId)).get() ===
            undefined
        )
          throw new HoldfastError('NotFound', `there is no repository ${repositoryId}`)
        db.insert(sweepSettings)
          .values({ repositoryId: repositoryId ?? all, ...set })
          .onConflictDoUpdate({ target: sweepSettings.repositoryId, set })
          .run()
        publish('settings', `sweeps/${repositoryId ?? all}`)
      })
    },
  }
}
