import { asc, gt, lte, sql } from 'drizzle-orm'
import type { CatalogContext } from './context.ts'
import { lazy } from './lazy.ts'
import { events } from './schema.ts'
import type { EventType } from './types.ts'

/** Something changed: who listens reads it again. `seq` only ever grows, also over restarts. */
export interface ChangeEvent {
  readonly seq: number
  readonly ms: number
  readonly type: EventType
  readonly subject: string | null
}

export interface EventQueries {
  readonly publish: (type: EventType, subject: string | null) => void
  /** Up to `limit` events after `seq`, oldest first. */
  after: (seq: number, limit: number) => ChangeEvent[]
  /** The oldest event still kept, or 0. A reader that saw less has missed some. */
  oldest(): number
  newest(): number
  /** Called soon after something was published; ask `after` for it. Returns the end of the subscription. */
  subscribe(wake: () => void): () => void
  listeners(): number
}

/** Rows kept for readers that come back; more than an hour of a busy installation. */
export const ringSize = 5000

/** `keep`: how many rows stay; a test makes it small. */
export function eventQueries(
  { db, sqlite, now }: Pick<CatalogContext, 'db' | 'sqlite' | 'now'>,
  keep = ringSize,
): EventQueries {
  const wakers = new Set<() => void>()
  let woken = false
  const wakeAll = (): void => {
    woken = false
    // Inside a transaction nobody else sees the row yet: it ends within this turn, so the next one is soon enough.
    for (const wake of wakers) wake()
  }
  const bound = (which: 'min' | 'max'): number =>
    db
      .select({ seq: which === 'min' ? sql<number | null>`min(seq)` : sql<number | null>`max(seq)` })
      .from(events)
      .get()?.seq ?? 0
  /** The counter outlives the rows: after the ring was emptied the newest number is still known. */
  const newest = (): number =>
    sqlite.prepare<[], { seq: number }>("SELECT seq FROM sqlite_sequence WHERE name = 'events'").get()?.seq ?? 0
  const insert = lazy(() =>
    sqlite.prepare<[number, EventType, string | null]>('INSERT INTO events (ms, type, subject) VALUES (?, ?, ?)'),
  )
  return {
    publish(type, subject) {
      const seq = Number(insert().run(now(), type, subject).lastInsertRowid)
      if (seq % 100 === 0)
        db.delete(events)
          .where(lte(events.seq, seq - keep))
          .run()
      if (!woken && wakers.size > 0) {
        woken = true
        queueMicrotask(wakeAll)
      }
    },
    after: (seq, limit) =>
      db.select().from(events).where(gt(events.seq, seq)).orderBy(asc(events.seq)).limit(limit).all(),
    oldest: () => bound('min'),
    newest,
    subscribe(wake) {
      const own = (): void => wake()
      wakers.add(own)
      return () => void wakers.delete(own)
    },
    listeners: () => wakers.size,
  }
}
