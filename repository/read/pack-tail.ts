import { decodePackTail, names, readTail, TAIL_READ, type PackTail } from '../format/index.ts'
import type { ObjectStore } from '../store/index.ts'

/** Reads footer and TOC of a pack of `size` bytes (§4.2): one range read, two for many small blobs. */
export async function readPackTail(
  store: ObjectStore,
  pack: string,
  size: number,
  signal: AbortSignal,
): Promise<PackTail> {
  const length = Math.min(size, TAIL_READ)
  const tail = await store.getRange(names.pack(pack), size - length, length, signal)
  const decoded = decodePackTail(tail, size)
  if (!('missing' in decoded)) return decoded
  const { offset, length: needed } = decoded.missing
  return readTail(await store.getRange(names.pack(pack), offset, needed, signal), size)
}
