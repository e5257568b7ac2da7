/** What a repository took at one moment, bytes. One a day is enough; gaps do no harm. */
export interface UsageSample {
  readonly ms: number
  readonly bytes: number
}

/**
 * `too-few`: fewer than seven samples, or of less than a week. `steady`: whether it grows or shrinks cannot be told from
 * noise. `full`: no room is left now.
 */
export type ForecastState = 'too-few' | 'steady' | 'shrinking' | 'growing' | 'full'

export interface Forecast {
  readonly state: ForecastState
  /** Bytes a day: of the last two months, and an interval that holds each month of the last four. */
  readonly perDay: number | null
  readonly perDayLow: number | null
  readonly perDayHigh: number | null
  /** When there is no room left. `earliest` by the steepest growth of the interval, `latest` by the flattest. Null: never by it. */
  readonly fullMs: number | null
  readonly earliestMs: number | null
  readonly latestMs: number | null
  readonly samples: number
  /** Between the first and the last sample that count. */
  readonly days: number
}

const dayMs = 86_400_000
const fewestSamples = 7
const shortestDays = 6.5
/** The growth is that of two months: collections come at most monthly, so that one month alone may hold none or two. */
const middleDays = 60
/** Four months say how different months are. */
const longestDays = 120
const monthDays = 28
const weekDays = 7
/** Two-sided 90 %. */
const z = 1.645
/** A date so far away says only that it is far away. */
const farthestMs = 10 * 365 * dayMs

/**
 * The growth is the median of the slopes between all pairs of samples of two months (Theil–Sen, Sen 1968), which a collection
 * that frees much at once, or one VM that comes in, bends little. Samples of a store are no independent draws, so that its
 * rank interval (Kendall) is too narrow: the interval holds every month of the last four as well, taken each week anew.
 */
export function forecastUsage(all: readonly UsageSample[], freeBytes: number | null): Forecast {
  const samples = [...all].sort((a, b) => a.ms - b.ms)
  const last = samples.at(-1)
  const span = last === undefined ? 0 : (last.ms - (samples[0]?.ms ?? 0)) / dayMs
  const used = last === undefined ? [] : within(samples, last.ms, longestDays)
  const days = used.length === 0 ? 0 : ((used.at(-1)?.ms ?? 0) - (used[0]?.ms ?? 0)) / dayMs
  const about = { samples: used.length, days: Math.round(days * 10) / 10 }
  const never = { fullMs: null, earliestMs: null, latestMs: null }
  if (freeBytes !== null && freeBytes <= 0 && last !== undefined) {
    const now = { fullMs: last.ms, earliestMs: last.ms, latestMs: last.ms }
    return { state: 'full', perDay: null, perDayLow: null, perDayHigh: null, ...now, ...about }
  }
  if (last === undefined || samples.length < fewestSamples || span < shortestDays)
    return { state: 'too-few', perDay: null, perDayLow: null, perDayHigh: null, ...never, ...about }
  const middle = slopeOf(within(samples, last.ms, middleDays))
  const months = monthly(used)
  const perDay = Math.round(middle.slope)
  const perDayLow = Math.round(Math.min(middle.low, ...months))
  const perDayHigh = Math.round(Math.max(middle.high, ...months))
  const state = perDay > 0 && middle.low > 0 ? 'growing' : perDay < 0 && middle.high < 0 ? 'shrinking' : 'steady'
  const at = (rate: number): number | null => {
    if (freeBytes === null || rate <= 0) return null
    const ms = (freeBytes / rate) * dayMs
    return ms > farthestMs ? null : Math.round(last.ms + ms)
  }
  const rates = { perDay, perDayLow, perDayHigh }
  if (state !== 'growing') return { state, ...rates, ...never, earliestMs: at(perDayHigh), ...about }
  return { state, ...rates, fullMs: at(perDay), earliestMs: at(perDayHigh), latestMs: at(perDayLow), ...about }
}

function within(samples: readonly UsageSample[], untilMs: number, days: number): UsageSample[] {
  return samples.filter(({ ms }) => ms >= untilMs - days * dayMs)
}

/** The growth of every month among them, a week apart. */
function monthly(samples: readonly UsageSample[]): number[] {
  const [first, last] = [samples.at(0), samples.at(-1)]
  if (first === undefined || last === undefined) return []
  const found: number[] = []
  for (let endMs = last.ms; endMs - monthDays * dayMs >= first.ms; endMs -= weekDays * dayMs) {
    const month = within(samples, endMs, monthDays).filter(({ ms }) => ms <= endMs)
    if (month.length >= fewestSamples) found.push(slopeOf(month).slope)
  }
  return found
}

/** Bytes a day, with the rank interval. */
function slopeOf(samples: readonly UsageSample[]): { slope: number; low: number; high: number } {
  const slopes: number[] = []
  for (const [index, a] of samples.entries()) {
    for (const b of samples.slice(index + 1)) {
      if (b.ms > a.ms) slopes.push(((b.bytes - a.bytes) / (b.ms - a.ms)) * dayMs)
    }
  }
  slopes.sort((a, b) => a - b)
  const n = samples.length
  const spread = z * Math.sqrt((n * (n - 1) * (2 * n + 5)) / 18)
  const at = (rank: number): number => slopes[Math.min(slopes.length - 1, Math.max(0, Math.round(rank)))] ?? 0
  const middle = slopes.length / 2
  const upper = at(Math.ceil(middle - 0.5))
  const lower = at(Math.floor(middle - 0.5))
  return {
    slope: (upper + lower) / 2,
    low: at((slopes.length - spread) / 2 - 1),
    high: at((slopes.length + spread) / 2),
  }
}
