import type { Capacity, Forecast, WhatIf } from '#lib/api/types.ts'
import { formatBytes, shortDay } from '#lib/format/index.ts'
import { look, type Look } from '#lib/state/tone.ts'

/** A repository that is full sooner than this is worth a colour; with half of it, another one. */
const soonMs = 60 * 86_400_000

export function forecastLook({ state, fullMs, earliestMs }: Forecast, now: number): Look {
  if (state === 'full') return look('fail', 'Full')
  if (state === 'too-few') return look('unknown', 'Not known yet')
  if (fullMs !== null && fullMs - now < soonMs) return look('warn', 'Full soon')
  if (earliestMs !== null && earliestMs - now < soonMs) return look('warn', 'May be full soon', 'clock')
  if (state === 'growing') return look('ok', 'Grows')
  return state === 'shrinking' ? look('ok', 'Shrinks') : look('ok', 'Steady')
}

/** `+12.0 GiB`. */
export function perDayWords(bytes: number | null): string {
  return bytes === null ? '–' : `${bytes < 0 ? '−' : '+'}${formatBytes(Math.abs(bytes))}`
}

/** When it may be full at the earliest and at the latest; null where no month of the last four leads there. */
export function betweenWords({ earliestMs, latestMs }: Forecast): string | null {
  if (earliestMs === null) return null
  return `${shortDay(earliestMs)} … ${latestMs === null ? 'never' : shortDay(latestMs)}`
}

/** The head of the page: what fills first. */
export function capacitySentence(all: readonly Capacity[]): string {
  const dated = all.filter(({ forecast }) => forecast.fullMs !== null)
  const first = dated.toSorted((a, b) => (a.forecast.fullMs ?? 0) - (b.forecast.fullMs ?? 0))[0]
  const unknown = all.filter(({ forecast }) => forecast.state === 'too-few').length
  const rest = unknown === 0 ? '' : ` Of ${unknown} too little is known yet: a week of samples is needed.`
  if (first === undefined) return `No repository fills up by what is measured.${rest}`
  const { fullMs } = first.forecast
  return `${first.repositoryName} is full first, by ${shortDay(fullMs ?? 0)}.${rest}`
}

interface Point {
  readonly ms: number
  readonly bytes: number
}
export interface Picture {
  readonly past: string
  readonly expected: string
  readonly band: string
  readonly capacityY: number | null
  readonly nowX: number
  readonly top: number
  readonly fromMs: number
  readonly untilMs: number
}

const dayMs = 86_400_000
const width = 640
const height = 128

/** What was, and half a year more of it with its interval, on a field of 640 × 128 whose floor is zero. */
export function pictureOf(
  samples: readonly { readonly day: string; readonly storedBytes: number }[],
  { perDay, perDayLow, perDayHigh }: Pick<Forecast, 'perDay' | 'perDayLow' | 'perDayHigh'>,
  capacityBytes: number | null,
): Picture | null {
  const past: Point[] = samples.map(({ day, storedBytes: bytes }) => ({ ms: Date.parse(day), bytes }))
  const [first, last] = [past.at(0), past.at(-1)]
  if (first === undefined || last === undefined || past.length < 2) return null
  const ahead = 182 * dayMs
  const untilMs = last.ms + ahead
  const then = (rate: number | null): number => Math.max(0, last.bytes + ((rate ?? 0) * ahead) / dayMs)
  const highest = Math.max(last.bytes, ...past.map(({ bytes }) => bytes), then(perDay), then(perDayHigh))
  const top =
    capacityBytes === null ? highest * 1.1 : Math.max(highest * 1.1, Math.min(capacityBytes * 1.05, highest * 3))
  const x = (ms: number): number => (width * (ms - first.ms)) / Math.max(1, untilMs - first.ms)
  const y = (bytes: number): number => height - (height * bytes) / Math.max(1, top)
  const at = (ms: number, bytes: number): string => `${x(ms).toFixed(1)} ${y(bytes).toFixed(1)}`
  const known = perDay !== null
  return {
    past: past.map(({ ms, bytes }, index) => `${index === 0 ? 'M' : 'L'}${at(ms, bytes)}`).join(''),
    expected: known ? `M${at(last.ms, last.bytes)}L${at(untilMs, then(perDay))}` : '',
    band: known ? `M${at(last.ms, last.bytes)}L${at(untilMs, then(perDayHigh))}L${at(untilMs, then(perDayLow))}Z` : '',
    capacityY: capacityBytes === null || capacityBytes > top ? null : y(capacityBytes),
    nowX: x(last.ms),
    top,
    fromMs: first.ms,
    untilMs,
  }
}

export interface WhatIfDraft {
  readonly vms: number
  readonly gibibytes: number
  readonly category: string
  /** null: as measured. */
  readonly changePercent: number | null
  readonly storedPercent: number | null
  readonly headroomPercent: number
}

export const firstDraft: WhatIfDraft = {
  vms: 10,
  gibibytes: 100,
  category: 'standard',
  changePercent: null,
  storedPercent: null,
  headroomPercent: 30,
}

export function whatIfCommand(repository: string, draft: WhatIfDraft): string {
  const { vms, gibibytes, category, changePercent, storedPercent, headroomPercent } = draft
  const change = changePercent === null ? '' : ` --change ${changePercent}`
  const stored = storedPercent === null ? '' : ` --stored ${storedPercent}`
  return `holdfast capacity ${repository} --vms ${vms} --size ${gibibytes}GiB --category ${category}${change}${stored} --headroom ${headroomPercent}`
}

/** By what it was reckoned: what nobody gave was measured, or is usual. */
export function ratesSentence({ changeShare, storedShare, measuredVms }: WhatIf): string {
  const percentOf = (share: number): string => `${Math.round(share * 1000) / 10} %`
  const by = measuredVms === 0 ? '' : ` What was left empty is the middle of ${measuredVms} measured VMs.`
  return `Reckoned with ${percentOf(changeShare)} that change in a day, of which ${percentOf(storedShare)} are stored.${by}`
}
