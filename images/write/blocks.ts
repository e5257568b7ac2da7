import { HoldfastError, MiB } from '../../base/index.ts'
import type { ImageSource } from '../types.ts'

/** Which blocks of a disk have content: one bit each. */
export class BlockMap {
  readonly blockBytes: number
  /** Of the whole disk; the last one may reach over its end. */
  readonly total: number
  #used = 0
  readonly #bits: Uint8Array

  constructor(size: number, blockBytes: number) {
    this.blockBytes = blockBytes
    this.total = Math.ceil(size / blockBytes)
    this.#bits = new Uint8Array(Math.ceil(this.total / 8))
  }

  /** With content. */
  get used(): number {
    return this.#used
  }

  has(block: number): boolean {
    return ((this.#bits[block >> 3] ?? 0) & (1 << (block & 7))) !== 0
  }

  add(block: number): void {
    if (this.has(block)) return
    this.#bits[block >> 3] = (this.#bits[block >> 3] ?? 0) | (1 << (block & 7))
    this.#used += 1
  }

  /** In ascending order, from `first` to before `end`. */
  *blocks(first = 0, end = this.total): Generator<number, void, undefined> {
    for (let block = first; block < Math.min(end, this.total); block += 1) if (this.has(block)) yield block
  }
}

export async function mapBlocks(source: ImageSource, blockBytes: number, signal: AbortSignal): Promise<BlockMap> {
  const map = new BlockMap(source.size, blockBytes)
  for await (const { offset, length, kind } of source.runs()) {
    signal.throwIfAborted()
    if (kind === 'hole' || length === 0) continue
    const last = Math.floor((offset + length - 1) / blockBytes)
    for (let block = Math.floor(offset / blockBytes); block <= last; block += 1) map.add(block)
  }
  return map
}

const zeroBytes = new Uint8Array(MiB)

/** So many zeros, in pieces that nobody may write to. */
export function* zeros(length: number): Generator<Uint8Array, void, undefined> {
  for (let left = length; left > 0; left -= zeroBytes.byteLength) yield zeroBytes.subarray(0, Math.min(left, MiB))
}

/**
 * The content of the blocks of the map, one after the other, each filled up with zeros; before each block what `before`
 * gives. `unit`: the last block ends with the disk, rounded up to so many bytes.
 */
export async function* blockContent(
  source: ImageSource,
  map: BlockMap,
  { unit, before, signal }: { readonly unit: number; readonly before?: Uint8Array; readonly signal: AbortSignal },
): AsyncGenerator<Uint8Array, void, undefined> {
  const diskEnd = Math.ceil(source.size / unit) * unit
  const parts = new Parts(source.stream(signal)[Symbol.asyncIterator]())
  try {
    for (const block of map.blocks()) {
      if (before !== undefined) yield before
      const end = Math.min((block + 1) * map.blockBytes, diskEnd)
      for (let at = block * map.blockBytes; at < end;) {
        signal.throwIfAborted()
        const next = await parts.from(at)
        if (next === null || next >= end) {
          yield* zeros(end - at)
          at = end
        } else if (next > at) {
          yield* zeros(next - at)
          at = next
        } else {
          const data = parts.take(end - at)
          yield data
          at += data.byteLength
        }
      }
    }
    if ((await parts.from(source.size)) !== null) throw disagree()
  } finally {
    await parts.end()
  }
}

/** A stream of content, taken piece by piece. */
class Parts {
  readonly #source: AsyncIterator<{ readonly offset: number; readonly data: Uint8Array }>
  #at = 0
  #rest: Uint8Array = new Uint8Array()
  #isOver = false

  constructor(source: AsyncIterator<{ readonly offset: number; readonly data: Uint8Array }>) {
    this.#source = source
  }

  /** Where the next content begins, at `at` or later; null: there is no more. */
  async from(at: number): Promise<number | null> {
    while (this.#rest.byteLength === 0 && !this.#isOver) {
      const next = await this.#source.next()
      if (next.done === true) this.#isOver = true
      else [this.#at, this.#rest] = [next.value.offset, next.value.data]
    }
    if (this.#rest.byteLength === 0) return null
    // Content that no block has room for would be left out without a word.
    if (this.#at < at) throw disagree()
    return this.#at
  }

  /** What is next, `limit` bytes at most; it is there until `from` goes on. */
  take(limit: number): Uint8Array {
    const data = this.#rest.subarray(0, limit)
    this.#rest = this.#rest.subarray(data.byteLength)
    this.#at += data.byteLength
    return data
  }

  async end(): Promise<void> {
    await this.#source.return?.()
  }
}

function disagree(): HoldfastError {
  return new HoldfastError('Internal', 'the map of a disk and its content do not agree')
}
