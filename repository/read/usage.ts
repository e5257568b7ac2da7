import type { Engine } from '../engine.ts'
import { BLOB_CHUNK, CHUNK_SHIFT, chunkLength, parseName, rootsOfDisk } from '../format/index.ts'
import { listAll } from '../store/index.ts'
import type { RepositoryUsage } from '../types.ts'
import { loadManifest } from './manifest.ts'
import type { Points } from './points.ts'

/** Chunk-covered bytes of a page, kept by page id: pages are shared between points. */
const covered = new WeakMap<Engine, Map<string, number>>()

/** What the repository holds. Unique bytes are counted in whole chunks: the short last chunk of a disk counts as one. */
export async function readUsage(
  engine: Engine,
  points: Points,
  capacity: () => Promise<{ readonly capacityBytes: number; readonly freeBytes: number } | undefined>,
  signal: AbortSignal,
): Promise<RepositoryUsage> {
  const { store } = engine
  let packs = 0
  let storedBytes = 0
  for (const { name, size } of await listAll(store, 'pack/')) {
    signal.throwIfAborted()
    if (parseName(name)?.kind !== 'pack') continue
    packs += 1
    storedBytes += size
  }
  let count = 0
  let logicalBytes = 0
  const series = new Set<string>()
  for await (const entry of points.list()) {
    if (entry.state !== 'recovery-point') continue
    const bytes = await coveredBytes(engine, entry.stem, signal)
    // A catalogue or an audit export is a point of nobody's disks.
    if (bytes === undefined) continue
    count += 1
    series.add(entry.series)
    logicalBytes += bytes
  }
  await engine.view.refresh(store, signal)
  const space = await capacity()
  return {
    points: count,
    series: series.size,
    packs,
    storedBytes,
    uniqueBytes: (await engine.view.countDistinct(BLOB_CHUNK)) * 2 ** CHUNK_SHIFT,
    logicalBytes,
    capacityBytes: space?.capacityBytes ?? null,
    freeBytes: space?.freeBytes ?? null,
  }
}

async function coveredBytes(engine: Engine, stem: string, signal: AbortSignal): Promise<number | undefined> {
  const known = covered.get(engine) ?? new Map<string, number>()
  covered.set(engine, known)
  const manifest = await loadManifest(engine.store, engine.ring, stem, signal)
  if (manifest?.body.json.disks.length === 0) return undefined
  let bytes = 0
  for (const disk of manifest?.body.json.disks ?? []) {
    for (const [pageNo, root] of manifest === undefined ? [] : rootsOfDisk(manifest.body, disk).entries()) {
      if (root.kind !== 'page') continue
      signal.throwIfAborted()
      let mine = known.get(root.pageId)
      if (mine === undefined) {
        const page = await engine.blobs.page(root, pageNo, disk.bytes)
        mine = 0
        for (const [index, entry] of page.entries.entries()) {
          if (entry.kind === 'chunk') mine += chunkLength(disk.bytes, page, index)
        }
        known.set(root.pageId, mine)
      }
      bytes += mine
    }
  }
  return bytes
}
