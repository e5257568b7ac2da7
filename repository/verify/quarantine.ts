import { fromHex } from '../format/index.ts'
import type { BadSlots, Quarantines } from '../read/quarantine.ts'
import type { ObjectStore } from '../store/index.ts'

/**
 * §12.2: puts what is proved damaged into `bad/`, or only counts it in a dry run. What is quarantined already is not put
 * again.
 */
export class Quarantiner {
  readonly #quarantines: Quarantines
  readonly #store: ObjectStore
  readonly #known: BadSlots
  readonly #dryRun: boolean
  written = 0

  constructor(options: {
    readonly quarantines: Quarantines
    readonly store: ObjectStore
    readonly known: BadSlots
    readonly dryRun: boolean
  }) {
    this.#quarantines = options.quarantines
    this.#store = options.store
    this.#known = options.known
    this.#dryRun = options.dryRun
  }

  /** Whether `bad/` names the pack or some of its slots, or does now. */
  holds(pack: string): boolean {
    return !this.#dryRun || this.#known.hasPack(pack)
  }

  /** Whether `bad/` named the pack or some of its slots when the verify began. */
  knows(pack: string): boolean {
    return this.#known.hasPack(pack)
  }

  /** `slots` undefined: the whole pack, because it is gone or its structure cannot be relied upon. */
  async put(
    pack: string,
    found: 'L1' | 'L2' | 'L3' | 'L4',
    slots?: readonly { readonly slot: number; readonly id: string }[],
  ): Promise<void> {
    // A pack's last possible slot is quarantined only with the pack as a whole.
    const wanted = slots?.filter(({ slot }) => !this.#known.has(pack, slot))
    if (this.#dryRun || (wanted === undefined ? this.#known.has(pack, 0xffff) : wanted.length === 0)) return
    const places = wanted?.map(({ slot, id }) => ({ slot, id: fromHex(id, 32, 'blob id') }))
    await this.#quarantines.report(this.#store, pack, found, places)
    this.written += 1
  }
}
