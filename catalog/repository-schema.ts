import { blob, integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core'

/** What is read of a repository every day, and how much of it was ever read: as the last verify has counted it. */
export const scrubs = sqliteTable('scrubs', {
  repositoryId: text('repository_id').primaryKey(),
  level: text('level').$type<'data' | 'full'>(),
  budgetBytes: integer('budget_bytes'),
  changedMs: integer('changed_ms'),
  countedMs: integer('counted_ms'),
  packs: integer('packs'),
  bytes: integer('bytes'),
  readPacks: integer('read_packs'),
  readBytes: integer('read_bytes'),
  /** The oldest last pass of any pack that was ever read. */
  oldestMs: integer('oldest_ms'),
})

/** Media with copies that are on their way to a repository. */
export const shipments = sqliteTable(
  'shipments',
  {
    sourceId: text('source_id').notNull(),
    targetId: text('target_id').notNull(),
    sentMs: integer('sent_ms').notNull(),
    /** Until then nothing is sent there by itself, and its lag is no trouble. */
    untilMs: integer('until_ms').notNull(),
    note: text('note').notNull(),
    user: text('user').notNull(),
  },
  (table) => [primaryKey({ columns: [table.sourceId, table.targetId] })],
)

/** Passes over packs by the first byte of their names (`verify-passes.ts`). */
export const verifyPasses = sqliteTable(
  'verify_passes',
  {
    repositoryId: text('repository_id').notNull(),
    prefix: integer('prefix').notNull(),
    passes: blob('passes', { mode: 'buffer' }).notNull(),
  },
  (table) => [primaryKey({ columns: [table.repositoryId, table.prefix] })],
)

/** One row a day and repository: what the growth is measured from. */
export const repositoryGrowth = sqliteTable(
  'repository_growth',
  {
    repositoryId: text('repository_id').notNull(),
    day: text('day').notNull(),
    storedBytes: integer('stored_bytes').notNull(),
    logicalBytes: integer('logical_bytes').notNull(),
  },
  (table) => [primaryKey({ columns: [table.repositoryId, table.day] })],
)
