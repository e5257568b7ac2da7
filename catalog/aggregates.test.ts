import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { drillIdOf } from './drills.ts'
import { aDrill, aPoint, aRun, furnish, pointIdOf, testCatalog, testNow, type TestCatalog } from './testing.ts'

let here: TestCatalog
let catalog: TestCatalog['catalog']
beforeEach(() => {
  here = testCatalog()
  ;({ catalog } = here)
  furnish(catalog, ['web-01', 'db-01'])
})
afterEach(() => here[Symbol.dispose]())

describe('points', () => {
  test('recording a point again changes nothing and announces nothing', () => {
    catalog.points.record(aPoint(1))
    const before = catalog.events.newest()
    catalog.points.record(aPoint(1, { name: 'another', createdMs: 1 }))
    expect(catalog.points.get(pointIdOf(1))).toMatchObject({ name: null, createdMs: testNow - 3_600_000 })
    expect(catalog.events.newest()).toBe(before)
  })

  test('sizes are sums over the disks, and one full disk among incremental ones makes it mixed', () => {
    const [first, second] = aPoint(1).disks
    if (!first || !second) throw new Error('the sample has two disks')
    catalog.points.record(aPoint(1, { disks: [first, { ...second, mode: 'incremental', why: '' }] }))
    expect(catalog.points.get(pointIdOf(1))).toMatchObject({
      mode: 'mixed',
      logicalBytes: 2 ** 31 + 2 ** 30,
      readBytes: 1000,
      newBytes: 350,
    })
  })

  test('the newest validated point is not the newest point', () => {
    catalog.points.record(aPoint(1, { createdMs: 100 }))
    catalog.points.record(aPoint(2, { createdMs: 200, validatedMs: null }))
    expect(catalog.points.newestValidated('web-01')?.id).toBe(pointIdOf(1))
    expect(catalog.points.newestValidated('db-01')).toBeUndefined()
  })

  test('a weaker verification never replaces a stronger one', () => {
    catalog.points.record(aPoint(1, { spotCheckedChunks: 0 }))
    const level = (): unknown => catalog.points.get(pointIdOf(1)).verifyLevel
    expect(level()).toBe('validated')
    catalog.points.recordVerification(pointIdOf(1), { level: 'full', ms: 5, chunks: null })
    catalog.points.recordVerification(pointIdOf(1), { level: 'spot-checked', ms: 9, chunks: 16 })
    expect(level()).toBe('full')
    expect(() => catalog.points.recordVerification(pointIdOf(2), { level: 'full', ms: 5, chunks: null })).toThrow(
      expect.objectContaining({ code: 'NotFound' }),
    )
  })

  test('a damaged point is no recovery point any more, for good', () => {
    catalog.points.record(aPoint(1, { createdMs: testNow - 7_200_000 }))
    catalog.points.record(aPoint(2, { createdMs: testNow - 60_000 }))
    catalog.points.recordDamage(pointIdOf(2), { ms: testNow, damage: 'chunk 7 is damaged' })
    catalog.points.recordDamage(pointIdOf(2), { ms: testNow + 1, damage: 'again' })
    catalog.points.recordDamage(pointIdOf(9), { ms: testNow, damage: 'of a point that nobody knows' })
    catalog.points.recordVerification(pointIdOf(2), { level: 'full', ms: testNow, chunks: null })
    catalog.points.record(aPoint(2, { createdMs: testNow - 60_000 }))
    expect(catalog.points.get(pointIdOf(2))).toMatchObject({
      validatedMs: null,
      verifyLevel: null,
      damagedMs: testNow,
      damage: 'chunk 7 is damaged',
    })
    expect(catalog.points.newestValidated('web-01')?.id).toBe(pointIdOf(1))
    expect(catalog.points.damaged('web-01', 'main')).toEqual([pointIdOf(2)])
    expect(catalog.points.damaged('web-01', 'other')).toEqual([])
    expect(catalog.vms.get('web-01').posture).toEqual({ state: 'protected', ageMs: 7_200_000 })
    catalog.points.recordDamage(pointIdOf(1), { ms: testNow, damage: 'chunk 8 is damaged' })
    expect(catalog.vms.get('web-01').posture.state).toBe('unprotected')
    expect(catalog.vms.list({ limit: 5 }, { state: 'unprotected' }).items.map(({ id }) => id)).toContain('web-01')
  })

  test('a point carries its last drill, and the filter by proof finds it', () => {
    catalog.points.record(aPoint(1))
    catalog.points.record(aPoint(2, { vmId: 'db-01' }))
    catalog.drills.record(aDrill('20261120t000000', { verdict: 'failed', endedMs: testNow - 90_000 }))
    catalog.drills.record(aDrill('20261121t000000'))
    expect(catalog.points.get(pointIdOf(1)).proof).toEqual({
      drillId: 'web-01.20261121t000000',
      verdict: 'passed',
      endedMs: testNow - 60_000,
      rtoSeconds: 42.5,
    })
    const ids = (proven: 'passed' | 'failed' | 'never'): string[] =>
      catalog.points.list({ limit: 9 }, { proven }).items.map((point) => point.id)
    expect(ids('passed')).toEqual([pointIdOf(1)])
    expect(ids('failed')).toEqual([])
    expect(ids('never')).toEqual([pointIdOf(2)])
    expect(catalog.points.list({ limit: 9 }, { proven: 'passed' }).total).toBe(1)
    expect(catalog.points.list({ limit: 9 }, { proven: 'never' }).total).toBe(1)
  })

  test('lists go newest first, by VM, repository and time, and a point made meanwhile does not shift the pages', () => {
    for (let n = 1; n <= 5; n += 1) catalog.points.record(aPoint(n, { createdMs: n * 1000 }))
    const first = catalog.points.list({ limit: 2 }, { vmId: 'web-01', repositoryId: 'main' })
    expect(first.items.map((point) => point.createdMs)).toEqual([5000, 4000])
    catalog.points.record(aPoint(6, { createdMs: 6000 }))
    const second = catalog.points.list({ limit: 2, cursor: first.nextCursor ?? undefined }, { vmId: 'web-01' })
    expect(second.items.map((point) => point.createdMs)).toEqual([3000, 2000])
    expect(
      catalog.points.list({ limit: 9 }, { sinceMs: 2000, untilMs: 4000 }).items.map((point) => point.createdMs),
    ).toEqual([3000, 2000])
  })

  test('changed per day counts incremental points of the last week only', () => {
    expect(catalog.points.changedPerDay('web-01')).toBeNull()
    const incremental = aPoint(1).disks.map((disk) => ({ ...disk, mode: 'incremental' as const, readBytes: 500 }))
    catalog.points.record(aPoint(1, { disks: incremental, createdMs: testNow - 2 * 86_400_000 }))
    catalog.points.record(aPoint(2, { disks: incremental, createdMs: testNow - 86_400_000 }))
    catalog.points.record(aPoint(3, { disks: incremental, createdMs: testNow - 9 * 86_400_000 }))
    catalog.points.record(aPoint(4, { createdMs: testNow }))
    expect(catalog.points.changedPerDay('web-01')).toBe(1000)
  })
})

describe('runs', () => {
  test('the run itself and who asked for it may write it down in either order', () => {
    expect(catalog.runs.started(aRun(1))).toBe(true)
    expect(catalog.runs.started(aRun(1, { idempotencyKey: 'key-12345', title: 'other' }))).toBe(false)
    expect(catalog.runs.find('run-1')).toMatchObject({
      title: 'Backup of web-01',
      idempotencyKey: 'key-12345',
      vmName: 'web-01',
      repositoryName: 'main',
    })
    expect(catalog.runs.findByIdempotencyKey('key-12345')?.runId).toBe('run-1')
  })

  test('an observation that says nothing new announces nothing', () => {
    catalog.runs.started(aRun(1))
    catalog.runs.observe('run-1', { state: 'running', resumedTimes: 1 })
    const before = catalog.events.newest()
    catalog.runs.observe('run-1', { state: 'running', resumedTimes: 1, error: null, residue: [] })
    expect(catalog.events.newest()).toBe(before)
    here.clock.ms += 5
    catalog.runs.observe('run-1', { state: 'paused' })
    expect(catalog.events.newest()).toBe(before + 1)
    expect(catalog.runs.find('run-1')).toMatchObject({ state: 'paused', resumedTimes: 1, seenMs: testNow + 5 })
  })

  test('open runs come first, then the newest, over all pages', () => {
    for (let n = 1; n <= 6; n += 1) {
      catalog.runs.started(aRun(n, { startedMs: n }))
      if (n !== 2) catalog.runs.observe(`run-${n}`, { state: n === 3 ? 'failed' : 'completed', endedMs: n + 100 })
    }
    const seen: string[] = []
    let cursor: string | undefined
    do {
      const page = catalog.runs.list({ limit: 2, cursor })
      seen.push(...page.items.map((run) => run.runId))
      cursor = page.nextCursor ?? undefined
    } while (cursor !== undefined)
    expect(seen).toEqual(['run-2', 'run-6', 'run-5', 'run-4', 'run-3', 'run-1'])
    expect(catalog.runs.list({ limit: 9 }, { state: 'open' }).total).toBe(1)
    expect(catalog.runs.list({ limit: 9 }, { state: 'failed' }).items.map((run) => run.runId)).toEqual(['run-3'])
    expect(catalog.runs.latest('backup/web-01')?.runId).toBe('run-6')
    expect(catalog.runs.open().map((run) => run.runId)).toEqual(['run-2'])
  })

  test('the usual duration is the median of completed runs', () => {
    expect(catalog.runs.usualDurationMs('backup', 'web-01')).toBeNull()
    for (const [n, took] of [5, 100, 7].entries()) {
      catalog.runs.started(aRun(n, { startedMs: 1000 * n }))
      catalog.runs.observe(`run-${n}`, { state: 'completed', endedMs: 1000 * n + took })
    }
    expect(catalog.runs.usualDurationMs('backup', 'web-01')).toBe(7)
  })
})

describe('drills', () => {
  test('a verdict never changes afterwards', () => {
    catalog.points.record(aPoint(1))
    expect(catalog.drills.record(aDrill('20261121t073352', { verdict: 'failed' }))).toBe('web-01.20261121t073352')
    catalog.drills.record(aDrill('20261121t073352', { verdict: 'passed' }))
    expect(catalog.drills.get(drillIdOf('drill/web-01/20261121t073352')).verdict).toBe('failed')
  })

  test('drills are listed by VM, point and verdict, newest first', () => {
    catalog.points.record(aPoint(1))
    catalog.drills.record(aDrill('1', { endedMs: 1 }))
    catalog.drills.record(aDrill('2', { endedMs: 2, verdict: 'failed' }))
    expect(
      catalog.drills.list({ limit: 9 }, { vmId: 'web-01', pointId: pointIdOf(1) }).items.map((drill) => drill.endedMs),
    ).toEqual([2, 1])
    expect(catalog.drills.list({ limit: 9 }, { verdict: 'failed' }).total).toBe(1)
    expect(catalog.drills.latest('web-01')?.endedMs).toBe(2)
    expect(catalog.statistics.drillsFailed(9)).toMatchObject([{ vmName: 'web-01', endedMs: 2 }])
    expect(catalog.statistics.provenVms()).toBe(0)
  })
})

describe('hypervisors and repositories', () => {
  test('platforms that state no scope get a UUID of their own; a given one is kept', () => {
    expect(catalog.endpoints.get('lab').options.scope).toMatch(/^[0-9a-f-]{36}$/)
    const given = catalog.endpoints.add({
      name: 'Lab Two',
      platform: 'qemu',
      address: '/x',
      site: 'local',
      credentialRef: '',
      options: { scope: 'mine' },
    })
    expect(given).toMatchObject({ id: 'lab-two', options: { scope: 'mine' } })
    const other = catalog.endpoints.add({
      name: 'pve',
      platform: 'proxmox',
      address: 'https://pve',
      site: 'paris',
      credentialRef: '',
      options: {},
    })
    expect(other.options).toEqual({})
    expect(catalog.endpoints.sites()).toEqual(['local', 'paris'])
    expect(catalog.endpoints.list({ limit: 9 }).items.map((one) => [one.id, one.vms])).toEqual([
      ['lab-two', 0],
      ['lab', 2],
      ['pve', 0],
    ])
  })

  test('a name is taken once', () => {
    const again = {
      name: 'lab',
      platform: 'qemu',
      address: '/x',
      site: 'local',
      credentialRef: '',
      options: {},
    } as const
    expect(() => catalog.endpoints.add(again)).toThrow(expect.objectContaining({ code: 'NameTaken' }))
    const repository = {
      name: 'main',
      site: 'local',
      location: { kind: 'posix', path: '/other' },
      credentialRef: 'file:/p',
    } as const
    expect(() => catalog.repositories.add(repository)).toThrow(expect.objectContaining({ code: 'NameTaken' }))
    expect(() =>
      catalog.repositories.add({ ...repository, name: 'second', location: { kind: 'posix', path: '/srv/repository' } }),
    ).toThrow(expect.objectContaining({ code: 'NameTaken', message: '/srv/repository is registered already, as main' }))
  })

  test('the first identity is pinned, a later one does not replace it', () => {
    const probe = {
      testedMs: 1,
      version: '9',
      identity: 'AA',
      evidence: 'verified',
      capabilities: {},
      findings: [],
      error: null,
    } as const
    catalog.endpoints.recordProbe('lab', probe)
    catalog.endpoints.recordProbe('lab', { ...probe, identity: 'BB' })
    expect(catalog.endpoints.get('lab')).toMatchObject({ identity: 'AA', probe: { identity: 'BB' } })
  })

  test('consumption, growth and counts come from points and measurements', () => {
    catalog.points.record(aPoint(1))
    catalog.points.record(aPoint(2, { createdMs: testNow, spotCheckedChunks: 0 }))
    catalog.points.record(aPoint(3, { vmId: 'db-01', disks: [] }))
    expect(catalog.repositories.consumption('main', 50)).toEqual([
      {
        vmId: 'web-01',
        vmName: 'web-01',
        points: 2,
        logicalBytes: 2 ** 31 + 2 ** 30,
        readBytes: 2000,
        newBytes: 700,
        newestPointMs: testNow,
        verified: 1,
      },
      {
        vmId: 'db-01',
        vmName: 'db-01',
        points: 1,
        logicalBytes: 0,
        readBytes: 0,
        newBytes: 0,
        newestPointMs: testNow - 3_600_000,
        verified: 1,
      },
    ])
    expect(catalog.repositories.get('main')).toMatchObject({ points: 3, vms: 2, newestPointMs: testNow })
    const usage = {
      points: 1,
      series: 1,
      packs: 1,
      uniqueBytes: 1,
      logicalBytes: 2,
      capacityBytes: null,
      freeBytes: null,
    }
    catalog.repositories.recordUsage('main', { ...usage, measuredMs: testNow, storedBytes: 10 })
    catalog.repositories.recordUsage('main', { ...usage, measuredMs: testNow + 1, storedBytes: 12 })
    expect(catalog.repositories.growth('main', 30)).toMatchObject([{ day: '2026-11-21', storedBytes: 12 }])
  })
})

test('days are whole UTC days, also those on which nothing happened', () => {
  catalog.points.record(aPoint(1, { createdMs: testNow }))
  catalog.runs.started(aRun(1))
  catalog.runs.observe('run-1', { state: 'failed', endedMs: testNow - 86_400_000 })
  const days = catalog.statistics.days(30)
  expect(days).toHaveLength(30)
  expect(days.at(-1)).toEqual({
    day: '2026-11-21',
    points: 1,
    failed: 0,
    cancelled: 0,
    drillsPassed: 0,
    drillsFailed: 0,
    newBytes: 350,
  })
  expect(days.at(-2)).toMatchObject({ day: '2026-11-20', points: 0, failed: 1 })
})

test('a history comes back byte by byte, much smaller at rest, and is written once', async () => {
  catalog.runs.started(aRun(1))
  catalog.runs.observe('run-1', { state: 'completed', endedMs: testNow })
  expect(catalog.histories.missing(9)).toEqual([{ runId: 'run-1', workflowId: 'backup/web-01' }])
  const json = JSON.stringify({
    events: Array.from({ length: 500 }, (_, n) => ({ eventId: String(n), eventType: 'EVENT_TYPE_TIMER_STARTED' })),
  })
  await catalog.histories.archive({ runId: 'run-1', workflowId: 'backup/web-01', eventCount: 500 }, json)
  await catalog.histories.archive({ runId: 'run-1', workflowId: 'backup/web-01', eventCount: 1 }, '{}')
  expect(await catalog.histories.read('run-1')).toBe(json)
  expect(catalog.histories.missing(9)).toEqual([])
  catalog.runs.started(aRun(2))
  catalog.runs.observe('run-2', { state: 'failed', endedMs: testNow })
  expect(catalog.histories.missing(9).map((run) => run.runId)).toEqual(['run-2'])
  expect(await catalog.histories.read('run-2')).toBeUndefined()
  catalog.runs.started(aRun(3))
  catalog.runs.observe('run-3', { state: 'completed', endedMs: testNow })
  // Lost ones, however many and however new, never stand before one that can still be had.
  expect(catalog.histories.missing(1, (runId) => runId === 'run-3').map((run) => run.runId)).toEqual(['run-2'])
})

describe('events', () => {
  test('numbers only grow, also after the oldest rows are gone', () => {
    for (let n = 0; n < 5200; n += 1) catalog.events.publish('vm', `vm-${n}`)
    const newest = catalog.events.newest()
    expect(newest).toBeGreaterThanOrEqual(5200)
    expect(catalog.events.oldest()).toBeGreaterThan(1)
    expect(catalog.events.after(0, 10_000).length).toBeLessThanOrEqual(5100)
    catalog.events.publish('vm', 'next')
    expect(catalog.events.newest()).toBe(newest + 1)
    expect(catalog.events.after(newest, 10)).toMatchObject([{ seq: newest + 1, subject: 'next' }])
  })

  test('listeners are woken once for a burst, after the change is visible, and not after they left', async () => {
    let woken = 0
    let seen = 0
    const leave = catalog.events.subscribe(() => {
      woken += 1
      seen = catalog.runs.list({ limit: 9 }).total
    })
    catalog.transaction(() => {
      catalog.runs.started(aRun(1))
      catalog.runs.started(aRun(2))
    })
    await Promise.resolve()
    expect([woken, seen, catalog.events.listeners()]).toEqual([1, 2, 1])
    leave()
    leave()
    catalog.runs.started(aRun(3))
    await Promise.resolve()
    expect([woken, catalog.events.listeners()]).toEqual([1, 0])
  })
})

describe('access', () => {
  const token = { id: 'admin', name: 'operator', hash: 'a'.repeat(64), role: 'admin' } as const

  test('a session ends by time, by logging out, and when its token is replaced', () => {
    catalog.access.putToken(token)
    const open = (hash: string): unknown => catalog.access.session(hash)
    catalog.access.openSession('s1', 'admin', 1000)
    expect(open('s1')).toMatchObject({ token: { role: 'admin' }, expiresMs: testNow + 1000 })
    catalog.access.putToken(token)
    expect(open('s1')).toBeDefined()
    here.clock.ms += 1000
    expect(open('s1')).toBeUndefined()
    catalog.access.openSession('s2', 'admin', 1000)
    catalog.access.closeSession('s2')
    expect(open('s2')).toBeUndefined()
    catalog.access.openSession('s3', 'admin', 1000)
    catalog.access.putToken({ ...token, hash: 'b'.repeat(64) })
    expect(open('s3')).toBeUndefined()
  })

  test('an expired token is no token', () => {
    catalog.access.putToken({ ...token, expiresMs: testNow + 10 })
    catalog.access.openSession('s1', 'admin', 100_000)
    here.clock.ms += 10
    expect(catalog.access.tokens()).toEqual([])
    expect(catalog.access.session('s1')).toBeUndefined()
  })
})

test('an idempotency key gives back its first answer, keeps its first workflow id, and refuses another request', () => {
  const { idempotency } = catalog
  expect(idempotency.reserve('key-1', 'hash', 'restore/a')).toMatchObject({ state: 'new', workflowId: 'restore/a' })
  expect(idempotency.reserve('key-1', 'hash', 'restore/b')).toMatchObject({
    state: 'unfinished',
    workflowId: 'restore/a',
  })
  idempotency.answer('key-1', 202, '{"x":1}')
  expect(idempotency.reserve('key-1', 'hash', 'restore/c')).toMatchObject({
    state: 'answered',
    status: 202,
    response: '{"x":1}',
  })
  expect(() => idempotency.reserve('key-1', 'other', 'restore/d')).toThrow(
    expect.objectContaining({ code: 'InvalidRequest' }),
  )
  here.clock.ms += 86_400_001
  expect(idempotency.reserve('key-1', 'other', 'restore/e')).toMatchObject({ state: 'new', workflowId: 'restore/e' })
  idempotency.release('key-1')
  expect(idempotency.reserve('key-1', 'again', 'restore/f').state).toBe('new')
})
