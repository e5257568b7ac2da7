/**
 * Verify (docs/repository-format.md §12.1): proves level by level that what is stored can be read, and says for each damage
 * which points, disks and byte ranges need it. Nothing is repaired or deleted; what is proved damaged is put into `bad/` if
 * that is asked for, so that the next backup stores it again.
 */
export { FileLedger } from './ledger-file.ts'
export { SharedLedger } from './shared-ledger.ts'
export { verifyRepository, verifyStored, type VerifyBytesOptions, type VerifyOptions } from './verify.ts'
