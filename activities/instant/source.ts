import { setTimeout as sleep } from 'node:timers/promises'
import { MiB, bytes, toHoldfastError } from '../../base/index.ts'
import type { HoldfastError } from '../../base/index.ts'
import type { BlockSource, ByteRange, Extent } from '../../nbd/index.ts'
import type { DiskReader } from '../../repository/index.ts'
import { ReadOrder, type Demand } from './boot.ts'
import type { BlockCache } from './cache.ts'

/** What is fetched and kept at a time; a chunk of the repository. */
const block = MiB
/** Blocks that one read fetches at the same time. */
const parallel = 4
/** Blocks fetched ahead of a reader that goes through the disk in order. */
const maxAhead = 4
/** Content of a stretch of a disk that is taken as a whole; two of them are in memory. */
const stretch = 16 * MiB
const firstPauseMs = 250
const longestPauseMs = 5_000

export interface ServedFigures {
  /** Bytes that were asked for and are no holes. */
  readonly readBytes: number
  /** Bytes that came from the repository, read ahead included. */
  readonly fetchedBytes: number
}

export interface PointSourceOptions {
  /** Names the disk in the cache. */
  readonly name: string
  readonly size: number
  /** Opens the disk, or gives it again; may fail and be asked again. */
  readonly open: () => Promise<DiskReader>
  readonly cache: BlockCache
  /** Told of the reads that are under way. */
  readonly demand?: Demand
  /** Told of each failure that is waited out, or that nobody waits for. Must not throw. */
  readonly onWait: (error: unknown) => void
}

interface Part {
  readonly offset: number
  readonly data: Uint8Array
}

/**
 * One disk of a stored point as a block device. A store that is away or stalls is waited for, however long: the guest sees
 * a slow disk, never an error. Only what no waiting mends, proved damage above all, is an error.
 */
export class PointSource implements BlockSource {
  readonly size: BlockSource['size']
  /** What was read first. */
  readonly order = new ReadOrder()
  readonly #options: PointSourceOptions
  readonly #ended = new AbortController()
  #readBytes = 0
  #fetchedBytes = 0
  /** The block after the last one that was read. */
  #next = -1
  #ahead = 0

  constructor(options: PointSourceOptions) {
    this.#options = options
    this.size = bytes(options.size)
  }

  get figures(): ServedFigures {
    return { readBytes: this.#readBytes, fetchedBytes: this.#fetchedBytes }
  }

  /** Fails everything that waits. */
  end(): void {
    this.#ended.abort()
  }

  async read(at: number, into: Uint8Array, signal: AbortSignal): Promise<void> {
    if (into.length === 0) return
    const first = Math.floor(at / block)
    const last = Math.floor((at + into.length - 1) / block)
    this.#readBytes += into.length
    this.order.note(first, last)
    const { demand } = this.#options
    const blocks = (): Promise<void> => this.#readBlocks(at, into, { first, last }, signal)
    await (demand === undefined ? blocks() : demand.during(blocks))
    this.#readAhead(first, last)
  }

  async #readBlocks(
    at: number,
    into: Uint8Array,
    { first, last }: { readonly first: number; readonly last: number },
    signal: AbortSignal,
  ): Promise<void> {
    for (let from = first; from <= last; from += parallel) {
      signal.throwIfAborted()
      const numbers = Array.from({ length: Math.min(parallel, last - from + 1) }, (_, n) => from + n)
      await Promise.all(
        numbers.map(async (number) => {
          const content = await this.#block(number)
          const start = Math.max(at, number * block)
          const end = Math.min(at + into.length, number * block + content.length)
          into.set(content.subarray(start - number * block, end - number * block), start - at)
        }),
      )
    }
  }

  async *blockStatus(range: ByteRange, signal: AbortSignal): AsyncGenerator<Extent, void, undefined> {
    for (let start: number = range.start; start < range.end;) {
      signal.throwIfAborted()
      // By pieces, so that a table that cannot be read now is asked for again where it was missing.
      const end = Math.min(range.end, start + 1024 * block)
      const runs = await this.#patiently(async () => Array.fromAsync((await this.#options.open()).runs(start, end)))
      for (const { offset, length, kind } of runs)
        yield { offset: bytes(offset), length: bytes(length), kind: kind === 'hole' ? 'zero' : 'data' }
      start = end
    }
  }

  /**
   * All content in ascending order, holes left out; memory is used again once the next part is asked for. While one stretch
   * is taken the next one is read, as a restore reads it, into memory of its own: whoever takes slowly, or not at all, keeps
   * nothing of what restores and backups share.
   */
  async *stream(asked: AbortSignal): AsyncGenerator<Part, void, undefined> {
    const over = new AbortController()
    const signal = AbortSignal.any([asked, over.signal, this.#ended.signal])
    const spans = this.#spans(signal)
    const memory = [new Uint8Array(stretch), new Uint8Array(stretch)] as const
    const fetchOne = async (into: Uint8Array): Promise<readonly Part[] | null> => {
      const span = await spans.next()
      return span.done === true ? null : this.#content(span.value, into, signal)
    }
    // Settled, because a failure is thrown in its turn, and is nobody's where the taker has left.
    const fetchNext = (into: Uint8Array) => Promise.allSettled([fetchOne(into)])
    let next = fetchNext(memory[0])
    try {
      for (let turn: 0 | 1 = 1; ; turn = turn === 1 ? 0 : 1) {
        const [fetched] = await next
        if (fetched.status === 'rejected') throw fetched.reason
        if (fetched.value === null) return
        next = fetchNext(memory[turn])
        yield* fetched.value
      }
    } finally {
      over.abort()
    }
  }

  /** Stretches that hold so much content each. */
  async *#spans(signal: AbortSignal): AsyncGenerator<{ readonly start: number; readonly end: number }> {
    const whole = { start: bytes(0), end: this.size }
    let start = 0
    let end = 0
    let held = 0
    for await (const { offset, length, kind } of this.blockStatus(whole, signal)) {
      for (let at: number = offset; kind === 'data' && at < offset + length; at = end) {
        if (held === 0) start = at
        end = Math.min(offset + length, at + stretch - held)
        held += end - at
        if (held < stretch) continue
        yield { start, end }
        held = 0
      }
    }
    if (held > 0) yield { start, end }
  }

  async #content(
    { start, end }: { readonly start: number; readonly end: number },
    into: Uint8Array,
    signal: AbortSignal,
  ): Promise<readonly Part[]> {
    const parts: Part[] = []
    let from = start
    let used = 0
    await this.#patiently(async () => {
      const reader = await this.#options.open()
      for await (const { offset, data } of reader.stream(from, end, signal, { isRestore: true })) {
        const part = into.subarray(used, used + data.length)
        part.set(data)
        parts.push({ offset, data: part })
        used += data.length
        from = offset + data.length
        this.#fetchedBytes += data.length
      }
    })
    return parts
  }

  /** Another source of the same disk may have been ended in the middle of the fetch that we have joined. */
  async #block(number: number): Promise<Uint8Array> {
    const { name, cache } = this.#options
    for (;;) {
      let isOurs = false
      try {
        return await cache.get(`${name} ${number}`, () => {
          isOurs = true
          return this.#fetch(number)
        })
      } catch (error) {
        if (isOurs || this.#ended.signal.aborted) throw error
      }
    }
  }

  #fetch(number: number): Promise<Uint8Array> {
    const start = number * block
    return this.#patiently(async () => {
      const content = new Uint8Array(Math.min(block, this.size - start))
      const reader = await this.#options.open()
      await reader.read(start, content, this.#ended.signal)
      this.#fetchedBytes += content.length
      return content
    })
  }

  /** Doubles with every read that goes on where the last one ended; a jump begins anew. */
  #readAhead(first: number, last: number): void {
    const goesOn = first === this.#next || first === this.#next - 1
    this.#ahead = goesOn ? Math.min(maxAhead, Math.max(1, this.#ahead * 2)) : 0
    this.#next = last + 1
    for (let number = last + 1; number <= last + this.#ahead && number * block < this.size; number += 1)
      void this.fetchAhead(number)
  }

  /** Into the cache, unless it is a hole. Never throws: a failure is met again by the read that wants the block. */
  async fetchAhead(number: number): Promise<void> {
    try {
      await this.#prefetch(number)
    } catch (error) {
      this.#options.onWait(error)
    }
  }

  async #prefetch(number: number): Promise<void> {
    const { name, cache } = this.#options
    if (cache.has(`${name} ${number}`)) return
    const start = number * block
    if (start >= this.size) return
    const reader = await this.#options.open()
    for await (const { kind } of reader.runs(start, Math.min(this.size, start + block)))
      if (kind === 'data') {
        await this.#block(number)
        return
      }
  }

  async #patiently<T>(work: () => Promise<T>): Promise<T> {
    const { signal } = this.#ended
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(longestPauseMs, pauseMs * 2)) {
      signal.throwIfAborted()
      try {
        return await work()
      } catch (thrown) {
        const error = toHoldfastError(thrown)
        if (signal.aborted || !passes(error)) throw error
        this.#options.onWait(error)
        await sleep(pauseMs, undefined, { signal })
      }
    }
  }
}

function passes({ retry, code }: HoldfastError): boolean {
  return code !== 'Internal' && (retry === 'transient' || retry === 'after' || retry === 'operator')
}
