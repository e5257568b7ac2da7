/**
 * Where objects live: the interface that the repository needs of any store (docs/repository-format.md §14.1), the stores for
 * directories, S3 and Azure Blob (§14.2), the litmus probe that a store must pass (§14.4), and what tests need of stores: the
 * contract suite and a wrapper that injects faults.
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
export { DirectFile, pageMemory, writeAll, type PageMemory } from './direct-file.ts'
export { inParallel, realFs } from './posix-files.ts'
export { capacityOf, connectTo, foreignEntries, layOut, lockOf } from './location.ts'
export { parseLocation } from './location-url.ts'
export { throughProxy, type ProxyRule } from './through-proxy.ts'
export { readReference } from './credentials.ts'
export { FULL_PROBE, repeatProbe, SMALL_PROBE, tolerated, type ProbeSize, type RepeatedSize } from './probe.ts'
export { probePlace, repeatedSize, requireFit, type Degraded } from './probe-location.ts'
export { traitsOf, type StoreTraits } from './traits.ts'
export { FaultClock, FaultyStore, type Fault, type FaultPlan, type StoreCall } from './faulty.ts'
export { BAD_DAY, BROKEN_STORE, seededFaults, type FaultMix } from './fault-plan.ts'
