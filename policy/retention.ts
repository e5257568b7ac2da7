/** Which recovery points of one series stay (docs/repository-format.md §11.1). Counts of points, a duration in milliseconds. */
export interface KeepRules {
  /** The newest so many. */
  readonly last?: number | undefined
  /** The newest of each of so many hours, days, ISO weeks, months and years in which there is one. */
  readonly hourly?: number | undefined
  readonly daily?: number | undefined
  readonly weekly?: number | undefined
  readonly monthly?: number | undefined
  readonly yearly?: number | undefined
  /** Everything younger. */
  readonly withinMs?: number | undefined
  /** Points that somebody made by hand, for a publication, or before a restore: so many of each. Default: all. */
  readonly manual?: number | undefined
  readonly publish?: number | undefined
  readonly safety?: number | undefined
  /** IANA name: the periods are those of its clocks. */
  readonly timeZone: string
}

const counts = [
  'last',
  'hourly',
  'daily',
  'weekly',
  'monthly',
  'yearly',
  'withinMs',
  'manual',
  'publish',
  'safety',
] as const satisfies readonly (keyof KeepRules)[]

/** Rules that keep whatever any of these keeps, in the zone of the first: a higher count never removes more. */
export function widest(first: KeepRules, ...others: readonly KeepRules[]): KeepRules {
  const all = [first, ...others]
  const most = counts.flatMap((name): [string, number][] => {
    const said = all.map((rules) => rules[name])
    const found = said.filter((count) => count !== undefined)
    // Where one keeps all that were made by hand, all of them stay.
    const isByHand = name === 'manual' || name === 'publish' || name === 'safety'
    return found.length === 0 || (isByHand && found.length < said.length) ? [] : [[name, Math.max(...found)]]
  })
  return { ...(Object.fromEntries(most) as Partial<KeepRules>), timeZone: first.timeZone }
}

export interface RetainedPoint {
  readonly id: string
  /** Unix ms. */
  readonly timeMs: number
  readonly origin: 'scheduled' | 'manual' | 'publish' | 'safety' | 'catalog'
  /** Why it stays whatever the rules say; null: they decide. */
  readonly guard: string | null
}

export interface Retention {
  readonly id: string
  /** Every rule that keeps it, in words; empty: it may go. */
  readonly keptBy: readonly string[]
}

type Calendar = 'hourly' | 'daily' | 'weekly' | 'monthly' | 'yearly'
const calendar: readonly Calendar[] = ['hourly', 'daily', 'weekly', 'monthly', 'yearly']
const byHand = ['manual', 'publish', 'safety'] as const

/** A policy that keeps nothing by rule: refused, because it is a mistake more often than a wish. */
export function isEmptyPolicy(rules: KeepRules): boolean {
  return [rules.last, rules.withinMs, ...calendar.map((name) => rules[name])].every((count) => (count ?? 0) <= 0)
}

/**
 * What each point of one series is kept by, newest first. For each calendar rule: from newest to oldest, the newest point of each
 * distinct period until the count is reached; periods without a point do not count. The hour that a clock change repeats is two.
 * The newest point always stays. Throws RangeError for an empty policy.
 */
export function retention(points: readonly RetainedPoint[], rules: KeepRules, nowMs: number): Retention[] {
  if (isEmptyPolicy(rules)) throw new RangeError('the policy keeps nothing')
  const sorted = [...points].sort((a, b) => b.timeMs - a.timeMs || (a.id < b.id ? -1 : 1))
  const kept = new Map(sorted.map(({ id, guard }) => [id, guard === null ? [] : [guard]]))
  const keep = (point: RetainedPoint, rule: string) => void kept.get(point.id)?.push(rule)
  const [newest] = sorted
  if (newest !== undefined && newest.guard === null) keep(newest, 'newest')

  for (const origin of byHand) {
    const mine = sorted.filter((point) => point.origin === origin)
    for (const point of mine.slice(0, rules[origin] ?? mine.length)) keep(point, origin)
  }
  const ruled = sorted.filter(({ origin }) => origin === 'scheduled' || origin === 'catalog')
  for (const point of ruled.slice(0, Math.max(0, rules.last ?? 0))) keep(point, 'last')
  for (const point of ruled) if (nowMs - point.timeMs < (rules.withinMs ?? 0)) keep(point, 'within')
  const periods = ruled.map((point) => periodsOf(point.timeMs, rules.timeZone))
  for (const rule of calendar) {
    let left = rules[rule] ?? 0
    let last: string | undefined
    for (const [index, point] of ruled.entries()) {
      const period = periods[index]?.[rule]
      if (left <= 0) break
      if (period === last) continue
      last = period
      left -= 1
      keep(point, rule)
    }
  }
  return sorted.map(({ id }) => ({ id, keptBy: kept.get(id) ?? [] }))
}

const formats = new Map<string, Intl.DateTimeFormat>()

/** The periods a moment lies in, each named so that equal names mean the same period. */
function periodsOf(timeMs: number, timeZone: string): { readonly [K in Calendar]: string } {
  let format = formats.get(timeZone)
  if (format === undefined) {
    const fields = {
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      timeZoneName: 'longOffset',
    } as const
    format = new Intl.DateTimeFormat('en-US', { ...fields, timeZone, hourCycle: 'h23', calendar: 'gregory' })
    formats.set(timeZone, format)
  }
  const parts = new Map(format.formatToParts(timeMs).map(({ type, value }) => [type, value]))
  const of = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? ''
  const yearly = of('year')
  const monthly = `${yearly}-${of('month')}`
  const daily = `${monthly}-${of('day')}`
  // The offset tells the two hours of one name apart.
  return { yearly, monthly, daily, weekly: isoWeek(daily), hourly: `${daily} ${of('hour')} ${of('timeZoneName')}` }
}

/** ISO 8601: the week belongs to the year of its Thursday. */
function isoWeek(day: string): string {
  const date = new Date(`${day}T00:00:00Z`)
  const weekday = (date.getUTCDay() + 6) % 7
  const thursday = new Date(date.getTime() + (3 - weekday) * 86_400_000)
  const year = thursday.getUTCFullYear()
  const week = Math.floor((thursday.getTime() - Date.UTC(year, 0, 1)) / (7 * 86_400_000)) + 1
  return `${year}-W${week}`
}
