import { and, asc, count, desc, eq, isNotNull, isNull, sql, type SQL } from 'drizzle-orm'
import { HoldfastError } from '../base/index.ts'
import { settleMs } from '../policy/index.ts'
import { queueQueries, type DeliveryRow, type QueueQueries } from './alert-queue.ts'
import { inTransaction, type CatalogContext } from './context.ts'
import { afterCursor, rowsFor, toPage, type Page, type PageRequest } from './page.ts'
import { channels, deliveries, incidentNotices, incidents } from './schema.ts'
import type { Json } from './types.ts'

export type IncidentRow = typeof incidents.$inferSelect
export type ChannelRow = typeof channels.$inferSelect
export type NewChannel = Omit<ChannelRow, 'createdMs' | 'changedMs' | 'digestedMs'>
/** What wants attention now. */
export type ObservedIncident = Omit<IncidentRow, 'id' | 'openedMs' | 'seenMs' | 'recoveredMs' | 'endedBy'>

/** `endedBy`: why it is over although nothing has mended it; null: it has recovered. */
export type IncidentEnd = Pick<IncidentRow, 'endedBy'>

/** All moments are those of the steady clock: one that is set back silences nothing. */
export interface AlertQueries extends QueueQueries {
  /**
   * Everything that wants attention now: what is new is opened, what is known is brought up to date, and what is not among it
   * has ended as `endOf` says; null: nobody can know, so it goes on.
   */
  observe(found: readonly ObservedIncident[], endOf: (incident: IncidentRow) => IncidentEnd | null): void
  /** Open ones first, then the newest. */
  incidents(page: PageRequest, filter?: { readonly state?: 'open' | 'recovered' | undefined }): Page<IncidentRow>
  /** All that are open, oldest first. */
  open(): IncidentRow[]
  /** Over since that moment, oldest first. */
  overSince(ms: number): IncidentRow[]
  /** Open for long enough to be told, and not told on this channel. */
  untold(channel: string): IncidentRow[]
  /** Told as open on this channel, over for long enough, and that is not told. */
  untoldRecoveries(channel: string): IncidentRow[]
  channels(): ChannelRow[]
  findChannel(name: string): ChannelRow | undefined
  /** Throws NotFound. */
  channel(name: string): ChannelRow
  putChannel(channel: NewChannel): ChannelRow
  /** Throws NotFound. What was sent by it stays in the log. */
  removeChannel(name: string): void
  /** One message, and that its incidents are told by it, in one. Returns its number. */
  addDelivery(
    message: Pick<DeliveryRow, 'channel' | 'type' | 'title'> & { readonly message: Json },
    told?: { readonly opened: readonly number[]; readonly over: readonly number[] },
  ): number
  /** That the end of these is no news on this channel. */
  keepSilent(channel: string, over: readonly number[]): void
  recordDigest(channel: string, ms: number): void
}

/** Incidents that are over are kept for a year: how often it happened is asked later than what was sent. */
const keptMs = 366 * 86_400_000

export function alertQueries(context: CatalogContext): AlertQueries {
  const { db, now: wallNow, steadyNow: now, publish } = context
  /** A moment that lies ahead was dated by a clock that was set back since: it is long ago. */
  const isSettled = (ms: typeof incidents.openedMs | typeof incidents.recoveredMs): SQL =>
    sql`(${ms} <= ${now() - settleMs} OR ${ms} > ${now()})`
  const findChannel = (name: string): ChannelRow | undefined =>
    db.select().from(channels).where(eq(channels.name, name)).get()
  const channel = (name: string): ChannelRow => {
    const found = findChannel(name)
    if (!found) throw new HoldfastError('NotFound', `there is no channel ${name}`)
    return found
  }
  const open = (): IncidentRow[] =>
    db.select().from(incidents).where(isNull(incidents.recoveredMs)).orderBy(asc(incidents.id)).all()
  const markOver = (name: string, ids: readonly number[]): void => {
    for (const incidentId of ids)
      db.update(incidentNotices)
        .set({ recoveredMs: now() })
        .where(and(eq(incidentNotices.incidentId, incidentId), eq(incidentNotices.channel, name)))
        .run()
  }
  const observeOne = (open: IncidentRow | undefined, one: ObservedIncident): boolean => {
    const known = open ?? justEnded(one.key)
    // Not milder while it goes on: a VM whose backup is retried is late, and failed, and late; that is told once.
    const seen: ObservedIncident = known?.severity === 'critical' ? { ...one, severity: 'critical' } : one
    if (known === undefined) {
      db.insert(incidents)
        .values({ ...seen, openedMs: now(), seenMs: now(), recoveredMs: null, endedBy: null })
        .run()
      return true
    }
    const changed = Object.entries(seen).filter(
      ([name, value]) => JSON.stringify(value) !== JSON.stringify(known[name as keyof IncidentRow]),
    )
    db.update(incidents)
      .set({ ...Object.fromEntries(changed), seenMs: now(), recoveredMs: null, endedBy: null })
      .where(eq(incidents.id, known.id))
      .run()
    // It has become worse: whoever was told is told again.
    if (known.severity === 'warning' && seen.severity === 'critical')
      db.delete(incidentNotices).where(eq(incidentNotices.incidentId, known.id)).run()
    return open === undefined || known.title !== seen.title || known.severity !== seen.severity
  }
  /** Its end was told to nobody yet: it goes on. */
  const justEnded = (key: string): IncidentRow | undefined =>
    db
      .select()
      .from(incidents)
      .where(
        and(
          eq(incidents.key, key),
          sql`${incidents.recoveredMs} > ${now() - settleMs} AND ${incidents.recoveredMs} <= ${now()}`,
          sql`NOT EXISTS (SELECT 1 FROM incident_notices n WHERE n.incident_id = incidents.id AND n.recovered_ms IS NOT NULL)`,
        ),
      )
      .orderBy(desc(incidents.id))
      .get()
  const forget = (): void => {
    const before = now() - keptMs
    const old = sql`SELECT id FROM incidents WHERE recovered_ms < ${before}`
    db.delete(incidentNotices)
      .where(sql`${incidentNotices.incidentId} IN (${old})`)
      .run()
    db.delete(incidents)
      .where(sql`${incidents.recoveredMs} < ${before}`)
      .run()
  }
  const queue = queueQueries(context)
  return {
    ...queue,
    open,
    channel,
    findChannel,
    observe(found, endOf) {
      inTransaction(context, () => {
        const known = new Map(open().map((row) => [row.key, row]))
        const seen = new Map(found.map((one) => [one.key, one]))
        let differs = false
        for (const [key, one] of seen) differs = observeOne(known.get(key), one) || differs
        for (const [key, row] of known) {
          const end = seen.has(key) ? null : endOf(row)
          if (end === null) continue
          db.update(incidents).set({ recoveredMs: now(), endedBy: end.endedBy }).where(eq(incidents.id, row.id)).run()
          differs = true
        }
        if (differs) {
          forget()
          publish('alert', null)
        }
      })
    },
    incidents(page, { state } = {}) {
      const ended = sql`${incidents.recoveredMs} IS NOT NULL`
      const where =
        state === 'open'
          ? isNull(incidents.recoveredMs)
          : state === 'recovered'
            ? isNotNull(incidents.recoveredMs)
            : undefined
      const rows = db
        .select()
        .from(incidents)
        .where(and(where, afterCursor([ended, sql`-${incidents.id}`], 'asc', page)))
        .orderBy(asc(ended), desc(incidents.id))
        .limit(rowsFor(page))
        .all()
      const total = db.select({ n: count() }).from(incidents).where(where).get()?.n ?? 0
      return toPage(
        rows,
        page,
        total,
        (row) => [row.recoveredMs === null ? 0 : 1, -row.id],
        (row) => row,
      )
    },
    overSince: (ms) =>
      db
        .select()
        .from(incidents)
        .where(sql`${incidents.recoveredMs} > ${ms}`)
        .orderBy(asc(incidents.id))
        .all(),
    untold: (name) =>
      db
        .select()
        .from(incidents)
        .where(
          and(
            isNull(incidents.recoveredMs),
            isSettled(incidents.openedMs),
            sql`NOT EXISTS (SELECT 1 FROM incident_notices n WHERE n.incident_id = incidents.id AND n.channel = ${name})`,
          ),
        )
        .orderBy(asc(incidents.id))
        .all(),
    untoldRecoveries: (name) =>
      db
        .select({ row: incidents })
        .from(incidentNotices)
        .innerJoin(incidents, eq(incidents.id, incidentNotices.incidentId))
        .where(
          and(eq(incidentNotices.channel, name), isNull(incidentNotices.recoveredMs), isSettled(incidents.recoveredMs)),
        )
        .orderBy(asc(incidents.id))
        .all()
        .map(({ row }) => row),
    channels: () => db.select().from(channels).orderBy(asc(channels.name)).all(),
    putChannel(wish) {
      return inTransaction(context, () => {
        const { name, ...set } = wish
        queue.retell(name)
        db.insert(channels)
          // A digest is due by the time of day.
          .values({ ...wish, createdMs: now(), changedMs: now(), digestedMs: wallNow() })
          .onConflictDoUpdate({ target: channels.name, set: { ...set, changedMs: now() } })
          .run()
        publish('settings', `channel/${name}`)
        return channel(name)
      })
    },
    removeChannel(name) {
      inTransaction(context, () => {
        channel(name)
        db.delete(channels).where(eq(channels.name, name)).run()
        db.delete(incidentNotices).where(eq(incidentNotices.channel, name)).run()
        // Nobody is left to send it.
        db.delete(deliveries)
          .where(and(eq(deliveries.channel, name), eq(deliveries.state, 'waiting')))
          .run()
        publish('settings', `channel/${name}`)
      })
    },
    addDelivery(message, told) {
      return inTransaction(context, () => {
        const ms = now()
        const { lastInsertRowid } = db
          .insert(deliveries)
          .values({ ...message, state: 'waiting', attempts: 0, createdMs: ms, nextMs: ms })
          .run()
        for (const incidentId of told?.opened ?? [])
          db.insert(incidentNotices)
            .values({ incidentId, channel: message.channel, openedMs: ms })
            .onConflictDoNothing()
            .run()
        markOver(message.channel, told?.over ?? [])
        publish('alert', null)
        return Number(lastInsertRowid)
      })
    },
    keepSilent: (name, over) => inTransaction(context, () => markOver(name, over)),
    recordDigest: (name, ms) => {
      db.update(channels).set({ digestedMs: ms }).where(eq(channels.name, name)).run()
    },
  }
}
