/**
 * What is searched. `states` is the exact number of reachable states (of a mutant: met until the loss was found), so a
 * change of the model shows even if nothing breaks. Numbers marked `go` are those of `gc-protocol-model.go`, which this
 * model was ported from: both explore the same states in the same order.
 */
import type { Bounds } from './bounds.ts'
import type { Fact } from './invariants.ts'
import type { Mutant } from './mutants.ts'

export interface Search {
  readonly name: string
  readonly bounds: Partial<Bounds>
  readonly states: number
  /** Arguments of the Go model that give the same number. */
  readonly go?: string
  /** Facts that must have been met besides a validated backup, or the run would prove little. */
  readonly meets?: readonly Fact[]
  /** Only with `--full`. */
  readonly full?: true
}

export interface Walks {
  readonly name: string
  readonly bounds: Partial<Bounds>
  readonly seed: number
  readonly walks: number
}

export interface MutantRun {
  readonly mutant: Mutant
  readonly bounds: Partial<Bounds>
  /** With a seed: random walks, `states` of them at most, where a search would meet too much first. */
  readonly seed?: number
  readonly states: number
  readonly go?: string
  readonly full?: true
}

const risen: Fact = 'the floor has risen'
const rescued: Fact = 'a rescued chunk is stored'
const held: Fact = 'a confirmed hold outlives a tombstone'
const removed: Fact = 'all files of a tombstoned snapshot are removed'
const abandoned: Fact = 'an abandoned manifest is tombstoned'
const late: Fact = 'a late writer reports failure'

const reestablish = { reestablish: true } as const
const both = { compaction: true, reestablish: true } as const
const simple = { simpleProfile: true, mergeByListing: true } as const
const snapshots = { inherit: true, holds: true, removal: true } as const

export const searches: readonly Search[] = [
  { name: '1×1', bounds: {}, states: 13_730, go: '1 1 none 1 0', meets: [risen, rescued] },
  { name: '1×1 re-establish', bounds: reestablish, states: 29_746, go: '1 1 none 1 0r' },
  { name: '1×1 compaction', bounds: { compaction: true }, states: 42_254, go: '1 1 none 1 1' },
  { name: '1×1 compaction, re-establish', bounds: both, states: 89_008, go: '1 1 none 1 1r' },
  { name: '1×1 the same, two condemned', bounds: { ...both, condemn: 2 }, states: 285_464, go: '1 1 none 2 1r' },
  { name: '1×1 merge by listing', bounds: { mergeByListing: true }, states: 13_894, go: '1 1 none 1 0l' },
  { name: '1×1 all three', bounds: { ...both, mergeByListing: true }, states: 95_935, go: '1 1 none 1 1rl' },
  { name: '1×1 inherit', bounds: { ...both, inherit: true }, states: 89_133, go: '1 1 inherit 1 1r' },
  {
    name: '1×1 inherit, two condemned',
    bounds: { ...both, inherit: true, condemn: 2 },
    states: 277_882,
    go: '1 1 inherit 2 1r',
  },
  {
    name: '0×2 compaction',
    bounds: { writers: 0, collectors: 2, compaction: true },
    states: 243_506,
    go: '0 2 none 1 1',
  },
  { name: '2×1', bounds: { writers: 2 }, states: 3_731_208, go: '2 1 none 1 0', meets: [risen, rescued] },
  {
    name: '1×2 after an abandoned set',
    bounds: { ...both, collectors: 2, mergeByListing: true, earlierRun: 'abandoned' },
    states: 127_159,
    meets: [risen, rescued],
  },
  { name: '1×1 holds', bounds: { ...reestablish, inherit: true, holds: true }, states: 192_407, meets: [held] },
  { name: '1×1 holds, removal', bounds: snapshots, states: 769_013, meets: [held, removed] },
  {
    name: '1×1 cleaner, removal',
    bounds: { inherit: true, removal: true, cleaner: true },
    states: 795_207,
    meets: [abandoned, late, removed],
  },
  { name: '1×1 simple, holds', bounds: { ...simple, holds: true }, states: 86_098, meets: [risen, rescued, held] },
  {
    name: '0×2 simple, two homes',
    bounds: { ...simple, writers: 0, collectors: 2, condemn: 2, twoHomes: true },
    states: 307_424,
  },
  { name: '1×2 simple, after a final set', bounds: { ...simple, collectors: 2, earlierRun: 'final' }, states: 99_852 },
  {
    name: '1×2 simple, after an abandoned set',
    bounds: { ...simple, collectors: 2, earlierRun: 'abandoned' },
    states: 18_921,
  },

  {
    name: '2×1 compaction',
    bounds: { writers: 2, compaction: true },
    states: 14_754_496,
    go: '2 1 none 1 1',
    full: true,
  },
  {
    name: '2×1 re-establish',
    bounds: { writers: 2, reestablish: true },
    states: 22_794_597,
    go: '2 1 none 1 0r',
    full: true,
  },
  { name: '1×2', bounds: { collectors: 2 }, states: 17_379_996, go: '1 2 none 1 0', full: true },
  {
    name: '1×2 merge by listing',
    bounds: { collectors: 2, mergeByListing: true },
    states: 29_605_164,
    go: '1 2 none 1 0l',
    full: true,
  },
  { name: '0×3', bounds: { writers: 0, collectors: 3 }, states: 5_720_693, go: '0 3 none 1 0', full: true },
  {
    name: '1×1 simple, holds, removal, two condemned',
    bounds: { ...simple, ...snapshots, condemn: 2 },
    states: 1_495_650,
    full: true,
  },
]

const everythingSimple = {
  ...simple,
  ...snapshots,
  ...reestablish,
  writers: 2,
  collectors: 3,
  condemn: 2,
  cleaner: true,
  twoHomes: true,
} as const

/** Three collectors are too many to exhaust: seeded random walks. `--full` takes fifty times as many. */
export const walks: readonly Walks[] = [
  { name: '1×3 compaction, re-establish', bounds: { ...both, collectors: 3 }, seed: 1, walks: 12_000 },
  {
    name: '2×3 everything, two condemned',
    bounds: { ...both, writers: 2, collectors: 3, condemn: 2, inherit: true, mergeByListing: true },
    seed: 2,
    walks: 8_000,
  },
  {
    name: '2×3 everything, holds, removal, cleaner',
    bounds: { ...both, ...snapshots, writers: 2, collectors: 3, condemn: 2, mergeByListing: true, cleaner: true },
    seed: 3,
    walks: 8_000,
  },
  {
    name: '2×3 simple, holds, removal, cleaner, two homes',
    bounds: everythingSimple,
    seed: 4,
    walks: 8_000,
  },
]

const small = reestablish
const collectorsOnly = { writers: 0, collectors: 2, compaction: true } as const
const holdRace = { holds: true, removal: true } as const
const cleaning = { removal: true, cleaner: true } as const

export const mutantRuns: readonly MutantRun[] = [
  { mutant: 'no_w2', bounds: small, states: 2_534, go: '1 1 M 1 0r' },
  { mutant: 'no_g3', bounds: small, states: 4_570, go: '1 1 M 1 0r' },
  { mutant: 'commit_after_check', bounds: small, states: 4_580, go: '1 1 M 1 0r' },
  { mutant: 'only_ok_roots', bounds: small, states: 4_580, go: '1 1 M 1 0r' },
  { mutant: 'late_base', bounds: small, states: 6_502, go: '1 1 M 1 0r' },
  { mutant: 'no_floor', bounds: small, states: 9_105, go: '1 1 M 1 0r' },
  { mutant: 'retire_before_delete', bounds: small, states: 19_557, go: '1 1 M 1 0r' },
  { mutant: 'head_no_dead', bounds: small, states: 7_797, go: '1 1 M 1 0r' },
  { mutant: 'inherit_blind', bounds: small, states: 4_530, go: '1 1 M 1 0r' },
  { mutant: 'no_epoch_rule', bounds: collectorsOnly, states: 197_086, go: '0 2 M 1 1' },
  { mutant: 'no_floor_stop', bounds: collectorsOnly, states: 171_289, go: '0 2 M 1 1' },
  {
    mutant: 'no_epoch_rule',
    bounds: { collectors: 2, reestablish: true },
    states: 2_254_672,
    go: '1 2 M 1 0r',
    full: true,
  },
  {
    mutant: 'no_floor_stop',
    bounds: { collectors: 2, reestablish: true },
    states: 14_261_046,
    go: '1 2 M 1 0r',
    full: true,
  },

  { mutant: 'no_epoch_rule', bounds: { ...simple, writers: 0, collectors: 2, twoHomes: true }, states: 38_952 },
  { mutant: 'records_before_floor', bounds: small, states: 10_146 },
  { mutant: 'undated_listing', bounds: collectorsOnly, states: 163_597 },
  { mutant: 'held_parent_eligible', bounds: { inherit: true, holds: true }, states: 31_385 },
  { mutant: 'parent_ok_before_t', bounds: { inherit: true, removal: true }, states: 38_842 },
  { mutant: 'hold_not_rechecked', bounds: holdRace, states: 714 },
  { mutant: 'hold_looks_only_for_t', bounds: holdRace, states: 4_187 },
  { mutant: 'collector_ignores_holds', bounds: holdRace, states: 24_704 },
  { mutant: 'collector_lists_hold_first', bounds: holdRace, states: 22_901 },
  { mutant: 'removal_ignores_holds', bounds: holdRace, states: 2_501 },
  { mutant: 'removal_lists_hold_first', bounds: holdRace, states: 3_095 },
  { mutant: 'removal_t_first', bounds: { inherit: true, removal: true }, states: 3_536 },
  { mutant: 'cleaner_no_check', bounds: cleaning, states: 3_196 },
  { mutant: 'success_unlisted', bounds: cleaning, states: 5_276 },
  { mutant: 'success_without_m', bounds: cleaning, states: 41_630 },
  { mutant: 'skipped_counts_as_seen', bounds: { ...simple, collectors: 2, earlierRun: 'final' }, states: 22_056 },
  {
    mutant: 'pending_not_marked',
    bounds: { ...simple, writers: 0, collectors: 2, earlierRun: 'abandoned' },
    states: 56,
  },
  { mutant: 'pending_marked_once', bounds: everythingSimple, seed: 4, states: 8_000 },
]
