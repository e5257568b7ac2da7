import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import type { AuditAction, AuditDetail } from './types.ts'

/** Acts of people; rows do not change. */
export const audit = sqliteTable('audit', {
  seq: integer('seq').primaryKey({ autoIncrement: true }),
  ms: integer('ms').notNull(),
  user: text('user').notNull(),
  action: text('action').$type<AuditAction>().notNull(),
  vmId: text('vm_id'),
  vmName: text('vm_name'),
  pointId: text('point_id'),
  /** The file session, or the key. */
  subject: text('subject'),
  detail: text('detail', { mode: 'json' }).$type<AuditDetail>().notNull(),
})
