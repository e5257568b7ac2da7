import { HoldfastError, isHoldfastError } from '../base/index.ts'
import { OBJECT_LOCK, parseName, unionFeatures, type Features, type Fmt } from './format/index.ts'
import { openFeat, type KeyRing } from './keys/index.ts'
import { getWhole, listAll, type ObjectStore } from './store/index.ts'

/** §3.5: names of features that this version knows. */
const KNOWN: Features = { read: [], write: [], gc: [OBJECT_LOCK] }

/** A process that stays open looks again this often, before it writes. */
const FRESH_MS = 15 * 60_000

/**
 * §3.5, §4.11: the union of `fmt` and all genuine `feat/` must be known. Reading needs `read`, writing `write` too, and
 * collecting, pruning and compaction all three.
 * An activation that is not genuine adds nothing and is reported.
 */
export class FeatureGate {
  readonly #fmt: Fmt
  readonly #ring: KeyRing
  readonly #store: ObjectStore
  readonly #clock: () => number
  readonly #warn: (message: string) => void
  #read: { readonly all: Features; readonly notGenuine: readonly string[]; readonly at: number } | undefined

  constructor(repository: {
    readonly fmt: Fmt
    readonly ring: KeyRing
    readonly store: ObjectStore
    readonly clock: () => number
    readonly warn: (message: string) => void
  }) {
    this.#fmt = repository.fmt
    this.#ring = repository.ring
    this.#store = repository.store
    this.#clock = repository.clock
    this.#warn = repository.warn
  }

  /** Throws FormatUnsupported; for `gc`, which deletes, also RecordForged while an activation is not genuine (§4.11). */
  async require(use: keyof Features, signal: AbortSignal): Promise<void> {
    const at = this.#clock()
    // Who deletes looks at once: an activation may be a minute old.
    const fresh = this.#read !== undefined && use !== 'gc' && at - this.#read.at < FRESH_MS
    const known = fresh ? this.#read : undefined
    const { all, notGenuine } = known ?? (this.#read = { ...(await this.#union(signal)), at })
    const { read, write, gc } = all
    const needed = { read, write: [...read, ...write], gc: [...read, ...write, ...gc] }[use]
    const unknown = needed.filter((name) => !Object.values(KNOWN).some((names) => names.includes(name)))
    if (unknown.length > 0) {
      const what = `the repository uses ${unknown.join(', ')}, which this version cannot ${use}`
      throw new HoldfastError('FormatUnsupported', what, { data: { features: unknown } })
    }
    const [forged] = use === 'gc' ? notGenuine : []
    if (forged === undefined) return
    throw new HoldfastError('RecordForged', `${forged} is not a genuine activation: it may be one that is damaged`, {
      data: { record: forged },
    })
  }

  async #union(signal: AbortSignal): Promise<{ readonly all: Features; readonly notGenuine: readonly string[] }> {
    const sets: Features[] = [this.#fmt.features]
    const notGenuine: string[] = []
    for (const { name } of await listAll(this.#store, 'feat/')) {
      if (parseName(name)?.kind !== 'feat') continue
      const opened = await this.#open(name, signal)
      if (opened === undefined) continue
      if ('feat' in opened) sets.push(opened.feat.add)
      else {
        notGenuine.push(name)
        this.#warn(`${name} is not a genuine activation: ${opened.why.message}`)
      }
    }
    return { all: unionFeatures(sets), notGenuine }
  }

  /** undefined: gone since the listing. */
  async #open(name: string, signal: AbortSignal): Promise<ReturnType<typeof openFeat> | undefined> {
    try {
      const bytes = await getWhole(this.#store, name, signal)
      return bytes && openFeat(bytes, this.#ring.signers)
    } catch (error) {
      // Larger than any activation, hence none.
      if (isHoldfastError(error) && error.code === 'FormatError') return { why: error }
      throw error
    }
  }
}
