import { HoldfastError, isHoldfastError } from '../base/index.ts'
import { parseName, unionFeatures, type Features, type Fmt } from './format/index.ts'
import { openFeat, type KeyRing } from './keys/index.ts'
import { getWhole, listAll, type ObjectStore } from './store/index.ts'

/** §3.5: names of features that this version knows: none. */
const KNOWN: Features = { read: [], write: [], gc: [] }

/** A process that stays open looks again this often, before it writes. */
const FRESH_MS = 15 * 60_000

/**
 * §3.5, §4.11: the union of `fmt` and all genuine `feat/` must be known. Reading needs `read`, writing needs `write` too.
 * An activation that is not genuine adds nothing and is reported.
 */
export class FeatureGate {
  readonly #fmt: Fmt
  readonly #ring: KeyRing
  readonly #store: ObjectStore
  readonly #clock: () => number
  readonly #warn: (message: string) => void
  #read: { readonly all: Features; readonly at: number } | undefined

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

  /** Throws FormatUnsupported. */
  async require(use: 'read' | 'write', signal: AbortSignal): Promise<void> {
    const at = this.#clock()
    if (this.#read === undefined || at - this.#read.at >= FRESH_MS) this.#read = { all: await this.#union(signal), at }
    const { read, write } = this.#read.all
    const needed = use === 'read' ? read : [...read, ...write]
    const unknown = needed.filter((name) => !KNOWN.read.includes(name) && !KNOWN.write.includes(name))
    if (unknown.length === 0) return
    const what = `the repository uses ${unknown.join(', ')}, which this version cannot ${use}`
    throw new HoldfastError('FormatUnsupported', what, { data: { features: unknown } })
  }

  async #union(signal: AbortSignal): Promise<Features> {
    const sets: Features[] = [this.#fmt.features]
    for (const { name } of await listAll(this.#store, 'feat/')) {
      if (parseName(name)?.kind !== 'feat') continue
      const opened = await this.#open(name, signal)
      if (opened === undefined) continue
      if ('feat' in opened) sets.push(opened.feat.add)
      else this.#warn(`${name} is not a genuine activation: ${opened.why.message}`)
    }
    return unionFeatures(sets)
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
