import { expect, onTestFinished, test } from 'vitest'
import Database from 'better-sqlite3'
import { migrate } from './migrate.ts'
import { furnish, testCatalog } from './testing.ts'

const taken = { user: 'ann', action: 'read-file', vmId: 'web-01', pointId: null, subject: null, detail: {} } as const

test('rows are kept for two years, or as somebody has decided, and then go', async () => {
  const here = testCatalog()
  onTestFinished(() => here[Symbol.dispose]())
  const { catalog, clock } = here
  furnish(catalog)
  catalog.audit.add(taken)
  clock.ms += 23 * 31 * 86_400_000
  catalog.audit.add({ ...taken, user: 'ben' })
  expect(await catalog.keeping.purge()).toMatchObject({ audit: 0 })
  clock.ms += 62 * 86_400_000
  expect(catalog.keeping.list().find(({ kind }) => kind === 'audit')).toMatchObject({ months: 24, records: 2 })
  expect(await catalog.keeping.purge()).toMatchObject({ audit: 1 })
  expect(catalog.audit.list({ limit: 10 }).items).toMatchObject([{ user: 'ben', vmName: 'web-01' }])
})

test('pages go on where the one before ended, also among rows of one moment', () => {
  const here = testCatalog()
  onTestFinished(() => here[Symbol.dispose]())
  const { audit } = here.catalog
  for (const user of ['a', 'b', 'c']) audit.add({ ...taken, vmId: null, user })
  const first = audit.list({ limit: 2 })
  const rest = audit.list({ limit: 2, cursor: first.nextCursor ?? '' })
  expect([...first.items, ...rest.items].map(({ user }) => user)).toEqual(['c', 'b', 'a'])
})

test('no row can be changed afterwards', () => {
  const sqlite = new Database(':memory:')
  migrate(sqlite, 0)
  sqlite.exec(`INSERT INTO audit (ms, user, action, detail) VALUES (1, 'ann', 'read-file', '{}')`)
  expect(() => sqlite.exec(`UPDATE audit SET user = 'ben'`)).toThrow('do not change')
  sqlite.close()
})
