import { randomBytes } from 'node:crypto'
import {
  canonicalJson,
  fromBase64url,
  fromHex,
  keySlotKind,
  names,
  toBase64url,
  toHex,
  without,
  type Argon2Cost,
  type JsonObject,
  type KeySlot,
} from '../format/index.ts'
import { open, seal } from './aead.ts'
import { sha256, slotCheck } from './derive.ts'
import { ESCROW_SUITE, escrowSender } from './escrow.ts'
import { splitKek } from './shares.ts'

/** An object of `keys/`. */
export interface KeyObject {
  readonly name: string
  readonly bytes: Uint8Array
}

/** What a new slot says besides its secret. */
export type SlotLabel = Pick<KeySlot, 'repo' | 'kekGen' | 'role' | 'label' | 'ms'>

/** §5.4: a slot that wraps `kek` under `slotKey`. `kdf` for type passphrase. The nonce is random (vectors). */
export function encodeSlot(
  type: 'passphrase' | 'recovery',
  fields: SlotLabel & { readonly kdf?: Argon2Cost },
  slotKey: Uint8Array,
  kek: Uint8Array,
  nonce: Uint8Array = randomBytes(12),
): KeyObject {
  const check = toHex(slotCheck(slotKey))
  const draft = { ...fields, type, check, nonce: toHex(nonce), wrapped: UNWRAPPED }
  return slotObject({ ...draft, wrapped: toHex(seal(slotKey, nonce, aadOf(draft), kek)) })
}

/** §5.4, type `hpke`: the KEK sealed to a public key. Who writes it cannot open it. */
export async function encodeEscrowSlot(fields: SlotLabel, recipient: Uint8Array, kek: Uint8Array): Promise<KeyObject> {
  const { enc, seal: sealTo } = await escrowSender(recipient)
  const draft = {
    ...fields,
    type: 'hpke',
    check: toHex(slotCheck(kek)),
    suite: ESCROW_SUITE,
    recipient: toHex(recipient),
    enc: toBase64url(enc),
    wrapped: UNWRAPPED,
  }
  return slotObject({ ...draft, wrapped: toHex(await sealTo(aadOf(draft), kek)) })
}

/** §5.4, type `shamir`: the slot says only how many shares there are; they themselves are printed and stored nowhere. */
export async function encodeSharesSlot(
  fields: SlotLabel & { readonly threshold: number; readonly shares: number },
  kek: Uint8Array,
): Promise<{ readonly object: KeyObject; readonly texts: readonly string[] }> {
  const texts = await splitKek(kek, fields)
  return { object: slotObject({ ...fields, type: 'shamir', check: toHex(slotCheck(kek)) }), texts }
}

/** What trying a secret on a slot tells. The caller compares bytes and name first (§5.4: damaged shows without a secret). */
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

/** A type without a slot key (§5.4): `check` is that of the KEK itself. */
export function checkedKek(slot: KeySlot, kek: Buffer): SlotOpening {
  return toHex(slotCheck(kek)) === slot.check ? { outcome: 'open', kek } : { outcome: 'wrong-secret' }
}

/** The sealed parts of a slot of type `hpke`. */
export function escrowParts(
  raw: JsonObject,
  slot: KeySlot,
): { readonly enc: Buffer; readonly aad: Buffer; readonly wrapped: Buffer } {
  return {
    enc: fromBase64url(slot.enc ?? '', 'enc'),
    aad: slotAad(raw),
    wrapped: fromHex(slot.wrapped ?? '', 48, 'wrapped'),
  }
}

/** Stands for `wrapped`, which is no part of the AAD, until it is there. */
const UNWRAPPED = '00'.repeat(48)
const aadOf = (draft: KeySlot): Buffer => slotAad(keySlotKind.write(draft))

function slotObject(fields: KeySlot): KeyObject {
  const bytes = canonicalJson(keySlotKind.write(fields))
  return { name: names.keySlot(fields.kekGen, toHex(sha256(bytes))), bytes }
}

function slotAad(raw: JsonObject): Buffer {
  return Buffer.concat([Buffer.from('holdfast/r1/key-slot\0', 'latin1'), canonicalJson(without(raw, 'wrapped'))])
}
