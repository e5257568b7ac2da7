import { closeSync, mkdtempSync, openSync, readFileSync, readdirSync, rmSync, statSync, writeSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { keptSince, recordKinds } from '../policy/index.ts'
import { ringSize } from './events.ts'
import { openCatalog } from './open.ts'
import { aPoint, aRun, furnish, pointIdOf, testCatalog, testNow, type TestCatalog } from './testing.ts'

let folder: string
let world: TestCatalog
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-own-'))
  world = testCatalog(join(folder, 'catalog.db'))
  furnish(world.catalog)
})
afterEach(() => {
  world[Symbol.dispose]()
  rmSync(folder, { recursive: true })
})
const quiet = { onProgress: (): void => undefined }

test('a copy holds everything but what opens doors and what is of the moment', async () => {
  const { catalog } = world
  const canary = 'c0ffee'.repeat(10) + 'abcd'
  catalog.access.putToken({ id: 'admin', name: 'operator', hash: canary, role: 'admin' })
  catalog.access.openSession(`${canary}-session`, 'admin', 60_000)
  catalog.idempotency.reserve(`${canary}-key`, 'request', 'backup/web-01')
  catalog.points.record(aPoint(1))
  catalog.runs.started(aRun(1))
  const path = join(folder, 'copy.db')
  const seen = catalog.events.newest()
  const copy = await catalog.own.copyTo(path, quiet)
  const bytes = readFileSync(path)
  expect(copy).toMatchObject({ coveredSeq: seen, bytes: bytes.length, createdMs: testNow })
  expect(createHash('sha256').update(bytes).digest('hex')).toBe(copy.sha256)
  expect(bytes.includes(canary)).toBe(false)
  expect(readdirSync(folder).filter((name) => name.startsWith('copy'))).toEqual(['copy.db'])
  const there = new Map(catalog.recovery.tables().map(({ table, rows }) => [table, rows]))
  using back = openCatalog({ path, now: () => testNow })
  const leftOut = ['sessions', 'tokens', 'idempotency_keys', 'events', 'slot_claims']
  for (const { table, rows } of back.recovery.tables())
    expect([table, rows]).toEqual([table, leftOut.includes(table) ? 0 : there.get(table)])
  // Numbers go on where they stood: nobody who reads the stream takes the new ones for old ones.
  expect(back.events.newest()).toBe(seen)
})

test('a copy is made while the thread that asked for it does something else', async () => {
  const { catalog } = world
  catalog.points.record(aPoint(1))
  const path = join(folder, 'copy.db')
  const copying = catalog.own.copyTo(path, quiet)
  const deadline = Date.now() + 20_000
  const size = (): number => statSync(`${path}.partial`, { throwIfNoEntry: false })?.size ?? 0
  // Nobody is let go on here meanwhile.
  while (size() === 0 && Date.now() < deadline);
  expect(size()).toBeGreaterThan(0)
  catalog.points.record(aPoint(2))
  const { coveredSeq } = await copying
  using back = openCatalog({ path, now: () => testNow })
  expect(back.points.find(pointIdOf(1))).toBeDefined()
  expect(coveredSeq).toBeLessThan(catalog.events.newest())
})

test('a copy that is given up leaves nothing, and says why', async () => {
  const path = join(folder, 'copy.db')
  const stop = new AbortController()
  const copying = world.catalog.own.copyTo(path, { ...quiet, signal: stop.signal })
  stop.abort(new Error('the server stops'))
  await expect(copying).rejects.toThrow('the server stops')
  expect(readdirSync(folder).filter((name) => name.startsWith('copy'))).toEqual([])
})

test('a damaged catalog is not copied, and the copy before it stays', async () => {
  const { catalog } = world
  for (let n = 1; n < 400; n += 1) catalog.points.record(aPoint(n))
  const path = join(folder, 'copy.db')
  const { sha256 } = await catalog.own.copyTo(path, quiet)
  const other = new Database(join(folder, 'catalog.db'))
  other.pragma('wal_checkpoint(TRUNCATE)')
  const page = other
    .prepare<[], { n: number }>(`SELECT rootpage AS n FROM sqlite_schema WHERE name = 'points_by_vm'`)
    .get()
  other.close()
  const file = openSync(join(folder, 'catalog.db'), 'r+')
  writeSync(file, Buffer.alloc(4096, 0xff), 0, 4096, ((page?.n ?? 0) - 1) * 4096)
  closeSync(file)
  await expect(catalog.own.copyTo(path, quiet)).rejects.toMatchObject({
    code: 'FormatError',
    hint: expect.stringContaining('own-recovery.md') as string,
  })
  expect(createHash('sha256').update(readFileSync(path)).digest('hex')).toBe(sha256)
})

test('a table that this version does not know comes along', async () => {
  const other = new Database(join(folder, 'catalog.db'))
  other.exec(
    "CREATE TABLE plans_of_tomorrow (id TEXT PRIMARY KEY, text TEXT) STRICT; INSERT INTO plans_of_tomorrow VALUES ('a', 'nightly')",
  )
  other.close()
  await world.catalog.own.copyTo(join(folder, 'copy.db'), quiet)
  using copy = openCatalog({ path: join(folder, 'copy.db') })
  expect(copy.recovery.tables()).toContainEqual({ table: 'plans_of_tomorrow', rows: 1 })
})

test('what an own backup itself writes down is no change that asks for another, a history is one', async () => {
  const { own, events } = world.catalog
  const seq = events.newest()
  expect(own.changesSince(seq)).toBeNull()
  own.recordMade('main', { stem: 's', madeMs: testNow, coveredSeq: seq, bytes: 1, versions: 1 })
  events.publish('workers', null)
  expect(own.changesSince(seq)).toBeNull()
  world.clock.ms += 5
  world.catalog.points.record(aPoint(1))
  expect(own.changesSince(seq)).toEqual({ firstMs: testNow + 5, lastMs: testNow + 5 })
  // The history of a run comes after the run's last word.
  world.catalog.runs.started(aRun(1))
  const ended = events.newest()
  await world.catalog.histories.archive({ runId: 'run-1', workflowId: 'backup/web-01', eventCount: 1 }, '{}')
  expect(own.changesSince(ended)).not.toBeNull()
  const kept = events.newest()
  await world.catalog.histories.archive({ runId: 'run-1', workflowId: 'backup/web-01', eventCount: 1 }, '{}')
  expect(own.changesSince(kept)).toBeNull()
})

test('changes that the ring of events has let go of are changes, since nobody knows when', () => {
  const { own, events } = world.catalog
  const seq = events.newest()
  const flood = (): void => {
    for (let n = 0; n < ringSize + 200; n += 1) events.publish('workers', null)
  }
  world.catalog.points.record(aPoint(1))
  world.clock.ms += 5
  flood()
  expect(events.oldest()).toBeGreaterThan(seq + 1)
  // What was let go of may have been changes, and here it was.
  expect(own.changesSince(seq)).toEqual({ firstMs: null, lastMs: testNow + 5 })
  world.clock.ms += 5
  world.catalog.points.record(aPoint(2))
  expect(own.changesSince(seq)).toEqual({ firstMs: null, lastMs: testNow + 10 })
  expect(own.changesSince(events.newest())).toBeNull()
})

test('a try that failed takes away nothing of what is there', () => {
  const { own } = world.catalog
  expect(own.backups()).toMatchObject([{ repositoryId: 'main', repositoryName: 'main', madeMs: null, error: null }])
  own.recordMade('main', { stem: 's', madeMs: 7, coveredSeq: 3, bytes: 1, versions: 2 })
  const error = { code: 'StoreFull', message: 'full', hint: 'make space', docs: 'd' }
  own.recordFailed('main', 9, error)
  expect(own.backup('main')).toMatchObject({ stem: 's', madeMs: 7, versions: 2, triedMs: 9, error })
  own.recordMade('main', { stem: 't', madeMs: 10, coveredSeq: 4, bytes: 1, versions: 3 })
  expect(own.backup('main')).toMatchObject({ stem: 't', error: null })
  expect(() => own.backup('other')).toThrow(expect.objectContaining({ code: 'NotFound' }))
})

test('a point that is gone is found by nobody who needs a point, and comes back when it is there again', () => {
  const { points, vms, repositories } = world.catalog
  points.record(aPoint(1, { createdMs: testNow - 1000, validatedMs: testNow - 900 }))
  expect(vms.get('web-01').posture.state).toBe('protected')
  points.recordGone(pointIdOf(1), testNow)
  expect(vms.get('web-01').posture.state).toBe('unprotected')
  expect(points.list({ limit: 9 }).total).toBe(0)
  expect(points.newestValidated('web-01')).toBeUndefined()
  expect(repositories.get('main')).toMatchObject({ points: 0, newestPointMs: null })
  expect(points.get(pointIdOf(1))).toMatchObject({ goneMs: testNow, validatedMs: null })
  points.recordFound(pointIdOf(1), testNow - 900)
  expect(vms.get('web-01').posture.state).toBe('protected')
})

test('a look says which points the repository no longer has, and a second look begins anew', () => {
  const { points, recovery } = world.catalog
  for (const n of [1, 2, 3]) points.record(aPoint(n))
  recovery.beginLook()
  recovery.saw([pointIdOf(1), pointIdOf(3), pointIdOf(1)])
  expect(recovery.unseen('main', 10)).toEqual([pointIdOf(2)])
  expect(recovery.unseen('other', 10)).toEqual([])
  recovery.beginLook()
  expect(recovery.unseen('main', 2)).toHaveLength(2)
})

test('records go when they are older than they are kept, the newest run of each workflow and what runs never', async () => {
  const { catalog } = world
  const limitMs = keptSince(testNow, recordKinds.runs.months)
  const ended = (n: number, endedMs: number, workflowId = 'backup/web-01'): void => {
    catalog.runs.started(aRun(n, { workflowId, startedMs: endedMs - 10 }))
    catalog.runs.observe(`run-${n}`, { state: 'completed', endedMs })
  }
  ended(1, limitMs - 1)
  ended(2, limitMs)
  ended(3, limitMs - 5, 'backup/alone')
  catalog.runs.started(aRun(4, { startedMs: limitMs - 99, workflowId: 'drill/old' }))
  await catalog.histories.archive({ runId: 'run-1', workflowId: 'backup/web-01', eventCount: 1 }, '{"events":[]}')
  catalog.repositories.recordUsage('main', { ...usage, measuredMs: Date.UTC(2026, 4, 20) })
  catalog.repositories.recordUsage('main', { ...usage, measuredMs: Date.UTC(2026, 4, 22) })
  expect(await catalog.keeping.purge()).toMatchObject({ audit: 0, runs: 1, notifications: 0, 'disk-usage': 1 })
  expect(catalog.histories.has('run-1')).toBe(false)
  expect([1, 2, 3, 4].map((n) => catalog.runs.find(`run-${n}`) !== undefined)).toEqual([false, true, true, true])
  expect(catalog.repositories.growth('main', 9).map(({ day }) => day)).toEqual(['2026-05-22'])
  expect(await catalog.keeping.purge()).toMatchObject({ audit: 0, runs: 0, notifications: 0, 'disk-usage': 0 })
})
const usage = {
  points: 1,
  series: 1,
  packs: 1,
  storedBytes: 1,
  uniqueBytes: 1,
  logicalBytes: 1,
  capacityBytes: null,
  freeBytes: null,
}

test('how long a kind is kept is said, changed within bounds, and honest about kinds that nobody writes', () => {
  const { keeping } = world.catalog
  expect(keeping.list().map(({ kind, months, records }) => [kind, months, records])).toEqual([
    ['audit', 24, 0],
    ['runs', 12, 0],
    ['usage', 12, 0],
    ['notifications', 3, 0],
    ['disk-usage', 6, 0],
    ['sweeps', 3, 0],
    ['retention-audits', 12, 0],
    ['removed-points', 12, 0],
    ['collections', 12, 0],
    ['verifications', 12, 0],
  ])
  expect(keeping.set('runs', 36)).toMatchObject({ months: 36, defaultMonths: 12 })
  for (const months of [0, 241, 1.5]) expect(() => keeping.set('runs', months)).toThrow()
  expect(() => keeping.set('nothing', 3)).toThrow(expect.objectContaining({ code: 'NotFound' }))
})
