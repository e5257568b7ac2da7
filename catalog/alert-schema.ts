import { integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import type { AlertRoute, AlertSeverity } from '../policy/index.ts'
import type { ChannelKind, ErrorNote, Json, MailRoute } from './types.ts'

/** What wants, or wanted, attention: one row from its beginning to its end. `key`: what it is and whose. */
export const incidents = sqliteTable('incidents', {
  id: integer('id').primaryKey({ autoIncrement: true }),
  key: text('key').notNull(),
  kind: text('kind').notNull(),
  severity: text('severity').$type<AlertSeverity>().notNull(),
  title: text('title').notNull(),
  detail: text('detail').notNull(),
  command: text('command'),
  subject: text('subject', { mode: 'json' }).$type<{ readonly kind: string; readonly id: string }>(),
  /** What of the subject it is about, and its end is known by: a standby, the point that has waited longest. */
  part: text('part'),
  /** Of the VM that it concerns; empty: it concerns everybody. */
  tags: text('tags', { mode: 'json' }).$type<readonly string[]>().notNull(),
  openedMs: integer('opened_ms').notNull(),
  seenMs: integer('seen_ms').notNull(),
  recoveredMs: integer('recovered_ms'),
  /** Why it is over although nothing has mended it; null: it has recovered, or is not over. */
  endedBy: text('ended_by'),
})

export const channels = sqliteTable('channels', {
  name: text('name').primaryKey(),
  kind: text('kind').$type<ChannelKind>().notNull(),
  url: text('url'),
  chat: text('chat'),
  mail: text('mail', { mode: 'json' }).$type<MailRoute>(),
  credentialRef: text('credential_ref').notNull(),
  allowPrivate: integer('allow_private', { mode: 'boolean' }).notNull(),
  enabled: integer('enabled', { mode: 'boolean' }).notNull(),
  route: text('route', { mode: 'json' }).$type<AlertRoute>().notNull(),
  createdMs: integer('created_ms').notNull(),
  changedMs: integer('changed_ms').notNull(),
  digestedMs: integer('digested_ms').notNull(),
})

/** What each channel was told of an incident. */
export const incidentNotices = sqliteTable(
  'incident_notices',
  {
    incidentId: integer('incident_id').notNull(),
    channel: text('channel').notNull(),
    openedMs: integer('opened_ms').notNull(),
    recoveredMs: integer('recovered_ms'),
  },
  (table) => [primaryKey({ columns: [table.incidentId, table.channel] })],
)

/** Messages and what became of them. */
export const deliveries = sqliteTable('deliveries', {
  id: integer('id').primaryKey({ autoIncrement: true }),
  channel: text('channel').notNull(),
  type: text('type').$type<'alert' | 'digest' | 'test'>().notNull(),
  title: text('title').notNull(),
  message: text('message', { mode: 'json' }).$type<Json>().notNull(),
  state: text('state').$type<'waiting' | 'sent' | 'failed'>().notNull(),
  attempts: integer('attempts').notNull(),
  createdMs: integer('created_ms').notNull(),
  nextMs: integer('next_ms'),
  endedMs: integer('ended_ms'),
  error: text('error', { mode: 'json' }).$type<ErrorNote>(),
})
