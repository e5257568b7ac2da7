import type Database from 'better-sqlite3'
import type { BetterSQLite3Database } from 'drizzle-orm/better-sqlite3'
import type { EventType } from './types.ts'

/** What every query module gets: the connection, the clock, and the way to say that something changed. */
export interface CatalogContext {
  readonly sqlite: Database.Database
  readonly db: BetterSQLite3Database
  readonly now: () => number
  /** By which ages of points are told: never goes back, whatever happens to the machine's clock. */
  readonly steadyNow: () => number
  /** Part of the caller's transaction: a change that is rolled back was never announced. */
  readonly publish: (type: EventType, subject: string | null) => void
}

/*
 * A trap of drizzle: where a query has one table, `${points.id}` inside `sql` is written as `"id"`, without the table, and
 * a subquery's own table catches it. Outer columns of correlated subqueries are therefore written by hand (`points.id`).
 */

/** Runs `work` in one transaction that takes the write lock at its start; nested calls join the outer one. */
export function inTransaction<T>(context: CatalogContext, work: () => T): T {
  return context.sqlite.inTransaction ? work() : context.sqlite.transaction(work).immediate()
}
