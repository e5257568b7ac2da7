/** From the first to before the second, Unix ms. */
export interface Interval {
  readonly fromMs: number
  readonly untilMs: number
}

/** In their order, and what touches is one. */
export function united(all: readonly Interval[], gapMs = 0): Interval[] {
  const made: { fromMs: number; untilMs: number }[] = []
  for (const { fromMs, untilMs } of all.toSorted((a, b) => a.fromMs - b.fromMs)) {
    const last = made.at(-1)
    if (last !== undefined && fromMs <= last.untilMs + gapMs) last.untilMs = Math.max(last.untilMs, untilMs)
    else if (untilMs > fromMs) made.push({ fromMs, untilMs })
  }
  return made
}

/** What of the one is in none of the other. */
export function without(all: readonly Interval[], others: readonly Interval[]): Interval[] {
  let left = united(all)
  for (const other of others)
    left = left.flatMap((one) => {
      if (other.fromMs >= one.untilMs || other.untilMs <= one.fromMs) return [one]
      return [
        { fromMs: one.fromMs, untilMs: Math.max(one.fromMs, other.fromMs) },
        { fromMs: Math.min(one.untilMs, other.untilMs), untilMs: one.untilMs },
      ].filter(({ fromMs, untilMs }) => untilMs > fromMs)
    })
  return left
}

/** The first moment of the interval that is in none of the others; null: there is none. */
export function firstOutside({ fromMs, untilMs }: Interval, others: readonly Interval[]): number | null {
  let ms = fromMs
  for (const other of united(others)) if (other.fromMs <= ms && ms < other.untilMs) ms = other.untilMs
  return ms < untilMs ? ms : null
}
