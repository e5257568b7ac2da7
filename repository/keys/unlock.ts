import { HoldfastError } from '../../base/index.ts'
import type { UnlockSecret } from '../types.ts'
import { inspectKeys, type KeyInventory } from './inspect.ts'
import { createKeyRing, type KeyRing } from './ring.ts'
import { mergeSets, openSet, type OpenSet } from './sets.ts'
import { openSlot, slotKeyOf, type DerivePassphrase, type KeyObject } from './slots.ts'

export interface Unlocked {
  readonly ring: KeyRing
  readonly role: string
  readonly kekGen: number
  /** Name of the slot that opened. */
  readonly slot: string
  /** Names of competing key sets (§5.3): not empty means read only. */
  readonly conflict: readonly string[]
  readonly inventory: KeyInventory
}

/**
 * §5.4: opens the key sets of a repository with one secret, the newest KEK generation first. Throws WrongSecret if slots
 * answer and none accepts the secret, KeysDamaged if what the secret opens is damaged, FormatUnsupported if a key set is of
 * a newer version. `objects`: all of `keys/`; `repo`: that of `fmt`.
 */
export async function unlock(
  objects: readonly KeyObject[],
  repo: string,
  secret: UnlockSecret,
  derive?: DerivePassphrase,
): Promise<Unlocked> {
  const inventory = inspectKeys(objects, repo)
  const slots = inventory.slots.filter(({ slot }) => slot.type === secret.kind)
  // Sound ones first; what is damaged is tried all the same, and the AEAD decides.
  const order = [...slots.filter((item) => item.sound), ...slots.filter((item) => !item.sound)]
  let refused = 0
  let accepted: string | undefined
  const broken: string[] = []
  for (const { name, raw, slot, sound } of order) {
    const opening = openSlot(raw, slot, await slotKeyOf(secret, slot.kdf, derive))
    if (opening.outcome === 'wrong-secret' && sound) refused++
    if (opening.outcome === 'damaged' || (opening.outcome === 'wrong-secret' && !sound)) broken.push(name)
    if (opening.outcome !== 'open') continue
    const sets: OpenSet[] = []
    for (const item of inventory.sets) {
      if (item.set.kekGen !== slot.kekGen || item.set.role !== slot.role) continue
      const plaintext = openSet(item.raw, item.set, opening.kek)
      if (plaintext === undefined) broken.push(item.name)
      else sets.push({ name: item.name, plaintext })
    }
    opening.kek.fill(0)
    accepted = name
    if (sets.length === 0) continue
    const { content, conflict } = mergeSets(sets)
    if (content.repo !== repo)
      throw new HoldfastError('KeysDamaged', `The key sets are those of repository ${content.repo}.`)
    return { ring: createKeyRing(content), role: slot.role, kekGen: slot.kekGen, slot: name, conflict, inventory }
  }
  if (refused === 0 && inventory.unsupported.length > 0) {
    const names = inventory.unsupported.join(', ')
    throw new HoldfastError('FormatUnsupported', `Key objects of a newer version: ${names}.`)
  }
  throw failure(secret, accepted, refused, [...broken, ...inventory.damaged.map((item) => item.name)])
}

function failure(
  secret: UnlockSecret,
  accepted: string | undefined,
  refused: number,
  broken: readonly string[],
): HoldfastError {
  const damaged = [...new Set(broken)]
  const what = secret.kind === 'passphrase' ? 'passphrase' : 'recovery key'
  if (accepted !== undefined) {
    const which = damaged.length > 0 ? `damaged: ${damaged.join(', ')}` : 'there is none of its generation'
    return new HoldfastError(
      'KeysDamaged',
      `The ${what} is right (slot ${accepted}), but no key set opens; ${which}.`,
      {
        hint: 'Put the key sets (keys/*-set-*) back from a copy of the repository; without one the data cannot be read.',
        data: { damaged },
      },
    )
  }
  if (refused === 0 && damaged.length > 0) {
    return new HoldfastError('KeysDamaged', `The ${what} opens nothing; damaged: ${damaged.join(', ')}.`, {
      data: { damaged },
    })
  }
  const also = damaged.length > 0 ? ` These key objects are damaged: ${damaged.join(', ')}.` : ''
  const why = refused === 0 ? `The repository has no slot for a ${what}.` : `The ${what} does not open this repository.`
  return new HoldfastError('WrongSecret', why + also, { data: { damaged } })
}
