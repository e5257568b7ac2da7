import { MiB, bytes } from '../../base/index.ts'
import type { RangeWriter } from '../../drivers/index.ts'
import type { DiskReader } from '../../repository/index.ts'

const maxInFlight = 8

/** Data of a stored disk in ascending order, holes left out. */
export interface DataStream {
  stream(start: number, end: number, signal: AbortSignal): ReturnType<DiskReader['stream']>
}

export interface FillTelling {
  /** These bytes may be at the target from now on. */
  readonly launched: (offset: number, length: number) => void
  /** So many of data are there, and holes, up to this offset. */
  readonly written: (offset: number, bytes: number) => void
  /** Everything before this chunk-aligned offset is durable; told after every so many bytes of data, and at the end. */
  readonly durable: (offset: number) => void
}

/**
 * Fills a stretch of a volume from a stored disk: data is written, holes are left where the volume is known to read as
 * zeros and zeroed elsewhere. The repository's buffers are reused, so each is copied before it flies.
 */
export class DiskFill implements AsyncDisposable {
  readonly #writer: RangeWriter
  readonly #signal: AbortSignal
  readonly #tell: FillTelling
  readonly #flying = new Set<Promise<void>>()
  /** Memory of writes that have landed: one for each that may fly, used again. */
  readonly #spare: ArrayBuffer[] = []
  #failure: { readonly error: unknown } | null = null

  constructor(writer: RangeWriter, signal: AbortSignal, tell: FillTelling) {
    this.#writer = writer
    this.#signal = signal
    this.#tell = tell
  }

  /** Writes from `start` to the end, at `size`; makes durable what is there after every `every` bytes of data. */
  async write(
    reader: DataStream,
    { start, size, every }: { readonly start: number; readonly size: number; readonly every: number },
  ): Promise<void> {
    const depth = this.#writer.order === 'ascending' ? 1 : Math.max(1, Math.min(maxInFlight, this.#writer.maxInFlight))
    let at = start
    let written = 0
    for await (const { offset, data } of reader.stream(start, size, this.#signal)) {
      this.#rethrow()
      await this.#hole(at, offset)
      if (written >= every && offset % MiB === 0) {
        await this.#flush()
        this.#tell.durable(offset)
        written = 0
      }
      await this.#room(depth)
      this.#launch(offset, this.#copy(data))
      written += data.byteLength
      at = offset + data.byteLength
    }
    await this.#hole(at, size)
    await this.#flush()
    this.#tell.durable(size)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#flying)
    await this.#writer[Symbol.asyncDispose]()
  }

  async #hole(start: number, end: number): Promise<void> {
    if (end <= start) return
    if (!this.#writer.startsZero) {
      await this.#room(1)
      await this.#writer.zero({ start: bytes(start), end: bytes(end) }, this.#signal)
    }
    this.#tell.written(end, 0)
  }

  #copy(data: Uint8Array): Uint8Array<ArrayBuffer> {
    const known = this.#spare.pop()
    const memory = known !== undefined && known.byteLength >= data.byteLength ? known : new ArrayBuffer(data.byteLength)
    const copy = new Uint8Array(memory, 0, data.byteLength)
    copy.set(data)
    return copy
  }

  #launch(offset: number, data: Uint8Array<ArrayBuffer>): void {
    this.#tell.launched(offset, data.byteLength)
    const flight = this.#writer.write(bytes(offset), data, this.#signal).then(
      () => {
        this.#spare.push(data.buffer)
        this.#tell.written(offset + data.byteLength, data.byteLength)
      },
      (error: unknown) => {
        this.#failure ??= { error }
      },
    )
    const landed = flight.finally(() => this.#flying.delete(landed))
    this.#flying.add(landed)
  }

  async #room(depth: number): Promise<void> {
    while (this.#flying.size >= depth) await Promise.race(this.#flying)
    this.#rethrow()
  }

  async #flush(): Promise<void> {
    await Promise.all(this.#flying)
    this.#rethrow()
    await this.#writer.finish()
  }

  #rethrow(): void {
    if (this.#failure !== null) throw this.#failure.error
  }
}
