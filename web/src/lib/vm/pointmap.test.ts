import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Point, Run } from '#lib/api/types.ts'
import { placeOf, pointMap, stretchesFor } from './pointmap.ts'

const hour = 3_600_000
const day = 24 * hour
const now = 1_795_243_000_000
const point = (ageMs: number, more: Partial<Point> = {}): Point =>
  ({
    id: String(ageMs),
    createdMs: now - ageMs,
    validatedMs: now,
    mode: 'incremental',
    repositoryName: 'main',
    proof: null,
    ...more,
  }) as Point

describe('the map of recovery points', () => {
  it('reaches back only as far as there are points', () => {
    expect(stretchesFor(10 * 60_000).map((s) => s.label)).toEqual(['2 hours'])
    expect(stretchesFor(20 * hour).map((s) => s.label)).toEqual(['48 hours', '2 hours'])
    expect(stretchesFor(10 * day).map((s) => s.label)).toEqual(['30 days', '48 hours'])
    expect(stretchesFor(900 * day).map((s) => s.label)).toEqual(['12 months', '12 weeks', '30 days', '48 hours'])
  })

  it('keeps the order of time from left to right and stays on the axis', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 800 * day }), { minLength: 2, maxLength: 60 }), (ages) => {
        const stretches = stretchesFor(Math.max(...ages))
        const xs = ages.toSorted((a, b) => b - a).map((age) => placeOf(age, stretches))
        xs.forEach((x, at) => {
          expect(x).toBeGreaterThanOrEqual(0)
          expect(x).toBeLessThanOrEqual(100)
          if (at > 0) expect(x).toBeGreaterThanOrEqual(xs[at - 1] ?? 0)
        })
      }),
    )
  })

  it('tells a full point, an unvalidated one, a failed run and a running one apart', () => {
    const runs = [
      { kind: 'backup', state: 'failed', startedMs: now - hour, endedMs: now },
      { kind: 'backup', state: 'running', startedMs: now - 1000, endedMs: null },
      { kind: 'restore', state: 'failed', startedMs: now - hour, endedMs: now },
    ] as Run[]
    const map = pointMap(
      [point(20 * hour, { mode: 'full' }), point(2 * hour), point(hour, { validatedMs: null })],
      runs,
      now,
    )
    expect(map.points.map((mark) => mark.kind)).toEqual(['full', 'incremental', 'unvalidated', 'failed', 'running'])
  })

  it('draws crowded stretches small and proofs only where a drill passed', () => {
    const many = Array.from({ length: 20 }, (_, at) => point((at + 3) * day))
    const map = pointMap(
      [...many, point(hour, { proof: { drillId: 'd', verdict: 'passed', endedMs: now, rtoSeconds: 9 } })],
      [],
      now,
    )
    expect(map.points.filter((mark) => mark.small)).toHaveLength(20)
    expect(map.proofs).toHaveLength(1)
  })

  it('is empty and does not break without points', () => {
    expect(pointMap([], [], now).points).toEqual([])
  })
})
