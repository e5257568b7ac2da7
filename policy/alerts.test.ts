import { expect, test } from 'vitest'
import { isDigestDue, isRouted, isTellable, retryDelay, routeProblems, type AlertRoute } from './index.ts'

const all: AlertRoute = { severity: 'warning', tags: [], quiet: null, digestAt: null, timeZone: 'Europe/Paris' }
const hour = 3_600_000
/** 23:30 in Paris. */
const night = Date.UTC(2026, 10, 21, 22, 30)

test('a channel for what is critical is told nothing less', () => {
  const critical = { ...all, severity: 'critical' } as const
  expect(isRouted(critical, { severity: 'warning', tags: [] })).toBe(false)
  expect(isRouted(critical, { severity: 'critical', tags: [] })).toBe(true)
  expect(isRouted(all, { severity: 'warning', tags: [] })).toBe(true)
})

test('a channel of a tag is told of its VMs, and of what concerns everybody', () => {
  const erp = { ...all, tags: ['erp'] }
  expect(isRouted(erp, { severity: 'warning', tags: ['erp', 'prod'] })).toBe(true)
  expect(isRouted(erp, { severity: 'critical', tags: ['web'] })).toBe(false)
  expect(isRouted(erp, { severity: 'critical', tags: [] })).toBe(true)
})

test('in quiet hours, over midnight and in their zone, only what is critical is told', () => {
  const quiet = { ...all, quiet: { start: '22:00', end: '07:00' } }
  expect(isTellable(quiet, 'warning', night)).toBe(false)
  expect(isTellable(quiet, 'critical', night)).toBe(true)
  expect(isTellable(quiet, 'warning', night + 8 * hour)).toBe(true)
  expect(isTellable({ ...quiet, timeZone: 'America/New_York' }, 'warning', night)).toBe(true)
})

test('a digest is due once a day, also after the server was away at its time', () => {
  const daily = { ...all, digestAt: '08:00' }
  expect(isDigestDue(daily, night, night + 8 * hour)).toBe(false)
  expect(isDigestDue(daily, night, night + 9 * hour)).toBe(true)
  expect(isDigestDue(daily, night, night + 50 * hour)).toBe(true)
  expect(isDigestDue(daily, night + 9 * hour, night + 20 * hour)).toBe(false)
  expect(isDigestDue(all, night, night + 50 * hour)).toBe(false)
})

test('a route says what is wrong with it', () => {
  expect(routeProblems(all)).toEqual([])
  expect(routeProblems({ ...all, quiet: { start: '25:00', end: '07:00' } })).toEqual([
    '“25:00” is no time of day: HH:MM',
  ])
  expect(routeProblems({ ...all, digestAt: '8', timeZone: 'Mars/Olympus' })).toHaveLength(2)
})

test('a message is tried for a day, each time later up to a quarter of an hour, and then given up', () => {
  const waits = Array.from({ length: 90 }, (_, n) => Number(retryDelay(n + 1, 23 * hour)))
  expect(waits).toEqual(waits.toSorted((a, b) => a - b))
  expect([waits[0], waits.at(-1)]).toEqual([30_000, hour / 4])
  expect(retryDelay(2, 24 * hour)).toBeNull()
})
