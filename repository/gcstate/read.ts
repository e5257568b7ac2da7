import { createHash } from 'node:crypto'
import { HoldfastError, isHoldfastError } from '../../base/index.ts'
import {
  decodeCondemned,
  decodeFinal,
  decodeFloor,
  matchesCondemned,
  names,
  parseName,
  type Condemned,
  type RecordMac,
} from '../format/index.ts'
import { getObject, isAbsent, listAll, type ObjectStore } from '../store/index.ts'
import type { GcRecord, GcState } from './knowledge.ts'
import { PackSet } from './pack-set.ts'

/** §8.1: an epoch further ahead than this is forged; it would date knowledge into the future. */
const MAX_LEAD = 2 ** 20
/** A record retired between LIST and GET begins the reading anew; so does a listing that contradicts itself. */
const MAX_TRIES = 6

type Verify = (record: RecordMac) => boolean
type Bodies = Map<string, { readonly condemned: Condemned; readonly sha: string; readonly all: PackSet }>

/** Reads the state of garbage collection (§8.1). Bodies are immutable and kept by name over readings. */
export class GcStateReader {
  readonly #repo: string
  readonly #verify: Verify
  readonly #bodies: Bodies = new Map()
  readonly #finals = new Map<string, PackSet | undefined>()
  readonly #floors = new Set<string>()

  /** `verify`: whether a maintenance MAC holds. Phase 1 always has the MK. */
  constructor(repo: string, verify: Verify) {
    this.#repo = repo
    this.#verify = verify
  }

  /**
   * Throws FloorMissing, ListingIncomplete (short, stale or rolled back), RecordForged, or what the store throws. E of the
   * result is the stamp of what is learned after it resolves.
   */
  async read(store: ObjectStore, signal: AbortSignal): Promise<GcState> {
    let problem = ''
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const reading = await this.#readOnce(store, signal)
      if (typeof reading !== 'string') return reading
      problem = reading
    }
    throw new HoldfastError('ListingIncomplete', `the listing of gc/ contradicts itself: ${problem}`)
  }

  /** A string says why the reading has to begin anew. */
  async #readOnce(store: ObjectStore, signal: AbortSignal): Promise<GcState | string> {
    const condemned: { name: string; epoch: number; nonce: string }[] = []
    const finals = new Map<string, { readonly name: string; readonly epoch: number }>()
    for (const { name } of await listAll(store, 'gc/')) {
      const parsed = parseName(name)
      if (parsed?.kind === 'condemned') condemned.push({ name, epoch: parsed.epoch, nonce: parsed.nonce })
      if (parsed?.kind === 'final') finals.set(`${parsed.epoch} ${parsed.nonce}`, { name, epoch: parsed.epoch })
    }
    this.#forget(condemned, finals)

    const records: GcRecord[] = []
    try {
      for (const { name, epoch, nonce } of condemned) {
        const body = await this.#condemned(store, name, signal)
        const final = finals.get(`${epoch} ${nonce}`)
        const set = final === undefined ? undefined : await this.#final(store, final.name, name, signal)
        records.push({ epoch, nonce, final: set !== undefined, set: set ?? body.all })
      }
    } catch (error) {
      if (isAbsent(error)) return 'a record vanished between listing and reading'
      throw error
    }
    // After gc/: retirement publishes the floor before it deletes, so who misses a record sees the floor that says so.
    const floor = await this.#floor(store, signal)
    const problem = this.#contradiction(condemned, finals, floor)
    if (problem !== undefined) return problem
    const highest = records.reduce((most, record) => Math.max(most, record.epoch), floor - 1)
    if (highest > floor + MAX_LEAD) throw forged(`epoch ${highest} is far ahead of floor ${floor}`)
    return { base: highest, floor, records }
  }

  async #condemned(store: ObjectStore, name: string, signal: AbortSignal) {
    const known = this.#bodies.get(name)
    if (known !== undefined) return known
    const bytes = await getObject(store, name, signal)
    const condemned = decodeCondemned(bytes)
    const named = parseName(name)
    const agrees = named?.kind === 'condemned' && named.epoch === condemned.epoch && named.nonce === condemned.nonce
    if (!agrees || condemned.repo !== this.#repo || !this.#verify(condemned)) throw forged(name)
    const sha = createHash('sha256').update(bytes).digest('hex')
    const body = { condemned, sha, all: new PackSet(condemned.packs) }
    this.#bodies.set(name, body)
    return body
  }

  /** undefined: unsound, which counts as absent (§4.8). Unreadable throws. */
  async #final(store: ObjectStore, name: string, condemnedName: string, signal: AbortSignal) {
    if (this.#finals.has(name)) return this.#finals.get(name)
    const body = this.#bodies.get(condemnedName)
    const bytes = await this.#finalBytes(store, name, signal)
    const set =
      body === undefined || bytes === undefined ? undefined : this.#soundFinal(bytes, body.condemned, body.sha)
    this.#finals.set(name, set)
    return set
  }

  /** undefined: larger than any final set, hence none. */
  async #finalBytes(store: ObjectStore, name: string, signal: AbortSignal): Promise<Uint8Array | undefined> {
    try {
      return await getObject(store, name, signal)
    } catch (error) {
      if (isHoldfastError(error) && error.code === 'FormatError') return undefined
      throw error
    }
  }

  #soundFinal(bytes: Uint8Array, condemned: Condemned, sha: string): PackSet | undefined {
    try {
      const final = decodeFinal(bytes)
      if (final.repo !== this.#repo || !this.#verify(final) || !matchesCondemned(final, condemned, sha))
        return undefined
      return new PackSet(final.ordinals.map((ordinal) => condemned.packs[ordinal] ?? ''))
    } catch (error) {
      if (isHoldfastError(error)) return undefined
      throw error
    }
  }

  async #floor(store: ObjectStore, signal: AbortSignal): Promise<number> {
    let highest = 0
    for (const { name } of await listAll(store, 'floor/')) {
      const parsed = parseName(name)
      if (parsed?.kind === 'floor') highest = Math.max(highest, parsed.n)
    }
    if (highest === 0) throw new HoldfastError('FloorMissing', 'the repository has no floor record')
    const name = names.floor(highest)
    if (!this.#floors.has(name)) {
      const floor = decodeFloor(await getObject(store, name, signal))
      if (floor.n !== highest || floor.repo !== this.#repo || !this.#verify(floor)) throw forged(name)
      this.#floors.add(name)
    }
    return highest
  }

  /** §8.1 step 5. */
  #contradiction(
    present: readonly { readonly name: string; readonly epoch: number; readonly nonce: string }[],
    finals: ReadonlyMap<string, { readonly name: string; readonly epoch: number }>,
    floor: number,
  ): string | undefined {
    const known = new Set(present.map(({ epoch, nonce }) => `${epoch} ${nonce}`))
    for (const { name } of present) {
      const body = this.#bodies.get(name)
      if (body === undefined) continue
      if (body.condemned.floorSeen > floor) return `${name} has seen floor ${body.condemned.floorSeen}, not ${floor}`
      const missed = body.condemned.seen.find(
        (seen) => seen.epoch >= floor && !known.has(`${seen.epoch} ${seen.nonce}`),
      )
      if (missed !== undefined) return `${name} has seen a record of epoch ${missed.epoch} that is not listed`
    }
    for (const [key, { name, epoch }] of finals) {
      if (epoch >= floor && !known.has(key)) return `${name} has no condemned set`
    }
    return undefined
  }

  /** Memory follows what is present. A name is never used for other content, so forgetting costs a GET at most. */
  #forget(present: readonly { readonly name: string }[], finals: ReadonlyMap<string, { readonly name: string }>): void {
    const keep = new Set([...present.map(({ name }) => name), ...[...finals.values()].map(({ name }) => name)])
    for (const map of [this.#bodies, this.#finals]) for (const name of map.keys()) if (!keep.has(name)) map.delete(name)
  }
}

function forged(what: string): HoldfastError {
  return new HoldfastError('RecordForged', `a garbage-collection record is not genuine: ${what}`, {
    data: { record: what },
  })
}
