import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { getTableConfig } from 'drizzle-orm/sqlite-core'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { migrate, readMigrations } from './migrate.ts'
import { openCatalog } from './open.ts'
import * as schema from './schema.ts'
import { aPoint, aRun, furnish, testCatalog } from './testing.ts'

let folder: string
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'holdfast-catalog-'))))
afterEach(() => rmSync(folder, { recursive: true }))

interface ColumnInfo {
  readonly name: string
  readonly type: string
  readonly notnull: number
  readonly pk: number
}

function columnsOf(sqlite: Database.Database, table: string): ColumnInfo[] {
  return sqlite
    .prepare<[string], ColumnInfo>('SELECT name, type, "notnull", pk FROM pragma_table_info(?) ORDER BY name')
    .all(table)
}

test('the tables that queries see are the tables that the migrations make', () => {
  const sqlite = new Database(':memory:')
  migrate(sqlite, 0)
  for (const table of Object.values(schema)) {
    const { name, columns, primaryKeys } = getTableConfig(table)
    const together = primaryKeys.flatMap((key) => key.columns.map((column) => column.name))
    const seen = columns
      .map((column) => ({
        name: column.name,
        type: column.getSQLType().toUpperCase(),
        notnull: Number(column.notNull),
        pk: Number(column.primary || together.includes(column.name)),
      }))
      .sort((a, b) => (a.name < b.name ? -1 : 1))
    const real = columnsOf(sqlite, name).map(({ pk, notnull, ...rest }) => ({
      ...rest,
      notnull: rest.type === 'INTEGER' && pk === 1 ? 1 : notnull,
      pk: Math.min(pk, 1),
    }))
    expect(real, name).toEqual(seen)
  }
  sqlite.close()
})

test('every table is STRICT', () => {
  const sqlite = new Database(':memory:')
  migrate(sqlite, 0)
  const loose = sqlite
    .prepare<[], { name: string }>(
      "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND strict = 0 AND name NOT LIKE 'sqlite_%'",
    )
    .all()
  expect(loose).toEqual([])
  sqlite.close()
})

test('migrating an up-to-date catalog changes nothing', () => {
  const path = join(folder, 'catalog.db')
  openCatalog({ path, now: () => 1 }).close()
  const before = new Database(path, { readonly: true }).prepare('SELECT * FROM migrations').all()
  openCatalog({ path, now: () => 2 }).close()
  expect(new Database(path, { readonly: true }).prepare('SELECT * FROM migrations').all()).toEqual(before)
  expect(before).toHaveLength(readMigrations().length)
})

test('a catalog of the first version is brought up to date and keeps its content', () => {
  const path = join(folder, 'catalog.db')
  const old = new Database(path)
  migrate(old, 1, readMigrations().slice(0, 1))
  expect(columnsOf(old, 'histories')).toEqual([])
  old.exec("INSERT INTO installation VALUES (1, '0123456789abcdef0123456789abcdef', 'old', 5)")
  old.exec(
    "INSERT INTO repositories (id, name, site, location, credential_ref, created_ms) VALUES ('main', 'main', 'local', '{\"kind\":\"posix\",\"path\":\"/r\"}', 'file:/p', 7)",
  )
  old.close()
  using catalog = openCatalog({ path })
  expect(catalog.installation.get()).toEqual({ uuid: '0123456789abcdef0123456789abcdef', name: 'old', createdMs: 5 })
  expect(catalog.repositories.get('main').location).toEqual({ kind: 'posix', path: '/r' })
  catalog.repositories.recordUsage('main', {
    measuredMs: 86_400_000,
    points: 0,
    series: 0,
    packs: 0,
    storedBytes: 1,
    uniqueBytes: 1,
    logicalBytes: 1,
    capacityBytes: null,
    freeBytes: null,
  })
  expect(catalog.repositories.growth('main', 30)).toMatchObject([{ day: '1970-01-02', storedBytes: 1 }])
})

/** One row in every table, whatever it means: what a migration does to rows is looked at, not what they say. */
function fillEveryTable(sqlite: Database.Database): readonly string[] {
  sqlite.pragma('foreign_keys = OFF')
  // Values that are listed in a CHECK are the only thing that a row of nothing in particular could hurt.
  sqlite.pragma('ignore_check_constraints = ON')
  const tables = sqlite
    .prepare<[], { name: string }>(
      `SELECT name FROM pragma_table_list
        WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> 'migrations' ORDER BY name`,
    )
    .all()
    .map(({ name }) => name)
  for (const table of tables) {
    const columns = columnsOf(sqlite, table)
    const names = columns.map(({ name }) => `"${name}"`).join(', ')
    const values = columns.map(({ type }) => (type === 'TEXT' ? '{}' : type === 'BLOB' ? Buffer.from('{}') : 1))
    sqlite
      .prepare(`INSERT OR IGNORE INTO "${table}" (${names}) VALUES (${columns.map(() => '?').join(', ')})`)
      .run(...values)
  }
  return tables.filter((table) => sqlite.prepare(`SELECT 1 FROM "${table}"`).get() !== undefined)
}

test('from every earlier version, the one before this included, rows of every table are kept', () => {
  const all = readMigrations()
  const newest = new Database(':memory:')
  migrate(newest, 0)
  const made = (sqlite: Database.Database): unknown[] =>
    sqlite.prepare("SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY name").all()
  for (let from = 1; from < all.length; from += 1) {
    const old = new Database(':memory:')
    migrate(old, 0, all.slice(0, from))
    const filled = fillEveryTable(old)
    expect(filled.length).toBeGreaterThan(5)
    migrate(old, 0)
    const empty = filled.filter((table) => old.prepare(`SELECT 1 FROM "${table}"`).get() === undefined)
    expect(empty, `from version ${from}`).toEqual([])
    expect(made(old)).toEqual(made(newest))
    expect(old.pragma('integrity_check')).toEqual([{ integrity_check: 'ok' }])
    old.close()
  }
  newest.close()
})

test('what happened before totals were kept is counted', () => {
  const path = join(folder, 'catalog.db')
  const old = new Database(path)
  migrate(old, 1, readMigrations().slice(0, 16))
  const insert = old.prepare(
    `INSERT INTO runs (run_id, workflow_id, kind, state, title, started_ms, ended_ms, resumed_times, bytes_read, bytes_stored,
      residue, requested_user, requested_reason, seen_ms) VALUES (?, 'w', 'backup', ?, '', 0, ?, 0, ?, 7, '[]', '', '', 0)`,
  )
  insert.run('a', 'completed', 20_000, 100)
  insert.run('b', 'completed', 400_000, null)
  insert.run('c', 'running', null, 5)
  old.exec("INSERT INTO missed_starts VALUES ('nightly', 1, 'missed', 2), ('nightly', 3, 'missed', 4)")
  old.close()
  using catalog = openCatalog({ path })
  const totals = Object.fromEntries(
    catalog.metrics.totals().map(({ name, label, value }) => [`${name} ${label}`, value]),
  )
  expect(totals).toMatchObject({
    'runs backup/completed': 2,
    'run-ms backup': 420_000,
    'bytes-read backup': 100,
    'bytes-stored backup': 14,
    'run-within backup/60': 1,
    'run-within backup/900': 2,
    'missed-starts nightly/missed': 2,
  })
  expect(totals).not.toHaveProperty('run-within backup/10')
  // The end of a run that was open goes on from there.
  catalog.runs.observe('c', { state: 'completed', endedMs: 5000 })
  expect(catalog.metrics.totals()).toContainEqual({ name: 'runs', label: 'backup/completed', value: 3 })
})

test('a migration that fails leaves the catalog as it was', () => {
  const sqlite = new Database(':memory:')
  const good = readMigrations()
  const broken = [
    ...good,
    {
      number: good.length + 1,
      name: '9999-broken',
      sql: 'CREATE TABLE half (a TEXT) STRICT; CREATE TABLE half (a TEXT)',
    },
  ]
  expect(() => migrate(sqlite, 0, broken)).toThrow(/already exists/)
  expect(sqlite.prepare("SELECT count(*) AS n FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%'").get()).toEqual({
    n: 0,
  })
  sqlite.close()
})

test('a catalog of a newer version is refused, not touched', () => {
  const path = join(folder, 'catalog.db')
  const newer = new Database(path)
  migrate(newer, 0, [
    ...readMigrations(),
    { number: readMigrations().length + 1, name: '9999-future', sql: 'CREATE TABLE future (a TEXT) STRICT' },
  ])
  newer.close()
  expect(() => openCatalog({ path })).toThrow(expect.objectContaining({ code: 'FormatUnsupported' }))
})

test('a file that is no catalog is refused with its name', () => {
  expect(() => openCatalog({ path: join(folder, 'not', 'there', 'catalog.db') })).toThrow(
    expect.objectContaining({ code: 'ConfigInvalid', message: expect.stringContaining('catalog.db') as string }),
  )
})

test('the catalog runs in write-ahead mode with foreign keys on, and a copy of it is whole', async () => {
  const path = join(folder, 'catalog.db')
  using here = testCatalog(path)
  furnish(here.catalog)
  const other = new Database(path, { readonly: true })
  expect(other.pragma('journal_mode', { simple: true })).toBe('wal')
  other.close()
  expect(() => here.catalog.points.record(aPoint(1, { vmId: 'nobody' }))).toThrow(/FOREIGN KEY/)
  here.catalog.points.record(aPoint(1))
  await here.catalog.own.copyTo(join(folder, 'copy.db'), { onProgress: () => undefined })
  using copy = openCatalog({ path: join(folder, 'copy.db') })
  expect(copy.points.list({ limit: 10 }).total).toBe(1)
  expect(copy.integrity()).toBe('ok')
})

test('a transaction is all or nothing, announcements included', () => {
  using here = testCatalog()
  furnish(here.catalog)
  const before = here.catalog.events.newest()
  expect(() =>
    here.catalog.transaction(() => {
      here.catalog.runs.started(aRun(1))
      throw new Error('power cut')
    }),
  ).toThrow('power cut')
  expect(here.catalog.runs.find('run-1')).toBeUndefined()
  expect(here.catalog.events.newest()).toBe(before)
})
