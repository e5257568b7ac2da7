import Database from 'better-sqlite3'
import { sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/better-sqlite3'
import { integer, sqliteTable } from 'drizzle-orm/sqlite-core'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { preparingOnce } from './statements.ts'

const numbers = sqliteTable('numbers', { n: integer('n') })

let sqlite: Database.Database
beforeEach(() => {
  sqlite = new Database(':memory:')
  sqlite.exec('CREATE TABLE numbers (n INTEGER)')
})
afterEach(() => void sqlite.close())

test('each text is prepared once, those that nobody asked for longest are forgotten', () => {
  const prepare = vi.spyOn(sqlite, 'prepare')
  const once = preparingOnce(sqlite, 2)
  const asked = ['SELECT 1', 'SELECT 2', 'SELECT 1', 'SELECT 3', 'SELECT 1', 'SELECT 2']
  for (const text of asked) once.prepare(text).get()
  expect(prepare.mock.calls.map(([text]) => text)).toEqual(['SELECT 1', 'SELECT 2', 'SELECT 3', 'SELECT 2'])
})

test('one text gives arrays here and objects there', () => {
  const statement = preparingOnce(sqlite).prepare('SELECT 1 AS one')
  expect(statement.all()).toEqual([{ one: 1 }])
  expect(statement.raw().all()).toEqual([[1]])
  expect(statement.get()).toEqual({ one: 1 })
})

test('what drizzle asks it answers as the connection does, in transactions too', () => {
  const db = drizzle({ client: preparingOnce(sqlite) })
  db.transaction(() =>
    db
      .insert(numbers)
      .values([{ n: 1 }, { n: 2 }])
      .run(),
  )
  expect(() =>
    db.transaction(() => {
      db.delete(numbers).run()
      throw new Error('not after all')
    }),
  ).toThrow('not after all')
  expect(db.select().from(numbers).all()).toEqual([{ n: 1 }, { n: 2 }])
  expect(db.all(sql`SELECT n FROM numbers`)).toEqual([{ n: 1 }, { n: 2 }])
  // The table has another column by now: what was prepared before follows.
  sqlite.exec('ALTER TABLE numbers ADD COLUMN more INTEGER')
  expect(db.all(sql`SELECT * FROM numbers WHERE n = 1`)).toEqual([{ n: 1, more: null }])
  expect(db.select().from(numbers).all()).toEqual([{ n: 1 }, { n: 2 }])
})
