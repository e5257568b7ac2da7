/**
 * Worker threads for everything that costs computing time (hashing, compression, sealing, opening), and the one memory
 * budget of the process that their buffers come from. Blobs are sealed and opened here and nowhere else
 * (docs/repository-format.md §4.2, §6.2, §6.4, §7.8).
 */
export {
  checkedPage,
  compressAndSeal,
  identify,
  openBlob,
  resealBlob,
  sealBlob,
  type BlobInput,
  type SealInput,
} from './blobs.ts'
export { BufferBudget, processBudget, type Grant, type GrantWish } from './budget.ts'
export { perform } from './perform.ts'
export { revive, WorkerPool } from './pool.ts'
export type { BlobWanted, Fault, Identified, OpenedBlob, PackCheck, Resealed, Sealed } from './protocol.ts'
