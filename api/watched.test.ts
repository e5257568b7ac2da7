import { afterEach, beforeEach, expect, test } from 'vitest'
import type { LookFigures } from '../catalog/index.ts'
import { aPoint } from '../catalog/testing.ts'
import { blindAfterMs } from '../policy/index.ts'
import { bench, type Bench } from './testing/bench.ts'
import { watchTrouble } from './watched.ts'

let here: Bench
beforeEach(() => {
  here = bench()
  here.catalog.points.record(aPoint(1))
})
afterEach(() => here[Symbol.dispose]())

const kinds = (): string[] => watchTrouble(here.deps).map(({ kind }) => kind)
const look = (over: Partial<LookFigures> = {}): void =>
  here.catalog.watches.recordLook('main', {
    lookedMs: here.clock.ms,
    uuid: 'f'.repeat(32),
    series: 1,
    points: 1,
    unreadable: 0,
    vanished: 0,
    returned: 0,
    ...over,
  })
const fail = (code: string): void =>
  here.catalog.watches.recordFailure('main', here.clock.ms, {
    code,
    message: 'it does not answer',
    hint: 'Look at it.',
    docs: '',
  })

test('while looks come to their end nothing is told', () => {
  look()
  expect(kinds()).toEqual([])
  here.clock.ms += blindAfterMs
  expect(kinds()).toEqual([])
})

test('looks that stop are told, whether they fail or nobody makes any', () => {
  look()
  here.clock.ms += blindAfterMs + 1
  expect(watchTrouble(here.deps)).toMatchObject([
    { kind: 'repository-unseen', severity: 'unknown', subject: { kind: 'repository', id: 'main' } },
  ])
  fail('StoreUnavailable')
  expect(watchTrouble(here.deps)[0]?.detail).toContain('it does not answer')
})

test('a repository that nobody has ever looked into is told after a while', () => {
  expect(kinds()).toEqual([])
  here.clock.ms += blindAfterMs + 1
  expect(watchTrouble(here.deps)[0]?.title).toBe('Nobody has looked into main yet')
})

test('a place that answers without the repository is told at once', () => {
  look()
  fail('RepositoryMissing')
  expect(kinds()).toEqual(['repository-lost'])
  look()
  expect(kinds()).toEqual([])
})

test('points that vanished are told for a month', () => {
  look({ vanished: 2 })
  expect(watchTrouble(here.deps)[0]?.title).toBe('2 points have vanished from main')
  here.clock.ms += 31 * 86_400_000
  look()
  expect(kinds()).toEqual([])
})

test('a clock that was moved is told in the overview', async () => {
  look()
  here.catalog.watches.recordClock({ seenMs: here.clock.ms, driftMs: -7_200_000, movedMs: here.clock.ms })
  const overview = await here.get<{ needsYou: { title: string }[] }>('/api/v1/overview')
  expect(overview.needsYou.map(({ title }) => title)).toContain('The clock of the server moved back by 2 h')
})

test('newest points that cannot be read are told at the second look, until one reads them', () => {
  const unreadable = { unreadable: 2, unreadableObject: { object: 'snap/a.m', message: 'access denied' } }
  look(unreadable)
  expect(kinds()).toEqual([])
  here.clock.ms += 300_000
  look(unreadable)
  expect(watchTrouble(here.deps)).toMatchObject([
    {
      ...{ kind: 'points-unreadable', severity: 'unknown' },
      title: 'The newest points of 2 VMs in main cannot be read',
      detail: expect.stringMatching(/^snap\/a\.m: access denied\. /) as string,
    },
  ])
  // One that does not come to its end has read nothing.
  fail('StoreUnavailable')
  expect(kinds()).toEqual(['points-unreadable'])
  look()
  expect(kinds()).toEqual([])
})
