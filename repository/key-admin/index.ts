/**
 * Administration of the keys (docs/repository-format.md §5): who can open a repository, and with which keys it is written.
 * Every object is put, read back and opened before anything that it replaces is deleted, so that a crash at any point leaves
 * a repository that opens. Nothing here takes part in a backup or restore.
 */
export { KeyAccess } from './access.ts'
export { KeyAdmin } from './admin.ts'
export { listKeysAt, openKeyAdminWith } from './open.ts'
export { makeSlot, putSlot } from './slots.ts'
export type {
  DataKeyInfo,
  Deliver,
  KeyListing,
  NewSlot,
  PrintedSecret,
  RotatableKey,
  RotatedKek,
  RotateKek,
  ShredPlan,
  SlotInfo,
} from './types.ts'
export { deleteUnlessLocked, putKeyObject } from './write.ts'
