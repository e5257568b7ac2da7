import { randomBytes } from 'node:crypto'
import { HoldfastError } from '../../base/index.ts'
import { parseName } from '../format/index.ts'
import { inspectKeys, isForRecovery, ofGeneration, secretKinds, slotOpener, type SlotItem } from '../keys/index.ts'
import { listAll } from '../store/index.ts'
import type { UnlockSecret } from '../types.ts'
import type { KeyAccess, KeyState } from './access.ts'
import { changeSets, highestGeneration } from './settle.ts'
import { carrySlot, makeSlot, putSlot, slotInfo, type MadeSlot, type SlotPlace } from './slots.ts'
import type { Deliver, RotatedKek, RotateKek } from './types.ts'
import { deleteUnlessLocked, untilListed } from './write.ts'

/**
 * §5.6: new generation, new slots, the same keys re-wrapped, read back; then the old generation is deleted. Nothing of the
 * old one goes before every new slot has been opened with its secret, and the new sets hold every key of the old ones.
 */
export async function rotateKek(
  access: KeyAccess,
  wish: RotateKek,
  { deliver, ms, signal }: { readonly deliver: Deliver; readonly ms: number; readonly signal: AbortSignal },
): Promise<RotatedKek> {
  const state = await access.readForChange()
  const kekGen = highestGeneration(state) + 1
  const kek = randomBytes(32)
  const place: SlotPlace = { repo: access.repo, kekGen, role: state.role, ms }
  const { carried, revoked } = await carry(access, state, wish, place, kek)
  const added: MadeSlot[] = []
  for (const slot of wish.add ?? []) added.push(await makeSlot(slot, place, kek, access.derive))
  const made = [...carried, ...added]
  requireEnough(access, made, carried)
  for (const { printed } of added) if (printed !== undefined) await deliver(printed)
  for (const slot of made) await putSlot(access.store, slot, access.repo, kek, access.derive, signal)
  await claim(access, kekGen, made, signal)
  access.learn(state.role, kekGen, kek)
  const change = { access, change: (now: KeyState['content']) => now, into: { kekGen, kek }, ms, signal }
  const { state: after, left } = await changeSets(change)
  const { slots } = ofGeneration(after.inventory, after)
  return {
    kekGen,
    slots: slots.map((item) => slotInfo(item, kekGen)),
    revoked: revoked.map((item) => slotInfo(item, kekGen)),
    left,
  }
}

/**
 * Somebody else may rotate at the same time, and have taken the same number. Both put their slots before they look, so that
 * one of them at least sees the other and backs off: only one KEK of a generation ever wraps sets. Slots of one that died
 * before it could take them back open nothing, and readers go on to the next.
 */
async function claim(access: KeyAccess, kekGen: number, made: readonly MadeSlot[], signal: AbortSignal): Promise<void> {
  await untilListed(access.store, signal)
  const mine = new Set(made.map(({ object }) => object.name))
  const others = (await listAll(access.store, 'keys/')).filter(({ name }) => {
    const parsed = parseName(name)
    const isKey = parsed?.kind === 'key-slot' || parsed?.kind === 'key-set'
    return isKey && parsed.kekGen >= kekGen && !mine.has(name)
  })
  if (others.length === 0) return
  for (const name of mine) await deleteUnlessLocked(access.store, name)
  throw new HoldfastError('KeysConflict', 'somebody else rotates the keys at the same time; nothing was changed')
}

/** Every slot of the current generation goes on, by a secret or to its recipient, or is named as revoked. */
async function carry(
  access: KeyAccess,
  state: KeyState,
  wish: RotateKek,
  place: SlotPlace,
  kek: Uint8Array,
): Promise<{ readonly carried: readonly MadeSlot[]; readonly revoked: readonly SlotItem[] }> {
  const { slots } = ofGeneration(state.inventory, state)
  const isRevoked = ({ name }: SlotItem) => (wish.revoke ?? []).some((id) => name.slice(-16).startsWith(id))
  for (const id of wish.revoke ?? []) {
    if (id.length < 6 || !slots.some(({ name }) => name.slice(-16).startsWith(id))) {
      throw new HoldfastError('NotFound', `there is no slot ${id} in the current generation`, {
        hint: 'List them with `holdfast repo key list`; give six digits at least.',
      })
    }
  }
  const secrets = [access.secret, ...(wish.keep ?? [])]
  const openedBy = await openers(access, slots, secrets)
  for (const [index, secret] of secrets.entries()) {
    if ([...openedBy.values()].includes(secret)) continue
    const { what } = secretKinds[secret.kind]
    throw new HoldfastError(
      'WrongSecret',
      `a ${what}${index === 0 ? '' : ' to keep'} opens no slot of the current keys`,
    )
  }
  const carried: MadeSlot[] = []
  const behind: SlotItem[] = []
  for (const item of slots) {
    if (isRevoked(item)) continue
    const made = await carrySlot(item, openedBy.get(item.name), place, kek, access.derive)
    if (made === undefined) behind.push(item)
    else carried.push(made)
  }
  if (behind.length > 0) {
    const list = behind.map(({ name, slot }) => `${name.slice(-16)} (${slot.type} “${slot.label}”)`).join(', ')
    throw new HoldfastError('InvalidRequest', `these slots would not open the new keys: ${list}`, {
      hint: 'Give their secrets as well, or revoke them by id; shares of a key are always made anew.',
      data: { slots: behind.map(({ name }) => name) },
    })
  }
  return { carried, revoked: slots.filter(isRevoked) }
}

/** Which of the secrets opens which slot. */
async function openers(
  { derive }: KeyAccess,
  slots: readonly SlotItem[],
  secrets: readonly UnlockSecret[],
): Promise<Map<string, UnlockSecret>> {
  const found = new Map<string, UnlockSecret>()
  for (const secret of secrets) {
    const opener = await slotOpener(secret, derive)
    for (const { name, raw, slot } of slots) {
      if (found.has(name) || slot.type !== secretKinds[secret.kind].slotType) continue
      const opening = await opener(raw, slot)
      if (opening.outcome !== 'open') continue
      opening.kek.fill(0)
      found.set(name, secret)
    }
  }
  return found
}

/** The rule of two (§5.4), and one slot at least that somebody here can open, whatever happens to what is printed. */
function requireEnough(access: KeyAccess, made: readonly MadeSlot[], carried: readonly MadeSlot[]): void {
  const { slots } = inspectKeys(
    made.map(({ object }) => object),
    access.repo,
  )
  const recovery = slots.filter(({ slot }) => isForRecovery(slot)).length
  if (slots.length < 2 || recovery < 1) {
    throw new HoldfastError(
      'KeysIncomplete',
      `the new keys would have ${slots.length} slots, ${recovery} of them for recovery`,
      { hint: 'Two slots, one of them for recovery, are needed: keep or add another one.' },
    )
  }
  const { secret } = access
  const isKnown = carried.some((slot) => slot.secret !== undefined) || secret.kind === 'escrow'
  if (isKnown) return
  throw new HoldfastError('InvalidRequest', 'no secret that is at hand would open the new keys', {
    hint: 'Keep a passphrase or recovery key: if this is interrupted, it ends the rotation.',
  })
}
