type Value = string | number | null | undefined

/** Cells that a spreadsheet would take for a formula are made text. */
function cell(value: Value): string {
  const text = value === null || value === undefined ? '' : String(value)
  const safe = typeof value === 'string' && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

/** Rows as CSV (RFC 4180), the columns in the order in which they are given. */
export function csvOf<T>(rows: readonly T[], columns: { readonly [column: string]: (row: T) => Value }): string {
  const lines = [Object.keys(columns), ...rows.map((row) => Object.values(columns).map((of) => of(row)))]
  return lines.map((values) => `${values.map(cell).join(',')}\r\n`).join('')
}
