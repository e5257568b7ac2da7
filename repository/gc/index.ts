/**
 * Maintenance (docs/repository-format.md §9, §11): garbage collection from G0 to G7, compaction, merging and rebuilding of the
 * index, tombstones, holds and abandoned manifests. No lock, no clock and no compare-and-swap carries safety: everything is
 * published first and looked at afterwards.
 */
export { collect } from './collect.ts'
export { listHolds, placeHold, releaseHold } from './holds.ts'
export { holdInStore, releaseInStore } from './legal.ts'
export { prune, removedPoints, retentionPoints } from './prune.ts'
export { rebuildIndex } from './rebuild.ts'
export { Recheck } from './recheck.ts'
export { requireClock } from './sessions.ts'
export type * from './types.ts'
