import { millis, type Millis } from '../../base/index.ts'

export const DAY_MS = 86_400_000
const DAY_SEC = 86_400
/** `lockUntilDay` of a pack table entry has 16 bits (§4.6). */
const LAST_DAY = 0xffff

/**
 * §11.5: `retainUntil = ⌈lockUntilSec / generation⌉ · generation`, in Unix milliseconds; 0 stays 0, *not locked*. Whatever is
 * locked until some moment of a generation is kept to its end, so that a pack is extended once in a generation and not with
 * each backup.
 */
export function generationEnd(lockUntilSec: number, generationDays: number): Millis {
  const generation = generationDays * DAY_SEC
  return millis(Math.ceil(lockUntilSec / generation) * generation * 1000)
}

/** §4.6 `lockUntilDay`, a lower bound: the day in which `untilMs` lies, and on whose first moment the object is locked still. */
export function lockDay(untilMs: number): number {
  return Math.min(Math.floor(untilMs / DAY_MS), LAST_DAY)
}
