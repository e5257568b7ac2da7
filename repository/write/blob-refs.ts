import {
  BLOB_CHUNK,
  BLOB_CONFIG,
  BLOB_PAGE,
  chunkLength,
  fromHex,
  PAGE_BYTES,
  rootsOfDisk,
  type BlobType,
  type Location,
  type ManifestDisk,
  type Page,
  type PageEntry,
  type RootEntry,
} from '../format/index.ts'
import type { BlobReader } from '../read/blob-reader.ts'
import type { LoadedManifest } from '../read/manifest.ts'

/** One reference of a manifest to a blob. */
export interface BlobRef {
  readonly type: BlobType
  readonly id: Uint8Array
  readonly at: Location
  /** For chunks: where the content lies on its disk. */
  readonly source?: { readonly disk: string; readonly offset: number; readonly length: number }
}

/**
 * Every blob that a manifest needs: pages, chunks, config parts. With `exempt`, what is inherited from the parent is left
 * out: the same page or chunk at the same place under the same hint (§6.7, §7.5).
 */
export async function* blobRefs(
  blobs: BlobReader,
  manifest: LoadedManifest,
  parent: LoadedManifest | undefined,
  exempt: boolean,
  signal: AbortSignal,
): AsyncGenerator<BlobRef> {
  for (const config of manifest.body.json.configs) {
    for (const { id, ...at } of config.parts) yield { type: BLOB_CONFIG, id: fromHex(id, 32, 'config id'), at }
  }
  for (const disk of manifest.body.json.disks) {
    const before = parent?.body.json.disks.find(({ id }) => id === disk.id)
    const parentRoots = parent === undefined || before === undefined ? [] : rootsOfDisk(parent.body, before)
    for (const [pageNo, root] of rootsOfDisk(manifest.body, disk).entries()) {
      if (root.kind !== 'page') continue
      const parentRoot = parentRoots[pageNo]
      if (exempt && parentRoot?.kind === 'page' && sameRoot(root, parentRoot)) continue
      yield { type: BLOB_PAGE, id: fromHex(root.pageId, 32, 'page id'), at: root }
      const page = await blobs.page(root, pageNo, disk.bytes, signal)
      const inherited =
        exempt && before !== undefined && parentRoot?.kind === 'page'
          ? await blobs.page(parentRoot, pageNo, before.bytes, signal)
          : undefined
      yield* chunkRefs(disk, page, inherited)
    }
  }
}

function* chunkRefs(disk: ManifestDisk, page: Page, inherited: Page | undefined): Generator<BlobRef> {
  for (const [index, entry] of page.entries.entries()) {
    if (entry.kind !== 'chunk' || sameChunk(entry, inherited?.entries[index])) continue
    const offset = page.pageNo * PAGE_BYTES + index * 2 ** page.chunkShift
    const source = { disk: disk.id, offset, length: chunkLength(disk.bytes, page, index) }
    yield { type: BLOB_CHUNK, id: entry.id, at: entry, source }
  }
}

function sameRoot(a: RootEntry & { kind: 'page' }, b: RootEntry & { kind: 'page' }): boolean {
  return a.pageId === b.pageId && a.pack === b.pack && a.slot === b.slot
}

function sameChunk(a: PageEntry & { kind: 'chunk' }, b: PageEntry | undefined): boolean {
  return b?.kind === 'chunk' && Buffer.compare(a.id, b.id) === 0 && a.pack === b.pack && a.slot === b.slot
}
