/** What a configuration switches on. Everything here is a legitimate behaviour; mistakes are mutants. */
export interface Bounds {
  /** Concurrent backup writers, 0 to 2. */
  readonly writers: number
  /** Collection runs, 1 to 3, all of which may overlap. */
  readonly collectors: number
  /** Largest condemned set: 1 or 2 packs. Which packs, live ones included, an adversary chooses. */
  readonly condemn: number
  /** §9.7: a collector may copy P before it chooses. */
  readonly compaction: boolean
  /** §7.4, 5: a writer may re-establish stale knowledge by LIST and HEAD, once. */
  readonly reestablish: boolean
  /** §7.5: inherited chunks need no check while the parent is live. */
  readonly inherit: boolean
  /** §9.1, G6: stamps come from the listing of G1; otherwise from a reading that drops what is stale. */
  readonly mergeByListing: boolean
  /** §11.2: somebody places a hold on the parent and releases it; whoever deletes lists `hold/` after `snap/`. */
  readonly holds: boolean
  /** §11.3: tombstoned objects are removed, `.t` at last; §7.5 is asked in two requests. */
  readonly removal: boolean
  /** §11.4: a cleaner gives up on writer 0's manifest at any moment. */
  readonly cleaner: boolean
  /** §9.4 with §9.2 and §9.3: mark at G1, strict stop, coarse reprieve of roots that were not seen. */
  readonly simpleProfile: boolean
  /** Chunk a has a second home from the start: packs may hold duplicates (§9.2). Not with compaction. */
  readonly twoHomes: boolean
  /**
   * Collector 0 ran before the start: it died after `.c` {P}, which is abandoned since (§9.5), or after `.f` {Q}, which
   * anybody may delete.
   */
  readonly earlierRun: 'none' | 'abandoned' | 'final'
}

export const plain: Bounds = {
  writers: 1,
  collectors: 1,
  condemn: 1,
  compaction: false,
  reestablish: false,
  inherit: false,
  mergeByListing: false,
  holds: false,
  removal: false,
  cleaner: false,
  simpleProfile: false,
  twoHomes: false,
  earlierRun: 'none',
}
