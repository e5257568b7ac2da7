import fc from 'fast-check'
import { expect, describe, it } from 'vitest'
import {
  isSweepDue,
  nextSweepMs,
  planSweep,
  rulesInWords,
  sharesOf,
  worthCollecting,
  type KeepRules,
  type SweepPoint,
} from './index.ts'

const hour = 3_600_000
const day = 24 * hour
const now = Date.UTC(2026, 5, 15, 12)
const rules: KeepRules = { timeZone: 'UTC', daily: 2 }

function at(timeMs: number, more: Partial<SweepPoint> = {}): SweepPoint {
  const point = { id: String(timeMs), series: 's', policy: 'standard', timeMs, origin: 'scheduled' as const }
  return { ...point, guard: null, isDamaged: false, ...more }
}
const stays = (points: readonly SweepPoint[], rulesOf: (policy: string) => KeepRules | null = () => rules) =>
  planSweep(points, rulesOf, now).flatMap(({ id, keptBy }) => (keptBy.length > 0 ? [Number(id)] : []))

describe('a sweep', () => {
  it('judges each policy of a series by its own rules', () => {
    const points = [at(now), at(now - day, { policy: 'archive' }), at(now - 2 * day), at(now - 9 * day)]
    const rulesOf = (policy: string): KeepRules => ({ timeZone: 'UTC', last: policy === 'archive' ? 9 : 1 })
    expect(stays(points, rulesOf)).toEqual([now, now - day])
  })

  it('keeps the newest sound point although a newer one is damaged, and lets damage take nobody’s place', () => {
    const damaged = at(now, { isDamaged: true })
    const [sound, yesterday, before] = [at(now - hour), at(now - day), at(now - 2 * day)]
    expect(stays([damaged, sound, yesterday, before])).toEqual([now, now - hour, now - day])
    const planned = planSweep([damaged, sound], () => ({ timeZone: 'UTC', last: 1 }), now)
    expect(planned.find(({ id }) => id === sound.id)?.keptBy).toContain('newest')
  })

  it('takes nothing whose policy nobody knows, or that keeps nothing', () => {
    const points = [at(now), at(now - 9 * day), at(now - 90 * day)]
    expect(planSweep(points, () => null, now)[2]?.keptBy).toEqual(['no policy is known'])
    expect(planSweep(points, () => ({ timeZone: 'UTC' }), now)[2]?.keptBy).toEqual(['its policy keeps nothing'])
  })

  it('asks when more than the set share of a series would go, but never for a single point', () => {
    const planned = (going: number, staying: number) => [
      ...Array.from({ length: going }, (_, n) => ({ id: `g${n}`, series: 's', keptBy: [] })),
      ...Array.from({ length: staying }, (_, n) => ({ id: `k${n}`, series: 's', keptBy: ['daily'] })),
    ]
    const asks = (going: number, staying: number) => sharesOf(planned(going, staying), 0.5)[0]?.asks
    expect([asks(1, 0), asks(2, 2), asks(3, 2), asks(2, 1)]).toEqual([false, false, true, true])
  })
})

const anyPoint = fc.record({
  timeMs: fc.integer({ min: now - 800 * day, max: now }),
  series: fc.constantFrom('a', 'b'),
  policy: fc.constantFrom('p', 'q', 'unknown'),
  origin: fc.constantFrom('scheduled' as const, 'scheduled' as const, 'manual' as const),
  guard: fc.option(fc.constant('held'), { freq: 9 }),
  isDamaged: fc.boolean(),
})
const anyPoints = fc
  .uniqueArray(anyPoint, { maxLength: 60, selector: ({ timeMs }) => timeMs })
  .map((points) => points.map((point, index) => ({ ...point, id: `p${index}` })))
const rulesOf = (policy: string): KeepRules | null =>
  policy === 'unknown' ? null : { timeZone: 'UTC', daily: policy === 'p' ? 3 : 0, weekly: 2, manual: 1 }

describe('for any points', () => {
  it('each is planned once; guarded ones, unknown policies and the newest sound one of each series stay', () => {
    fc.assert(
      fc.property(anyPoints, (points) => {
        const planned = planSweep(points, rulesOf, now)
        expect(planned.map(({ id }) => id).sort()).toEqual(points.map(({ id }) => id).sort())
        const kept = new Set(planned.flatMap(({ id, keptBy }) => (keptBy.length > 0 ? [id] : [])))
        for (const { id, guard, policy } of points)
          if (guard !== null || policy === 'unknown') expect(kept).toContain(id)
        for (const own of Map.groupBy(points, ({ series }) => series).values()) {
          const sound = own.filter(({ isDamaged }) => !isDamaged).sort((a, b) => b.timeMs - a.timeMs)
          if (sound[0] !== undefined) expect(kept).toContain(sound[0].id)
        }
      }),
    )
  })

  it('no sound point goes because a damaged one is there', () => {
    fc.assert(
      fc.property(anyPoints, (points) => {
        const keptOf = (some: readonly SweepPoint[]) =>
          new Set(planSweep(some, rulesOf, now).flatMap(({ id, keptBy }) => (keptBy.length > 0 ? [id] : [])))
        const all = keptOf(points)
        for (const id of keptOf(points.filter(({ isDamaged }) => !isDamaged))) expect(all).toContain(id)
      }),
    )
  })

  it('a second sweep right after the first takes nothing more', () => {
    fc.assert(
      fc.property(anyPoints, (points) => {
        const going = new Set(
          planSweep(points, rulesOf, now).flatMap((one) => (one.keptBy.length === 0 ? [one.id] : [])),
        )
        const left = points.filter(({ id, isDamaged }) => !isDamaged && !going.has(id))
        expect(planSweep(left, rulesOf, now).filter(({ keptBy }) => keptBy.length === 0)).toEqual([])
      }),
    )
  })
})

it('a collection is worth its reading after removals, when deletions are due, and once a week', () => {
  const facts = { removedSince: 0, waitingPacks: 0, lastMs: now - hour, nowMs: now }
  expect(worthCollecting(facts)).toBeNull()
  expect(worthCollecting({ ...facts, removedSince: 1 })).toBe('1 point was removed since the last one')
  expect(worthCollecting({ ...facts, waitingPacks: 4 })).toBeNull()
  expect(worthCollecting({ ...facts, waitingPacks: 4, lastMs: now - day })).toContain('wait for their deletion')
  expect(worthCollecting({ ...facts, lastMs: now - 7 * day })).toContain('week')
  expect(worthCollecting({ ...facts, lastMs: null })).toContain('none yet')
})

it('rules read as people would say them', () => {
  expect(
    rulesInWords({ timeZone: 'Europe/Paris', daily: 14, weekly: 4, monthly: 0, withinMs: 3 * day, manual: 100 }),
  ).toBe('14 daily, 4 weekly, 100 manual, all of 3 days (Europe/Paris)')
  expect(rulesInWords(rules)).toBe('2 daily (UTC)')
})

it('a repository is swept once a day, an hour after a sweep that came to no plan, and not less for a clock that was wrong', () => {
  const facts = { nowMs: now, lastMs: now - day, triedMs: null }
  expect(isSweepDue(facts)).toBe(true)
  expect(isSweepDue({ ...facts, lastMs: now - day + 1 })).toBe(false)
  expect(isSweepDue({ ...facts, triedMs: now - hour + 1 })).toBe(false)
  expect(isSweepDue({ ...facts, triedMs: now - hour })).toBe(true)
  expect(isSweepDue({ ...facts, lastMs: now + day, triedMs: now + day })).toBe(true)
})

it('the next sweep is told beforehand: then it is due, and a moment earlier it is not', () => {
  const ago = fc.integer({ min: 0, max: 3 * day })
  fc.assert(
    fc.property(ago, fc.option(ago), (last, tried) => {
      const facts = { lastMs: now - last, triedMs: tried === null ? null : now - tried }
      const next = nextSweepMs({ ...facts, nowMs: now })
      if (next <= now) expect(isSweepDue({ ...facts, nowMs: now })).toBe(true)
      else expect([next - 1, next].map((ms) => isSweepDue({ ...facts, nowMs: ms }))).toEqual([false, true])
    }),
  )
})
