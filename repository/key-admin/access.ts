import { HoldfastError } from '../../base/index.ts'
import { decodeKeySetContent, type KeySetContent } from '../format/index.ts'
import {
  inspectKeys,
  mergeSets,
  newestGeneration,
  openSetsOf,
  trySlots,
  unlock,
  type DerivePassphrase,
  type KeyInventory,
} from '../keys/index.ts'
import { keyObjects } from '../objects.ts'
import type { ObjectStore } from '../store/index.ts'
import type { UnlockSecret } from '../types.ts'

/** A key set that a known KEK has opened. */
export interface OpenedSet {
  readonly name: string
  readonly role: string
  readonly kekGen: number
  readonly kek: Buffer
  readonly plaintext: Uint8Array
  readonly content: KeySetContent
}

/** `keys/` as it is now, as far as the secret opens it. */
export interface KeyState {
  readonly inventory: KeyInventory
  readonly role: string
  /** Newest generation that has an opened set. */
  readonly kekGen: number
  readonly kek: Buffer
  /** Union of all keys in opened sets of all generations; `current` and `rev` of the highest revision (§5.3). */
  readonly content: KeySetContent
  /** Names of sets of the highest revision whose plaintexts differ. */
  readonly conflict: readonly string[]
  readonly opened: readonly OpenedSet[]
  /** Names of sets of this role that no known KEK opens. */
  readonly unopened: readonly string[]
}

export interface AccessOptions {
  /** Argon2id; default: in a child process. */
  readonly derive?: DerivePassphrase | undefined
  /** Throws if the repository must not be changed by this version. */
  readonly beforeChange?: ((content: KeySetContent) => Promise<void>) | undefined
}

/** Reads `keys/` again and again with one secret, and remembers the KEKs that it opened. Secret. */
export class KeyAccess implements Disposable {
  readonly store: ObjectStore
  readonly repo: string
  readonly derive: DerivePassphrase | undefined
  readonly secret: UnlockSecret
  /** Slots of a rotation that backed off have a KEK of the same generation that opens nothing (§5.6). */
  readonly #keks: { readonly role: string; readonly kekGen: number; readonly kek: Buffer }[] = []
  /** Names of slots that the secret was tried on: a passphrase costs time. */
  readonly #tried = new Set<string>()
  readonly #beforeChange: AccessOptions['beforeChange']
  /** The slots that the secret opened, with what was in them. */
  readonly openedSlots = new Map<string, Buffer>()

  constructor(store: ObjectStore, repo: string, secret: UnlockSecret, options: AccessOptions = {}) {
    this.store = store
    this.repo = repo
    this.derive = options.derive
    this.secret = secret
    this.#beforeChange = options.beforeChange
  }

  [Symbol.dispose](): void {
    for (const { kek } of this.#keks) kek.fill(0)
  }

  /** A KEK that was drawn here. */
  learn(role: string, kekGen: number, kek: Buffer): void {
    const isKnown = this.#keks.some((known) => known.kekGen === kekGen && known.role === role && known.kek.equals(kek))
    if (!isKnown) this.#keks.push({ role, kekGen, kek })
  }

  /** Throws as `unlock` does if the secret opens nothing. */
  async read(): Promise<KeyState> {
    const objects = await keyObjects(this.store)
    const inventory = inspectKeys(objects, this.repo)
    const untried = inventory.slots.filter(({ name }) => !this.#tried.has(name))
    for await (const { item, opening } of trySlots({ ...inventory, slots: untried }, this.secret, this.derive)) {
      this.#tried.add(item.name)
      if (opening.outcome !== 'open') continue
      this.openedSlots.set(item.name, opening.kek)
      this.learn(item.slot.role, item.slot.kekGen, opening.kek)
    }
    const opened = this.#keks.flatMap(({ role, kekGen, kek }) =>
      openSetsOf(inventory, { role, kekGen }, kek).sets.map((set): OpenedSet => {
        return { ...set, role, kekGen, kek, content: decodeKeySetContent(set.plaintext) }
      }),
    )
    const [newest] = opened.toSorted((a, b) => b.kekGen - a.kekGen)
    if (newest === undefined) {
      // It says why.
      await unlock(objects, this.repo, this.secret, this.derive)
      throw new HoldfastError('KeysConflict', 'the keys were changed while they were read')
    }
    const { role, kekGen, kek } = newest
    const mine = opened.filter((set) => set.role === role)
    const { content, conflict } = mergeSets(mine)
    if (content.repo !== this.repo)
      throw new HoldfastError('KeysDamaged', `The key sets are those of repository ${content.repo}.`)
    const names = new Set(mine.map(({ name }) => name))
    const unopened = inventory.sets.filter(({ name, set }) => set.role === role && !names.has(name))
    return {
      inventory,
      role,
      kekGen,
      kek,
      content,
      conflict,
      opened: mine,
      unopened: unopened.map(({ name }) => name),
    }
  }

  /** As read, for somebody who changes the keys. Throws KeysSuperseded, and Forbidden for a role that holds only some keys. */
  async readForChange(): Promise<KeyState> {
    const state = await this.read()
    if (state.role !== 'full') {
      throw new HoldfastError('Forbidden', `the role ${state.role} does not administer keys`, {
        hint: 'Open the repository with a secret of the role full.',
      })
    }
    requireNewest(state)
    await this.#beforeChange?.(state.content)
    return state
  }
}

/** Somebody has rotated the KEK without this secret: what is opened is about to be removed. */
export function requireNewest({ inventory, role, kekGen }: KeyState): void {
  const newest = newestGeneration(inventory, role)
  if (newest > kekGen)
    throw new HoldfastError('KeysSuperseded', `generation ${newest} of the keys does not open with this secret`)
}
