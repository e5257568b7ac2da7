/** Names of packs, in hex. */
export interface GcPacks extends Iterable<string> {
  readonly size: number
  has(pack: string): boolean
}

/** One `.c` as it counts: with a sound `.f` its final set, else its condemned set (§8.1 step 6). */
export interface GcRecord {
  readonly epoch: number
  readonly nonce: string
  /** A sound `.f` is there: what the set names is dead for ever. Otherwise the run is under way or was abandoned (§9.5). */
  readonly final: boolean
  readonly set: GcPacks
}

/** One reading of `gc/` and `floor/` (§8.1). */
export interface GcState {
  /** E: stamp of everything learned after this reading. */
  readonly base: number
  /** F: records with a smaller epoch may be gone. */
  readonly floor: number
  readonly records: readonly GcRecord[]
}

/** usable: may be relied upon · stale: establish it anew or take the pack for absent · condemned: nobody may. */
export type Verdict = 'usable' | 'stale' | 'condemned'

/**
 * §8.2, the knowledge rule. The fact is (pack, stamp): *as of record `stamp`, the pack was not condemned*. It is usable if
 * no record after it can have been retired (F ≤ e + 1) and no present record after it names the pack.
 */
export function judge(state: GcState, pack: string, stamp: number): Verdict {
  if (state.records.some((record) => record.epoch > stamp && record.set.has(pack))) return 'condemned'
  return state.floor > stamp + 1 ? 'stale' : 'usable'
}

/**
 * For a pack known under several stamps: usable if any is. Without any stamp nothing is known: stale, unless a present
 * record names the pack.
 */
export function bestVerdict(state: GcState, pack: string, stamps: Iterable<number>): Verdict {
  let best = -1
  for (const stamp of stamps) best = Math.max(best, stamp)
  // A later stamp is judged by fewer records and is further from the floor: if it is not usable, none is.
  return judge(state, pack, best)
}

/** Whether a present record names the pack, whatever its epoch: then HEAD proves nothing (§8.2, re-establishing). */
export function isDead(state: GcState, pack: string): boolean {
  return state.records.some((record) => record.set.has(pack))
}

/** §8.2, refresh: the stamp that the fact has after this reading, or undefined if it is no longer usable. */
export function lift(state: GcState, pack: string, stamp: number): number | undefined {
  return judge(state, pack, stamp) === 'usable' ? Math.max(stamp, state.base) : undefined
}
