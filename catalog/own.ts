import { asc, eq, sql } from 'drizzle-orm'
import { HoldfastError } from '../base/index.ts'
import { inTransaction, type CatalogContext } from './context.ts'
import { copyCatalog, type CatalogCopy, type CopyOptions } from './own-copy.ts'
import { ownBackups, repositories, sweepApprovals } from './schema.ts'
import type { ErrorNote } from './types.ts'

type OwnBackupRow = typeof ownBackups.$inferSelect
/** What a repository holds of the catalog; all null where nothing was ever tried. */
export interface OwnBackupView extends OwnBackupRow {
  readonly repositoryName: string
}

export interface OwnQueries {
  /** A consistent copy of everything but secrets and what is of the moment (see own-copy.ts), made beside all else. */
  copyTo(path: string, options: CopyOptions): Promise<CatalogCopy>
  /**
   * When changes after event `seq` began and ended; null: there are none. `firstMs` null: earlier ones than are kept. Events
   * are a ring: of one that was overrun what has gone counts as changes.
   */
  changesSince(seq: number): { readonly firstMs: number | null; readonly lastMs: number } | null
  /** Every repository, by name; 200 at most. */
  backups(): OwnBackupView[]
  /** Throws NotFound for a repository that is not known. */
  backup(repositoryId: string): OwnBackupView
  recordMade(
    repositoryId: string,
    made: {
      readonly stem: string
      readonly madeMs: number
      readonly coveredSeq: number
      readonly bytes: number
      readonly versions: number
    },
  ): void
  /** What there is stays: a try that failed takes nothing away. */
  recordFailed(repositoryId: string, triedMs: number, error: ErrorNote): void
  /** After a rebuild: what earlier rows say of own backups, and that sweeps were approved, is of another life. */
  forget(): void
}

/** Events that change nothing which a backup would hold. */
const passing = sql`('own-backup', 'workers', 'slots', 'watch', 'alert')`

export function ownQueries(context: CatalogContext, newestSeq: () => number): OwnQueries {
  const { db, publish } = context
  const select = () =>
    db
      .select({
        repositoryId: repositories.id,
        repositoryName: repositories.name,
        stem: ownBackups.stem,
        madeMs: ownBackups.madeMs,
        coveredSeq: ownBackups.coveredSeq,
        bytes: ownBackups.bytes,
        versions: ownBackups.versions,
        triedMs: ownBackups.triedMs,
        error: ownBackups.error,
      })
      .from(repositories)
      .leftJoin(ownBackups, eq(ownBackups.repositoryId, repositories.id))
  const write = (repositoryId: string, set: Partial<Omit<OwnBackupRow, 'repositoryId'>>): void => {
    inTransaction(context, () => {
      db.insert(ownBackups)
        .values({ repositoryId, ...set })
        .onConflictDoUpdate({ target: ownBackups.repositoryId, set })
        .run()
      publish('own-backup', repositoryId)
    })
  }
  return {
    copyTo: (path, options) => copyCatalog(context, path, newestSeq, options),
    changesSince(seq) {
      const found = db.get<{ firstMs: number | null; lastMs: number | null }>(
        sql`SELECT min(ms) AS firstMs, max(ms) AS lastMs FROM events WHERE seq > ${seq} AND type NOT IN ${passing}`,
      )
      const { firstMs, lastMs } = found
      const oldest = db.get<{ seq: number | null; ms: number | null }>(sql`SELECT min(seq) AS seq, ms FROM events`)
      if (oldest.seq !== null && oldest.ms !== null && oldest.seq > seq + 1)
        return { firstMs: null, lastMs: lastMs ?? oldest.ms }
      return firstMs === null || lastMs === null ? null : { firstMs, lastMs }
    },
    backups: () => select().orderBy(asc(repositories.name), asc(repositories.id)).all(),
    backup(repositoryId) {
      const found = select().where(eq(repositories.id, repositoryId)).get()
      if (!found) throw new HoldfastError('NotFound', `there is no repository ${repositoryId}`)
      return found
    },
    recordMade: (repositoryId, made) => write(repositoryId, { ...made, triedMs: made.madeMs, error: null }),
    recordFailed: (repositoryId, triedMs, error) => write(repositoryId, { triedMs, error }),
    forget() {
      inTransaction(context, () => {
        db.delete(ownBackups).run()
        db.delete(sweepApprovals).run()
      })
    },
  }
}
