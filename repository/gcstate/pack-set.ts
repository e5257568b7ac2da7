import { buffer, fromHex, packTable, toHex } from '../format/index.ts'

/** A set of packs as sorted 32-byte names: a condemned set can have a million. */
export class PackSet {
  readonly #table: Buffer

  /** `names` in hex, sorted. */
  constructor(names: readonly string[]) {
    this.#table = packTable(names, 'pack set')
  }

  get size(): number {
    return this.#table.length / 32
  }

  has(pack: string): boolean {
    const wanted = fromHex(pack, 32, 'pack name')
    let low = 0
    for (let high = this.size; low < high;) {
      const middle = (low + high) >>> 1
      const order = buffer(this.#table).compare(wanted, 0, 32, 32 * middle, 32 * middle + 32)
      if (order === 0) return true
      if (order < 0) low = middle + 1
      else high = middle
    }
    return false
  }

  *[Symbol.iterator](): Generator<string> {
    for (let at = 0; at < this.#table.length; at += 32) yield toHex(this.#table.subarray(at, at + 32))
  }
}
