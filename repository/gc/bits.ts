/** Bits by number: one for each slot of each pack, 33 MB for 262 M of them. */
export class Bits {
  readonly #bytes: Uint8Array

  constructor(count: number) {
    this.#bytes = new Uint8Array(Math.ceil(count / 8))
  }

  has(index: number): boolean {
    return ((this.#bytes[index >>> 3] ?? 0) & (1 << (index & 7))) !== 0
  }

  /** Whether it was clear before. */
  set(index: number): boolean {
    const at = index >>> 3
    const before = this.#bytes[at] ?? 0
    const bit = 1 << (index & 7)
    this.#bytes[at] = before | bit
    return (before & bit) === 0
  }

  /** Whether it was set before. */
  clear(index: number): boolean {
    const at = index >>> 3
    const before = this.#bytes[at] ?? 0
    const bit = 1 << (index & 7)
    this.#bytes[at] = before & ~bit
    return (before & bit) !== 0
  }

  /** Whether any bit of [from, to) is set. */
  any(from: number, to: number): boolean {
    for (let index = from; index < to;) {
      if ((index & 7) === 0 && index + 8 <= to) {
        if (this.#bytes[index >>> 3] !== 0) return true
        index += 8
      } else if (this.has(index)) return true
      else index += 1
    }
    return false
  }
}
