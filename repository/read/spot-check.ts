import { randomInt } from 'node:crypto'
import type { LoadedPoint } from './open-point.ts'
import { BLOB_CHUNK, PAGE_BYTES, chunkLength } from '../format/index.ts'
import { throwIfAborted } from '../store/index.ts'

/**
 * Reads up to `count` random chunks of a point from the store, with all checks of §7.8: the cheap proof after a commit.
 * Pages are drawn evenly, then a chunk in each; a point without any chunk gives 0.
 */
export async function spotCheck(
  point: LoadedPoint,
  count: number,
  signal: AbortSignal,
): Promise<{ readonly chunks: number; readonly bytes: number }> {
  const pages = point.info.disks.flatMap(({ id }) => {
    return point
      .reader(id)
      .pageNumbers()
      .map((pageNo) => ({ reader: point.reader(id), pageNo }))
  })
  let chunks = 0
  let bytes = 0
  // A page may be all holes but for a few chunks; every draw of a page with a chunk reads one.
  for (let draws = 0; pages.length > 0 && chunks < count && draws < 4 * count; draws++) {
    throwIfAborted(signal)
    const drawn = pages[randomInt(pages.length)]
    if (drawn === undefined) break
    const { reader, pageNo } = drawn
    const page = await reader.page(pageNo, signal)
    const stored = page.entries.flatMap((entry, index) => (entry.kind === 'chunk' ? [{ entry, index }] : []))
    const picked = stored.length === 0 ? undefined : stored[randomInt(stored.length)]
    if (picked === undefined) continue
    const { entry, index } = picked
    const ulen = chunkLength(reader.info.bytes, page, index)
    const offset = pageNo * PAGE_BYTES + index * 2 ** page.chunkShift
    try {
      bytes += (await reader.blobs.read({ type: BLOB_CHUNK, id: entry.id, ulen }, entry, signal)).length
    } catch (error) {
      throw reader.lost(error, offset, ulen)
    }
    chunks += 1
  }
  return { chunks, bytes }
}
