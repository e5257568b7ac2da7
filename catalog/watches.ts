import { eq } from 'drizzle-orm'
import { saysGone } from '../policy/index.ts'
import { inTransaction, type CatalogContext } from './context.ts'
import { snapOf } from './copies.ts'
import { given, lazy } from './lazy.ts'
import { clockWatch, repositoryWatches } from './schema.ts'
import type { ErrorNote, UnreadableObject } from './types.ts'

export type RepositoryWatchRow = typeof repositoryWatches.$inferSelect
export type ClockWatchRow = Omit<typeof clockWatch.$inferSelect, 'id'>

/** What a look that came to its end has counted. */
export interface LookFigures {
  readonly lookedMs: number
  /** Of the repository that was found. */
  readonly uuid: string
  readonly series: number
  readonly points: number
  /** VMs whose newest point could not be read. */
  readonly unreadable: number
  /** The first object of them. */
  readonly unreadableObject?: UnreadableObject | null
  /** Points that nobody removed and that are not there any more; they were marked as gone. */
  readonly vanished: number
  /** Points that were gone and are there again. */
  readonly returned: number
}

export interface WatchQueries {
  find(repositoryId: string): RepositoryWatchRow | undefined
  /**
   * Begins a look: remembers what the catalog believes to be there now. What is recorded meanwhile is not missed. One look at
   * a time.
   */
  beginLook(repositoryId: string): void
  /** The look has seen these snapshots. Returns those of them that the catalog has as gone. */
  saw(repositoryId: string, snaps: readonly string[]): string[]
  /** Ids of the points of which a copy was believed to be there when the look began, and not seen by it; `limit` at most. */
  missing(limit: number): string[]
  recordLook(repositoryId: string, figures: LookFigures): void
  /** A look that did not come to its end says nothing of what is there, nor that what was gone is back. */
  recordFailure(repositoryId: string, triedMs: number, error: ErrorNote): void
  clock(): ClockWatchRow | undefined
  /** Announced when it begins or ends to differ, not at each reading. */
  recordClock(row: ClockWatchRow): void
}

export function watchQueries(context: CatalogContext): WatchQueries {
  const { db, sqlite, publish } = context
  const byId = lazy(() =>
    db
      .select()
      .from(repositoryWatches)
      .where(eq(repositoryWatches.repositoryId, given('id')))
      .prepare(),
  )
  const find = (id: string): RepositoryWatchRow | undefined => byId().get({ id })
  const clock = (): ClockWatchRow | undefined => {
    const found = db.select().from(clockWatch).get()
    return found && { seenMs: found.seenMs, driftMs: found.driftMs, movedMs: found.movedMs }
  }
  const write = (repositoryId: string, row: Omit<RepositoryWatchRow, 'repositoryId'>): void => {
    db.insert(repositoryWatches)
      .values({ repositoryId, ...row })
      .onConflictDoUpdate({ target: repositoryWatches.repositoryId, set: row })
      .run()
  }
  // Asked of every series: by any other index it reads all points of the repository each time.
  const gone = lazy(() =>
    sqlite.prepare<[string], { stem: string }>(
      `SELECT stem FROM copies INDEXED BY copies_gone
        WHERE repository_id = +? AND state = 'done' AND gone_ms IS NOT NULL AND stem IS NOT NULL`,
    ),
  )
  return {
    find,
    clock,
    beginLook(repositoryId) {
      // Beside the file, never in it: a look that was killed leaves nothing behind.
      sqlite.exec(
        'CREATE TEMP TABLE IF NOT EXISTS believed_points (id TEXT PRIMARY KEY NOT NULL, point_id TEXT NOT NULL) WITHOUT ROWID',
      )
      sqlite.exec('DELETE FROM temp.believed_points')
      sqlite
        .prepare<[string]>(
          `INSERT INTO temp.believed_points (id, point_id) SELECT substr(stem, -32), point_id FROM copies
            WHERE repository_id = ? AND state = 'done' AND validated_ms IS NOT NULL AND gone_ms IS NULL`,
        )
        .run(repositoryId)
    },
    saw(repositoryId, snaps) {
      const remove = sqlite.prepare<[string]>('DELETE FROM temp.believed_points WHERE id = ?')
      sqlite.transaction(() => snaps.forEach((id) => remove.run(id)))()
      const seen = new Set(snaps)
      return gone()
        .all(repositoryId)
        .map(({ stem }) => snapOf(stem))
        .filter((snap) => seen.has(snap))
    },
    missing: (limit) =>
      sqlite
        .prepare<[number], { id: string }>('SELECT point_id AS id FROM temp.believed_points ORDER BY point_id LIMIT ?')
        .all(limit)
        .map(({ id }) => id),
    recordLook(repositoryId, { lookedMs, vanished, returned, unreadableObject = null, ...figures }) {
      inTransaction(context, () => {
        const before = find(repositoryId)
        const left = Math.max(0, (before?.vanished ?? 0) - returned) + vanished
        write(repositoryId, {
          ...figures,
          triedMs: lookedMs,
          lookedMs,
          error: null,
          unreadableObject,
          unreadableSinceMs: figures.unreadable > 0 ? (before?.unreadableSinceMs ?? lookedMs) : null,
          vanished: left,
          vanishedMs: vanished > 0 ? lookedMs : left > 0 ? (before?.vanishedMs ?? lookedMs) : null,
        })
        // Every few minutes, and mostly the same: who listens is told what differs.
        const isSame = before?.vanished === left && before.unreadable === figures.unreadable
        if (!isSame || before.error !== null) publish('watch', repositoryId)
      })
    },
    recordFailure(repositoryId, triedMs, error) {
      inTransaction(context, () => {
        const before = find(repositoryId)
        const none = {
          ...{ uuid: null, lookedMs: null, series: 0, points: 0, vanished: 0, vanishedMs: null },
          ...{ unreadable: 0, unreadableSinceMs: null, unreadableObject: null },
        }
        const { repositoryId: _, ...known } = before ?? { repositoryId, ...none }
        const wasGone = saysGone(before?.error?.code ?? null) && !saysGone(error.code)
        write(repositoryId, { ...known, triedMs, error: wasGone ? (before?.error ?? error) : error })
        if (!wasGone && before?.error?.code !== error.code) publish('watch', repositoryId)
      })
    },
    recordClock(row) {
      inTransaction(context, () => {
        const before = clock()
        db.insert(clockWatch)
          .values({ id: 1, ...row })
          .onConflictDoUpdate({ target: clockWatch.id, set: row })
          .run()
        if ((before?.movedMs ?? null) !== row.movedMs) publish('watch', null)
      })
    },
  }
}
