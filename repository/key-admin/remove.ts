import { HoldfastError } from '../../base/index.ts'
import { parseName } from '../format/index.ts'
import { completeness, ofGeneration } from '../keys/index.ts'
import { getWhole } from '../store/index.ts'
import { requireNewest, type KeyAccess, type KeyState } from './access.ts'
import { deleteUnlessLocked, putKeyObject, untilListed } from './write.ts'

/**
 * Removes a slot of the newest generation, or a damaged key object. Throws KeysIncomplete where fewer would stay than must,
 * NotFound, InvalidRequest. Two administrators who each remove another slot at once: one of them at least sees that too few
 * are left, and puts its own back.
 */
export async function removeObject(access: KeyAccess, id: string, signal: AbortSignal): Promise<string> {
  const state = await access.readForChange()
  const name = nameOf(state, id)
  requireRemovable(state, name)
  const bytes = await getWhole(access.store, name, signal)
  if (bytes === undefined) return name
  if (!(await deleteUnlessLocked(access.store, name))) throw locked(name)
  await untilListed(access.store, signal)
  const after = await access.read()
  requireNewest(after)
  const slot = state.inventory.slots.find((item) => item.name === name)
  if (slot === undefined || stays(after, name).isComplete) return name
  await putKeyObject(access.store, { name, bytes }, signal)
  throw new HoldfastError('KeysConflict', `somebody else removed a slot at the same time; ${name} was put back`)
}

/** §11.5: keys are kept for as long as what they open; writers extend those of the newest generation. */
function locked(name: string): HoldfastError {
  return new HoldfastError('StoreLocked', `${name} is under retention and cannot be removed`, {
    hint: 'Rotate with `holdfast repo key rotate --kek` and leave it out: from then on nothing new is opened by it, its retention is no longer extended, and `holdfast repo key repair` removes it when that is over.',
    data: { object: name },
  })
}

/** By the last 16 digits of its name, or enough of their beginning. */
function nameOf({ inventory }: KeyState, id: string): string {
  const all = [...inventory.slots, ...inventory.sets, ...inventory.damaged].map(({ name }) => name)
  const found = new Set(all.filter((name) => name === id || name.slice(-16).startsWith(id)))
  const [name] = found
  if (id.length < 6 || name === undefined) {
    throw new HoldfastError('NotFound', `there is no key object ${id}`, {
      hint: 'List them with `holdfast repo key list`; give six digits at least.',
    })
  }
  if (found.size > 1) throw new HoldfastError('InvalidRequest', `several key objects begin with ${id}`)
  return name
}

/** What would count without this object. */
function stays({ inventory, role, kekGen }: KeyState, name: string) {
  const { slots, sets } = ofGeneration(inventory, { role, kekGen })
  return completeness(
    slots.filter((item) => item.name !== name),
    sets.filter((item) => item.name !== name),
  )
}

function requireRemovable(state: KeyState, name: string): void {
  const isDamaged = state.inventory.damaged.some((item) => item.name === name)
  const slot = state.inventory.slots.find((item) => item.name === name)
  if (!isDamaged && parseName(name)?.kind === 'key-set') {
    throw new HoldfastError('InvalidRequest', `${name} is a sound key set; without it data may be lost`)
  }
  if (slot !== undefined && !isDamaged && slot.slot.kekGen !== state.kekGen) {
    throw new HoldfastError('InvalidRequest', `${name} belongs to another generation of the keys`, {
      hint: 'A rotation was interrupted: `holdfast repo key repair` ends it.',
    })
  }
  const { slots, recovery, sets, isComplete } = stays(state, name)
  if (isComplete) return
  throw new HoldfastError(
    'KeysIncomplete',
    `without ${name} there would be ${slots} sound slots, ${recovery} of them for recovery, and ${sets} sound key sets`,
    { hint: 'Add another slot first: two, one of them for recovery, always stay.' },
  )
}
