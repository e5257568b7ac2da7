import { integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import type { LinkDirection, LinkLimits } from '../policy/index.ts'

/** How fast may be moved between hypervisors and repositories; `*`: all of them together. */
export const linkLimits = sqliteTable(
  'link_limits',
  {
    hypervisor: text('hypervisor').notNull(),
    repository: text('repository').notNull(),
    spec: text('spec', { mode: 'json' }).$type<Pick<LinkLimits, 'timeZone' | LinkDirection>>().notNull(),
    changedMs: integer('changed_ms').notNull(),
  },
  (table) => [primaryKey({ columns: [table.hypervisor, table.repository] })],
)
