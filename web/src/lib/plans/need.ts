import { byteUnit } from '#lib/format/index.ts'

export interface Mark {
  readonly timeMs: number
  readonly bytes: number
}

/** A field of 448 × 150 with room for figures at its left and months below, as drawn. */
export const field = { width: 448, height: 150, left: 34, right: 442, top: 22, bottom: 128 } as const

export interface NeedPicture {
  readonly unit: string
  readonly ticks: readonly { readonly y: number; readonly label: string }[]
  readonly months: readonly { readonly x: number; readonly label: string }[]
  /** By the rules that are asked about. */
  readonly path: string
  /** By the saved ones; null: there are none, or they need the same. */
  readonly savedPath: string | null
  readonly capacityY: number | null
}

/** What all VMs need in a year, beside what the saved plan needs and what there is. Null without two marks. */
export function needPicture(
  marks: readonly Mark[],
  saved: readonly Mark[],
  capacityBytes: number | null,
): NeedPicture | null {
  const [first, last] = [marks[0], marks.at(-1)]
  if (first === undefined || last === undefined || last.timeMs <= first.timeMs) return null
  const isSame = saved.length === 0 || saved.every(({ bytes }, at) => bytes === marks[at]?.bytes)
  const values = [...marks, ...saved].map(({ bytes }) => bytes)
  const most = Math.max(...values)
  // A capacity far above would press the lines to the floor; the words say it.
  const isNear = capacityBytes !== null && capacityBytes <= most * 2
  const { unit, floor, step, count, size } = scaleOf(isNear ? [...values, capacityBytes] : values)
  const y = (bytes: number): number =>
    field.bottom - ((bytes / size - floor) / (step * count)) * (field.bottom - field.top)
  const x = (ms: number): number =>
    field.left + ((ms - first.timeMs) / (last.timeMs - first.timeMs)) * (field.right - field.left)
  const line = (of: readonly Mark[]): string =>
    of.map(({ timeMs, bytes }, at) => `${at === 0 ? 'M' : 'L'}${tenths(x(timeMs))} ${tenths(y(bytes))}`).join('')
  return {
    unit,
    ticks: Array.from({ length: count + 1 }, (_, at) => floor + at * step).map((value) => ({
      y: y(value * size),
      label: String(Number(value.toPrecision(6))),
    })),
    months: marks
      .filter((_, at) => at % 3 === 0)
      .map(({ timeMs }) => ({ x: x(timeMs), label: monthOf.format(timeMs) })),
    path: line(marks),
    savedPath: isSame ? null : line(saved),
    capacityY: isNear ? y(capacityBytes) : null,
  }
}

/** Two to four even steps of one unit that hold all values; from zero, unless the lines would lie close together then. */
function scaleOf(values: readonly number[]): {
  readonly unit: string
  readonly size: number
  readonly floor: number
  readonly step: number
  readonly count: number
} {
  const top = Math.max(1, ...values)
  const { unit, size } = byteUnit(top)
  const low = Math.min(...values) / size
  const high = top / size
  const from = low > high / 2 ? low - (high - low) / 4 : 0
  const step = niceStep(Math.max(high - from, high / 100) / 3)
  const floor = Math.max(0, Math.floor(from / step)) * step
  return { unit, size, floor, step, count: Math.max(2, Math.ceil((high - floor) / step)) }
}

function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least))
  return ([1, 2, 5, 10].find((step) => step * power >= least) ?? 10) * power
}

const monthOf = new Intl.DateTimeFormat('en-GB', { month: 'short', timeZone: 'UTC' })
const tenths = (n: number): string => n.toFixed(1)
