import { bytes, HoldfastError } from '../../base/index.ts'
import type { ByteRange, Source } from './types.ts'

/*
 * Set algebra over streams of ranges. Inputs are sorted by `start` and may overlap or touch; outputs are in normal form:
 * sorted, disjoint, no two touching, none empty. Nothing is held but the range at hand, whatever the disk's size.
 */

/** Normal form of a sorted stream. An input out of order is a bug of its maker and throws, for it would lose changes. */
export async function* mergeRanges(source: Source<ByteRange>): AsyncGenerator<ByteRange, void, undefined> {
  let open = null as ByteRange | null
  for await (const range of source) {
    if (range.end < range.start) throw unsound(`range ${range.start}–${range.end} ends before it starts`)
    if (open && range.start < open.start) throw unsound(`range at ${range.start} came after one at ${open.start}`)
    if (range.start === range.end) continue
    if (open && range.start <= open.end) {
      if (range.end > open.end) open = { start: open.start, end: range.end }
      continue
    }
    if (open) yield open
    open = range
  }
  if (open) yield open
}

/** Normal form of a list in any order. */
export async function normaliseRanges(list: readonly ByteRange[]): Promise<ByteRange[]> {
  return await Array.fromAsync(mergeRanges([...list].sort((a, b) => a.start - b.start)))
}

/** Bytes in both. */
export async function* intersectRanges(
  left: Source<ByteRange>,
  right: Source<ByteRange>,
): AsyncGenerator<ByteRange, void, undefined> {
  const others = mergeRanges(right)
  try {
    let other = await others.next()
    for await (const range of mergeRanges(left)) {
      while (!other.done && other.value.end <= range.start) other = await others.next()
      while (!other.done && other.value.start < range.end) {
        yield span(Math.max(range.start, other.value.start), Math.min(range.end, other.value.end))
        if (other.value.end > range.end) break
        other = await others.next()
      }
    }
  } finally {
    await others.return()
  }
}

/** Bytes of `left` that are not in `right`. */
export async function* subtractRanges(
  left: Source<ByteRange>,
  right: Source<ByteRange>,
): AsyncGenerator<ByteRange, void, undefined> {
  const holes = mergeRanges(right)
  try {
    let hole = await holes.next()
    for await (const range of mergeRanges(left)) {
      let at: number = range.start
      while (!hole.done && hole.value.end <= at) hole = await holes.next()
      while (!hole.done && hole.value.start < range.end) {
        if (hole.value.start > at) yield span(at, hole.value.start)
        at = hole.value.end
        if (at >= range.end) break
        hole = await holes.next()
      }
      if (at < range.end) yield span(at, range.end)
    }
  } finally {
    await holes.return()
  }
}

/** Grows every range outwards to multiples of `alignment`, but not beyond `end`: whole chunks, merged where they meet. */
export async function* widenRanges(
  source: Source<ByteRange>,
  alignment: number,
  end: number,
): AsyncGenerator<ByteRange, void, undefined> {
  yield* mergeRanges(grow(source, alignment, end))
}

async function* grow(
  source: Source<ByteRange>,
  alignment: number,
  end: number,
): AsyncGenerator<ByteRange, void, undefined> {
  for await (const range of source) {
    if (range.end > end) throw unsound(`range ${range.start}–${range.end} reaches beyond ${end}`)
    if (range.start === range.end) continue
    const start = range.start - (range.start % alignment)
    yield span(start, Math.min(Math.ceil(range.end / alignment) * alignment, end))
  }
}

/** What of `source` lies in `range`. */
export function clipRanges(source: Source<ByteRange>, range: ByteRange): AsyncGenerator<ByteRange, void, undefined> {
  return intersectRanges(source, [range])
}

export function span(start: number, end: number): ByteRange {
  return { start: bytes(start), end: bytes(end) }
}

function unsound(message: string): HoldfastError {
  return new HoldfastError('Internal', `unsound extents: ${message}`)
}
