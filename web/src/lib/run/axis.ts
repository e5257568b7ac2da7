import { clock, clockShort } from '#lib/format/index.ts'

/**
 * A time axis in percent. Where nothing begins or ends for most of the run (a deadline that is waited out, a night
 * between two attempts), that stretch is cut short, so that the seconds around it stay readable.
 */
export interface Axis {
  readonly fromMs: number
  readonly toMs: number
  /** Percent of an instant; not limited to the axis. */
  readonly at: (ms: number) => number
  /** The stretch that is drawn shorter than it was. */
  readonly cut: { readonly fromMs: number; readonly toMs: number } | null
}

export interface Tick {
  readonly at: number
  readonly text: string
}

/** A quiet stretch is cut when it is longer than this share of the axis, and is then drawn this wide. */
const cutAbove = 0.7
/** Less than this is not worth the reader's thought. */
const cutFromMs = 30_000
const cutWidth = 0.28

/** `events`: every instant at which something begins or ends. `mayCut`: whether nothing but waiting happened between two. */
export function axisOf(
  fromMs: number,
  toMs: number,
  events: readonly number[],
  mayCut: (fromMs: number, toMs: number) => boolean,
): Axis {
  const whole = Math.max(1, toMs - fromMs)
  const plain = (ms: number): number => ((ms - fromMs) / whole) * 100
  const inside = [fromMs, ...events.filter((ms) => ms > fromMs && ms < toMs).toSorted((a, b) => a - b), toMs]
  let longest = { fromMs, toMs: fromMs }
  inside.forEach((ms, at) => {
    const before = inside[at - 1] ?? ms
    if (ms - before > longest.toMs - longest.fromMs) longest = { fromMs: before, toMs: ms }
  })
  const gap = longest.toMs - longest.fromMs
  const rest = whole - gap
  if (gap < cutFromMs || gap / whole < cutAbove || longest.fromMs === fromMs || !mayCut(longest.fromMs, longest.toMs))
    return { fromMs, toMs, at: plain, cut: null }
  const scale = (100 * (1 - cutWidth)) / rest
  const at = (ms: number): number => {
    if (ms <= longest.fromMs) return (ms - fromMs) * scale
    const start = (longest.fromMs - fromMs) * scale
    if (ms <= longest.toMs) return start + ((ms - longest.fromMs) / gap) * 100 * cutWidth
    return start + 100 * cutWidth + (ms - longest.toMs) * scale
  }
  return { fromMs, toMs, at, cut: longest }
}

const niceSteps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200, 86_400].map(
  (s) => s * 1000,
)

/** The smallest round distance that leaves at most eight ticks. */
export function tickMs(spanMs: number): number {
  return niceSteps.find((step) => spanMs / step <= 8) ?? Math.ceil(spanMs / 8)
}

/** Labels nearer to each other than this, in percent, would touch. */
const clear = 9

/** The start by name, then round times where there is room; `keepFree` is the place of the "now" label. */
export function ticksOf(axis: Axis, keepFree: number | null): { readonly ticks: Tick[]; readonly distance: number } {
  const span = axis.cut ? axis.cut.fromMs - axis.fromMs + axis.toMs - axis.cut.toMs : axis.toMs - axis.fromMs
  const distance = tickMs(span)
  const name = distance >= 60_000 && !axis.cut ? clockShort : clock
  const ticks: Tick[] = [{ at: 0, text: clock(axis.fromMs) }]
  const end = axis.cut ? axis.cut.fromMs : axis.toMs
  for (let ms = Math.ceil(axis.fromMs / distance) * distance; ms < end; ms += distance) {
    const at = axis.at(ms)
    const free =
      at - (ticks.at(-1)?.at ?? 0) > (ticks.length === 1 ? clear + 7 : clear + 2) &&
      at < 96 &&
      (keepFree === null || Math.abs(at - keepFree) > clear)
    if (free) ticks.push({ at, text: name(ms) })
  }
  if (axis.cut) {
    ticks.push({ at: (axis.at(axis.cut.fromMs) + axis.at(axis.cut.toMs)) / 2, text: '⋯' })
    const at = axis.at(axis.cut.toMs)
    if (at < 93) ticks.push({ at, text: clock(axis.cut.toMs) })
  }
  return { ticks, distance }
}
