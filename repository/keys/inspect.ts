import { HoldfastError, isHoldfastError } from '../../base/index.ts'
import {
  keySetKind,
  keySlotKind,
  parseName,
  toHex,
  type JsonObject,
  type KeySet,
  type KeySlot,
} from '../format/index.ts'
import { sha256 } from './derive.ts'
import type { KeyObject } from './slots.ts'

/** What can be said of the objects in `keys/` without any secret (§5.4). */
export interface KeyInventory {
  /** Slots of this repository that can be read, sound or not, by name descending (newest generation first). */
  readonly slots: readonly (KeyItem & { readonly slot: KeySlot })[]
  readonly sets: readonly (KeyItem & { readonly set: KeySet })[]
  /** Objects whose bytes do not hash to their name, or that cannot be read. They do not count (§5.4). */
  readonly damaged: readonly { readonly name: string; readonly why: string }[]
  /** Sound objects of a newer version: unreadable, not absent. */
  readonly unsupported: readonly string[]
}

interface KeyItem {
  readonly name: string
  /** The bytes hash to the name. What is not sound may still be tried: the AEAD decides. */
  readonly sound: boolean
  readonly raw: JsonObject
}

/** `repo`: that of `fmt`; key objects of another one are left over from a lost race of inits and ignored (§3.4). */
export function inspectKeys(objects: readonly KeyObject[], repo: string): KeyInventory {
  const slots: (KeyItem & { slot: KeySlot })[] = []
  const sets: (KeyItem & { set: KeySet })[] = []
  const damaged: { name: string; why: string }[] = []
  const unsupported: string[] = []
  for (const { name, bytes } of [...objects].sort((a, b) => (a.name < b.name ? 1 : -1))) {
    const parsed = parseName(name)
    if (parsed?.kind !== 'key-slot' && parsed?.kind !== 'key-set') continue
    const sound = toHex(sha256(bytes)).slice(0, 16) === parsed.sha16
    if (!sound) damaged.push({ name, why: 'its bytes do not hash to its name' })
    try {
      if (parsed.kind === 'key-slot') {
        const raw = keySlotKind.parse(bytes)
        const slot = keySlotKind.read(raw)
        if (slot.repo === repo) slots.push({ name, sound: sound && slot.kekGen === parsed.kekGen, raw, slot })
      } else {
        const raw = keySetKind.parse(bytes)
        const set = keySetKind.read(raw)
        if (set.repo === repo) sets.push({ name, sound: sound && set.kekGen === parsed.kekGen, raw, set })
      }
    } catch (error) {
      if (!isHoldfastError(error)) throw error
      if (error.code === 'FormatUnsupported') unsupported.push(name)
      else if (error.code !== 'FormatError') throw error
      else if (sound) damaged.push({ name, why: error.message })
    }
  }
  return { slots, sets, damaged, unsupported }
}

/**
 * §5.4: before the first backup there are at least two sound slots, one of them for recovery or escrow, and two sound key
 * sets. Throws KeysIncomplete. (That two sets have identical plaintexts shows when they are opened.)
 */
export function requireComplete(inventory: KeyInventory): void {
  const slots = inventory.slots.filter((item) => item.sound)
  const recovery = slots.filter(({ slot }) => slot.type === 'recovery' || slot.type === 'hpke')
  const sets = inventory.sets.filter((item) => item.sound)
  if (slots.length >= 2 && recovery.length >= 1 && sets.length >= 2) return
  throw new HoldfastError(
    'KeysIncomplete',
    `The repository has ${slots.length} sound key slots (${recovery.length} for recovery) and ${sets.length} sound key ` +
      'sets; two slots, one of them for recovery, and two sets are needed before it takes backups.',
  )
}
