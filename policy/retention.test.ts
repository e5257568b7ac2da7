import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isEmptyPolicy, retention, widest, type KeepRules, type RetainedPoint } from './index.ts'

const hour = 3_600_000
const day = 24 * hour
const now = Date.UTC(2026, 5, 15, 12)
const utc = { timeZone: 'UTC' }

function at(timeMs: number, more: Partial<RetainedPoint> = {}): RetainedPoint {
  return { id: String(timeMs), timeMs, origin: 'scheduled', guard: null, ...more }
}
const keptBy = (points: readonly RetainedPoint[], rules: KeepRules) => {
  return new Map(retention(points, rules, now).map(({ id, keptBy: by }) => [id, by]))
}
const stays = (points: readonly RetainedPoint[], rules: KeepRules) => {
  return retention(points, rules, now).flatMap(({ id, keptBy: by }) => (by.length > 0 ? [Number(id)] : []))
}

describe('keep rules', () => {
  test('an empty policy is refused', () => {
    expect(isEmptyPolicy(utc)).toBe(true)
    expect(isEmptyPolicy({ ...utc, daily: 0, manual: 3 })).toBe(true)
    expect(() => retention([at(now)], utc, now)).toThrow(RangeError)
  })

  test('the newest of each day stays, days without a point do not count', () => {
    const days = [0, 1, 5, 6, 30].flatMap((back) => [at(now - back * day), at(now - back * day - hour)])
    expect(stays(days, { ...utc, daily: 4 })).toEqual([0, 1, 5, 6].map((back) => now - back * day))
  })

  test('weeks are ISO weeks: the days around a new year can be one week', () => {
    const [sunday, monday, thursday] = [Date.UTC(2025, 11, 28), Date.UTC(2025, 11, 29), Date.UTC(2026, 0, 1)]
    expect(stays([at(sunday), at(monday), at(thursday)], { ...utc, weekly: 9 })).toEqual([thursday, sunday])
  })

  test('the hour that a clock change repeats is two hours', () => {
    // Europe/Paris, 25 October 2026: 02:30 comes twice, an hour apart.
    const first = Date.UTC(2026, 9, 25, 0, 30)
    const points = [at(first), at(first + hour)]
    expect(stays(points, { timeZone: 'Europe/Paris', hourly: 9 })).toHaveLength(2)
  })

  test('days are those of the time zone', () => {
    const late = Date.UTC(2026, 5, 10, 23)
    const points = [at(late), at(late + 2 * hour)]
    expect(stays(points, { ...utc, daily: 9 })).toHaveLength(2)
    expect(stays(points, { timeZone: 'Asia/Tokyo', daily: 9 })).toEqual([late + 2 * hour])
  })

  test('what was made by hand has counts of its own, by default all, and is outside the calendar', () => {
    const points = [at(now), at(now - hour, { origin: 'manual' }), at(now - 2 * hour, { origin: 'manual' })]
    expect(stays(points, { ...utc, last: 1 })).toHaveLength(3)
    expect(stays(points, { ...utc, last: 1, manual: 1 })).toEqual([now, now - hour])
    expect(keptBy(points, { ...utc, last: 2 }).get(String(now - hour))).toEqual(['manual'])
  })

  test('a guarded point stays and says why; one point can satisfy several rules', () => {
    const points = [at(now), at(now - 90 * day, { guard: 'held' })]
    const kept = keptBy(points, { ...utc, last: 1, daily: 1, withinMs: day })
    expect(kept.get(String(now))).toEqual(['newest', 'last', 'within', 'daily'])
    expect(kept.get(String(now - 90 * day))).toEqual(['held'])
  })
})

const anyPoint = fc.record({
  timeMs: fc.integer({ min: now - 800 * day, max: now }),
  origin: fc.constantFrom('scheduled' as const, 'scheduled' as const, 'manual' as const, 'catalog' as const),
  guard: fc.option(fc.constant('held'), { freq: 9 }),
})
const anyPoints = fc
  .uniqueArray(anyPoint, { maxLength: 60, selector: ({ timeMs }) => timeMs })
  .map((points) => points.map((point, index) => ({ ...point, id: `p${index}` })))
const count = fc.integer({ min: 0, max: 10 })
const anyRules = fc
  .record({
    last: count,
    hourly: count,
    daily: count,
    weekly: count,
    monthly: count,
    yearly: count,
    withinMs: fc.integer({ min: 0, max: 40 * day }),
    timeZone: fc.constantFrom('UTC', 'Europe/Paris', 'America/New_York', 'Asia/Kolkata', 'Pacific/Chatham'),
  })
  .filter((rules) => !isEmptyPolicy(rules))
const ids = (points: readonly RetainedPoint[], rules: KeepRules) => {
  return new Set(retention(points, rules, now).flatMap(({ id, keptBy: by }) => (by.length > 0 ? [id] : [])))
}

describe('for any points and rules', () => {
  test('the newest point and every guarded one stay, and each point is answered once', () => {
    fc.assert(
      fc.property(anyPoints, anyRules, (points, rules) => {
        const result = retention(points, rules, now)
        expect(result.map(({ id }) => id).sort()).toEqual(points.map(({ id }) => id).sort())
        const kept = ids(points, rules)
        for (const { id, guard } of points) if (guard !== null) expect(kept).toContain(id)
        const [newest] = result
        if (newest !== undefined) expect(kept).toContain(newest.id)
      }),
    )
  })

  test('sweeping twice is sweeping once', () => {
    fc.assert(
      fc.property(anyPoints, anyRules, (points, rules) => {
        const kept = ids(points, rules)
        expect(
          ids(
            points.filter(({ id }) => kept.has(id)),
            rules,
          ),
        ).toEqual(kept)
      }),
    )
  })

  test('a higher count never removes more, and neither does the order of the points matter', () => {
    fc.assert(
      fc.property(
        anyPoints,
        anyRules,
        fc.constantFrom('last', 'hourly', 'daily', 'weekly', 'monthly', 'yearly'),
        (points, rules, name) => {
          const kept = ids(points, rules)
          const more = ids(points.toReversed(), { ...rules, [name]: (rules[name as 'last'] ?? 0) + 1 })
          for (const id of kept) expect(more).toContain(id)
        },
      ),
    )
  })

  test('the widest of two policies keeps whatever either keeps', () => {
    const byHand = fc.option(count, { nil: undefined })
    fc.assert(
      fc.property(anyPoints, anyRules, anyRules, byHand, byHand, (points, some, others, mine, theirs) => {
        const [first, second] = [
          { ...some, manual: mine },
          { ...others, timeZone: some.timeZone, manual: theirs },
        ]
        const kept = ids(points, widest(first, second))
        for (const id of [...ids(points, first), ...ids(points, second)]) expect(kept).toContain(id)
      }),
    )
  })

  test('a calendar rule keeps at most its count', () => {
    fc.assert(
      fc.property(anyPoints, anyRules, (points, rules) => {
        const result = retention(points, rules, now)
        for (const rule of ['last', 'hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const) {
          expect(result.filter(({ keptBy: by }) => by.includes(rule)).length).toBeLessThanOrEqual(rules[rule])
        }
      }),
    )
  })
})
