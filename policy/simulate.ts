import { isEmptyPolicy, retention } from './retention.ts'
import type { KeepRules } from './retention.ts'

/** One volume of data, or several as one. Bytes as they will be stored, after deduplication and compression. */
export interface Growth {
  readonly fullBytes: number
  readonly changedBytesPerDay: number
}

export interface SimulatedPoint {
  readonly timeMs: number
  readonly keptBy: readonly string[]
}

export interface Simulation {
  /** At the end, newest first. */
  readonly points: readonly SimulatedPoint[]
  /** At each mark: how many points, and what they need together. */
  readonly marks: readonly { readonly timeMs: number; readonly points: number; readonly bytes: number }[]
  /** The most there were at a mark. */
  readonly peakBytes: number
}

const day = 86_400_000

/** What is there at a mark, oldest first. */
export interface Held {
  readonly timeMs: number
  readonly times: readonly number[]
}

/**
 * Which points would exist, if one is made at each of `times` (ascending) and swept by `rules`, and what they need: see
 * `bytesOf`.
 */
export function simulateRetention(
  times: readonly number[],
  rules: KeepRules,
  growth: Growth,
  marks: readonly number[],
): Simulation {
  const held = heldAt(times, rules, marks)
  const seen = held.marks.map((mark) => ({
    timeMs: mark.timeMs,
    points: mark.times.length,
    bytes: bytesOf(mark.times, growth),
  }))
  return { points: held.points, marks: seen, peakBytes: Math.max(0, ...seen.map(({ bytes }) => bytes)) }
}

/** Only which: what they need is another question for each volume of data. */
export function heldAt(
  times: readonly number[],
  rules: KeepRules,
  marks: readonly number[],
): { readonly points: readonly SimulatedPoint[]; readonly marks: readonly Held[] } {
  let kept: readonly number[] = []
  let points: readonly SimulatedPoint[] = []
  let next = 0
  const seen = [...marks]
    .sort((a, b) => a - b)
    .map((mark) => {
      const fresh: number[] = []
      for (; next < times.length && (times[next] ?? Infinity) <= mark; next += 1) fresh.push(times[next] ?? 0)
      points = survivors([...kept, ...fresh], rules, mark)
      kept = points.map(({ timeMs }) => timeMs).reverse()
      return { timeMs: mark, times: kept }
    })
  return { points, marks: seen }
}

/**
 * Of ascending times, newest first. Of the many points of a dense schedule only those are asked about that a rule can keep:
 * the newest ones, the young ones, and the newest of each quarter of an hour, of which hours and days are made in all zones.
 */
function survivors(times: readonly number[], rules: KeepRules, nowMs: number): SimulatedPoint[] {
  const firstOfLast = times.length - Math.max(0, rules.last ?? 0)
  const { last: _, withinMs: _w, ...byCalendar } = rules
  const ends = times.filter((timeMs, index) => quarterOf(timeMs) !== quarterOf(times[index + 1] ?? Infinity))
  const points = ends.map((timeMs) => ({ id: String(timeMs), timeMs, origin: 'scheduled' as const, guard: null }))
  const ruled = isEmptyPolicy(byCalendar) ? [] : retention(points, byCalendar, nowMs)
  const keptBy = new Map(ruled.map((one) => [Number(one.id), one.keptBy.filter((rule) => rule !== 'newest')]))
  return times
    .map((timeMs, index) => ({
      timeMs,
      keptBy: [
        ...(index === times.length - 1 ? ['newest'] : []),
        ...(index >= firstOfLast ? ['last'] : []),
        ...(nowMs - timeMs < (rules.withinMs ?? 0) ? ['within'] : []),
        ...(keptBy.get(timeMs) ?? []),
      ],
    }))
    .filter((one) => one.keptBy.length > 0)
    .reverse()
}

function quarterOf(timeMs: number): number {
  return Math.floor(timeMs / 900_000)
}

/**
 * Of ascending times. The oldest point is a full one; each later one adds what changed since the one before it that is still
 * there. Two changes may hit the same place, so what changes in `d` days is `full × (1 − e^(−change × d ⁄ full))`: nearly
 * `change × d` at first, never more than all of it.
 */
export function bytesOf(times: readonly number[], { fullBytes, changedBytesPerDay }: Growth): number {
  if (times.length === 0 || fullBytes <= 0) return 0
  const added = times.slice(1).map((time, index) => {
    const days = (time - (times[index] ?? time)) / day
    return fullBytes * (1 - Math.exp((-changedBytesPerDay * days) / fullBytes))
  })
  return Math.round(fullBytes + added.reduce((sum, bytes) => sum + bytes, 0))
}
