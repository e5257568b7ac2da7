/**
 * Worker threads for everything that costs computing time (hashing, compression, sealing, opening), and the one memory
 * budget of the process that their buffers come from (docs/repository-format.md §6.2, §6.4, §7.8).
 */
export { compressAndSeal, identify, type SealInput } from './blobs.ts'
export { BufferBudget, processBudget, type Grant } from './budget.ts'
export { revive, WorkerPool } from './pool.ts'
export type { BlobWanted, Identified, OpenedBlob, Sealed } from './protocol.ts'
