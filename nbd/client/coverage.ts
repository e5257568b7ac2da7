import { Limit } from '../codec/constants.ts'
import { mismatch } from '../codec/bytes.ts'

/**
 * Which bytes of one read have been answered. Chunks may come in any order but never overlap (proto.md, "OFFSET_DATA");
 * kept as sorted disjoint islands, of which there is one as long as the server answers in order.
 */
export class Coverage {
  readonly #length: number
  /** start, end, start, end, … */
  #islands: number[] = []

  constructor(length: number) {
    this.#length = length
  }

  /** Offsets are relative to the request. */
  add(start: number, length: number): void {
    const end = start + length
    if (length === 0 || start < 0 || end > this.#length) throw mismatch('a chunk lies outside its request')
    const islands = this.#islands
    let index = islands.length
    while (index > 0 && (islands[index - 2] ?? 0) > start) index -= 2
    const previousEnd = islands[index - 1] ?? -1
    const nextStart = islands[index] ?? Infinity
    if (start < previousEnd || end > nextStart) throw mismatch('two chunks of one reply overlap')
    const joinsPrevious = start === previousEnd
    const joinsNext = end === nextStart
    if (joinsPrevious && joinsNext) islands.splice(index - 1, 2)
    else if (joinsPrevious) islands[index - 1] = end
    else if (joinsNext) islands[index] = start
    else islands.splice(index, 0, start, end)
    if (islands.length > 2 * Limit.READ_FRAGMENTS) throw mismatch('a reply is shattered into too many pieces')
  }

  isComplete(): boolean {
    return (
      this.#length === 0 || (this.#islands.length === 2 && this.#islands[0] === 0 && this.#islands[1] === this.#length)
    )
  }
}
