/** Bytes of an id that are kept: ids are keyed 256-bit MACs, of which 128 bits tell one from another as surely. */
const KEPT = 16

/**
 * Ids of blobs that have been met: about 25 bytes each, where a Set of strings takes a hundred. Open addressing by the id's
 * own first bytes, which are uniform.
 */
export class IdSet {
  #table = Buffer.alloc(KEPT * 1024)
  #mask = 1023
  #size = 0
  #hasZero = false

  get size(): number {
    return this.#size
  }

  /** Whether it was not there before. `id`: 32 bytes. */
  add(id: Uint8Array): boolean {
    if (10 * this.#size >= 7 * (this.#mask + 1)) this.#grow()
    const kept = Buffer.from(id.buffer, id.byteOffset, KEPT)
    // An empty place is all zero, so the id that is too is remembered apart.
    if (kept.every((byte) => byte === 0)) {
      const isNew = !this.#hasZero
      this.#hasZero = true
      if (isNew) this.#size += 1
      return isNew
    }
    const at = this.#find(kept, 0)
    if (!this.#isEmpty(at)) return false
    kept.copy(this.#table, at)
    this.#size += 1
    return true
  }

  has(id: Uint8Array): boolean {
    const kept = Buffer.from(id.buffer, id.byteOffset, KEPT)
    return kept.every((byte) => byte === 0) ? this.#hasZero : !this.#isEmpty(this.#find(kept, 0))
  }

  /** Byte offset of the id in the table, or of the empty place where it belongs. */
  #find(from: Buffer, offset: number): number {
    for (let place = from.readUInt32LE(offset) & this.#mask; ; place = (place + 1) & this.#mask) {
      const at = KEPT * place
      if (this.#isEmpty(at) || from.compare(this.#table, at, at + KEPT, offset, offset + KEPT) === 0) return at
    }
  }

  #isEmpty(at: number): boolean {
    const table = this.#table
    for (let word = at; word < at + KEPT; word += 4) if (table.readUInt32LE(word) !== 0) return false
    return true
  }

  #grow(): void {
    const old = this.#table
    this.#table = Buffer.alloc(2 * old.length)
    this.#mask = 2 * this.#mask + 1
    for (let at = 0; at < old.length; at += KEPT) {
      const isEmpty = old.readUInt32LE(at) === 0 && old.subarray(at, at + KEPT).every((byte) => byte === 0)
      if (!isEmpty) old.copy(this.#table, this.#find(old, at), at, at + KEPT)
    }
  }
}
