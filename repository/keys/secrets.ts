import { HoldfastError } from '../../base/index.ts'
import type { Argon2Cost, JsonObject, KeySlot } from '../format/index.ts'
import type { UnlockSecret } from '../types.ts'
import { passphraseKeyInChild } from './child.ts'
import { passphraseSlotKey, recoverySlotKey } from './derive.ts'
import { ESCROW_SUITE, escrowRecipient } from './escrow.ts'
import { parseRecovery } from './printed.ts'
import { combineShares } from './shares.ts'
import { checkedKek, escrowParts, openSlot, type SlotOpening } from './slots.ts'

/** Argon2id of a passphrase: 32 bytes. */
export type DerivePassphrase = (passphrase: string, cost: Argon2Cost) => Promise<Uint8Array>

/** §5.4: the slot key of a secret. A passphrase costs an Argon2id run, in a child process unless told otherwise. */
export async function slotKeyOf(
  secret: Extract<UnlockSecret, { kind: 'passphrase' | 'recovery' }>,
  cost: Argon2Cost | undefined,
  derive: DerivePassphrase = passphraseKeyInChild,
): Promise<Buffer> {
  if (secret.kind === 'recovery') return recoverySlotKey(parseRecovery(secret.text))
  if (cost === undefined) throw new HoldfastError('KeysDamaged', 'A passphrase slot has no costs for Argon2id.')
  return passphraseSlotKey(await derive(secret.passphrase, cost))
}

/** How a kind of secret is called, and the type of slot that it opens. */
export const secretKinds = {
  passphrase: { what: 'passphrase', slotType: 'passphrase' },
  recovery: { what: 'recovery key', slotType: 'recovery' },
  shares: { what: 'bundle of shares', slotType: 'shamir' },
  escrow: { what: 'escrow key', slotType: 'hpke' },
} as const satisfies { readonly [kind in UnlockSecret['kind']]: unknown }

/** Tries a secret on one slot after another. Throws WrongSecret at once for one that is mistyped. */
export type SlotOpener = (raw: JsonObject, slot: KeySlot) => Promise<SlotOpening>

/** `derive`: Argon2id; default: in a child process. */
export async function slotOpener(secret: UnlockSecret, derive?: DerivePassphrase): Promise<SlotOpener> {
  if (secret.kind === 'passphrase' || secret.kind === 'recovery') {
    return async (raw, slot) => openSlot(raw, slot, await slotKeyOf(secret, slot.kdf, derive))
  }
  if (secret.kind === 'shares') {
    const { repo, kekGen, kek } = await combineShares(secret.texts)
    return async (_raw, slot) => {
      if (slot.repo !== repo || slot.kekGen !== kekGen) return { outcome: 'wrong-secret' }
      return checkedKek(slot, Buffer.from(kek))
    }
  }
  const { recipient, open } = await escrowRecipient(secret.text)
  return async (raw, slot) => {
    if (slot.suite !== ESCROW_SUITE || slot.recipient !== recipient.toString('hex')) return { outcome: 'wrong-secret' }
    const { enc, aad, wrapped } = escrowParts(raw, slot)
    const kek = await open(enc, aad, wrapped)
    if (kek?.length !== 32) return { outcome: 'damaged' }
    const opening = checkedKek(slot, kek)
    // It was sealed to this key, so that the check is what is wrong.
    return opening.outcome === 'open' ? opening : { outcome: 'damaged' }
  }
}
