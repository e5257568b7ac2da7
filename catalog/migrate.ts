import { readFileSync, readdirSync } from 'node:fs'
import type Database from 'better-sqlite3'
import { HoldfastError } from '../base/index.ts'

export interface Migration {
  readonly number: number
  readonly name: string
  readonly sql: string
}

const folder = new URL('migrations/', import.meta.url)

/** `migrations/NNNN-name.sql` in order. Forward only: an applied file never changes. */
export function readMigrations(): Migration[] {
  const found = readdirSync(folder)
    .filter((file) => file.endsWith('.sql'))
    .sort()
    .map((file) => ({
      number: Number(file.slice(0, 4)),
      name: file.slice(0, -4),
      sql: readFileSync(new URL(file, folder), 'utf8'),
    }))
  found.forEach((migration, index) => {
    if (migration.number !== index + 1) {
      throw new HoldfastError('Internal', `catalog migrations have a gap or a repetition at ${migration.name}`)
    }
  })
  return found
}

/**
 * Brings the catalog up to date, one transaction for all that is missing: after a crash it is as before or as after.
 * Refuses a file that a newer version wrote, because an older one cannot know what it would break.
 */
export function migrate(
  sqlite: Database.Database,
  nowMs: number,
  migrations: readonly Migration[] = readMigrations(),
): void {
  const apply = sqlite.transaction(() => {
    sqlite.exec(
      'CREATE TABLE IF NOT EXISTS migrations (number INTEGER PRIMARY KEY NOT NULL, name TEXT NOT NULL, applied_ms INTEGER NOT NULL) STRICT',
    )
    const applied = sqlite
      .prepare<[], { number: number; name: string }>('SELECT number, name FROM migrations ORDER BY number')
      .all()
    const newest = applied.at(-1)
    if (newest && newest.number > migrations.length) {
      throw new HoldfastError(
        'FormatUnsupported',
        `the catalog is at migration ${newest.name}, this version knows ${migrations.length}`,
      )
    }
    const note = sqlite.prepare('INSERT INTO migrations (number, name, applied_ms) VALUES (?, ?, ?)')
    for (const migration of migrations.slice(newest?.number ?? 0)) {
      sqlite.exec(migration.sql)
      note.run(migration.number, migration.name, nowMs)
    }
  })
  apply.immediate()
}

/** Number of the last migration that this file has seen; 0: none, it is no catalog. */
export function schemaNumber(sqlite: Database.Database): number {
  const has = sqlite.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'migrations'").get()
  if (has === undefined) return 0
  return sqlite.prepare<[], { n: number | null }>('SELECT max(number) AS n FROM migrations').get()?.n ?? 0
}
