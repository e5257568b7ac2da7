/**
 * Where objects live: the interface that the repository needs of any store (docs/repository-format.md §14.1), the posix
 * store (§14.2), the litmus probe that a store must pass (§14.4), and what tests need of stores: the contract suite and a
 * wrapper that injects faults.
 */
export {
  cancelled,
  getObject,
  getWhole,
  isAbsent,
  listAll,
  objectAbsent,
  throwIfAborted,
  tooLarge,
  type Connect,
  type ObjectInfo,
  type ObjectStore,
  type PutOptions,
  type StoreCapabilities,
} from './store.ts'
export { PosixStore } from './posix.ts'
export { inParallel } from './posix-files.ts'
export { capacityOf, connectTo, foreignEntries, layOut } from './location.ts'
export { FULL_PROBE, probeStore, SMALL_PROBE, type ProbeSize } from './probe.ts'
export { FaultClock, FaultyStore, type Fault, type FaultPlan, type StoreCall } from './faulty.ts'
