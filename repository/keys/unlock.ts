import { HoldfastError } from '../../base/index.ts'
import type { KeySlot } from '../format/index.ts'
import type { UnlockSecret } from '../types.ts'
import { inspectKeys, type KeyInventory, type SlotItem } from './inspect.ts'
import { createKeyRing, type KeyRing } from './ring.ts'
import { secretKinds, slotOpener, type DerivePassphrase } from './secrets.ts'
import { mergeSets, openSet, type OpenSet } from './sets.ts'
import type { KeyObject, SlotOpening } from './slots.ts'

export interface Unlocked {
  readonly ring: KeyRing
  readonly role: string
  readonly kekGen: number
  /** Name of the slot that opened. */
  readonly slot: string
  /** Names of competing key sets (§5.3): not empty means read only. */
  readonly conflict: readonly string[]
  /**
   * A newer generation of the KEK that has key sets and that the secret does not open: the secret was revoked, or a rotation
   * is under way. It reads, and must not write (§5.6).
   */
  readonly superseded: number | undefined
  readonly inventory: KeyInventory
}

/** One slot that a secret was tried on. */
interface TriedSlot {
  readonly item: SlotItem
  readonly opening: SlotOpening
}

/** Tries a secret on every slot of its type: the newest generation first, sound ones before damaged ones (the AEAD decides). */
export async function* trySlots(
  inventory: KeyInventory,
  secret: UnlockSecret,
  derive?: DerivePassphrase,
): AsyncGenerator<TriedSlot> {
  const { slotType } = secretKinds[secret.kind]
  const slots = inventory.slots.filter(({ slot }) => slot.type === slotType)
  const opener = await slotOpener(secret, derive)
  for (const item of [...slots.filter(({ sound }) => sound), ...slots.filter(({ sound }) => !sound)]) {
    yield { item, opening: await opener(item.raw, item.slot) }
  }
}

/** The sets that belong to a slot's KEK: those that open, and the names of those that do not. */
export function openSetsOf(
  inventory: KeyInventory,
  { kekGen, role }: Pick<KeySlot, 'kekGen' | 'role'>,
  kek: Uint8Array,
): { readonly sets: readonly OpenSet[]; readonly broken: readonly string[] } {
  const sets: OpenSet[] = []
  const broken: string[] = []
  for (const item of inventory.sets) {
    if (item.set.kekGen !== kekGen || item.set.role !== role) continue
    const plaintext = openSet(item.raw, item.set, kek)
    if (plaintext === undefined) broken.push(item.name)
    else sets.push({ name: item.name, plaintext })
  }
  return { sets, broken }
}

/** The newest generation of a role that has a sound key set; 0 if none has. */
export function newestGeneration(inventory: KeyInventory, role: string): number {
  const sound = inventory.sets.filter((item) => item.sound && item.set.role === role)
  return Math.max(0, ...sound.map(({ set }) => set.kekGen))
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
  let refused = 0
  let accepted: string | undefined
  const broken: string[] = []
  for await (const { item, opening } of trySlots(inventory, secret, derive)) {
    const { name, slot, sound } = item
    if (opening.outcome === 'wrong-secret' && sound) refused++
    if (opening.outcome === 'damaged' || (opening.outcome === 'wrong-secret' && !sound)) broken.push(name)
    if (opening.outcome !== 'open') continue
    const opened = openSetsOf(inventory, slot, opening.kek)
    opening.kek.fill(0)
    broken.push(...opened.broken)
    accepted = name
    if (opened.sets.length === 0) continue
    const { content, conflict } = mergeSets(opened.sets)
    if (content.repo !== repo)
      throw new HoldfastError('KeysDamaged', `The key sets are those of repository ${content.repo}.`)
    const { role, kekGen } = slot
    const newest = newestGeneration(inventory, role)
    const superseded = newest > kekGen ? newest : undefined
    return { ring: createKeyRing(content), role, kekGen, slot: name, conflict, superseded, inventory }
  }
  if (refused === 0 && inventory.unsupported.length > 0) {
    const names = inventory.unsupported.join(', ')
    throw new HoldfastError('FormatUnsupported', `Key objects of a newer version: ${names}.`)
  }
  throw unlockFailure(secret, accepted, refused, [...broken, ...inventory.damaged.map((item) => item.name)])
}

/** Why nothing was opened: `accepted` is the slot that the secret opens, `refused` how many sound ones do not accept it. */
function unlockFailure(
  secret: UnlockSecret,
  accepted: string | undefined,
  refused: number,
  broken: readonly string[],
): HoldfastError {
  const damaged = [...new Set(broken)]
  const { what } = secretKinds[secret.kind]
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
  const article = what.startsWith('e') ? 'an' : 'a'
  const why =
    refused === 0 ? `The repository has no slot for ${article} ${what}.` : `The ${what} does not open this repository.`
  return new HoldfastError('WrongSecret', why + also, { data: { damaged } })
}
