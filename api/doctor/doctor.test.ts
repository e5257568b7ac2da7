import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { controlQueue } from '../../workflows/shared/queues.ts'
import { bench, type Bench } from '../testing/bench.ts'
import type { Check } from './check.ts'
import { versionFound } from './engine.ts'

const minute = 60_000
const containing = (text: string): string => expect.stringContaining(text) as string
let here: Bench
beforeEach(() => {
  here = bench()
})
afterEach(() => here[Symbol.dispose]())

async function found(id: string): Promise<Pick<Check, 'state' | 'detail' | 'hint'>> {
  const { checks } = await here.get<{ checks: Check[] }>('/api/v1/doctor')
  const { state, detail, hint } = checks.find((check) => check.id === id) ?? { state: 'none', detail: '', hint: '' }
  return { state: state as Check['state'], detail, hint }
}

describe('the version of Temporal', () => {
  const of = (version: string): readonly [Check['state'], string] => {
    const { state, detail } = versionFound({ version, namespace: 'default' })
    return [state, detail]
  }
  test('that the tests run against, and newer ones of its kind, are good', () => {
    expect(of('1.32.0')).toEqual(['ok', 'version 1.32.0, namespace default'])
    expect(of('1.33.4-beta.1')).toEqual(['ok', containing('newer than 1.32')])
  })
  test('that is older is told, and one that lacks what is used has failed', () => {
    expect(of('1.31.9')).toEqual(['attention', containing('tested with 1.32')])
    expect(of('1.28.0')[0]).toBe('attention')
    expect(of('1.27.3')).toEqual(['failed', containing('older than 1.28')])
    expect(of('0.99.0')[0]).toBe('failed')
  })
  test('that nobody knows is not taken for a good one', () => {
    expect(of('2.0.0')[0]).toBe('attention')
    expect(of('unknown')[0]).toBe('unknown')
    expect(of('')[0]).toBe('unknown')
  })
})

describe('the clock', () => {
  const compared = (driftMs: number, movedMs: number | null): void =>
    here.catalog.watches.recordClock({ seenMs: here.clock.ms, driftMs, movedMs })
  /** As far from ours is Temporal's: by it its worker has just asked. */
  const engineAt = (differenceMs: number, agoMs = 0): void => {
    const lastSeenMs = here.clock.ms + differenceMs - agoMs
    here.engine.pollersByQueue.set(controlQueue, [{ identity: 'w', role: 'workflow', lastSeenMs }])
  }
  const storeAt = (skewMs: number, testedMs: number): void => {
    here.catalog.repositories.recordTest('main', {
      ...{ testedMs, repositoryUuid: null, passed: true, checks: [], writeRate: null, readRate: null, staleMs: 0 },
      ...{ skewMs, error: null },
    })
  }

  test('is good only after somebody has compared it', async () => {
    expect(await found('clock')).toMatchObject({ state: 'unknown' })
    compared(0, null)
    expect(await found('clock')).toEqual({ state: 'ok', detail: 'steady; compared 0 ms ago', hint: null })
    here.clock.ms += 31 * minute
    expect(await found('clock')).toMatchObject({ state: 'attention', hint: containing('server.log') })
  })

  test('that was moved has failed; what was put up with after a day has not', async () => {
    compared(-120 * minute, here.clock.ms)
    expect(await found('clock')).toMatchObject({
      state: 'failed',
      detail: containing('moved back by 2 h'),
      hint: containing('timedatectl'),
    })
    compared(-120 * minute, null)
    expect(await found('clock')).toMatchObject({ state: 'ok' })
  })

  test('is compared with Temporal’s, as exactly as that can be known', async () => {
    compared(0, null)
    engineAt(3 * minute)
    expect(await found('clock')).toMatchObject({
      state: 'attention',
      detail: 'the clock of Temporal is ahead by 3 min',
    })
    engineAt(10 * minute)
    expect(await found('clock')).toMatchObject({ state: 'failed' })
    // A worker that asked four minutes ago is no clock that is behind.
    engineAt(0, 4 * minute)
    expect(await found('clock')).toMatchObject({ state: 'ok' })
    engineAt(-20 * minute)
    expect(await found('clock')).toMatchObject({
      state: 'failed',
      detail: 'the clock of Temporal is behind, at least by 15 min',
    })
    here.engine.away = true
    expect(await found('clock')).toMatchObject({
      state: 'ok',
      detail: containing('Temporal’s was not compared'),
    })
  })

  test('of a store is known by the last test of its repository, for a day', async () => {
    compared(0, null)
    storeAt(-7 * minute, here.clock.ms - 60 * minute)
    expect(await found('clock')).toEqual({
      state: 'failed',
      detail: 'the clock of the store of main was behind that of its worker 1 h ago, by 7 min',
      hint: containing('holdfast repository test main'),
    })
    storeAt(2 * minute, here.clock.ms)
    expect(await found('clock')).toMatchObject({ state: 'attention' })
    storeAt(2000, here.clock.ms)
    expect(await found('clock')).toMatchObject({ state: 'ok' })
    storeAt(-7 * minute, here.clock.ms - 25 * 60 * minute)
    expect(await found('clock')).toMatchObject({ state: 'ok' })
  })
})

describe('the schedules', () => {
  const nothing = { lookedMs: 0, error: null, wrong: [], taken: [], unknown: [], putRight: [] }
  const are = (state: Partial<Bench['schedules']['state']>): void => {
    here.schedules.state = { ...nothing, lookedMs: here.clock.ms, ...state }
  }

  test('are good after a look that found nothing, and only for as long as somebody looks', async () => {
    expect(await found('schedules')).toMatchObject({ state: 'unknown' })
    are({})
    expect(await found('schedules')).toEqual({
      state: 'ok',
      detail: 'as the plans say; compared with the plans 0 ms ago',
      hint: null,
    })
    here.clock.ms += 11 * minute
    here.schedules.state = { ...here.schedules.state, error: 'Temporal does not answer' }
    expect(await found('schedules')).toMatchObject({
      state: 'attention',
      detail: 'last compared with the plans 11 min ago: Temporal does not answer',
    })
  })

  test('that could not be put right, or that are somebody else’s, keep a plan from starting', async () => {
    are({ wrong: [{ plan: 'nightly', message: 'invalid schedule spec' }], taken: ['weekly'] })
    expect(await found('schedules')).toMatchObject({
      state: 'failed',
      detail: 'not as the plan nightly says: invalid schedule spec',
    })
    are({ taken: ['weekly'] })
    expect(await found('schedules')).toMatchObject({
      state: 'failed',
      detail: 'plan/weekly in Temporal is somebody else’s: the plan weekly does not start',
      hint: containing('namespace'),
    })
  })

  test('of plans that nobody knows are left alone and told, a few by name', async () => {
    are({ unknown: ['a', 'b', 'c', 'd', 'e', 'f', 'g'] })
    expect(await found('schedules')).toMatchObject({
      state: 'attention',
      detail: 'of the plans a, b, c, d, e and 2 more, which the catalog has never known: they are left alone',
    })
  })
})
