/** What a clock on the wall shows. */
export interface WallTime {
  readonly year: number
  /** 1 to 12. */
  readonly month: number
  readonly day: number
  readonly hour: number
  readonly minute: number
  readonly second: number
}

const minuteMs = 60_000
const dayMs = 86_400_000
const formats = new Map<string, Intl.DateTimeFormat>()

/** Throws RangeError for a name that is not an IANA time zone. */
function formatOf(timeZone: string): Intl.DateTimeFormat {
  let format = formats.get(timeZone)
  if (format === undefined) {
    const two = '2-digit'
    const fields = { year: 'numeric', month: two, day: two, hour: two, minute: two, second: two } as const
    format = new Intl.DateTimeFormat('en-US', { ...fields, timeZone, hourCycle: 'h23', calendar: 'gregory' })
    formats.set(timeZone, format)
  }
  return format
}

/** Whether it is a name from the time zone database. Plain offsets (`+02:00`) are none: servers do not know them. */
export function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false
  try {
    formatOf(name)
    return true
  } catch {
    return false
  }
}

const quarterMs = 15 * minuteMs
const kept = 20_000
const offsets = new Map<string, number>()

/** How far the zone's clocks are ahead of UTC at an instant, in milliseconds. */
export function offsetAt(timeZone: string, atMs: number): number {
  // No zone has changed its clocks within a quarter of an hour since 2011, so that one answer serves for all of it.
  const key = `${timeZone} ${Math.floor(atMs / quarterMs)}`
  let offset = offsets.get(key)
  if (offset === undefined) {
    offset = lookUp(timeZone, Math.floor(atMs / quarterMs) * quarterMs)
    if (offsets.size >= kept) offsets.clear()
    offsets.set(key, offset)
  }
  return offset
}

function lookUp(timeZone: string, atMs: number): number {
  const fields = { year: 0, month: 0, day: 0, hour: 0, minute: 0, second: 0 }
  for (const { type, value } of formatOf(timeZone).formatToParts(atMs)) {
    if (type in fields) fields[type as keyof typeof fields] = Number(value)
  }
  return asUtc(fields) - Math.floor(atMs / 1000) * 1000
}

export function wallTimeAt(timeZone: string, atMs: number): WallTime {
  return fromUtc(atMs + offsetAt(timeZone, atMs))
}

/**
 * The instant at which the clock shows that, by the rule of Go's `time.Date`, on which Temporal's schedules rest: a time
 * that comes twice is the first one west of Greenwich and the second one east of it; a time that does not exist becomes
 * one beside the gap.
 */
export function instantOf(timeZone: string, wall: WallTime): number {
  const naive = asUtc(wall)
  return naive - offsetAt(timeZone, naive - offsetAt(timeZone, naive))
}

/** The first instant at which the clock shows that time or, where it skips it, a later one. */
export function firstInstantOf(timeZone: string, wall: WallTime): number {
  const naive = asUtc(wall)
  // Around the wall time each candidate is one of the offsets that are in force within a day of it.
  const offsets = [offsetAt(timeZone, naive - dayMs), offsetAt(timeZone, naive + dayMs)]
  const exact = offsets.map((offset) => naive - offset).filter((at) => at + offsetAt(timeZone, at) === naive)
  if (exact.length > 0) return Math.min(...exact)
  return changesBetween(timeZone, naive - dayMs, naive + dayMs)[0]?.atMs ?? naive - (offsets[0] ?? 0)
}

/** A change of a zone's clocks: from `atMs` on they are `afterMs` ahead of UTC, before it `beforeMs`. */
export interface ClockChange {
  readonly atMs: number
  readonly beforeMs: number
  readonly afterMs: number
}

/** All changes in (fromMs, toMs], to the minute. Two changes within one day that undo each other are not seen. */
export function changesBetween(timeZone: string, fromMs: number, toMs: number): ClockChange[] {
  const changes: ClockChange[] = []
  let low = fromMs
  let before = offsetAt(timeZone, low)
  while (low < toMs) {
    const high = Math.min(low + dayMs, toMs)
    const after = offsetAt(timeZone, high)
    if (after !== before)
      changes.push({ atMs: changeIn(timeZone, low, high, before), beforeMs: before, afterMs: after })
    low = high
    before = after
  }
  return changes
}

function changeIn(timeZone: string, fromMs: number, toMs: number, before: number): number {
  let low = Math.floor(fromMs / minuteMs)
  let high = Math.ceil(toMs / minuteMs)
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (offsetAt(timeZone, middle * minuteMs) === before) low = middle
    else high = middle
  }
  return high * minuteMs
}

export function asUtc({ year, month, day, hour, minute, second }: WallTime): number {
  return Date.UTC(year, month - 1, day, hour, minute, second)
}

export function fromUtc(ms: number): WallTime {
  const date = new Date(ms)
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
  }
}

/** 1 is Monday, 7 is Sunday (ISO 8601). */
export function weekdayOf({ year, month, day }: Pick<WallTime, 'year' | 'month' | 'day'>): number {
  return ((new Date(Date.UTC(year, month - 1, day)).getUTCDay() + 6) % 7) + 1
}

export function daysInMonth(year: number, month: number): number {
  return new Date(Date.UTC(year, month, 0)).getUTCDate()
}

/** `HH:MM` as people write it; null: it is not. */
export function clockOf(text: string): { readonly hour: number; readonly minute: number } | null {
  const match = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(text)
  return match === null ? null : { hour: Number(match[1]), minute: Number(match[2]) }
}

/** `2026-10-25T02:30:00+01:00` */
export function localIso(timeZone: string, atMs: number): string {
  const offset = offsetAt(timeZone, atMs)
  const minutes = Math.abs(offset) / minuteMs
  const two = (n: number): string => String(Math.floor(n)).padStart(2, '0')
  const sign = offset < 0 ? '-' : '+'
  return `${new Date(atMs + offset).toISOString().slice(0, 19)}${sign}${two(minutes / 60)}:${two(minutes % 60)}`
}
