/** A number and its unit apart, because the unit is set smaller and quieter than its number. */
export interface Figure {
  readonly value: string
  readonly unit: string
}

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const

function stepOf(n: number): number {
  let step = 0
  for (let rest = n; rest >= 1000 && step < units.length - 1; rest /= 1024) step += 1
  return step
}

function inUnit(n: number, step: number): string {
  const value = n / 1024 ** step
  return group(value, step === 0 || value >= 100 || value === 0 ? 0 : 1)
}

function group(n: number, digits: number): string {
  return n.toLocaleString('en-GB', { minimumFractionDigits: digits, maximumFractionDigits: digits })
}

/** Binary units, at most one decimal: `{value: '26.9', unit: 'GiB'}`. */
export function bytesFigure(n: number): Figure {
  const step = stepOf(n)
  return { value: inUnit(n, step), unit: units[step] ?? 'B' }
}

/** The unit that `formatBytes` takes for `n`, and how many bytes one of it is: for axes, whose figures share one. */
export function byteUnit(n: number): { readonly unit: string; readonly size: number } {
  const step = stepOf(n)
  return { unit: units[step] ?? 'B', size: 1024 ** step }
}

export function formatBytes(n: number): string {
  const { value, unit } = bytesFigure(n)
  return `${value} ${unit}`
}

/** Two amounts of one thing in the unit of the larger: `26.9 of 40.0 GiB`. */
export function bytesOf(
  done: number,
  total: number,
): { readonly done: string; readonly total: string; readonly unit: string } {
  const step = stepOf(Math.max(done, total))
  return { done: inUnit(done, step), total: inUnit(total, step), unit: units[step] ?? 'B' }
}

export function formatBytesOf(done: number, total: number): string {
  const pair = bytesOf(done, total)
  return `${pair.done} of ${pair.total} ${pair.unit}`
}

export function formatRate(bytesPerSecond: number): string {
  return `${formatBytes(bytesPerSecond)}/s`
}
