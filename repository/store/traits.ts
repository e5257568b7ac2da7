import type { ProbeReport } from '../types.ts'
import { IF_ABSENT } from './probe.ts'

/** §14.3: a listing that lagged by so much once may lag by ten times as much. */
const SETTLE_TIMES = 10

/**
 * What a probe has found out about a store and every later connection relies on (§14.4): how long its listings may lag, and
 * whether it keeps if-absent.
 */
export interface StoreTraits {
  /** §14.3: ms to wait before a listing is believed; 0: listings are linearizable. */
  readonly settleMs?: number
  readonly putIfAbsent?: 'native' | 'emulated'
  /** §11.5: the repository locks its objects in this mode, whatever the location says. */
  readonly lock?: 'governance' | 'compliance'
}

/** The most careful reading of several probes of one store. */
export function traitsOf(probes: readonly Pick<ProbeReport, 'checks' | 'staleMs'>[]): StoreTraits {
  const settleMs = SETTLE_TIMES * Math.max(0, ...probes.map(({ staleMs }) => staleMs))
  const isEmulated = probes.some(({ checks }) => checks.some(({ name, passed }) => name === IF_ABSENT && !passed))
  return { ...(settleMs > 0 && { settleMs }), ...(isEmulated && { putIfAbsent: 'emulated' as const }) }
}
