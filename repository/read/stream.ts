import { BLOB_CHUNK, BLOB_HEADER, free, names, type ChunkEntry } from '../format/index.ts'
import { throwIfAborted } from '../store/index.ts'
import type { Grant, OpenedBlob } from '../workers/index.ts'
import type { ChunkAt, ChunkedDisk, ReadContext } from './context.ts'
import type { StreamOptions } from '../types.ts'

/** Stored bytes fetched by one range read; a chunk that lies further on in the same pack joins it. */
const GROUP_BYTES = 4 * 1024 * 1024
/** Content of one group at most: what it unpacks to counts as well. */
const GROUP_CONTENT = 8 * 1024 * 1024
const GROUP_GRANT = GROUP_BYTES + GROUP_CONTENT
/** Groups in flight if the budget has room; one always is. */
const AHEAD = 4

interface Group {
  readonly chunks: (ChunkAt & { readonly entry: ChunkEntry })[]
  content: number
}

/**
 * Data of [start, end) in ascending order: neighbours in a pack are read by one request, groups ahead are fetched and
 * decoded in the worker threads while the consumer writes. What a group's read could not give is recovered blob by blob
 * (§7.8).
 */
export async function* streamDisk(
  context: ReadContext,
  disk: ChunkedDisk,
  { start, end }: { readonly start: number; readonly end: number },
  signal: AbortSignal,
  { pace, isRestore = false, onWaiting }: StreamOptions = {},
): AsyncGenerator<{ readonly offset: number; readonly data: Uint8Array }> {
  const over = new AbortController()
  const until = AbortSignal.any([signal, over.signal])
  const fetch = async (group: Group): Promise<readonly OpenedBlob[]> => {
    await pace?.(storedBytes(group), until)
    return fetchGroup(context, group, signal)
  }
  const groups = groupChunks(disk.chunks(start, end, signal))
  const inFlight: { readonly group: Group; readonly opened: Promise<readonly OpenedBlob[]>; readonly grant: Grant }[] =
    []
  let exhausted = false
  const fill = async () => {
    while (!exhausted && inFlight.length < AHEAD) {
      const grant =
        inFlight.length === 0
          ? await context.budget.acquire(GROUP_GRANT, signal, { isRestore, ...(onWaiting && { onWaiting }) })
          : context.budget.tryAcquire(GROUP_GRANT, { isRestore })
      if (grant === undefined) return
      let next: IteratorResult<Group>
      try {
        next = await groups.next()
      } catch (error) {
        grant.release()
        throw error
      }
      if (next.done === true) {
        grant.release()
        exhausted = true
        return
      }
      const opened = fetch(next.value)
      // Awaited below, in order; until then a failure must not count as unhandled.
      opened.catch(() => grant)
      inFlight.push({ group: next.value, opened, grant })
    }
  }
  try {
    for (;;) {
      await fill()
      const first = inFlight[0]
      if (first === undefined) return
      const opened = await first.opened
      for (const [index, chunk] of first.group.chunks.entries()) {
        throwIfAborted(signal)
        const data = await contentOf(context, disk, chunk, opened[index], signal)
        const from = Math.max(start, chunk.offset)
        const to = Math.min(end, chunk.offset + chunk.length)
        yield { offset: from, data: data.subarray(from - chunk.offset, to - chunk.offset) }
        // Left to the collector, what was written piles up outside the heap.
        free(data)
      }
      inFlight.shift()
      first.grant.release()
    }
  } finally {
    // What was to be read ahead needs no room on the line any more.
    over.abort()
    for (const { grant } of inFlight) grant.release()
  }
}

async function* groupChunks(chunks: AsyncIterable<ChunkAt>): AsyncGenerator<Group> {
  let group: Group | undefined
  for await (const { entry, offset, length } of chunks) {
    if (entry.kind !== 'chunk') continue
    const last = group?.chunks.at(-1)?.entry
    const first = group?.chunks[0]?.entry
    const joins =
      group !== undefined &&
      last !== undefined &&
      first !== undefined &&
      last.pack === entry.pack &&
      entry.off === last.off + BLOB_HEADER + last.clen &&
      entry.off + BLOB_HEADER + entry.clen - first.off <= GROUP_BYTES &&
      group.content + length <= GROUP_CONTENT
    if (group !== undefined && joins) {
      group.chunks.push({ entry, offset, length })
      group.content += length
    } else {
      if (group !== undefined) yield group
      group = { chunks: [{ entry, offset, length }], content: length }
    }
  }
  if (group !== undefined) yield group
}

/** Of its whole range. */
function storedBytes({ chunks }: Group): number {
  const first = chunks[0]
  const last = chunks.at(-1)
  return first === undefined || last === undefined
    ? 0
    : last.entry.off + BLOB_HEADER + last.entry.clen - first.entry.off
}

/** An empty answer means that the range could not be read: each blob is then tried by itself. */
async function fetchGroup(context: ReadContext, group: Group, signal: AbortSignal): Promise<readonly OpenedBlob[]> {
  const first = group.chunks[0]
  if (first === undefined) return []
  const from = first.entry.off
  const length = storedBytes(group)
  let range: Uint8Array
  try {
    range = await context.store.getRange(names.pack(first.entry.pack), from, length, signal)
  } catch (error) {
    if (signal.aborted) throw error
    return []
  }
  const blobs = group.chunks.map(({ entry, length: ulen }) => {
    return { type: BLOB_CHUNK, id: entry.id, clen: entry.clen, at: entry.off - from, ulen } as const
  })
  const transfer = range.buffer instanceof ArrayBuffer ? [range.buffer] : []
  return await context.pool.run<'open'>(context.ring, { kind: 'open', range, blobs }, transfer)
}

async function contentOf(
  context: ReadContext,
  disk: ChunkedDisk,
  chunk: Group['chunks'][number],
  opened: OpenedBlob | undefined,
  signal: AbortSignal,
): Promise<Uint8Array> {
  if (opened !== undefined && 'content' in opened) return opened.content
  const { entry, offset, length } = chunk
  try {
    return await context.blobs.recover({ type: BLOB_CHUNK, id: entry.id, ulen: length }, entry, signal)
  } catch (error) {
    throw disk.lost(error, offset, length)
  }
}
