import { HoldfastError } from '../../base/index.ts'
import { parseName, type KeyEntry, type KeySetContent } from '../format/index.ts'
import { completeness, encodeSet, ofGeneration, type Completeness } from '../keys/index.ts'
import { requireNewest, type KeyAccess, type KeyState } from './access.ts'
import { deleteUnlessLocked, putKeyObject, untilListed } from './write.ts'

/**
 * How often a change is made again because somebody else has changed the keys meanwhile. Each round unites both changes, so
 * that nothing is lost however often they meet.
 */
const ROUNDS = 5

export interface SetChange {
  readonly access: KeyAccess
  /** Called once in each round with what is there; the same answer for the same question. */
  readonly change: (content: KeySetContent) => KeySetContent
  /** Keys that `change` takes out on purpose: older sets that hold them go all the same (§5.6). */
  readonly isDropped?: (key: KeyEntry) => boolean
  /** A new KEK, whose slots are there already and were opened; default: the newest. */
  readonly into?: { readonly kekGen: number; readonly kek: Buffer }
  readonly ms: number
  readonly signal: AbortSignal
}

/** What a change has left behind because it could not be opened: what is in it is not known. */
export interface Settled {
  readonly state: KeyState
  readonly left: readonly string[]
}

/**
 * §5.3: two sets with the next revision, read back, opened and compared with what all others hold; only then are the older
 * ones deleted. Readers and writers may open the repository at any moment between. Can be repeated after a crash at any
 * store call: what is half there is united with what was there before.
 *
 * Two administrators at once: each puts its sets before it lists. One of them at least sees those of both, and unites them;
 * nothing is deleted that holds a key which the newest sets do not hold.
 */
export async function changeSets(wish: SetChange): Promise<Settled> {
  const { access, signal, ms } = wish
  for (let round = 1; round <= ROUNDS; round++) {
    const before = await access.readForChange()
    const { kekGen, kek } = wish.into ?? before
    if (kekGen < before.kekGen) throw new HoldfastError('KeysConflict', 'somebody else has rotated the keys meanwhile')
    const content = { ...wish.change(before.content), rev: before.content.rev + 1 }
    const pair = [encodeSet({ kekGen, ms }, content, kek), encodeSet({ kekGen, ms }, content, kek)]
    for (const object of pair) await putKeyObject(access.store, object, signal)
    const names = new Set(pair.map(({ name }) => name))
    await untilListed(access.store, signal)
    const after = await access.read()
    requireNewest(after)
    if (after.kekGen === kekGen && holdsAll(after, content, names, wish.isDropped)) {
      const left = await removeOlder(access, after)
      return { state: after, left }
    }
  }
  throw new HoldfastError('KeysConflict', 'the keys were changed by somebody else each time that they were written')
}

/** Whether the sets just written are there and open, are the newest, and hold every key that any set holds. */
function holdsAll(
  after: KeyState,
  content: KeySetContent,
  pair: ReadonlySet<string>,
  isDropped: (key: KeyEntry) => boolean = () => false,
): boolean {
  const mine = after.opened.filter(({ name }) => pair.has(name))
  if (mine.length !== pair.size || after.conflict.length > 0 || after.content.rev !== content.rev) return false
  const held = new Set(content.keys.map(({ no }) => no))
  return after.content.keys.every((key) => held.has(key.no) || isDropped(key))
}

/**
 * Deletes what the sets of the highest revision replace. What no known KEK opens stays: it may hold a key that nobody has
 * seen. Returns the names of what stays.
 */
async function removeOlder(access: KeyAccess, after: KeyState): Promise<string[]> {
  const { inventory, role, kekGen, kek, opened, content } = after
  // An older generation goes only when the new one stands by itself.
  const { isComplete } = completenessOf(after)
  const gone = new Set<string>()
  const left = [...after.unopened]
  for (const set of opened) {
    // Never one of the same revision: two administrators who write the same would delete each other's.
    if (set.content.rev >= content.rev || (set.kekGen < kekGen && !isComplete)) continue
    if (await deleteUnlessLocked(access.store, set.name)) gone.add(set.name)
    else left.push(set.name)
  }
  // Slots after sets, those that this secret opens last: while a set is left, it can be opened and looked at.
  const stay = new Set([...inventory.sets.map(({ name }) => name), ...inventory.damaged.map(({ name }) => name)])
  for (const name of gone) stay.delete(name)
  const needed = new Set([...stay].flatMap((name) => generationOf(name, 'key-set')))
  const slots = inventory.slots.filter(({ slot }) => slot.role === role && slot.kekGen < kekGen)
  const order = [
    ...slots.filter(({ name }) => !access.openedSlots.has(name)),
    ...slots.filter(({ name }) => access.openedSlots.has(name)),
  ]
  for (const { name, slot } of inventory.slots) {
    // Of a rotation that backed off: no set of this generation will ever be wrapped by what is in it.
    const inside = access.openedSlots.get(name)
    if (slot.kekGen === kekGen && inside?.equals(kek) === false) await deleteUnlessLocked(access.store, name)
  }
  for (const { name, slot } of order) {
    const isNeeded = !isComplete || needed.has(slot.kekGen)
    if (isNeeded || !(await deleteUnlessLocked(access.store, name))) left.push(name)
  }
  return left
}

/** What the newest generation has of what it must have. */
export function completenessOf({
  inventory,
  role,
  kekGen,
}: Pick<KeyState, 'inventory' | 'role' | 'kekGen'>): Completeness {
  const { slots, sets } = ofGeneration(inventory, { role, kekGen })
  return completeness(slots, sets)
}

/** Highest generation that any object in `keys/` names, whatever its state. */
export function highestGeneration({ inventory }: Pick<KeyState, 'inventory'>): number {
  const { slots, sets, damaged, unsupported } = inventory
  const names = [...slots, ...sets, ...damaged].map(({ name }) => name).concat(unsupported)
  return Math.max(0, ...names.flatMap((name) => [...generationOf(name, 'key-set'), ...generationOf(name, 'key-slot')]))
}

function generationOf(name: string, kind: 'key-set' | 'key-slot'): number[] {
  const parsed = parseName(name)
  return parsed?.kind === kind ? [parsed.kekGen] : []
}
