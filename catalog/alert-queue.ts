import { and, asc, count, desc, eq, sql, type SQL } from 'drizzle-orm'
import { failingAttempts, retryDelay } from '../policy/index.ts'
import { inTransaction, type CatalogContext } from './context.ts'
import { given, lazy } from './lazy.ts'
import { afterCursor, rowsFor, toPage, type Page, type PageRequest } from './page.ts'
import { channels, deliveries, incidentNotices } from './schema.ts'
import { addTotal } from './totals.ts'
import type { ErrorNote } from './types.ts'

export type DeliveryRow = typeof deliveries.$inferSelect

/** `sinceMs`: when the oldest message was written that did not arrive. */
export interface FailingChannel {
  readonly name: string
  readonly sinceMs: number
  readonly error: ErrorNote | null
}

/** Messages that wait, in their order, and what became of the others. */
export interface QueueQueries {
  /**
   * Waiting, of channels that are switched on, and their time has come; oldest first, `limit` of each channel. Nothing passes
   * an older message of its channel.
   */
  due(limit: number): DeliveryRow[]
  recordSent(id: number): void
  /**
   * It is tried again by the rule for messages that fail, no sooner than after `leastMs`, or given up: then what it was to
   * tell counts as not told.
   */
  recordFailed(id: number, error: ErrorNote, leastMs: number): void
  /**
   * It is given up at once: another one would be taken. What it was to tell counts as told, for in the same words it would be
   * refused again, without end; see `retell`.
   */
  recordRefused(id: number, error: ErrorNote): void
  /**
   * What messages were to tell that were refused since the channel was set up or tested last: what has begun is to be told as
   * new, what is over as over. For somebody who has mended it.
   */
  retell(channel: string): void
  /** Channels that are switched on and take nothing: several tries failed, or the last message was given up. */
  failing(): FailingChannel[]
  /** Newest first. */
  deliveries(page: PageRequest, filter?: { readonly channel?: string | undefined }): Page<DeliveryRow>
}

/** Nothing waits for longer: what seems to is dated by a clock that was set back since. */
const longestWaitMs = 2 * 3_600_000

export function queueQueries(context: CatalogContext): QueueQueries {
  const { db, steadyNow: now, publish } = context
  const find = (id: number): DeliveryRow | undefined => db.select().from(deliveries).where(eq(deliveries.id, id)).get()
  const change = (id: number, set: Partial<DeliveryRow>): void => {
    db.update(deliveries)
      .set({ ...set, attempts: sql`${deliveries.attempts} + 1` })
      .where(and(eq(deliveries.id, id), eq(deliveries.state, 'waiting')))
      .run()
    publish('alert', null)
  }
  /** Of a message that nobody got: what has begun is to be told as new, what is over as over. */
  const untell = ({ channel, type, message }: DeliveryRow): void => {
    if (type !== 'alert') return
    const { notices } = message as unknown as { notices: readonly { readonly id: number; readonly state: string }[] }
    for (const { id, state } of notices) {
      const told = and(eq(incidentNotices.incidentId, id), eq(incidentNotices.channel, channel))
      if (state === 'opened') db.delete(incidentNotices).where(told).run()
      else db.update(incidentNotices).set({ recoveredMs: null }).where(told).run()
    }
  }
  // States are written out: of a placeholder SQLite does not know that the index of these rows has them all.
  const first = (where: SQL, order: SQL) =>
    lazy(() =>
      db
        .select()
        .from(deliveries)
        .where(and(eq(deliveries.channel, given('channel')), where))
        .orderBy(order, desc(deliveries.id))
        .limit(1)
        .prepare(),
    )
  const lastEnded = first(sql`${deliveries.state} <> 'waiting'`, sql`${deliveries.endedMs} DESC`)
  const oldestWaiting = first(sql`${deliveries.state} = 'waiting'`, sql`${deliveries.id} ASC`)
  return {
    due(limit) {
      const waits = (row: string): SQL => {
        const nextMs = sql.raw(`${row}.next_ms`)
        return sql`(${nextMs} > ${now()} AND ${nextMs} <= ${now() + longestWaitMs})`
      }
      const ids = db.all<{ id: number }>(sql`
        SELECT id FROM (
          SELECT d.id, row_number() OVER (PARTITION BY d.channel ORDER BY d.id) AS place FROM deliveries d
          WHERE d.state = 'waiting' AND NOT ${waits('d')}
            AND EXISTS (SELECT 1 FROM channels c WHERE c.name = d.channel AND c.enabled)
            AND NOT EXISTS (SELECT 1 FROM deliveries o
              WHERE o.channel = d.channel AND o.state = 'waiting' AND o.id < d.id AND ${waits('o')}))
        WHERE place <= ${limit} ORDER BY id`)
      return ids.flatMap(({ id }) => find(id) ?? [])
    },
    recordSent(id) {
      inTransaction(context, () => {
        const row = find(id)
        if (row?.state !== 'waiting') return
        change(id, { state: 'sent', endedMs: now(), nextMs: null, error: null })
        addTotal(context, 'notifications', `${row.channel}/sent`, 1)
      })
    },
    recordFailed(id, error, leastMs) {
      inTransaction(context, () => {
        const row = find(id)
        if (row?.state !== 'waiting') return
        const delay = retryDelay(row.attempts + 1, now() - row.createdMs)
        if (delay !== null) return change(id, { nextMs: now() + Math.max(delay, leastMs), error })
        change(id, { state: 'failed', endedMs: now(), nextMs: null, error })
        addTotal(context, 'notifications', `${row.channel}/failed`, 1)
        untell(row)
      })
    },
    recordRefused(id, error) {
      inTransaction(context, () => {
        const row = find(id)
        if (row?.state !== 'waiting') return
        change(id, { state: 'failed', endedMs: now(), nextMs: null, error })
        addTotal(context, 'notifications', `${row.channel}/failed`, 1)
      })
    },
    retell(channel) {
      inTransaction(context, () => {
        const refused = db
          .select()
          .from(deliveries)
          .where(
            and(
              eq(deliveries.channel, channel),
              sql`${deliveries.state} <> 'waiting' AND ${deliveries.error} ->> 'code' = 'MessageRefused'`,
              sql`${deliveries.endedMs} >= (SELECT c.changed_ms FROM channels c WHERE c.name = ${channel})`,
              sql`${deliveries.id} > (SELECT coalesce(max(t.id), 0) FROM deliveries t
                WHERE t.channel = ${channel} AND t.type = 'test' AND t.state = 'sent')`,
            ),
          )
          .all()
        for (const row of refused) untell(row)
      })
    },
    failing() {
      const on = db.select().from(channels).where(eq(channels.enabled, true)).orderBy(asc(channels.name)).all()
      return on.flatMap(({ name, changedMs }): FailingChannel[] => {
        const last = lastEnded().get({ channel: name })
        // Whoever has changed the channel since has had a reason.
        if (last?.state === 'failed' && (last.endedMs ?? 0) >= changedMs)
          return [{ name, sinceMs: last.createdMs, error: last.error }]
        const oldest = oldestWaiting().get({ channel: name })
        if (oldest === undefined || oldest.attempts < failingAttempts) return []
        return [{ name, sinceMs: oldest.createdMs, error: oldest.error }]
      })
    },
    deliveries(page, { channel: name } = {}) {
      const where = name === undefined ? undefined : eq(deliveries.channel, name)
      const rows = db
        .select()
        .from(deliveries)
        .where(and(where, afterCursor([sql`${deliveries.id}`], 'desc', page)))
        .orderBy(desc(deliveries.id))
        .limit(rowsFor(page))
        .all()
      const total = db.select({ n: count() }).from(deliveries).where(where).get()?.n ?? 0
      return toPage(
        rows,
        page,
        total,
        (row) => [row.id],
        (row) => row,
      )
    },
  }
}
