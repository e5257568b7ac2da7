import { bytes, HoldfastError } from '../../base/index.ts'
import { DirtyFlag } from '../codec/constants.ts'
import { mismatch } from '../codec/bytes.ts'
import type { BlockSizes } from '../client/types.ts'
import { span } from './ranges.ts'
import type { ByteRange, StatusExtent } from './types.ts'

/** What the walker needs of a client. */
export interface StatusReader {
  readonly size: number
  readonly contexts: readonly string[]
  readonly blockSizes: BlockSizes
  blockStatus(
    range: ByteRange,
    options?: { readonly signal?: AbortSignal },
  ): Promise<ReadonlyMap<string, readonly StatusExtent[]>>
}

/** A piece on which no context changes its flags. */
export interface StatusSpan extends ByteRange {
  /** In the order of `StatusReader.contexts`. */
  readonly flags: readonly number[]
}

/** The length field has 32 bits; this is the largest multiple of 4 KiB in it. */
const MAX_QUERY = 0xfffff000

/**
 * Block status of `range` in all selected contexts: sorted, gap-free, exactly the range. Goes on where an answer ended
 * early (proto.md lets servers answer short), and only one answer is in memory at a time. All contexts fail together: on
 * a QEMU access node `base:allocation` of anything but dirty ranges is EINVAL, see `changedExtents`.
 */
export async function* walkStatus(
  reader: StatusReader,
  range: ByteRange,
  signal?: AbortSignal,
): AsyncGenerator<StatusSpan, void, undefined> {
  const { minimum } = reader.blockSizes
  const last = Math.min(Math.ceil(range.end / minimum) * minimum, reader.size)
  let at = range.start - (range.start % minimum)
  while (at < range.end) {
    const query = span(at, Math.min(last, at + MAX_QUERY - (MAX_QUERY % minimum)))
    const answer = await reader.blockStatus(query, signal ? { signal } : {})
    const lists = reader.contexts.map((name) => answer.get(name) ?? [])
    const covered = Math.min(...lists.map(endOf))
    const end = covered === query.end ? covered : covered - (covered % minimum)
    if (!(end > at)) throw mismatch(`block status at ${at} made no progress`)
    yield* clip(zip(lists, span(at, end)), range)
    at = end
  }
}

/** One context alone; neighbours with equal flags are joined, across answers too. */
export async function* walkContext(
  reader: StatusReader,
  context: string,
  range: ByteRange,
  signal?: AbortSignal,
): AsyncGenerator<StatusExtent, void, undefined> {
  const index = reader.contexts.indexOf(context)
  if (index < 0) throw new HoldfastError('Unsupported', `the NBD export has no metadata context ${context}`)
  let open = null as StatusExtent | null
  for await (const piece of walkStatus(reader, range, signal)) {
    const flags = piece.flags[index] ?? 0
    const length = piece.end - piece.start
    if (open?.flags === flags) {
      open = { offset: open.offset, length: bytes(open.length + length), flags }
      continue
    }
    if (open) yield open
    open = { offset: piece.start, length: bytes(length), flags }
  }
  if (open) yield open
}

/** What a `qemu:dirty-bitmap:` context calls dirty inside `range`: sorted, disjoint, merged. */
export async function* dirtyRanges(
  reader: StatusReader,
  context: string,
  range: ByteRange,
  signal?: AbortSignal,
): AsyncGenerator<ByteRange, void, undefined> {
  let open = null as ByteRange | null
  for await (const extent of walkContext(reader, context, range, signal)) {
    if ((extent.flags & DirtyFlag.DIRTY) === 0) continue
    const end = extent.offset + extent.length
    if (open?.end === extent.offset) {
      open = span(open.start, end)
      continue
    }
    if (open) yield open
    open = span(extent.offset, end)
  }
  if (open) yield open
}

/** Cuts the lists, each gap-free from `range.start`, at every boundary of any of them. */
function* zip(lists: readonly (readonly StatusExtent[])[], range: ByteRange): Generator<StatusSpan, void, undefined> {
  const positions = lists.map(() => 0)
  let at: number = range.start
  while (at < range.end) {
    const heads = lists.map((list, index) => list[positions[index] ?? 0])
    let end: number = range.end
    for (const head of heads) {
      if (!head || head.offset > at) throw mismatch(`block status has a gap at ${at}`)
      end = Math.min(end, head.offset + head.length)
    }
    yield { ...span(at, end), flags: heads.map((head) => head?.flags ?? 0) }
    heads.forEach((head, index) => {
      if (head && head.offset + head.length === end) positions[index] = (positions[index] ?? 0) + 1
    })
    at = end
  }
}

function* clip(pieces: Iterable<StatusSpan>, range: ByteRange): Generator<StatusSpan, void, undefined> {
  for (const piece of pieces) {
    const start = Math.max(piece.start, range.start)
    const end = Math.min(piece.end, range.end)
    if (start < end) yield { ...span(start, end), flags: piece.flags }
  }
}

function endOf(list: readonly StatusExtent[]): number {
  const last = list.at(-1)
  return last ? last.offset + last.length : 0
}
