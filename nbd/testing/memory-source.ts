import { bytes, HoldfastError } from '../../base/index.ts'
import type { Extent } from '../extents/types.ts'
import type { BlockSource } from '../server/types.ts'

/** A disk in memory that knows its holes in units of `grain`, and can be told to fail or to wait. */
export class MemorySource implements BlockSource {
  readonly size
  readonly content: Buffer
  readonly grain: number
  readonly calls: string[] = []
  /** Called before every read with its offset; a throw fails it, a promise delays it. */
  onRead: (at: number, signal: AbortSignal) => void | Promise<void> = () => undefined
  readsUnderWay = 0

  constructor(size: number, grain = 4096) {
    this.size = bytes(size)
    this.content = Buffer.alloc(size)
    this.grain = grain
  }

  async read(at: number, into: Uint8Array, signal: AbortSignal): Promise<void> {
    this.calls.push(`read ${at}+${into.length}`)
    this.readsUnderWay += 1
    try {
      await this.onRead(at, signal)
      if (signal.aborted) throw new HoldfastError('Cancelled', 'the client left')
      into.set(this.content.subarray(at, at + into.length))
    } finally {
      this.readsUnderWay -= 1
    }
  }

  async *blockStatus(range: { start: number; end: number }): AsyncGenerator<Extent, void, undefined> {
    for (let at = range.start - (range.start % this.grain); at < range.end; at += this.grain) {
      const piece = this.content.subarray(at, at + this.grain)
      yield {
        offset: bytes(at),
        length: bytes(piece.length),
        kind: piece.every((byte) => byte === 0) ? 'zero' : 'data',
      }
    }
  }

  async write(at: number, data: Uint8Array): Promise<void> {
    this.calls.push(`write ${at}+${data.length}`)
    this.content.set(data, at)
  }

  async zero(range: { start: number; end: number }, keepAllocated: boolean): Promise<void> {
    this.calls.push(`zero ${range.start}-${range.end}${keepAllocated ? ' allocated' : ''}`)
    this.content.fill(0, range.start, range.end)
  }

  async trim(range: { start: number; end: number }): Promise<void> {
    this.calls.push(`trim ${range.start}-${range.end}`)
  }

  async flush(): Promise<void> {
    this.calls.push('flush')
  }
}

/** The same disk without the right to write. */
export function readOnly(source: MemorySource): BlockSource {
  return {
    size: source.size,
    read: async (at, into, signal) => await source.read(at, into, signal),
    blockStatus: (range) => source.blockStatus(range),
  }
}
