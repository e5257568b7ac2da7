import { HoldfastError } from '../../base/index.ts'
import { fromHex, parseName } from '../format/index.ts'
import type { ObjectInfo, ObjectStore } from '../store/index.ts'
import { throwIfAborted } from '../store/index.ts'

/** Names in one piece of memory. */
const PIECE = 65_536

/** What a run knows of a pack. */
export const packFlag = {
  /** In a final set: dead for ever (§9.1). */
  final: 1,
  /** Condemned and not final: nobody may rely on it, and it may still become final or be reprieved (§9.5). */
  pending: 2,
  /** Too young to be condemned (§9.3). */
  young: 4,
  /** Its contents are not known completely, so it cannot be condemned (§9.3). */
  unknown: 8,
  /** Its live blobs have been copied elsewhere by this run (§9.7). */
  copied: 16,
} as const

/**
 * L of §9.1: the packs of one listing in the order of their names, which gives each its ordinal. About 45 bytes a pack,
 * 170 MB for the 3.7 million of 250 TiB.
 */
export class PackTable {
  readonly #names: Buffer[] = []
  #sizes = new Uint32Array(1024)
  #flags = new Uint8Array(1024)
  #count = 0
  #bytes = 0

  /** Follows the listing to its end. `flagsOf` is asked once for each pack. Throws ListingIncomplete if it is out of order. */
  static async list(
    store: ObjectStore,
    flagsOf: (sha: string, info: ObjectInfo) => number,
    signal: AbortSignal,
  ): Promise<PackTable> {
    const table = new PackTable()
    for await (const page of packPages(store, signal)) {
      for (const { sha, info } of page) table.add(sha, info.size, flagsOf(sha, info))
    }
    return table
  }

  get count(): number {
    return this.#count
  }

  /** Of all packs together. */
  get bytes(): number {
    return this.#bytes
  }

  /** In ascending order of names. */
  add(sha: string, size: number, flags: number): void {
    const name = fromHex(sha, 32, 'pack name')
    const ordinal = this.#count
    if (ordinal > 0 && this.#compare(name, ordinal - 1) <= 0) {
      throw new HoldfastError('ListingIncomplete', `the listing of pack/ is out of order at ${sha}`)
    }
    if (ordinal === this.#sizes.length) this.#grow()
    if (ordinal % PIECE === 0) this.#names.push(Buffer.allocUnsafe(32 * PIECE))
    name.copy(this.#piece(ordinal), 32 * (ordinal % PIECE))
    this.#sizes[ordinal] = size
    this.#flags[ordinal] = flags
    this.#count += 1
    this.#bytes += size
  }

  name(ordinal: number): string {
    const at = 32 * (ordinal % PIECE)
    return this.#piece(ordinal).toString('hex', at, at + 32)
  }

  /** Copies the 32 bytes of a name to `into`. */
  copyName(ordinal: number, into: Uint8Array, at: number): void {
    const from = 32 * (ordinal % PIECE)
    this.#piece(ordinal).copy(into, at, from, from + 32)
  }

  size(ordinal: number): number {
    return this.#sizes[ordinal] ?? 0
  }

  has(ordinal: number, flags: number): boolean {
    return ((this.#flags[ordinal] ?? 0) & flags) !== 0
  }

  flag(ordinal: number, flags: number): void {
    this.#flags[ordinal] = (this.#flags[ordinal] ?? 0) | flags
  }

  /** V of §9.1: listed, and in no set of the reading before. */
  isHome(ordinal: number): boolean {
    return !this.has(ordinal, packFlag.final | packFlag.pending)
  }

  /** undefined if the listing did not show it. */
  ordinal(sha: string): number | undefined {
    return this.ordinalAt(fromHex(sha, 32, 'pack name'), 0)
  }

  /** As ordinal, for the 32 bytes at `at`. Names are uniform: the place is guessed first, then the rest is halved. */
  ordinalAt(bytes: Buffer, at: number): number | undefined {
    let low = 0
    let high = this.#count
    if (high === 0) return undefined
    const guess = Math.floor((bytes.readUInt32BE(at) / 2 ** 32) * high)
    const reach = 4 * Math.ceil(Math.sqrt(high))
    if (guess - reach > low && this.#order(bytes, at, guess - reach) >= 0) low = guess - reach
    if (guess + reach < high && this.#order(bytes, at, guess + reach) < 0) high = guess + reach
    while (low < high) {
      const middle = (low + high) >>> 1
      const order = this.#order(bytes, at, middle)
      if (order === 0) return middle
      if (order < 0) high = middle
      else low = middle + 1
    }
    return undefined
  }

  /** First ordinal, not below `from`, whose name is not before the 32 bytes at `at`. Near `from` it takes few steps. */
  lowerBound(bytes: Buffer, at: number, from: number): number {
    let low = from
    let step = 1
    while (low + step <= this.#count && this.#order(bytes, at, low + step - 1) > 0) {
      low += step
      step *= 2
    }
    let high = Math.min(this.#count, low + step)
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#order(bytes, at, middle) > 0) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Whether the name of a pack is these 32 bytes. */
  isAt(ordinal: number, bytes: Buffer, at: number): boolean {
    return this.#order(bytes, at, ordinal) === 0
  }

  #compare(name: Buffer, ordinal: number): number {
    return this.#order(name, 0, ordinal)
  }

  #order(bytes: Buffer, at: number, ordinal: number): number {
    const from = 32 * (ordinal % PIECE)
    return bytes.compare(this.#piece(ordinal), from, from + 32, at, at + 32)
  }

  #piece(ordinal: number): Buffer {
    const piece = this.#names[Math.floor(ordinal / PIECE)]
    if (piece === undefined) throw new RangeError(`pack ${ordinal} of ${this.#count}`)
    return piece
  }

  #grow(): void {
    const sizes = new Uint32Array(2 * this.#sizes.length)
    sizes.set(this.#sizes)
    this.#sizes = sizes
    const flags = new Uint8Array(2 * this.#flags.length)
    flags.set(this.#flags)
    this.#flags = flags
  }
}

/** The listing of `pack/`, page by page, in the order of names. */
export async function* packPages(
  store: ObjectStore,
  signal: AbortSignal,
): AsyncGenerator<{ readonly sha: string; readonly info: ObjectInfo }[]> {
  for (let cursor: string | undefined; ;) {
    throwIfAborted(signal)
    const { objects, next } = await store.list('pack/', cursor)
    yield objects.flatMap((info) => {
      const parsed = parseName(info.name)
      return parsed?.kind === 'pack' ? [{ sha: parsed.sha, info }] : []
    })
    if (next === undefined) return
    if (cursor !== undefined && next <= cursor) {
      throw new HoldfastError('ListingIncomplete', `listing pack/ does not advance beyond ${next}`)
    }
    cursor = next
  }
}
