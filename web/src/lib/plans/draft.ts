import type { Plan, PlanSpec } from '#lib/api/types.ts'

/** What an editor works on: a plan as it is written down, without what the server adds. */
export type Draft = PlanSpec & { name: string }

export const newDraft: Draft = {
  name: '',
  description: '',
  paused: false,
  where: [{ field: 'tag', is: [''] }],
  timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
  schedule: { kind: 'calendar', at: ['02:30'] },
  window: null,
  targets: [{ repository: '', copy: 'backup', keep: null }],
  mode: 'incremental',
  fullEveryMs: null,
  quiesce: null,
  consistency: 'filesystem',
  hooks: [],
  disks: { roles: 'all', include: [], exclude: [], honourNobak: true },
  compressionLevel: 1,
  concurrency: 4,
  retries: 1,
  retryAfterMs: 600_000,
  bandwidth: [],
  priority: 3,
  stopBefore: false,
}

/** Without what the server adds to a plan. */
export function draftOf(plan: Plan): Draft {
  const said = Object.entries(plan).filter(([member]) => Object.hasOwn(newDraft, member))
  return structuredClone({ ...newDraft, ...(Object.fromEntries(said) as Draft) })
}

/** `a, b` as it is typed in one field. */
export function listOfText(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}

/** One row of the rules: a field is one of the values, or none of them. */
export interface RuleRow {
  readonly field: NonNullable<PlanSpec['where']>[number]['field']
  readonly op: 'is' | 'isNot'
  readonly text: string
  /** As they were saved: a value may contain a comma. Absent once somebody has typed. */
  readonly values?: readonly string[]
}

/** A rule that says both is two rows; they mean the same. */
export function rowsOf(where: PlanSpec['where']): RuleRow[] {
  return where.flatMap(({ field, is, isNot }) => [
    ...(is ? [{ field, op: 'is' as const, text: is.join(', '), values: is }] : []),
    ...(isNot ? [{ field, op: 'isNot' as const, text: isNot.join(', '), values: isNot }] : []),
  ])
}

/** Rows without a value say nothing yet and are no rules. */
export function whereOf(rows: readonly RuleRow[]): PlanSpec['where'] {
  return rows.flatMap(({ field, op, text, values = listOfText(text) }) =>
    values.length === 0 ? [] : [{ field, [op]: [...values] }],
  )
}

export type DiskSelection = NonNullable<PlanSpec['disks']>
export type DiskRule = NonNullable<DiskSelection['include']>[number]

/** One of a list with other members; those that become undefined are taken out. */
export function changedAt<T extends object>(
  list: readonly T[],
  at: number,
  over: { readonly [member in keyof T]?: T[member] | undefined },
): T[] {
  return list.map((one, index) => {
    if (index !== at) return one
    return Object.fromEntries(Object.entries({ ...one, ...over }).filter(([, value]) => value !== undefined)) as T
  })
}

/** Without rules in which nobody has written anything. */
export function saidDisks(disks: DiskSelection): DiskSelection {
  const said = (rules: readonly DiskRule[] = []): DiskRule[] => rules.filter((rule) => Object.keys(rule).length > 0)
  return { ...disks, include: said(disks.include), exclude: said(disks.exclude) }
}

/** What is sent: rows in which nobody has written anything say nothing. */
export function specOf(draft: Draft, rows: readonly RuleRow[]): Draft {
  return {
    ...draft,
    where: whereOf(rows),
    hooks: (draft.hooks ?? []).filter(({ path }) => path !== ''),
    disks: saidDisks(draft.disks ?? {}),
  }
}

/** `1, 15` of a field for days or months; what is none of 1 … most is left out. */
export function numbersOfText(text: string, most: number): number[] {
  const numbers = listOfText(text).map(Number)
  return [...new Set(numbers.filter((n) => Number.isInteger(n) && n >= 1 && n <= most))].toSorted((a, b) => a - b)
}

export type Starts = 'calendar' | 'every' | 'cron' | 'after' | 'manual'
export const startsWords: { readonly [kind in Starts]: string } = {
  calendar: 'at times of the day',
  every: 'every so many hours',
  cron: 'by a cron expression',
  after: 'after another plan',
  manual: 'only by hand',
}

/** Where one kind turns into another, with something to begin from. */
export function scheduleOf(kind: Starts): NonNullable<PlanSpec['schedule']> {
  switch (kind) {
    case 'calendar':
      return { kind, at: ['02:30'] }
    case 'every':
      return { kind, everyMs: 4 * 3_600_000 }
    case 'cron':
      return { kind, cron: '30 2 * * *' }
    case 'after':
      return { kind, plan: '' }
    case 'manual':
      return { kind }
  }
}

type Of<K extends Starts> = Extract<NonNullable<PlanSpec['schedule']>, { kind: K }>

/** An empty list says nothing and is no condition. */
export function withNumbers(
  schedule: Of<'calendar'>,
  member: 'monthDays' | 'months',
  numbers: readonly number[],
): Of<'calendar'> {
  const whole = { ...schedule }
  delete whole[member]
  return numbers.length === 0 ? whole : { ...whole, [member]: [...numbers] }
}

export function withOffset(schedule: Of<'every'>, offsetMs: number): Of<'every'> {
  const whole = { ...schedule }
  delete whole.offsetMs
  return offsetMs === 0 ? whole : { ...whole, offsetMs }
}

export const keepRules = ['last', 'hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const
export type Keep = NonNullable<PlanSpec['targets'][number]['keep']>

/** An empty field is a rule less; without any rule the category of each VM decides. */
export function withKeep(keep: Keep | null | undefined, rule: keyof Keep, value: number | null): Keep | null {
  const next: Keep = { ...keep }
  if (value === null || value === 0) delete next[rule]
  else next[rule] = value
  return Object.keys(next).length === 0 ? null : next
}
