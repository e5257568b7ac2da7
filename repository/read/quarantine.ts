import { createHash, randomBytes } from 'node:crypto'
import { isHoldfastError } from '../../base/index.ts'
import { canonicalJson, names, parseName, quarantineKind, toHex } from '../format/index.ts'
import { getWhole, listAll, type ObjectStore } from '../store/index.ts'

/** The slots that `bad/` names at one moment (§12.2): they are not homes. */
export interface BadSlots {
  readonly isEmpty: boolean
  has(pack: string, slot: number): boolean
  hasPack(pack: string): boolean
}

/** What a report comes to: `failed` means that nothing in `bad/` says so. */
type Reported = 'written' | 'known' | 'failed'

interface QuarantineOptions {
  readonly repo: string
  readonly clock: () => number
  readonly warn: (message: string) => void
  readonly isLookOnly?: boolean
}

/** Reads and writes `bad/`. Objects are immutable and kept by name. */
export class Quarantines {
  readonly #options: QuarantineOptions
  readonly #repo: string
  readonly #clock: () => number
  readonly #warn: (message: string) => void
  /** By object name: what stands in `bad/`, as it was last read or written. */
  readonly #known = new Map<string, { readonly pack: string; readonly slots: ReadonlySet<number> | 'all' }>()
  /** Being written; whoever reports the same meanwhile comes to the same. */
  readonly #writing = new Map<string, Promise<boolean>>()

  constructor(options: QuarantineOptions) {
    this.#options = options
    this.#repo = options.repo
    this.#clock = options.clock
    this.#warn = options.warn
  }

  /** Reads `bad/`, and writes nothing there. */
  lookOnly(): Quarantines {
    return new Quarantines({ ...this.#options, isLookOnly: true })
  }

  /** LIST `bad/`, and one GET for each object not met before. */
  async read(store: ObjectStore, signal: AbortSignal): Promise<BadSlots> {
    const packs = new Map<string, Set<number> | 'all'>()
    const before = [...this.#known.keys()]
    const listed = await listAll(store, 'bad/')
    const present = new Set(listed.map(({ name }) => name))
    // Deleted since by a collection: it says nothing any more.
    for (const name of before) if (!present.has(name)) this.#known.delete(name)
    for (const { name } of listed) {
      const parsed = parseName(name)
      if (parsed?.kind !== 'quarantine') continue
      const item = this.#known.get(name) ?? (await this.#load(store, name, parsed.pack, signal))
      if (item === undefined) continue
      this.#known.set(name, item)
      const seen = packs.get(item.pack)
      if (item.slots === 'all' || seen === 'all') packs.set(item.pack, 'all')
      else packs.set(item.pack, new Set([...(seen ?? []), ...item.slots]))
    }
    return {
      isEmpty: packs.size === 0,
      has(pack, slot) {
        const slots = packs.get(pack)
        return slots === 'all' || (slots?.has(slot) ?? false)
      },
      hasPack: (pack) => packs.has(pack),
    }
  }

  /**
   * Puts a quarantine object, unless one is known that says the same. `slots` absent: the whole pack. A store that does not
   * take it fails nothing; whether it stands there now is the answer.
   */
  async report(
    store: ObjectStore,
    pack: string,
    found: 'L1' | 'L2' | 'L3' | 'L4' | 'read',
    slots?: readonly { readonly slot: number; readonly id: Uint8Array }[],
  ): Promise<Reported> {
    if (this.#isKnown(pack, slots)) return 'known'
    if (this.#options.isLookOnly === true) return 'failed'
    const key = `${pack} ${slots?.map(({ slot }) => slot).join(',') ?? 'all'}`
    const other = this.#writing.get(key)
    if (other !== undefined) return (await other) ? 'known' : 'failed'
    const mine = this.#write(store, pack, found, slots)
    this.#writing.set(key, mine)
    try {
      return (await mine) ? 'written' : 'failed'
    } finally {
      this.#writing.delete(key)
    }
  }

  async #write(
    store: ObjectStore,
    pack: string,
    found: 'L1' | 'L2' | 'L3' | 'L4' | 'read',
    slots: readonly { readonly slot: number; readonly id: Uint8Array }[] | undefined,
  ): Promise<boolean> {
    const body = canonicalJson(
      quarantineKind.write({
        repo: this.#repo,
        pack,
        scope: slots === undefined ? 'pack' : 'slots',
        slots: (slots ?? []).map(({ slot, id }) => ({ slot, id: toHex(id) })),
        found,
        ms: this.#clock(),
      }),
    )
    const name = names.quarantine(pack, toHex(randomBytes(8)))
    try {
      await store.putIfAbsent(name, body, {
        sha256: createHash('sha256').update(body).digest(),
        signal: new AbortController().signal,
      })
    } catch (error) {
      // Reading goes on without it, from a read-only copy for example; the damage itself is reported by the reader.
      this.#warn(`pack ${pack} is damaged and could not be quarantined: ${String(error)}`)
      return false
    }
    this.#known.set(name, { pack, slots: slots === undefined ? 'all' : new Set(slots.map(({ slot }) => slot)) })
    return true
  }

  #isKnown(pack: string, slots: readonly { readonly slot: number }[] | undefined): boolean {
    const known = [...this.#known.values()].filter((item) => item.pack === pack)
    if (known.some((item) => item.slots === 'all')) return true
    const named = (slot: number) => known.some((item) => item.slots !== 'all' && item.slots.has(slot))
    return slots !== undefined && slots.every(({ slot }) => named(slot))
  }

  /** A `bad/` object that cannot be understood names its pack all the same: a false quarantine costs space, never data. */
  async #load(store: ObjectStore, name: string, pack: string, signal: AbortSignal) {
    try {
      const bytes = await getWhole(store, name, signal)
      if (bytes === undefined) return undefined
      const item = quarantineKind.read(quarantineKind.parse(bytes))
      if (item.pack === pack && item.repo === this.#repo) {
        return { pack, slots: item.scope === 'pack' ? ('all' as const) : new Set(item.slots.map(({ slot }) => slot)) }
      }
    } catch (error) {
      if (!isHoldfastError(error) || !error.code.startsWith('Format')) throw error
    }
    this.#warn(`${name} cannot be understood; the whole pack counts as damaged`)
    return { pack, slots: 'all' as const }
  }
}
