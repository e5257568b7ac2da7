import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'

/** Public keys; `id` is the fingerprint. */
export const evidenceKeys = sqliteTable('evidence_keys', {
  id: text('id').primaryKey(),
  publicKey: text('public_key').notNull(),
  firstMs: integer('first_ms').notNull(),
  /** Since when nothing is signed with it; null: it is the one of now. */
  retiredMs: integer('retired_ms'),
})

/** What was signed of a drill, as the exact text. */
export const drillEvidence = sqliteTable('drill_evidence', {
  drillId: text('drill_id').primaryKey(),
  keyId: text('key_id').notNull(),
  payload: text('payload').notNull(),
  signature: text('signature').notNull(),
  signedMs: integer('signed_ms').notNull(),
})
