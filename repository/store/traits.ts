/**
 * What a probe has found out about a store and every later connection relies on (§14.4): how long its listings may lag, and
 * whether it keeps if-absent.
 */
export interface StoreTraits {
  /** §14.3: ms to wait before a listing is believed; 0: listings are linearizable. */
  readonly settleMs?: number
  readonly putIfAbsent?: 'native' | 'emulated'
}
