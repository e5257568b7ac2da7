import { retention } from './retention.ts'
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
const week = 7 * day

/**
 * Which points would exist, if one is made at each of `times` (ascending) and swept by `rules`, and what they need.
 *
 * Bytes: the oldest point is a full one; each later one adds what changed since the one before it that is still there.
 * Two changes may hit the same place, so what changes in `d` days is `full × (1 − e^(−change × d ⁄ full))`: nearly
 * `change × d` at first, never more than all of it.
 */
export function simulateRetention(
  times: readonly number[],
  rules: KeepRules,
  growth: Growth,
  marks: readonly number[],
): Simulation {
  let kept: readonly number[] = []
  let next = 0
  const seen: { timeMs: number; points: number; bytes: number }[] = []
  const sweep = (untilMs: number): void => {
    const fresh: number[] = []
    for (; next < times.length && (times[next] ?? Infinity) <= untilMs; next += 1) fresh.push(times[next] ?? 0)
    kept = survivors([...kept, ...fresh], rules, untilMs).map(({ timeMs }) => timeMs)
  }
  for (const mark of [...marks].sort((a, b) => a - b)) {
    // In between as well: what is gone need not be looked at again.
    for (let at = (times[next] ?? mark) + week; at < mark; at += week) sweep(at)
    sweep(mark)
    seen.push({ timeMs: mark, points: kept.length, bytes: bytesOf(kept, growth) })
  }
  const last = seen.at(-1)
  return {
    points: last === undefined ? [] : survivors(kept, rules, last.timeMs),
    marks: seen,
    peakBytes: Math.max(0, ...seen.map(({ bytes }) => bytes)),
  }
}

function survivors(times: readonly number[], rules: KeepRules, nowMs: number): SimulatedPoint[] {
  const points = times.map((timeMs) => ({ id: String(timeMs), timeMs, origin: 'scheduled' as const, guard: null }))
  return retention(points, rules, nowMs)
    .filter(({ keptBy }) => keptBy.length > 0)
    .map(({ id, keptBy }) => ({ timeMs: Number(id), keptBy }))
}

function bytesOf(times: readonly number[], { fullBytes, changedBytesPerDay }: Growth): number {
  if (times.length === 0 || fullBytes <= 0) return 0
  const ascending = [...times].sort((a, b) => a - b)
  const added = ascending.slice(1).map((time, index) => {
    const days = (time - (ascending[index] ?? time)) / day
    return fullBytes * (1 - Math.exp((-changedBytesPerDay * days) / fullBytes))
  })
  return Math.round(fullBytes + added.reduce((sum, bytes) => sum + bytes, 0))
}
