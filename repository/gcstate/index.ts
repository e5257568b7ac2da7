/**
 * What is known of garbage collection at one moment, and what may be relied upon because of it: the reading of `gc/` and
 * `floor/` with all its checks (docs/repository-format.md §8.1), and the knowledge rule as pure functions (§8.2). Writers,
 * index, resumed sessions and collection all decide by this room; there is no other way.
 */
export {
  bestVerdict,
  isDead,
  judge,
  lift,
  type GcPacks,
  type GcRecord,
  type GcState,
  type Verdict,
} from './knowledge.ts'
export { GcStateReader } from './read.ts'
export { PackSet } from './pack-set.ts'
