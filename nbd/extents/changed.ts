import { bytes } from '../../base/index.ts'
import { AllocationFlag } from '../codec/constants.ts'
import { mergeRanges, span } from './ranges.ts'
import type { ByteRange, Extent, Source, StatusExtent } from './types.ts'

/** Questions about allocation that are asked before their answers are needed: a small dirty range costs a round trip. */
const AHEAD = 8

/**
 * Changed ∩ reads-as-zero is `zero`, all else that changed is `data` (drivers.md R11). Only the flag ZERO of
 * `base:allocation` promises zeros: a hole without it is data. What `allocation` leaves out counts as data too, so that
 * a short answer costs bytes and never content.
 *
 * `dirty`: sorted. For a full, the whole disk as one range.
 * `allocation`: sorted status of one dirty range. It is asked per range, never across a gap, because a QEMU access node
 * answers EINVAL for what is not dirty.
 * Result: sorted, disjoint, neighbours of one kind merged, covering exactly `dirty`.
 */
export async function* changedExtents(
  dirty: Source<ByteRange>,
  allocation: (range: ByteRange) => AsyncIterable<StatusExtent>,
): AsyncGenerator<Extent, void, undefined> {
  yield* mergeExtents(classifyAll(dirty, allocation))
}

async function* classifyAll(
  dirty: Source<ByteRange>,
  allocation: (range: ByteRange) => AsyncIterable<StatusExtent>,
): AsyncGenerator<Extent, void, undefined> {
  const asked: Asked[] = []
  try {
    for await (const range of mergeRanges(dirty)) {
      asked.push(ask(range, allocation))
      if (asked.length >= AHEAD) yield* classify(asked[0] as Asked)
      if (asked.length >= AHEAD) asked.shift()
    }
    for (; asked[0]; asked.shift()) yield* classify(asked[0])
  } finally {
    await Promise.allSettled(asked.map(async ({ answers }) => await answers.return?.()))
  }
}

interface Asked {
  readonly range: ByteRange
  readonly answers: AsyncIterator<StatusExtent>
  readonly first: Promise<IteratorResult<StatusExtent>>
}

function ask(range: ByteRange, allocation: (range: ByteRange) => AsyncIterable<StatusExtent>): Asked {
  const answers = allocation(range)[Symbol.asyncIterator]()
  const first = answers.next()
  // It may fail before anyone waits for it; whoever reads it later still gets the error.
  void Promise.allSettled([first])
  return { range, answers, first }
}

async function* classify({ range, answers, first }: Asked): AsyncGenerator<Extent, void, undefined> {
  yield* coverRange(range, toExtents(first, answers))
}

async function* toExtents(
  first: Promise<IteratorResult<StatusExtent>>,
  answers: AsyncIterator<StatusExtent>,
): AsyncGenerator<Extent, void, undefined> {
  try {
    for (let answer = await first; !answer.done; answer = await answers.next()) {
      const { offset, length, flags } = answer.value
      yield { offset, length, kind: (flags & AllocationFlag.ZERO) !== 0 ? 'zero' : 'data' }
    }
  } finally {
    await answers.return?.()
  }
}

/** Sorted extents cut to exactly `range`; what they leave out is data. */
export async function* coverRange(range: ByteRange, source: Source<Extent>): AsyncGenerator<Extent, void, undefined> {
  let at: number = range.start
  for await (const { offset, length, kind } of source) {
    const start = Math.max(offset, at)
    const end = Math.min(offset + length, range.end)
    if (start < end) {
      if (start > at) yield extent(at, start, 'data')
      yield extent(start, end, kind)
      at = end
    }
    if (at >= range.end) return
  }
  if (at < range.end) yield extent(at, range.end, 'data')
}

/** Joins touching neighbours of one kind. Input sorted and disjoint. */
export async function* mergeExtents(source: Source<Extent>): AsyncGenerator<Extent, void, undefined> {
  let open = null as Extent | null
  for await (const next of source) {
    if (next.length === 0) continue
    if (open && open.kind === next.kind && open.offset + open.length === next.offset) {
      open = { ...open, length: bytes(open.length + next.length) }
      continue
    }
    if (open) yield open
    open = next
  }
  if (open) yield open
}

/** The ranges of a stream of extents. */
export async function* rangesOf(
  source: Source<{ readonly offset: number; readonly length: number }>,
): AsyncGenerator<ByteRange, void, undefined> {
  for await (const { offset, length } of source) yield span(offset, offset + length)
}

function extent(start: number, end: number, kind: Extent['kind']): Extent {
  return { offset: bytes(start), length: bytes(end - start), kind }
}
