/** The times of a calendar: a minute matches if every field names it. Days of week by ISO 8601: 1 is Monday. */
export interface CalendarFields {
  readonly minutes: readonly number[]
  readonly hours: readonly number[]
  readonly daysOfMonth: readonly number[]
  readonly months: readonly number[]
  readonly weekdays: readonly number[]
}

const monthNames = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const weekdayNames = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']

interface FieldRule {
  readonly name: string
  readonly min: number
  readonly max: number
  readonly names: readonly string[]
  /** Value of the first name. */
  readonly first: number
}

const rules = [
  { name: 'minute', min: 0, max: 59, names: [], first: 0 },
  { name: 'hour', min: 0, max: 23, names: [], first: 0 },
  { name: 'day of month', min: 1, max: 31, names: [], first: 0 },
  { name: 'month', min: 1, max: 12, names: monthNames, first: 1 },
  { name: 'day of week', min: 0, max: 7, names: weekdayNames, first: 0 },
] as const satisfies readonly FieldRule[]

const shorthands: { readonly [name: string]: string } = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
}

/**
 * Five fields: minute, hour, day of month, month, day of week; lists, ranges, steps and English names. A day has to match
 * day of month *and* day of week, as Temporal has it, not either of them as some crons do. A string says what is wrong.
 */
export function parseCron(expression: string): CalendarFields | string {
  const text = expression.trim().toLowerCase()
  const fields = (shorthands[text] ?? text).split(/\s+/)
  if (fields.length !== rules.length) return `“${expression}” has ${fields.length} fields; five are needed`
  const parsed = rules.map((rule, index) => parseField(fields[index] ?? '', rule))
  const wrong = parsed.find((values) => typeof values === 'string')
  if (wrong !== undefined) return wrong
  const [minutes = [], hours = [], daysOfMonth = [], months = [], days = []] = parsed as readonly number[][]
  const weekdays = sortedSet(days.map((day) => (day === 0 ? 7 : day)))
  return { minutes, hours, daysOfMonth, months, weekdays }
}

function parseField(text: string, rule: FieldRule): number[] | string {
  const values: number[] = []
  for (const part of text.split(',')) {
    const match = /^(\*|[a-z0-9]+)(?:-([a-z0-9]+))?(?:\/(\d{1,2}))?$/.exec(part)
    const wrong = `“${part}” is no ${rule.name}`
    if (match === null) return wrong
    const [, from = '', to, step] = match
    const start = from === '*' ? rule.min : valueOf(from, rule)
    const isOpen = from === '*' || (to === undefined && step !== undefined)
    const end = to !== undefined ? valueOf(to, rule) : isOpen ? rule.max : start
    const by = step === undefined ? 1 : Number(step)
    if (start === null || end === null || end < start || by < 1 || (from === '*' && to !== undefined)) return wrong
    for (let value = start; value <= end; value += by) values.push(value)
  }
  return sortedSet(values)
}

function valueOf(text: string, { min, max, names, first }: FieldRule): number | null {
  const named = text.length < 3 ? -1 : names.findIndex((name) => name === text)
  const value = named >= 0 ? named + first : /^\d{1,2}$/.test(text) ? Number(text) : Number.NaN
  return value >= min && value <= max ? value : null
}

function sortedSet(values: readonly number[]): number[] {
  return [...new Set(values)].sort((a, b) => a - b)
}
