import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { openCatalog, unknownRemover, type Catalog } from './index.ts'
import { migrate, readMigrations } from './migrate.ts'
import { aPoint, furnish, pointIdOf, testCatalog, testNow, type TestCatalog } from './testing.ts'

let here: TestCatalog
let catalog: Catalog
const id = pointIdOf(1)
const { stem } = aPoint(1)
beforeEach(() => {
  here = testCatalog()
  catalog = here.catalog
  furnish(catalog)
  catalog.repositories.add({
    name: 'offsite',
    site: 'local',
    location: { kind: 's3', url: 's3://offsite/holdfast' },
    credentialRef: 'file:/srv/secrets/offsite',
  })
  catalog.points.record(aPoint(1))
})
afterEach(() => here[Symbol.dispose]())

const mirrored = (over: { readonly stem?: string; readonly validatedMs?: number } = {}): void =>
  catalog.copies.found({
    ...{ pointId: id, repositoryId: 'offsite', stem, sourceId: 'main', validatedMs: testNow, lockUntilMs: null },
    ...over,
  })
const act = { ms: testNow, by: 'a sweep', why: 'no rule keeps it' }
const place = () => {
  const { repositoryId, validatedMs, damagedMs, goneMs } = catalog.points.get(id)
  return { repositoryId, isValidated: validatedMs !== null, isDamaged: damagedMs !== null, isGone: goneMs !== null }
}
const whole = { isValidated: true, isDamaged: false, isGone: false }

describe('a point in two repositories', () => {
  it('is one point with two copies, and both repositories count it', () => {
    mirrored()
    mirrored()
    expect(catalog.points.list({ limit: 10 }).total).toBe(1)
    expect(catalog.copies.of(id)).toMatchObject([
      { repositoryId: 'main', sourceId: null, state: 'done', storedBytes: 350 },
      { repositoryId: 'offsite', sourceId: 'main', sourceName: 'main', state: 'done' },
    ])
    for (const repositoryId of ['main', 'offsite']) {
      expect(catalog.repositories.get(repositoryId)).toMatchObject({ points: 1, vms: 1 })
      expect(catalog.points.list({ limit: 10 }, { repositoryId }).total).toBe(1)
      expect(catalog.retained.believed(repositoryId)).toEqual([id])
    }
  })

  it('is swept from one of them without the other losing or counting anything', () => {
    mirrored()
    catalog.retained.recordRemoved('offsite', [stem], act)
    expect(place()).toEqual({ repositoryId: 'main', ...whole })
    expect(catalog.retained.removedSince('offsite', testNow - 1)).toBe(1)
    expect(catalog.retained.removedSince('main', 0)).toBe(0)
    expect(catalog.retained.believed('offsite')).toEqual([])
    expect(catalog.copies.find(id, 'offsite')).toMatchObject({ state: 'removed', removedMs: testNow })
    expect(catalog.repositories.get('offsite').points).toBe(0)
    catalog.retained.recordRemoved('main', [stem], act)
    expect(catalog.points.find(id)).toBeUndefined()
    expect(catalog.retained.removed(id)).toMatchObject({ repositoryId: 'main', removedBy: 'a sweep' })
  })

  it('lives in the mirror when its first copy is swept, goes missing or is damaged', () => {
    mirrored()
    catalog.points.recordDamage(id, { ms: testNow, damage: 'a chunk is lost' })
    expect(place()).toEqual({ repositoryId: 'offsite', ...whole })
    expect(catalog.points.damaged('web-01', 'main')).toEqual([id])
    expect(catalog.retained.damaged('offsite').size).toBe(0)
    expect(catalog.vms.get('web-01').posture.state).toBe('protected')
    catalog.points.recordGone(id, testNow, 'main')
    catalog.retained.recordRemoved('main', [stem], act)
    expect(place()).toEqual({ repositoryId: 'offsite', ...whole })
    expect(catalog.points.list({ limit: 10 }, { repositoryId: 'main' }).total).toBe(0)
    catalog.points.recordGone(id, testNow, 'offsite')
    expect(place()).toMatchObject({ repositoryId: 'offsite', isValidated: false, isGone: true })
    catalog.points.recordFound(id, testNow, 'offsite')
    expect(place()).toEqual({ repositoryId: 'offsite', ...whole })
  })

  it('is read again where the hypervisor put it as soon as that copy stands again', () => {
    mirrored()
    catalog.points.recordDamage(id, { ms: testNow, damage: 'a chunk is lost' }, 'main')
    expect(place()).toEqual({ repositoryId: 'offsite', ...whole })
    catalog.points.recordMended(id, testNow + 1, 'main')
    expect(place()).toEqual({ repositoryId: 'main', ...whole })
  })

  it('has its damaged copy told for as long as it is there, also while it is to be made whole', () => {
    catalog.points.recordDamage(id, { ms: testNow, damage: 'a chunk is lost' })
    // Of which no repository has a whole copy: that is told of the point.
    expect(catalog.copies.damaged()).toEqual([])
    mirrored()
    expect(catalog.copies.damaged()).toMatchObject([
      { pointId: id, repositoryId: 'main', vmName: 'web-01', damagedMs: testNow, damage: 'a chunk is lost' },
    ])
    catalog.points.record(aPoint(2, { createdMs: testNow + 1 }))
    expect(catalog.copies.damaged()).toHaveLength(1)
    catalog.points.recordMended(id, testNow + 2, 'main')
    expect(catalog.copies.damaged()).toEqual([])
    catalog.points.recordDamage(id, { ms: testNow, damage: 'a chunk is lost' }, 'offsite')
    catalog.mirrors.wantBack()
    expect(catalog.copies.find(id, 'offsite')?.state).toBe('pending')
    expect(catalog.copies.damaged()).toMatchObject([{ repositoryId: 'offsite' }])
  })

  it('counts where its newest point stands, not where any point ever came to', () => {
    mirrored()
    expect(catalog.copies.repositoriesOf('web-01')).toBe(2)
    catalog.points.record(aPoint(2, { createdMs: testNow + 1 }))
    expect(catalog.copies.repositoriesOf('web-01')).toBe(1)
    expect(catalog.copies.repositoriesOf('db-99')).toBe(0)
  })

  it('says who removed a copy as soon as that is known', () => {
    mirrored()
    const found = { ms: testNow, by: unknownRemover, why: 'it carries a tombstone that counts' }
    catalog.retained.recordRemoved('offsite', [stem], found)
    catalog.retained.recordRemoved('offsite', [stem], { ...act, ms: testNow + 1 })
    const told = { removedMs: testNow + 1, problem: 'removed by a sweep: no rule keeps it' }
    expect(catalog.copies.find(id, 'offsite')).toMatchObject(told)
    catalog.retained.recordRemoved('offsite', [stem], { ...act, ms: testNow + 2, by: 'another' })
    expect(catalog.copies.find(id, 'offsite')).toMatchObject(told)
  })

  it('keeps the name that a copy got when it was made again', () => {
    const fresh = `${stem.slice(0, -32)}${'e'.repeat(32)}`
    mirrored({ stem: fresh })
    expect(catalog.copies.pointIdOf(fresh)).toBe(id)
    expect(catalog.copies.pointIdOf(stem)).toBe(id)
    expect(catalog.copies.pointIdOf(`${stem.slice(0, -32)}${'d'.repeat(32)}`)).toBe('d'.repeat(32))
    expect(catalog.retained.believed('offsite')).toEqual(['e'.repeat(32)])
    expect(catalog.retained.rulesSource('offsite').planOf(fresh)).toBeNull()
  })
})

it('a store that is registered under a second name is refused as what it is', () => {
  const test = {
    ...{ testedMs: testNow, repositoryUuid: 'f'.repeat(32), passed: true, checks: [], writeRate: null },
    ...{ readRate: null, staleMs: null, skewMs: null, error: null },
  }
  expect(catalog.repositories.recordTest('main', test)).toMatchObject({ passed: true })
  expect(catalog.repositories.recordTest('main', test)).toMatchObject({ passed: true })
  expect(catalog.repositories.recordTest('offsite', test)).toMatchObject({
    passed: false,
    error: { code: 'NameTaken', message: 'this is the same repository as main, at /srv/repository' },
  })
  expect(catalog.repositories.get('offsite')).toMatchObject({ uuid: null, test: { passed: false } })
  expect(catalog.repositories.byUuid('f'.repeat(32))).toBe('main')
})

it('a catalog from before the table has one copy of each of its points', () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-copies-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'catalog.db')
  const old = new Database(path)
  migrate(old, 1, readMigrations().slice(0, 17))
  old.exec(`
    INSERT INTO endpoints (id, name, platform, address, site, credential_ref, options, created_ms)
      VALUES ('lab', 'lab', 'qemu', '/l', 'local', '', '{}', 1);
    INSERT INTO vms (id, endpoint_id, scope, external_id, name, power, tags, disks, size_bytes, guest_agent, foreign_snapshots,
        findings, category, drill_checks, created_ms, listing, seen_ms)
      VALUES ('web', 'lab', 's', 'x', 'web', 'running', '[]', '[]', 1, 'absent', 0, '[]', 'standard', '[]', 1, 'l', 1);`)
  const repository = old.prepare('INSERT INTO repositories VALUES (?, ?, ?, ?, ?, 1, ?, NULL)')
  const test = JSON.stringify({ repositoryUuid: 'f'.repeat(32) })
  for (const name of ['main', 'twin'])
    repository.run(name, name, 'local', JSON.stringify({ kind: 'posix', path: `/${name}` }), '', test)
  const point = old.prepare(`
    INSERT INTO points (id, stem, vm_id, repository_id, created_ms, validated_ms, origin, mode, consistency, disks, logical_bytes,
        read_bytes, new_bytes, verify_level, verified_ms, verify_chunks, refs, damaged_ms, damage)
      VALUES (?, ?, 'web', 'main', 5, ?, 'manual', 'full', 'crash', '[]', 1, 2, 3, ?, ?, NULL, '[]', ?, ?)`)
  point.run(pointIdOf(1), stem, 6, 'full', 7, null, null)
  point.run(pointIdOf(2), aPoint(2).stem, null, null, null, 8, 'a chunk is lost')
  old.close()
  using now = openCatalog({ path })
  expect(now.copies.of(id)).toMatchObject([
    { repositoryId: 'main', stem, state: 'done', validatedMs: 6, verifyLevel: 'full', verifiedMs: 7, storedBytes: 3 },
  ])
  expect(now.copies.of(pointIdOf(2))).toMatchObject([{ validatedMs: null, damagedMs: 8, damage: 'a chunk is lost' }])
  expect([now.repositories.get('main').uuid, now.repositories.get('twin').uuid]).toEqual(['f'.repeat(32), null])
})
