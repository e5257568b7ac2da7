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
  readonly slots: readonly SlotItem[]
  readonly sets: readonly SetItem[]
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

export type SlotItem = KeyItem & { readonly slot: KeySlot }
export type SetItem = KeyItem & { readonly set: KeySet }

/** `repo`: that of `fmt`; key objects of another one are left over from a lost race of inits and ignored (§3.4). */
export function inspectKeys(objects: readonly KeyObject[], repo: string): KeyInventory {
  const slots: SlotItem[] = []
  const sets: SetItem[] = []
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

/** §5.4: types of slots that serve when nobody remembers a passphrase. */
const RECOVERY_TYPES = new Set(['recovery', 'hpke', 'shamir'])

/** What a generation of the KEK has of what it must have: sound objects only, for damaged ones do not count (§5.4). */
export interface Completeness {
  readonly slots: number
  readonly recovery: number
  readonly sets: number
  readonly isComplete: boolean
}

/** Counts slots that a reader of this version opens. (That two sets have identical plaintexts shows when they are opened.) */
export function completeness(slots: readonly SlotItem[], sets: readonly SetItem[]): Completeness {
  const usable = slots.filter(({ sound, slot }) => sound && (slot.type === 'passphrase' || isForRecovery(slot)))
  const recovery = usable.filter(({ slot }) => isForRecovery(slot)).length
  const counted = sets.filter(({ sound }) => sound).length
  const isComplete = usable.length >= 2 && recovery >= 1 && counted >= 2
  return { slots: usable.length, recovery, sets: counted, isComplete }
}

export const isForRecovery = ({ type }: Pick<KeySlot, 'type'>): boolean => RECOVERY_TYPES.has(type)

/** The objects of one generation of a role. */
export function ofGeneration(
  { slots, sets }: Pick<KeyInventory, 'slots' | 'sets'>,
  { role, kekGen }: { readonly role: string; readonly kekGen: number },
): { readonly slots: SlotItem[]; readonly sets: SetItem[] } {
  return {
    slots: slots.filter(({ slot }) => slot.role === role && slot.kekGen === kekGen),
    sets: sets.filter(({ set }) => set.role === role && set.kekGen === kekGen),
  }
}

/**
 * §5.4: before the first backup there are at least two sound slots, one of them for recovery or escrow, and two sound key
 * sets, of one generation of the KEK: while a rotation is under way the older one still serves. Throws KeysIncomplete.
 */
export function requireComplete(inventory: KeyInventory): void {
  const generations = new Map(inventory.sets.map(({ set }) => [`${set.kekGen} ${set.role}`, set]))
  const found = [...generations.values()].map((generation) => {
    const { slots, sets } = ofGeneration(inventory, generation)
    return completeness(slots, sets)
  })
  if (found.some(({ isComplete }) => isComplete)) return
  const { slots, recovery, sets } = found[0] ?? completeness(inventory.slots, [])
  throw new HoldfastError(
    'KeysIncomplete',
    `The repository has ${slots} sound key slots (${recovery} for recovery) and ${sets} sound key ` +
      'sets; two slots, one of them for recovery, and two sets are needed before it takes backups.',
  )
}
