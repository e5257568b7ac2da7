import { HoldfastError } from '../../base/index.ts'
import type { SourceExtent } from '../types.ts'

/** A stretch of one chunk. `gap`: no extent says anything about it; in an incremental it is unchanged. */
export interface Piece {
  readonly start: number
  readonly end: number
  readonly kind: SourceExtent['kind'] | 'gap'
}

/** One chunk to decide (from the source's extents), or a run of whole chunks that need no reading. */
export type PlanItem =
  | { readonly kind: 'chunk'; readonly index: number; readonly pieces: readonly Piece[] }
  | { readonly kind: 'run'; readonly index: number; readonly count: number; readonly as: 'zero' | 'unallocated' }

/**
 * Walks a source's extents once, in order, and cuts them into the chunks of one page after the other (§6.1, §6.2). Throws
 * SourceReadFailed for extents that are out of order, overlap or leave the range they were asked for.
 */
export class ExtentCursor {
  readonly #extents: AsyncIterator<SourceExtent>
  readonly #start: number
  readonly #end: number
  #current: SourceExtent | undefined
  #last: number
  #ended = false

  constructor(extents: AsyncIterable<SourceExtent>, start: number, end: number) {
    this.#extents = extents[Symbol.asyncIterator]()
    this.#start = start
    this.#end = end
    this.#last = start
  }

  /** Start of the first extent that is not used up; the end of the range if there is none. */
  async next(): Promise<number> {
    const extent = await this.#peek()
    return extent?.offset ?? this.#end
  }

  /**
   * The items of [start, end), chunks of `size` bytes counted from `origin`. In an incremental (`gaps`) a chunk that no
   * extent touches yields nothing, unless `forced` names it; otherwise a gap is an error.
   */
  async *items(options: {
    readonly origin: number
    readonly start: number
    readonly end: number
    readonly size: number
    readonly gaps: boolean
    readonly forced: ReadonlySet<number>
  }): AsyncGenerator<PlanItem> {
    const { origin, start, end, size, gaps, forced } = options
    const forcedInOrder = [...forced].sort((a, b) => a - b)
    let run: { index: number; count: number; as: 'zero' | 'unallocated' } | undefined
    for (let at = start; at < end;) {
      const touched = Math.max(at, Math.min(end, await this.next()))
      while (forcedInOrder[0] !== undefined && origin + forcedInOrder[0] * size < at) forcedInOrder.shift()
      const wanted = Math.min(touched, forcedInOrder[0] === undefined ? end : origin + forcedInOrder[0] * size)
      if (gaps && wanted >= end) break
      const index = Math.floor(((gaps ? wanted : at) - origin) / size)
      const from = origin + index * size
      const to = Math.min(end, from + size)
      const pieces = await this.#pieces(from, to)
      at = to
      if (!gaps && pieces.some((piece) => piece.kind === 'gap')) {
        throw badExtents(`no extent covers all of bytes ${from} … ${to - 1}, as a full needs`)
      }
      const as = wholly(pieces)
      if (as !== undefined && run !== undefined && run.as === as && run.index + run.count === index) {
        run.count += 1
        continue
      }
      if (run !== undefined) yield { kind: 'run', ...run }
      run = undefined
      if (as !== undefined) run = { index, count: 1, as }
      else yield { kind: 'chunk', index, pieces }
    }
    if (run !== undefined) yield { kind: 'run', ...run }
  }

  async close(): Promise<void> {
    await this.#extents.return?.()
  }

  /** Consumes the extents up to `to`. */
  async #pieces(from: number, to: number): Promise<Piece[]> {
    const pieces: Piece[] = []
    let at = from
    while (at < to) {
      const extent = await this.#peek()
      if (extent === undefined || extent.offset >= to) {
        pieces.push({ start: at, end: to, kind: 'gap' })
        break
      }
      if (extent.offset > at) pieces.push({ start: at, end: extent.offset, kind: 'gap' })
      const start = Math.max(at, extent.offset)
      const stop = Math.min(to, extent.offset + extent.length)
      pieces.push({ start, end: stop, kind: extent.kind })
      at = stop
      const rest = extent.offset + extent.length - stop
      this.#current = rest > 0 ? { offset: stop, length: rest, kind: extent.kind } : undefined
    }
    return pieces
  }

  async #peek(): Promise<SourceExtent | undefined> {
    while (this.#current === undefined && !this.#ended) {
      const step = await this.#extents.next()
      if (step.done === true) {
        this.#ended = true
        break
      }
      const { offset, length, kind } = step.value
      const fits = Number.isSafeInteger(offset) && Number.isSafeInteger(length) && length > 0
      if (!fits || offset < this.#last || offset < this.#start || offset + length > this.#end) {
        throw badExtents(`extent ${offset}+${length} is out of order or leaves ${this.#start} … ${this.#end}`)
      }
      this.#last = offset + length
      this.#current = { offset, length, kind }
    }
    return this.#current
  }
}

/** §6.2, rulings 12: what a chunk is without being read; undefined if it has to be read. */
function wholly(pieces: readonly Piece[]): 'zero' | 'unallocated' | undefined {
  if (pieces.some(({ kind }) => kind === 'data' || kind === 'gap')) return undefined
  return pieces.every(({ kind }) => kind === 'unallocated') ? 'unallocated' : 'zero'
}

function badExtents(why: string): HoldfastError {
  return new HoldfastError('SourceReadFailed', `the source's extents cannot be used: ${why}`, {
    data: { side: 'source' },
  })
}
