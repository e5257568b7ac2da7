/**
 * Keys of R1 (docs/repository-format.md §5): derivations, slots and key sets, the key ring that everything else takes, and
 * what keys protect besides blobs: MACs, signatures, manifests and session objects. Nothing here does I/O but the child
 * process that derives a key from a passphrase.
 */
export { open, seal } from './aead.ts'
export { argon2id, DEFAULT_ARGON2, passphraseBytes } from './argon2.ts'
export { passphraseKeyInChild } from './child.ts'
export { createKeys, type NewKeys } from './create.ts'
export { blobKey, hmac, sha256 } from './derive.ts'
export { drawKey, type NewKey } from './draw.ts'
export { publicKeyOf, signEd25519, verifyEd25519 } from './ed25519.ts'
export { checkSigner, openFeat, openFmt, signFeat, signFmt, type FmtReplica, type OpenedFmt } from './fmt.ts'
export type { Identity } from './identity.ts'
export { drawEscrowKeys, ESCROW_SUITE, parseEscrowPublic } from './escrow.ts'
export {
  completeness,
  inspectKeys,
  isForRecovery,
  ofGeneration,
  requireComplete,
  type Completeness,
  type KeyInventory,
  type SetItem,
  type SlotItem,
} from './inspect.ts'
export {
  isGenuine,
  openJson,
  protectJson,
  recordSigner,
  signJson,
  verifyJson,
  verifyRecord,
  type MacState,
  type Opened,
} from './macs.ts'
export { manifestSignatureHolds, openManifest, sealManifest, signManifest } from './manifest.ts'
export { encodeRecovery, parseRecovery } from './printed.ts'
export { createKeyRing, type KeyRing, type MacBy } from './ring.ts'
export { secretKinds, slotKeyOf, slotOpener, type DerivePassphrase } from './secrets.ts'
export { openSession, sealSession } from './session.ts'
export { encodeSet, mergeSets, openSet, type MergedSets, type OpenSet } from './sets.ts'

export {
  encodeEscrowSlot,
  encodeSharesSlot,
  encodeSlot,
  openSlot,
  type KeyObject,
  type SlotLabel,
  type SlotOpening,
} from './slots.ts'
export { newestGeneration, openSetsOf, trySlots, unlock, type Unlocked } from './unlock.ts'
