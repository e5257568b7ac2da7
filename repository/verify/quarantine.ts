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
  readonly #note: (text: string) => void
  /** Packs that `bad/` has come to name since. */
  readonly #put = new Set<string>()
  /** Packs with damage that `bad/` does not name: a dry run, or the store did not take it. */
  readonly #unsaid = new Set<string>()
  /** Objects that this verify wrote. */
  written = 0

  constructor(options: {
    readonly quarantines: Quarantines
    readonly store: ObjectStore
    readonly known: BadSlots
    readonly dryRun: boolean
    readonly note: (text: string) => void
  }) {
    this.#quarantines = options.quarantines
    this.#store = options.store
    this.#known = options.known
    this.#dryRun = options.dryRun
    this.#note = options.note
  }

  /** Whether all that was found damaged in the pack stands in `bad/`: since before the verify began, or really put since. */
  holds(pack: string): boolean {
    return !this.#unsaid.has(pack) && (this.#put.has(pack) || this.#known.hasPack(pack))
  }

  /** Whether `bad/` named the pack or some of its slots when the verify began. */
  knows(pack: string): boolean {
    return this.#known.hasPack(pack)
  }

  /**
   * `slots` undefined: the whole pack, because it is gone or its structure cannot be relied upon. What the store does not
   * take is not held, so that the next attempt finds the damage again.
   */
  async put(
    pack: string,
    found: 'L1' | 'L2' | 'L3' | 'L4',
    slots?: readonly { readonly slot: number; readonly id: string }[],
  ): Promise<void> {
    // A pack's last possible slot is quarantined only with the pack as a whole.
    const wanted = slots?.filter(({ slot }) => !this.#known.has(pack, slot))
    if (wanted === undefined ? this.#known.has(pack, 0xffff) : wanted.length === 0) return
    if (this.#dryRun) {
      this.#unsaid.add(pack)
      return
    }
    const places = wanted?.map(({ slot, id }) => ({ slot, id: fromHex(id, 32, 'blob id') }))
    const reported = await this.#quarantines.report(this.#store, pack, found, places)
    if (reported === 'written') this.written += 1
    if (reported !== 'failed') {
      this.#put.add(pack)
      return
    }
    this.#unsaid.add(pack)
    this.#note(
      'not everything that is damaged could be quarantined: the store did not take it; verify again with room in it',
    )
  }
}
