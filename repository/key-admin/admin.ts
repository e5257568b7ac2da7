import { randomBytes } from 'node:crypto'
import { HoldfastError } from '../../base/index.ts'
import type { KeySetContent } from '../format/index.ts'
import { drawKey, ofGeneration } from '../keys/index.ts'
import type { ObjectStore } from '../store/index.ts'
import type { UnlockSecret } from '../types.ts'
import { KeyAccess, requireNewest, type AccessOptions, type KeyState } from './access.ts'
import { rotateKek } from './rotate-kek.ts'
import { changeSets, completenessOf } from './settle.ts'
import { makeSlot, putSlot, slotInfo } from './slots.ts'
import { removeObject } from './remove.ts'
import { shredDomain } from './shred.ts'
import type {
  DataKeyInfo,
  Deliver,
  NewSlot,
  RotatableKey,
  RotatedKek,
  RotateKek,
  ShredPlan,
  SlotInfo,
} from './types.ts'
import { untilListed } from './write.ts'

/**
 * Changes the keys of one repository (§5). Opened with one secret, and holds the key-encryption key until it is disposed:
 * open it for one change. Every method may be called again after a crash at any point, by anybody with a secret, and then
 * ends what was begun. Writers and readers may be at work meanwhile.
 *
 * Errors of all: WrongSecret, KeysDamaged, KeysSuperseded (the secret is of an older generation), KeysConflict (somebody
 * else changes the keys at the same time), StoreUnfit (a key object comes back differently), and those of the store.
 */
export class KeyAdmin implements Disposable {
  readonly #access: KeyAccess
  readonly #clock: () => number

  constructor(
    store: ObjectStore,
    repo: string,
    secret: UnlockSecret,
    options: AccessOptions & { readonly clock?: () => number } = {},
  ) {
    this.#access = new KeyAccess(store, repo, secret, options)
    this.#clock = options.clock ?? Date.now
  }

  [Symbol.dispose](): void {
    this.#access[Symbol.dispose]()
  }

  /** Proves that the secret opens the repository: the drill that is due for each slot every quarter (§5.4). */
  async drill(): Promise<readonly SlotInfo[]> {
    const { inventory, kekGen } = await this.#access.read()
    const opened = inventory.slots.filter(({ name }) => this.#access.openedSlots.has(name))
    return opened.map((item) => slotInfo(item, kekGen))
  }

  /** The data keys by number: without their bytes. */
  async dataKeys(): Promise<readonly DataKeyInfo[]> {
    const { content } = await this.#access.read()
    const { IDK, DEK, MDK, MK, SIG } = content.current
    const current = new Set([...Object.values(IDK), ...Object.values(DEK), MDK, MK, SIG])
    return content.keys
      .map(({ no, type, domain = null, createdMs }) => ({ no, type, domain, createdMs, isCurrent: current.has(no) }))
      .sort((a, b) => a.createdMs - b.createdMs || a.no - b.no)
  }

  /** Adds a way to open the repository. A drawn secret is handed over before its slot exists. */
  async addSlot(wish: NewSlot, deliver: Deliver, signal: AbortSignal): Promise<SlotInfo> {
    const access = this.#access
    const state = await access.readForChange()
    const { kekGen, kek, role } = state
    const place = { repo: access.repo, kekGen, role, ms: this.#clock() }
    const made = await makeSlot(wish, place, kek, access.derive)
    if (made.printed !== undefined) await deliver(made.printed)
    await putSlot(access.store, made, access.repo, kek, access.derive, signal)
    await untilListed(access.store, signal)
    const after = await access.read()
    const item = after.inventory.slots.find(({ name }) => name === made.object.name)
    // Rotated meanwhile: the slot opens a generation that is about to go.
    requireNewest(after)
    if (item === undefined || after.kekGen !== kekGen) {
      throw new HoldfastError(
        'KeysConflict',
        'the key-encryption key was rotated meanwhile; the new slot opens nothing',
      )
    }
    return slotInfo(item, kekGen)
  }

  /**
   * Removes a slot, or a key object that is damaged, by its id. Two slots, one of them for recovery, always stay. This takes
   * nothing back from who has used the slot's secret: rotate the KEK for that, and read what even that cannot do (§5.6).
   */
  async removeSlot(id: string, signal: AbortSignal): Promise<string> {
    return await removeObject(this.#access, id, signal)
  }

  /** §5.6: a new KEK; slots go on, are made anew, or are revoked. */
  async rotateKek(wish: RotateKek, deliver: Deliver, signal: AbortSignal): Promise<RotatedKek> {
    return await rotateKek(this.#access, wish, { deliver, ms: this.#clock(), signal })
  }

  /** §5.6: new keys of these types become current for new data; what was written before stays readable. */
  async rotateKeys(types: readonly RotatableKey[], signal: AbortSignal): Promise<readonly DataKeyInfo[]> {
    const { content } = await this.#access.readForChange()
    const ms = this.#clock()
    const taken = new Set(content.keys.map(({ no }) => no))
    const drawn = [...new Set(types)].flatMap((type) => {
      if (type !== 'DEK') return [drawKey({ type }, ms, taken)]
      return Object.keys(content.current.DEK).map((domain) => drawKey({ type, domain }, ms, taken, randomBytes))
    })
    const numbers = new Set(drawn.map(({ no }) => no))
    const change = (now: KeySetContent): KeySetContent => {
      const current = { ...now.current, DEK: { ...now.current.DEK } }
      for (const { type, no, domain } of drawn) {
        if (type === 'DEK' && domain !== undefined) current.DEK[domain] = no
        else if (type === 'MDK' || type === 'MK' || type === 'SIG') current[type] = no
      }
      return { ...now, keys: [...now.keys.filter(({ no }) => !numbers.has(no)), ...drawn], current }
    }
    await changeSets({ access: this.#access, change, ms, signal })
    return (await this.dataKeys()).filter(({ no }) => numbers.has(no))
  }

  /**
   * Ends what was interrupted or collided: unites key sets that compete (§5.3), writes two whole ones, removes what they
   * replace. Returns the names of older objects that this secret does not open and that therefore stay.
   */
  async repair(signal: AbortSignal): Promise<readonly string[]> {
    const wish = { access: this.#access, change: (now: KeySetContent) => now, ms: this.#clock(), signal }
    const { state, left } = await changeSets(wish)
    requireCompleteNow(state)
    return left
  }

  /**
   * §5.6: destroys the data keys of a domain, so that its data can never be read again, here. Without `confirm`, which
   * repeats the domain's id, it only says what it would do.
   */
  async shred(domain: string, confirm: string | undefined, signal: AbortSignal): Promise<ShredPlan> {
    return await shredDomain(this.#access, { domain, confirm, ms: this.#clock(), signal })
  }
}

function requireCompleteNow(state: KeyState): void {
  const { slots, recovery, isComplete } = completenessOf(state)
  if (isComplete) return
  throw new HoldfastError('KeysIncomplete', `there are ${slots} sound slots, ${recovery} of them for recovery`, {
    hint: 'Add what is missing with `holdfast repo key add`: two slots, one of them for recovery, are needed.',
    data: { slots: ofGeneration(state.inventory, state).slots.map(({ name }) => name) },
  })
}
