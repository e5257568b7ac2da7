import { performance } from 'node:perf_hooks'
import type { Catalog, ClockWatchRow } from '../../catalog/index.ts'
import { hasMoved, viewClock, type ClockReading } from '../../policy/index.ts'

const dayMs = 86_400_000

/** The machine's clock against one that cannot be set. */
export interface SteadyClock {
  /** Never goes back: for ages. */
  now(): number
  /**
   * Compares, and writes down what it finds. A clock that was moved is told for a day; then its time is taken for the right
   * one, because by then somebody has seen it or nobody will, unless recovery points would lie in the future by it.
   */
  check(catalog: Catalog): void
}

export function systemClock(): ClockReading {
  return { wallMs: Date.now(), steadyMs: performance.now() }
}

/** `known`: what an earlier process wrote down; null: nothing. A start with an earlier time than it saw is a move, too. */
export function steadyClock(known: ClockWatchRow | null, read: () => ClockReading = systemClock): SteadyClock {
  const first = read()
  let base: ClockReading = { ...first, wallMs: Math.max(first.wallMs, known?.seenMs ?? 0) }
  let movedAt = movedBefore(known, first)
  let acceptedMs = 0
  return {
    now: () => Math.round(viewClock(base, read()).nowMs),
    check(catalog) {
      const reading = read()
      const { driftMs, nowMs } = viewClock(base, reading)
      if (!hasMoved(driftMs)) movedAt = null
      else {
        movedAt ??= reading
        acceptedMs = 0
        // While points would come to lie in the future by it, their ages would say that nothing is amiss.
        const isOld = reading.steadyMs - movedAt.steadyMs > dayMs
        if (isOld && !catalog.points.hasDatedWithin(reading.wallMs, nowMs)) {
          base = reading
          movedAt = null
          acceptedMs = Math.round(driftMs)
        }
      }
      catalog.watches.recordClock({
        seenMs: Math.round(movedAt === null ? reading.wallMs : believed(catalog, driftMs, nowMs)),
        driftMs: movedAt === null ? acceptedMs : Math.round(driftMs),
        movedMs: movedAt === null ? null : Math.round(movedAt.wallMs),
      })
    },
  }
}

/** What the next start is measured against: what has really passed where the clock went back, nothing that it leapt over. */
function believed(catalog: Catalog, driftMs: number, nowMs: number): number {
  return driftMs < 0 ? nowMs : (catalog.watches.clock()?.seenMs ?? nowMs)
}

/** A restart begins no new day of telling. How much of it is over the moved clock itself knows: it has gone on since. */
function movedBefore(known: ClockWatchRow | null, first: ClockReading): ClockReading | null {
  if (known === null || known.movedMs === null) return null
  const agoMs = Math.min(Math.max(0, first.wallMs - known.movedMs), dayMs)
  return { wallMs: known.movedMs, steadyMs: first.steadyMs - agoMs }
}
