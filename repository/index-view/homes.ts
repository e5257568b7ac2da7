import type { BlobType, Location, SegmentEntry, SegmentPack } from '../format/index.ts'

/** What a segment is asked for to find a blob. */
interface Lookup {
  lookup(id: Uint8Array): Iterable<SegmentEntry>
  pack(ordinal: number): SegmentPack
}

/** Every place of a blob that any of these segments knows. */
export function* homesOf(segments: readonly Lookup[], type: BlobType, id: Uint8Array): Generator<Location> {
  const seen = new Set<string>()
  for (const segment of segments) {
    for (const entry of segment.lookup(id)) {
      if (entry.type !== type) continue
      const { slot, off, clen } = entry
      const pack = segment.pack(entry.packOrd).sha
      const key = `${pack} ${off}`
      if (seen.has(key)) continue
      seen.add(key)
      yield { pack, slot, off, clen }
    }
  }
}
