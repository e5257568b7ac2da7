import type { Window } from './plan.ts'
import { momentInWords } from './schedule-words.ts'
import { windowAt } from './window.ts'

/** The window of a plan at a moment, as its run has to know it. */
export interface WindowNow {
  readonly open: boolean
  /** When that changes, in Unix milliseconds; null: never. */
  readonly changesMs: number | null
  /** `Sun 22 Nov 22:00 (Europe/Berlin)`: when it opens; null: it is open. */
  readonly until: string | null
  readonly atEnd: Window['atEnd']
  /** It stays closed for longer than a point in time may stay open (ADR 0605). */
  readonly releasesPoints: boolean
}

/** From the end of one daily window to the begin of the next, also on the day on which the clocks are put back. */
export const longestOpenMs = 25 * 3_600_000

/**
 * `goesOnUntilMs`: somebody has said that the run goes on although the window is closed, until it opens by itself. Throws
 * RangeError for hours with problems.
 */
export function planWindowAt(
  window: Window,
  timeZone: string,
  nowMs: number,
  goesOnUntilMs: number | null = null,
): WindowNow {
  const { atEnd } = window
  const state = windowAt(window, timeZone, nowMs)
  const open = { open: true, until: null, atEnd, releasesPoints: false } as const
  if (state.open) return { ...open, changesMs: state.closesMs }
  if (goesOnUntilMs !== null && nowMs < goesOnUntilMs) return { ...open, changesMs: goesOnUntilMs }
  const { opensMs } = state
  const releasesPoints = opensMs - nowMs > longestOpenMs
  return { open: false, changesMs: opensMs, until: momentInWords(timeZone, opensMs), atEnd, releasesPoints }
}
