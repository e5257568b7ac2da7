import { formatAge } from './duration.ts'

const locale = 'en-GB'
const part = (options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat => new Intl.DateTimeFormat(locale, options)

const clockSeconds = part({ hour: '2-digit', minute: '2-digit', second: '2-digit' })
const clockMinutes = part({ hour: '2-digit', minute: '2-digit' })
const dayMonth = part({ day: 'numeric', month: 'short' })
const dayMonthYear = part({ day: 'numeric', month: 'short', year: 'numeric' })
const exactDay = part({ weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' })
const zone = part({ timeZoneName: 'short' })

/** `07:33:52` in the zone of the reader. */
export function clock(ms: number): string {
  return clockSeconds.format(ms)
}

/** `07:33`. */
export function clockShort(ms: number): string {
  return clockMinutes.format(ms)
}

/** Name of the reader's zone at that time: `CET`. */
export function zoneName(ms: number): string {
  return zone.formatToParts(ms).find((p) => p.type === 'timeZoneName')?.value ?? ''
}

/** For the hover: `Sat, 21 Nov 2026, 07:36:02 CET`. */
export function exact(ms: number): string {
  return `${exactDay.format(ms)}, ${clock(ms)} ${zoneName(ms)}`
}

/** `38 s ago`, `in 23 min`, `just now`. */
export function relative(ms: number, now: number): string {
  const distance = now - ms
  if (Math.abs(distance) < 1000) return 'just now'
  // A column says 18 d; a sentence says 18 days.
  const words = formatAge(Math.abs(distance)).replace(/ d$/, ' days')
  return distance > 0 ? `${words} ago` : `in ${words}`
}

function startOfDay(ms: number): number {
  return new Date(ms).setHours(0, 0, 0, 0)
}

/** Whole calendar days between two instants in the reader's zone; clock changes do not count. */
function daysBetween(ms: number, now: number): number {
  return Math.round((startOfDay(now) - startOfDay(ms)) / 86_400_000)
}

/** `today`, `yesterday`, `15 Nov`, `15 Nov 2025`. */
export function dayName(ms: number, now: number): string {
  const days = daysBetween(ms, now)
  if (days === 0) return 'today'
  if (days === 1) return 'yesterday'
  if (days === -1) return 'tomorrow'
  return (new Date(ms).getFullYear() === new Date(now).getFullYear() ? dayMonth : dayMonthYear).format(ms)
}

/** `today 03:41`. */
export function dayAndTime(ms: number, now: number): string {
  return `${dayName(ms, now)} ${clockShort(ms)}`
}

export function shortDay(ms: number): string {
  return dayMonth.format(ms)
}
