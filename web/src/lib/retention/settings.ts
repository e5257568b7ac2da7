/** What somebody has typed; null and empty: nothing is set here. */
export interface SettingsForm {
  hours: number | null
  approval: '' | 'grace' | 'required'
  days: number | null
  percent: number | null
}

const units = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
] as const

/** `1 day 12 hours`; to the minute. */
export function graceText(ms: number): string {
  let left = Math.round(ms / 60_000) * 60_000
  const parts: string[] = []
  for (const [unit, size] of units) {
    const n = Math.floor(left / size)
    if (n > 0) parts.push(`${n} ${unit}${n === 1 ? '' : 's'}`)
    left -= n * size
  }
  return parts.length === 0 ? 'none' : parts.join(' ')
}

/** The same on the command line; what is left empty is taken back. */
export function settingsCommand(repository: string | null, { hours, approval, days, percent }: SettingsForm): string {
  const of = repository === null ? '' : ` ${repository}`
  const time = (value: number | null, ofUnit: number): string =>
    value === null ? 'default' : `${Math.round(value * ofUnit)}m`
  return (
    `holdfast retention settings${of} --grace ${time(hours, 60)} --approval ${approval || 'default'}` +
    ` --approve-within ${time(days, 1440)} --max-share ${percent ?? 'default'}`
  )
}
