import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { HoldfastError, locationText } from '../../base/index.ts'
import { aPoint, furnish, pointIdOf, testCatalog, testNow, type TestCatalog } from '../../catalog/testing.ts'
import type { PointEntry, Repository, SeriesHead } from '../../repository/index.ts'
import { steadyClock, Watchdog } from './index.ts'

const minute = 60_000
const hour = 60 * minute
const { signal } = new AbortController()

/** What the place answers; a test changes it behind the back of everybody. */
interface Place {
  uuid: string
  points: string[]
  tombstoned: string[]
  error: HoldfastError | null
  /** How the listing lies while nobody opens anew: an empty mount point. */
  stale: string[] | null
  unreadable: SeriesHead['unreadable']
  opened: number
}

let place: Place
let here: TestCatalog
let folder: string
let dog: Watchdog
beforeEach(() => {
  here = testCatalog()
  folder = mkdtempSync(join(tmpdir(), 'holdfast-watch-'))
  place = { uuid: 'f'.repeat(32), points: [], tombstoned: [], error: null, stale: null, unreadable: null, opened: 0 }
  furnish(here.catalog, ['web-01'])
  dog = new Watchdog({ ...optionsOf(), openRepository: async () => openPlace() })
})
afterEach(async () => {
  await dog[Symbol.asyncDispose]()
  here[Symbol.dispose]()
  rmSync(folder, { recursive: true, force: true })
})

function openPlace(at = place): Repository {
  if (at.error !== null) throw at.error
  at.opened += 1
  const first = at.opened === 1
  const series = 'a'.repeat(32)
  const entry = (snap: string): PointEntry => ({
    stem: `snap/${series}/${'0'.repeat(16)}-${snap}`,
    series,
    snap,
    createdMs: testNow - hour,
    state: 'recovery-point',
    validatedMs: testNow - hour,
  })
  const listed = (): string[] => (first && at.stale !== null ? at.stale : at.points)
  return {
    id: at.uuid,
    async *heads(): AsyncGenerator<SeriesHead> {
      if (at.error !== null) throw at.error
      const [newest] = listed()
      if (newest !== undefined)
        yield { series, newest: at.unreadable ? null : entry(newest), standing: listed(), unreadable: at.unreadable }
    },
    async *listPoints() {
      yield* at.points.map(entry)
    },
    removedPoints: async () => at.tombstoned.map((snap) => entry(snap).stem),
    [Symbol.asyncDispose]: async () => undefined,
  } as unknown as Repository
}

function record(...numbers: number[]): void {
  for (const n of numbers) here.catalog.points.record(aPoint(n))
  place.points = [...place.points, ...numbers.map(pointIdOf)]
}

const postureOf = (): string => here.catalog.vms.get('web-01').posture.state
const watch = () => here.catalog.watches.find('main')

describe('the watchdog', () => {
  test('finds what is there, and changes nothing', async () => {
    record(1, 2)
    const before = here.catalog.events.newest()
    await dog.look(signal)
    expect(watch()).toMatchObject({
      uuid: place.uuid,
      series: 1,
      points: 2,
      vanished: 0,
      error: null,
      lookedMs: testNow,
    })
    expect(postureOf()).toBe('protected')
    await dog.look(signal)
    expect(here.catalog.events.newest()).toBe(before + 1)
  })

  test('a VM whose points were deleted behind everybody’s back is not protected any more', async () => {
    record(1, 2)
    await dog.look(signal)
    place.points = []
    await dog.look(signal)
    expect(postureOf()).toBe('unprotected')
    expect(watch()).toMatchObject({ vanished: 2, vanishedMs: testNow })
    // They are counted once.
    await dog.look(signal)
    expect(watch()).toMatchObject({ vanished: 2 })
  })

  test('a point that vanished from one repository is not lost while another one holds it', async () => {
    record(1)
    const id = pointIdOf(1)
    const location = { kind: 'posix', path: '/srv/offsite' } as const
    here.catalog.repositories.add({ name: 'offsite', site: 'local', location, credentialRef: 'file:/srv/secrets/main' })
    // Made again after a removal there: under a name of its own.
    const copy = 'e'.repeat(32)
    const stem = `${aPoint(1).stem.slice(0, -32)}${copy}`
    const seen = { sourceId: 'main', validatedMs: testNow, lockUntilMs: null }
    here.catalog.copies.found({ pointId: id, repositoryId: 'offsite', stem, ...seen })
    const ofMain = place
    const ofOffsite: Place = { ...place, uuid: 'e'.repeat(32), points: [copy] }
    await using both = new Watchdog({
      ...optionsOf(),
      openRepository: async (of) => openPlace(locationText(of.location).includes('offsite') ? ofOffsite : ofMain),
    })
    await both.look(signal)
    expect(here.catalog.watches.find('offsite')).toMatchObject({ error: null, points: 1, vanished: 0 })
    ofMain.points = []
    await both.look(signal)
    expect(watch()).toMatchObject({ vanished: 1 })
    expect(here.catalog.watches.find('offsite')).toMatchObject({ vanished: 0 })
    expect(here.catalog.copies.find(id, 'main')?.goneMs).toBe(testNow)
    expect(here.catalog.points.get(id)).toMatchObject({ repositoryId: 'offsite', stem, goneMs: null })
    expect(postureOf()).toBe('protected')
    ofOffsite.points = []
    await both.look(signal)
    expect(here.catalog.watches.find('offsite')).toMatchObject({ vanished: 1 })
    expect(postureOf()).toBe('unprotected')
    ofMain.points = [id]
    await both.look(signal)
    expect(here.catalog.points.get(id)).toMatchObject({ repositoryId: 'main', goneMs: null })
    expect(postureOf()).toBe('protected')
  })

  test('a newest point that is listed and cannot be read takes nothing away, and since when is known', async () => {
    record(1)
    place.unreadable = { object: 'snap/x.m', message: 'access denied' }
    await dog.look(signal)
    here.clock.ms += 5 * minute
    await dog.look(signal)
    expect(watch()).toMatchObject({ unreadable: 1, unreadableSinceMs: testNow, unreadableObject: place.unreadable })
    expect(postureOf()).toBe('protected')
    place.unreadable = null
    await dog.look(signal)
    expect(watch()).toMatchObject({ unreadable: 0, unreadableSinceMs: null, unreadableObject: null })
  })

  test('points that are there again count again', async () => {
    record(1, 2)
    await dog.look(signal)
    place.points = [pointIdOf(2)]
    await dog.look(signal)
    expect(watch()).toMatchObject({ vanished: 1 })
    place.points = [pointIdOf(1), pointIdOf(2)]
    await dog.look(signal)
    expect(watch()).toMatchObject({ vanished: 0, vanishedMs: null })
    expect(here.catalog.points.get(pointIdOf(1))).toMatchObject({ goneMs: null, validatedMs: testNow - hour })
  })

  test('what was removed with a tombstone has not vanished', async () => {
    record(1, 2)
    place.points = [pointIdOf(2)]
    place.tombstoned = [pointIdOf(1)]
    await dog.look(signal)
    expect(watch()).toMatchObject({ vanished: 0 })
    expect(here.catalog.points.find(pointIdOf(1))).toBeUndefined()
    expect(here.catalog.retained.removed(pointIdOf(1))).toMatchObject({ removedBy: 'somebody at the repository' })
    // The run whose tombstone it is comes to say so only now.
    const { stem } = aPoint(1)
    here.catalog.retained.recordRemoved('main', [stem], { ms: testNow + 1, by: 'the sweep', why: 'no rule keeps it' })
    const told = { removedBy: 'the sweep', why: 'no rule keeps it', removedMs: testNow + 1 }
    expect(here.catalog.retained.removed(pointIdOf(1))).toMatchObject(told)
    // Who is known stays.
    const again = { ms: testNow + 2, by: 'somebody at the repository', why: 'a tombstone was found' }
    here.catalog.retained.recordRemoved('main', [stem], again)
    expect(here.catalog.retained.removed(pointIdOf(1))).toMatchObject(told)
  })

  test.each(['StoreUnavailable', 'RepositoryMissing', 'StoreDenied'] as const)(
    'a place that answers %s takes no point away: nobody knows',
    async (code) => {
      record(1)
      await dog.look(signal)
      place.error = new HoldfastError(code, 'away')
      here.clock.ms += minute
      await dog.look(signal)
      expect(postureOf()).toBe('protected')
      expect(watch()).toMatchObject({ lookedMs: testNow, triedMs: testNow + minute, error: { code }, points: 1 })
      place.error = null
      await dog.look(signal)
      expect(watch()).toMatchObject({ error: null, lookedMs: testNow + minute })
    },
  )

  test('that it is gone is what is known of a place that then answers no more, until a look comes to its end', async () => {
    record(1)
    await dog.look(signal)
    place.error = new HoldfastError('RepositoryMissing', 'an empty folder')
    await dog.look(signal)
    place.error = new HoldfastError('StoreUnavailable', 'away')
    here.clock.ms += minute
    await dog.look(signal)
    expect(watch()).toMatchObject({ error: { code: 'RepositoryMissing' }, triedMs: testNow + minute })
    place.error = null
    await dog.look(signal)
    expect(watch()).toMatchObject({ error: null })
  })

  test('an empty listing of a place that opens no more takes no point away', async () => {
    record(1)
    await dog.look(signal)
    // The mount went away: its folder lists empty, and opening it anew says that no repository is there.
    place.points = []
    dog = new Watchdog({
      ...optionsOf(),
      openRepository: async () => {
        if (place.opened >= 2) throw new HoldfastError('RepositoryMissing', 'an empty folder')
        return openPlace()
      },
    })
    await dog.look(signal)
    expect(postureOf()).toBe('protected')
    expect(watch()).toMatchObject({ error: { code: 'RepositoryMissing' }, vanished: 0 })
  })

  test('only what two openings miss has vanished', async () => {
    record(1)
    place.stale = []
    await dog.look(signal)
    expect(place.opened).toBe(2)
    expect(postureOf()).toBe('protected')
    expect(watch()).toMatchObject({ vanished: 0, points: 1 })
  })

  test('another repository at the same place says nothing of what was there, until somebody tests it', async () => {
    record(1)
    await dog.look(signal)
    await dog[Symbol.asyncDispose]()
    place.uuid = 'e'.repeat(32)
    place.points = []
    await dog.look(signal)
    expect(postureOf()).toBe('protected')
    expect(watch()).toMatchObject({ error: { code: 'RepositoryForeign' } })
    here.catalog.repositories.recordTest('main', {
      testedMs: testNow,
      repositoryUuid: place.uuid,
      passed: true,
      checks: [],
      writeRate: null,
      readRate: null,
      staleMs: null,
      skewMs: null,
      error: null,
    })
    await dog.look(signal)
    expect(postureOf()).toBe('unprotected')
  })

  test('one that hangs is left out until it comes back, keeps no other from being looked at, and changes nothing then', async () => {
    record(1)
    here.catalog.repositories.add({
      name: 'away',
      site: 'local',
      location: { kind: 'posix', path: '/mnt/hangs' },
      credentialRef: 'file:/srv/secrets/away',
    })
    let asked = 0
    const back = Promise.withResolvers<void>()
    const hung = new Watchdog({
      ...optionsOf(),
      longestMs: 200,
      openRepository: async ({ location }) => {
        if (!JSON.stringify(location).includes('hangs')) return openPlace()
        asked += 1
        if (asked === 1) await back.promise
        return openPlace()
      },
    })
    await hung.look(signal)
    expect(here.catalog.watches.find('away')).toMatchObject({ error: { code: 'StoreUnavailable' }, lookedMs: null })
    here.clock.ms += minute
    await hung.look(signal)
    expect(asked).toBe(1)
    expect(watch()).toMatchObject({ error: null, lookedMs: testNow + minute })
    back.resolve()
    await new Promise((resolve) => setImmediate(resolve))
    expect(here.catalog.watches.find('away')).toMatchObject({ lookedMs: null })
    await hung.look(signal)
    expect(here.catalog.watches.find('away')).toMatchObject({ error: null, lookedMs: testNow + minute })
    await hung[Symbol.asyncDispose]()
  })

  test('a point that is recorded while a look is under way is not missed by it', async () => {
    record(1)
    const busy = new Watchdog({
      ...optionsOf(),
      openRepository: async () => {
        here.catalog.points.record(aPoint(7))
        return openPlace()
      },
    })
    await busy.look(signal)
    expect(here.catalog.points.get(pointIdOf(7)).goneMs).toBeNull()
    await busy[Symbol.asyncDispose]()
  })
})

function optionsOf() {
  return {
    catalog: here.catalog,
    clock: steadyClock(null),
    secret: async () => 'a passphrase',
    cacheDir: folder,
    now: () => here.clock.ms,
    log: { warn: () => undefined, error: () => undefined },
  }
}

describe('the clock', () => {
  let wallMs = testNow
  let steadyMs = 0
  const read = () => ({ wallMs, steadyMs })
  beforeEach(() => {
    wallMs = testNow
    steadyMs = 0
  })
  const pass = (ms: number): void => {
    wallMs += ms
    steadyMs += ms
  }

  test('set back is told, ages go on growing, and after a day it is the right one', () => {
    const clock = steadyClock(null, read)
    clock.check(here.catalog)
    expect(here.catalog.watches.clock()).toEqual({ seenMs: testNow, driftMs: 0, movedMs: null })
    pass(hour)
    wallMs -= 10 * hour
    clock.check(here.catalog)
    expect(here.catalog.watches.clock()).toEqual({
      seenMs: testNow + hour,
      driftMs: -10 * hour,
      movedMs: testNow - 9 * hour,
    })
    expect(clock.now()).toBe(testNow + hour)
    pass(25 * hour)
    clock.check(here.catalog)
    // By what it had moved stays known: that it is no longer told is no sign that somebody has set it right.
    expect(here.catalog.watches.clock()).toMatchObject({ driftMs: -10 * hour, movedMs: null })
    expect(clock.now()).toBe(wallMs)
  })

  test('set back behind recovery points is told for as long as they would lie in the future, across restarts', () => {
    let clock = steadyClock(null, read)
    clock.check(here.catalog)
    record(1)
    wallMs -= 30 * 24 * hour
    for (let day = 0; day < 29; day += 1) {
      clock.check(here.catalog)
      expect(clock.now()).toBe(testNow + day * 24 * hour)
      // A killed server writes nothing down; the next one begins where the last reading was.
      clock = steadyClock(here.catalog.watches.clock() ?? null, read)
      pass(24 * hour)
    }
    clock.check(here.catalog)
    expect(here.catalog.watches.clock()).toMatchObject({ movedMs: testNow - 30 * 24 * hour })
    pass(2 * 24 * hour)
    clock.check(here.catalog)
    expect(here.catalog.watches.clock()).toMatchObject({ movedMs: null })
  })

  test('that is told begins no new day with a restart', () => {
    steadyClock(null, read).check(here.catalog)
    wallMs -= 10 * hour
    for (let start = 0; start < 6; start += 1) {
      steadyClock(here.catalog.watches.clock() ?? null, read).check(here.catalog)
      pass(6 * hour)
    }
    expect(here.catalog.watches.clock()).toMatchObject({ movedMs: null })
  })

  test('set right again is no longer told', () => {
    const clock = steadyClock(null, read)
    wallMs += 5 * hour
    clock.check(here.catalog)
    expect(here.catalog.watches.clock()).toMatchObject({ driftMs: 5 * hour })
    wallMs -= 5 * hour
    clock.check(here.catalog)
    expect(here.catalog.watches.clock()).toMatchObject({ driftMs: 0, movedMs: null })
  })

  test('that a start finds behind what was seen before was set back while nobody looked', () => {
    steadyClock(null, read).check(here.catalog)
    wallMs -= 48 * hour
    const next = steadyClock(here.catalog.watches.clock() ?? null, read)
    next.check(here.catalog)
    expect(here.catalog.watches.clock()).toMatchObject({ driftMs: -48 * hour, seenMs: testNow })
    expect(next.now()).toBe(testNow)
  })
})
