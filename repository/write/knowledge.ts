import type { Engine } from '../engine.ts'
import { bestVerdict, isDead, lift, type GcState, type Verdict } from '../gcstate/index.ts'
import { names, type BlobType } from '../format/index.ts'
import type { IndexedHome } from '../index-view/index.ts'
import type { BadSlots } from '../read/quarantine.ts'
import type { ObjectStore } from '../store/index.ts'

/** §7.2: a long session reads the state again this often. */
const REFRESH_MS = 15 * 60_000

/**
 * What one session may rely on: the latest reading of garbage collection (S0), `bad/` and the index (S1), and what it has
 * established itself. Shared by the parts of a session in one process.
 */
export class Knowledge {
  readonly #engine: Engine
  /** Stamps of packs that were established anew, the best of each. */
  readonly #established = new Map<string, number>()
  /** Packs that were relied upon and are proved absent, whatever the index says. */
  readonly #absent = new Set<string>()
  #state: GcState
  #readAt: number
  #bad: BadSlots | undefined

  private constructor(engine: Engine, state: GcState, readAt: number) {
    this.#engine = engine
    this.#state = state
    this.#readAt = readAt
  }

  /** S0: before the first upload. */
  static async read(engine: Engine, store: ObjectStore, signal: AbortSignal): Promise<Knowledge> {
    const readAt = engine.clock()
    return new Knowledge(engine, await engine.gc.read(store, signal), readAt)
  }

  /** E of the latest reading: the stamp of what is uploaded from now on. */
  get base(): number {
    return this.#state.base
  }

  get state(): GcState {
    return this.#state
  }

  get bad(): BadSlots {
    if (this.#bad === undefined) throw new TypeError('S1 has not been done')
    return this.#bad
  }

  /** S1. */
  async readIndex(store: ObjectStore, signal: AbortSignal): Promise<void> {
    await this.#engine.view.refresh(store, signal)
    await this.readBad(store, signal)
  }

  async readBad(store: ObjectStore, signal: AbortSignal): Promise<void> {
    this.#bad = await this.#engine.quarantines.read(store, signal)
  }

  /** A new reading; stamps of what is usable under it are lifted. */
  async renew(store: ObjectStore, signal: AbortSignal): Promise<void> {
    const readAt = this.#engine.clock()
    this.#state = await this.#engine.gc.read(store, signal)
    this.#readAt = readAt
    for (const [pack, stamp] of this.#established) this.#established.set(pack, this.lifted(pack, stamp))
  }

  /** §7.2, refresh. Whether there was a new reading. */
  async renewIfOld(store: ObjectStore, signal: AbortSignal): Promise<boolean> {
    if (this.#engine.clock() - this.#readAt < REFRESH_MS) return false
    await this.renew(store, signal)
    return true
  }

  /** The stamp after the latest reading: lifted if the fact is usable under it, else as it was. */
  lifted(pack: string, stamp: number): number {
    return lift(this.#state, pack, stamp) ?? stamp
  }

  /** §8.2 for one fact and whatever else is known of its pack. */
  verdict(pack: string, stamp: number): Verdict {
    if (this.#absent.has(pack)) return 'condemned'
    const established = this.#established.get(pack)
    return bestVerdict(this.#state, pack, established === undefined ? [stamp] : [stamp, established])
  }

  /** From now on no home: it was asked for and is not there. A name never comes back (§3.2). */
  exclude(pack: string): void {
    this.#absent.add(pack)
  }

  isUsable({ pack, slot, stamp }: IndexedHome): boolean {
    return !this.bad.has(pack, slot) && this.verdict(pack, stamp) === 'usable'
  }

  /** A home of the blob that may be relied upon, its stamp the best known. */
  home(type: BlobType, id: Uint8Array): IndexedHome | undefined {
    const found = this.#engine.view.find(type, id, (home) => this.isUsable(home))
    return found && { ...found, stamp: this.#best(found.pack, found.stamp) }
  }

  /**
   * §8.2: re-establishes a stale pack by HEAD with the dead set of the latest reading, which was complete before. The new
   * stamp, or undefined: absent or dead.
   */
  async establish(store: ObjectStore, pack: string): Promise<number | undefined> {
    const { base } = this.#state
    if (isDead(this.#state, pack)) return undefined
    if ((await store.head(names.pack(pack))) === undefined) return undefined
    this.#established.set(pack, Math.max(base, this.#established.get(pack) ?? 0))
    return base
  }

  #best(pack: string, stamp: number): number {
    return this.lifted(pack, Math.max(stamp, this.#established.get(pack) ?? 0))
  }
}

/** Packs with the best stamp known of each: what W2 has to check (§7.1 `homes`). */
export class Homes {
  readonly #stamps = new Map<string, number>()

  add(pack: string, stamp: number): void {
    this.#stamps.set(pack, Math.max(stamp, this.#stamps.get(pack) ?? 0))
  }

  /** After a refresh. */
  lift(knowledge: Knowledge): void {
    for (const [pack, stamp] of this.#stamps) this.#stamps.set(pack, knowledge.lifted(pack, stamp))
  }

  /** Drops packs that are no longer relied upon. */
  retain(keep: (pack: string, stamp: number) => boolean): void {
    for (const [pack, stamp] of this.#stamps) if (!keep(pack, stamp)) this.#stamps.delete(pack)
  }

  of(packs: Iterable<string>): { pack: string; stamp: number }[] {
    return [...new Set(packs)].map((pack) => {
      const stamp = this.#stamps.get(pack)
      if (stamp === undefined) throw new TypeError(`no stamp of pack ${pack}`)
      return { pack, stamp }
    })
  }

  all(): { pack: string; stamp: number }[] {
    return [...this.#stamps].map(([pack, stamp]) => ({ pack, stamp }))
  }
}
