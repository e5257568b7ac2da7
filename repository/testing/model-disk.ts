import { MiB } from '../../base/index.ts'
import type { DiskSource, SourceExtent } from '../types.ts'

/** Deterministic bytes from a seed: a disk's content that a failing test can show again. */
export function seededBytes(seed: number, length: number): Uint8Array {
  const bytes = new Uint32Array(Math.ceil(length / 4))
  let state = (seed * 2654435761 + 1) >>> 0
  for (let i = 0; i < bytes.length; i++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    bytes[i] = state >>> 0
  }
  return new Uint8Array(bytes.buffer, 0, length)
}

/** A model of a disk: its size, and what was written; everything else is zero. Sparse, so that disks of GiBs are cheap. */
export class ModelDisk {
  readonly size: number
  readonly #blocks: Map<number, Uint8Array>

  constructor(size: number, blocks: ReadonlyMap<number, Uint8Array> = new Map()) {
    this.size = size
    this.#blocks = new Map([...blocks].map(([index, block]) => [index, Uint8Array.from(block)]))
  }

  clone(): ModelDisk {
    return new ModelDisk(this.size, this.#blocks)
  }

  write(at: number, bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length;) {
      const index = Math.floor((at + done) / MiB)
      const from = (at + done) % MiB
      const length = Math.min(MiB - from, bytes.length - done)
      const block = this.#blocks.get(index) ?? new Uint8Array(MiB)
      block.set(bytes.subarray(done, done + length), from)
      this.#blocks.set(index, block)
      done += length
    }
  }

  zero(at: number, length: number): void {
    for (const [index, block] of this.#blocks) {
      const from = Math.max(at, index * MiB)
      const to = Math.min(at + length, (index + 1) * MiB)
      if (from < to) block.fill(0, from - index * MiB, to - index * MiB)
    }
  }

  read(at: number, into: Uint8Array): void {
    into.fill(0)
    for (let offset = at; offset < at + into.length;) {
      const index = Math.floor(offset / MiB)
      const from = offset % MiB
      const length = Math.min(MiB - from, at + into.length - offset)
      const block = this.#blocks.get(index)
      if (block) into.set(block.subarray(from, from + length), offset - at)
      offset += length
    }
  }

  bytes(at: number, length: number): Uint8Array {
    const into = new Uint8Array(length)
    this.read(at, into)
    return into
  }

  /** Offsets of the MiB blocks that were ever written. */
  written(): number[] {
    return [...this.#blocks.keys()].map((index) => index * MiB).sort((a, b) => a - b)
  }
}

export interface SourceOptions {
  readonly readable?: DiskSource['readable']
  /** Changed extents; default: all of the disk as data, unwritten MiBs as zero. */
  readonly extents?: readonly SourceExtent[]
  /** Called before each read; throws or waits to disturb it. */
  readonly onRead?: (at: number, length: number) => Promise<void> | void
  readonly maxInFlight?: number
}

/** A model disk as the writer reads it. Counts what is read; refuses to read outside the extents where it may not. */
export class ModelSource implements DiskSource {
  readonly size: number
  readonly readable: DiskSource['readable']
  readonly maxInFlight: number
  readonly #disk: ModelDisk
  readonly #options: SourceOptions
  bytesRead = 0

  constructor(disk: ModelDisk, options: SourceOptions = {}) {
    this.#disk = disk
    this.#options = options
    this.size = disk.size
    this.readable = options.readable ?? 'all'
    this.maxInFlight = options.maxInFlight ?? 4
  }

  async *extents(start: number, end: number): AsyncGenerator<SourceExtent> {
    for (const extent of this.#options.extents ?? this.#everything()) {
      const from = Math.max(start, extent.offset)
      const to = Math.min(end, extent.offset + extent.length)
      if (from < to) yield { offset: from, length: to - from, kind: extent.kind }
    }
  }

  async read(at: number, into: Uint8Array, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    await this.#options.onRead?.(at, into.length)
    if (this.readable === 'changed' && !this.#covers(at, at + into.length)) {
      throw new Error(`bytes ${at} … ${at + into.length} are not among the changed extents`)
    }
    this.#disk.read(at, into)
    this.bytesRead += into.length
  }

  #covers(from: number, to: number): boolean {
    let at = from
    for (const { offset, length, kind } of this.#options.extents ?? []) {
      if (kind === 'data' && offset <= at && offset + length > at) at = offset + length
    }
    return at >= to
  }

  *#everything(): Generator<SourceExtent> {
    let at = 0
    for (const offset of this.#disk.written()) {
      const length = Math.min(MiB, this.size - offset)
      if (offset > at) yield { offset: at, length: offset - at, kind: 'zero' }
      if (length > 0) yield { offset, length, kind: 'data' }
      at = offset + length
    }
    if (at < this.size) yield { offset: at, length: this.size - at, kind: 'zero' }
  }
}
