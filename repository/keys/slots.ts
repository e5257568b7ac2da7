import { randomBytes } from 'node:crypto'
import { HoldfastError } from '../../base/index.ts'
import {
  canonicalJson,
  fromHex,
  keySlotKind,
  names,
  toHex,
  without,
  type Argon2Cost,
  type JsonObject,
  type KeySlot,
} from '../format/index.ts'
import type { UnlockSecret } from '../types.ts'
import { open, seal } from './aead.ts'
import { passphraseKeyInChild } from './child.ts'
import { passphraseSlotKey, recoverySlotKey, sha256, slotCheck } from './derive.ts'
import { parseRecovery } from './recovery-text.ts'

/** An object of `keys/`. */
export interface KeyObject {
  readonly name: string
  readonly bytes: Uint8Array
}

/** Argon2id of a passphrase: 32 bytes. */
export type DerivePassphrase = (passphrase: string, cost: Argon2Cost) => Promise<Uint8Array>

/** §5.4: the slot key of a secret. A passphrase costs an Argon2id run, in a child process unless told otherwise. */
export async function slotKeyOf(
  secret: UnlockSecret,
  cost: Argon2Cost | undefined,
  derive: DerivePassphrase = passphraseKeyInChild,
): Promise<Buffer> {
  if (secret.kind === 'recovery') return recoverySlotKey(parseRecovery(secret.text))
  if (cost === undefined) throw new HoldfastError('KeysDamaged', 'A passphrase slot has no costs for Argon2id.')
  return passphraseSlotKey(await derive(secret.passphrase, cost))
}

/** What a new slot says besides its secret. */
export type SlotLabel = Pick<KeySlot, 'repo' | 'kekGen' | 'role' | 'label' | 'ms'>

/** §5.4: a slot of phase 1 that wraps `kek` under `slotKey`. `kdf` for type passphrase. The nonce is random (vectors). */
export function encodeSlot(
  type: UnlockSecret['kind'],
  fields: SlotLabel & { readonly kdf?: Argon2Cost },
  slotKey: Uint8Array,
  kek: Uint8Array,
  nonce: Uint8Array = randomBytes(12),
): KeyObject {
  const check = toHex(slotCheck(slotKey))
  const draft = { ...fields, type, check, nonce: toHex(nonce), wrapped: '00'.repeat(48) }
  const aad = slotAad(keySlotKind.write(draft))
  const bytes = canonicalJson(keySlotKind.write({ ...draft, wrapped: toHex(seal(slotKey, nonce, aad, kek)) }))
  return { name: names.keySlot(fields.kekGen, toHex(sha256(bytes))), bytes }
}

/** What trying a slot key on a slot tells. The caller compares bytes and name first (§5.4: damaged shows without a secret). */
export type SlotOpening =
  | { readonly outcome: 'open'; readonly kek: Buffer }
  | { readonly outcome: 'wrong-secret' }
  | { readonly outcome: 'damaged' }

/** `raw`: the slot with its unknown members; `slot`: the same, read. */
export function openSlot(raw: JsonObject, slot: KeySlot, slotKey: Uint8Array): SlotOpening {
  if (toHex(slotCheck(slotKey)) !== slot.check) return { outcome: 'wrong-secret' }
  if (slot.nonce === undefined || slot.wrapped === undefined) return { outcome: 'damaged' }
  const kek = open(slotKey, fromHex(slot.nonce, 12, 'slot nonce'), slotAad(raw), fromHex(slot.wrapped, 48, 'wrapped'))
  return kek === undefined ? { outcome: 'damaged' } : { outcome: 'open', kek }
}

function slotAad(raw: JsonObject): Buffer {
  return Buffer.concat([Buffer.from('holdfast/r1/key-slot\0', 'latin1'), canonicalJson(without(raw, 'wrapped'))])
}
