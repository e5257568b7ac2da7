import type { CollectOptions, CollectWaits } from './types.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

const DEFAULTS: CollectWaits = {
  minAgeMs: 24 * HOUR,
  sessionSlackMs: 10 * MINUTE,
  deleteDelayMs: 24 * HOUR,
  retireDelayMs: HOUR,
  abandonedMs: 24 * HOUR,
}
const NONE: CollectWaits = { minAgeMs: 0, sessionSlackMs: 0, deleteDelayMs: 0, retireDelayMs: 0, abandonedMs: 0 }

export function waitsOf(wish: CollectOptions['waits']): CollectWaits {
  return wish === 'none' ? NONE : { ...DEFAULTS, ...wish }
}
