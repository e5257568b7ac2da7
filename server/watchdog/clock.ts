import { performance } from 'node:perf_hooks'
import type { Catalog } from '../../catalog/index.ts'
import { hasMoved, viewClock, type ClockReading } from '../../policy/index.ts'

const dayMs = 86_400_000

/** The machine's clock against one that cannot be set. */
export interface SteadyClock {
  /** Never goes back: for ages. */
  now(): number
  /**
   * Compares, and writes down what it finds. A clock that was moved is told for a day; then its time is taken for the right
   * one, because by then somebody has seen it or nobody will.
   */
  check(catalog: Catalog): void
}

export function systemClock(): ClockReading {
  return { wallMs: Date.now(), steadyMs: performance.now() }
}

/** `seenMs`: what an earlier process has seen of the time; null: nothing. A start with an earlier time is a move, too. */
export function steadyClock(seenMs: number | null, read: () => ClockReading = systemClock): SteadyClock {
  const first = read()
  let base: ClockReading = { ...first, wallMs: Math.max(first.wallMs, seenMs ?? 0) }
  let movedAt: ClockReading | null = null
  return {
    now: () => Math.round(viewClock(base, read()).nowMs),
    check(catalog) {
      const reading = read()
      const { driftMs, nowMs } = viewClock(base, reading)
      if (!hasMoved(driftMs)) movedAt = null
      else {
        movedAt ??= reading
        if (reading.steadyMs - movedAt.steadyMs > dayMs) {
          base = reading
          movedAt = null
        }
      }
      const known = catalog.watches.clock()
      catalog.watches.recordClock({
        // A time that is not believed is not what the next start is measured against.
        seenMs: Math.round(movedAt === null ? reading.wallMs : (known?.seenMs ?? nowMs)),
        driftMs: movedAt === null ? 0 : Math.round(driftMs),
        movedMs: movedAt === null ? null : Math.round(movedAt.wallMs),
      })
    },
  }
}
