import { randomBytes } from 'node:crypto'
import { HoldfastError } from '../../base/index.ts'
import { toHex } from '../format/index.ts'
import {
  DEFAULT_ARGON2,
  encodeEscrowSlot,
  encodeRecovery,
  encodeSharesSlot,
  encodeSlot,
  inspectKeys,
  parseEscrowPublic,
  slotKeyOf,
  slotOpener,
  type DerivePassphrase,
  type KeyObject,
  type SlotItem,
  type SlotLabel,
} from '../keys/index.ts'
import type { ObjectStore } from '../store/index.ts'
import type { UnlockSecret } from '../types.ts'
import type { NewSlot, PrintedSecret, SlotInfo } from './types.ts'
import { putKeyObject } from './write.ts'

/** A slot that is ready to be put. */
export interface MadeSlot {
  readonly object: KeyObject
  /** What opens it; undefined for an escrow slot, which only its recipient can open. */
  readonly secret: UnlockSecret | undefined
  /** What was drawn for it. */
  readonly printed: PrintedSecret | undefined
}

/** Where a new slot belongs: all of SlotLabel but its label. */
export type SlotPlace = Omit<SlotLabel, 'label'>

/** Makes a slot, and draws its secret where nobody has one. */
export async function makeSlot(
  wish: NewSlot,
  place: SlotPlace,
  kek: Uint8Array,
  derive: DerivePassphrase | undefined,
): Promise<MadeSlot> {
  const { label, type } = wish
  const fields = { ...place, label }
  const { kekGen } = place
  switch (type) {
    case 'passphrase': {
      const { passphrase, argon2: { m, t, p } = DEFAULT_ARGON2 } = wish
      if (passphrase === '') throw new HoldfastError('ConfigInvalid', 'a passphrase must not be empty')
      return await wrapFor({ kind: 'passphrase', passphrase }, fields, { m, t, p }, kek, derive)
    }
    case 'recovery': {
      const text = encodeRecovery(randomBytes(32))
      const made = await wrapFor({ kind: 'recovery', text }, fields, undefined, kek, derive)
      return { ...made, printed: { type, label, kekGen, texts: [text] } }
    }
    case 'shamir': {
      const { threshold, shares } = wish
      const { object, texts } = await encodeSharesSlot({ ...fields, threshold, shares }, kek)
      return { object, secret: { kind: 'shares', texts }, printed: { type, label, kekGen, texts, threshold } }
    }
    case 'hpke':
      return {
        object: await encodeEscrowSlot(fields, parseEscrowPublic(wish.recipient), kek),
        secret: undefined,
        printed: undefined,
      }
  }
}

/**
 * The same slot around another KEK: for the secret that opens it or, in escrow, for its recipient. Undefined for shares:
 * those that were printed make the old KEK.
 */
export async function carrySlot(
  { slot }: SlotItem,
  secret: UnlockSecret | undefined,
  place: SlotPlace,
  kek: Uint8Array,
  derive: DerivePassphrase | undefined,
): Promise<MadeSlot | undefined> {
  const fields = { ...place, label: slot.label }
  if (slot.type === 'hpke' && slot.recipient !== undefined) {
    const object = await encodeEscrowSlot(fields, Buffer.from(slot.recipient, 'hex'), kek)
    return { object, secret: undefined, printed: undefined }
  }
  if (secret?.kind !== 'passphrase' && secret?.kind !== 'recovery') return undefined
  return await wrapFor(secret, fields, slot.kdf, kek, derive)
}

async function wrapFor(
  secret: Extract<UnlockSecret, { kind: 'passphrase' | 'recovery' }>,
  fields: SlotLabel,
  cost: { readonly m: number; readonly t: number; readonly p: number } | undefined,
  kek: Uint8Array,
  derive: DerivePassphrase | undefined,
): Promise<MadeSlot> {
  const kdf = cost && { alg: 'argon2id' as const, m: cost.m, t: cost.t, p: cost.p, salt: toHex(randomBytes(16)) }
  const slotKey = await slotKeyOf(secret, kdf, derive)
  const object = encodeSlot(secret.kind, { ...fields, ...(kdf && { kdf }) }, slotKey, kek)
  slotKey.fill(0)
  return { object, secret, printed: undefined }
}

/** Puts a slot, reads it back, and opens what was read with its secret (§5.4). */
export async function putSlot(
  store: ObjectStore,
  made: MadeSlot,
  repo: string,
  kek: Uint8Array,
  derive: DerivePassphrase | undefined,
  signal: AbortSignal,
): Promise<void> {
  const { object, secret } = made
  await putKeyObject(store, object, signal)
  if (secret === undefined) return
  const [item] = inspectKeys([object], repo).slots
  const opener = await slotOpener(secret, derive)
  const opening = item && (await opener(item.raw, item.slot))
  if (opening?.outcome !== 'open' || Buffer.compare(opening.kek, kek) !== 0) {
    throw new HoldfastError('Internal', `${object.name} was written and does not open with its own secret`)
  }
  opening.kek.fill(0)
}

export function slotInfo({ name, sound, slot }: SlotItem, kekGen: number): SlotInfo {
  const { threshold, shares, recipient } = slot
  return {
    id: name.slice(-16),
    name,
    kekGen: slot.kekGen,
    role: slot.role,
    type: slot.type,
    label: slot.label,
    createdMs: slot.ms,
    sound,
    isCurrent: slot.kekGen === kekGen,
    ...(threshold !== undefined && { threshold }),
    ...(shares !== undefined && { shares }),
    ...(recipient !== undefined && { recipient }),
  }
}
