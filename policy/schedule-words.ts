import { wallTimeAt, weekdayOf } from './clock.ts'
import { weekdays } from './plan.ts'
import type { Schedule } from './plan.ts'
import { dueTimes } from './schedule.ts'

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const listed = 6
const two = (n: number): string => String(n).padStart(2, '0')

/** `every day at 02:30 (Europe/Paris)`, `every 4 h, counted from midnight UTC`, `after plan nightly` */
export function describeSchedule(schedule: Schedule, timeZone: string): string {
  if (schedule.kind === 'manual') return 'only by hand'
  if (schedule.kind === 'after')
    return `after plan ${schedule.plan}${schedule.when === 'succeeded' ? ', if it went well' : ''}`
  const due = dueTimes(schedule)
  if (due === null) return ''
  if (due.kind === 'interval') {
    const shift = due.offsetMs === 0 ? '' : ` and ${span(due.offsetMs)} after`
    return `every ${span(due.everyMs)}${shift}, counted from midnight UTC`
  }
  const [first] = due.fields
  if (first === undefined) return ''
  const days = [
    first.weekdays.length < 7 ? `on ${joined(first.weekdays.map((day) => capital(weekdays[day - 1] ?? '')))}` : '',
    first.daysOfMonth.length < 31 ? `on day ${joined(first.daysOfMonth.map(String))} of the month` : '',
    first.months.length < 12 ? `in ${joined(first.months.map((month) => months[month - 1] ?? ''))}` : '',
  ].filter((part) => part !== '')
  const when = days.length === 0 ? 'every day' : days.join(', ')
  return `${when} ${times(due.fields)} (${timeZone})`
}

/** `Sun 22 Nov 22:00 (Europe/Berlin)` */
export function momentInWords(timeZone: string, atMs: number): string {
  const wall = wallTimeAt(timeZone, atMs)
  const day = `${capital(weekdays[weekdayOf(wall) - 1] ?? '')} ${wall.day} ${months[wall.month - 1]}`
  return `${day} ${timeInWords(timeZone, atMs)}`
}

/** `22:00 (Europe/Berlin)` */
export function timeInWords(timeZone: string, atMs: number): string {
  const { hour, minute } = wallTimeAt(timeZone, atMs)
  return `${two(hour)}:${two(minute)} (${timeZone})`
}

function times(fields: readonly { readonly hours: readonly number[]; readonly minutes: readonly number[] }[]): string {
  const [first] = fields
  if (fields.length === 1 && first?.hours.length === 24)
    return `every hour at ${joined(first.minutes.map((minute) => `:${two(minute)}`))}`
  const all = fields
    .flatMap(({ hours, minutes }) => hours.flatMap((hour) => minutes.map((minute) => `${two(hour)}:${two(minute)}`)))
    .sort()
  if (all.length <= listed) return `at ${joined(all)}`
  return `at ${all[0]} and ${all.length - 1} more times until ${all.at(-1)}`
}

const capital = (word: string): string => word.slice(0, 1).toUpperCase() + word.slice(1)

function joined(parts: readonly string[]): string {
  if (parts.length > 12) return `${parts.slice(0, 3).join(', ')} … ${parts.at(-1)}`
  return parts.length < 2 ? parts.join('') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`
}

function span(ms: number): string {
  const units = [
    [86_400_000, 'd'],
    [3_600_000, 'h'],
    [60_000, 'min'],
    [1_000, 's'],
  ] as const
  const [size, unit] = units.find(([size]) => ms % size === 0) ?? [1_000, 's']
  return `${ms / size} ${unit}`
}
