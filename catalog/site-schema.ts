import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import type { SiteMapRecord, SiteProxyRecord, SiteTestRecord } from './types.ts'

/** Places with workers of their own. */
export const sites = sqliteTable('sites', {
  name: text('name').primaryKey(),
  description: text('description').notNull(),
  createdMs: integer('created_ms').notNull(),
  /** Its workers may ask the server for the secrets of their hypervisors and repositories. */
  handsSecrets: integer('hands_secrets', { mode: 'boolean' }).notNull(),
  /** What a worker there could reach when it was last asked. */
  test: text('test', { mode: 'json' }).$type<SiteTestRecord>(),
  /** Through which its workers reach object stores; null: none but what their environment says. */
  proxy: text('proxy', { mode: 'json' }).$type<SiteProxyRecord>(),
  /** What its networks and storages are called at other sites; one for each of those. */
  maps: text('maps', { mode: 'json' }).$type<readonly SiteMapRecord[]>().notNull(),
})
