import { integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core'

/** What happened so often, ever. */
export const totals = sqliteTable(
  'totals',
  {
    name: text('name')
      .$type<'runs' | 'run-ms' | 'run-within' | 'bytes-read' | 'bytes-stored' | 'missed-starts' | 'notifications'>()
      .notNull(),
    label: text('label').notNull(),
    value: integer('value').notNull(),
  },
  (table) => [primaryKey({ columns: [table.name, table.label] })],
)
