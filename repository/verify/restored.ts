import { isHoldfastError } from '../../base/index.ts'
import {
  BLOB_CHUNK,
  imageRoot,
  names,
  PAGE_BYTES,
  pageLength,
  rootsOfDisk,
  toHex,
  type ManifestDisk,
  type Page,
  type RootEntry,
} from '../format/index.ts'
import { ManifestDiskReader } from '../read/disk-reader.ts'
import { loadManifest, type LoadedManifest } from '../read/manifest.ts'
import type { KeyedContext } from './context.ts'

/** Chunks that are hashed while the next ones are read: enough for every thread, and few beside what is read ahead. */
const mostInHand = 8

/**
 * §12.1 L5: a point restored to nowhere. Every disk is read as a restore reads it, the ids of its chunks, its page ids and its
 * imageRoot are computed from the bytes that came (§6.5), and compared with those that the point promises.
 */
export class RestoreToNowhere {
  readonly #context: KeyedContext

  constructor(context: KeyedContext) {
    this.#context = context
  }

  async restore(stem: string): Promise<void> {
    const { engine, reread, signal, log } = this.#context
    const reading = await reread.read(names.snap(stem, 'manifest'), (store) =>
      loadManifest(store, engine.ring, stem, signal),
    )
    // One that is damaged or gone is in the log since its references were checked.
    if (!reading.sound || reading.value === undefined) return
    for (const disk of reading.value.body.json.disks) {
      const root = await this.#disk(reading.value, disk)
      if (root === undefined || root === disk.imageRoot) continue
      const message = `disk ${disk.id} was read whole and is another image than the point promises`
      this.#damage(reading.value, disk, { start: 0, end: disk.bytes }, message, true)
    }
    log.note(`${reading.value.body.json.vm.name} ${stem} was restored to nowhere (L5)`)
  }

  /** imageRoot of the bytes that came; undefined if not all of them did, which is then in the log. */
  async #disk(manifest: LoadedManifest, disk: ManifestDisk): Promise<string | undefined> {
    const { engine } = this.#context
    const roots = rootsOfDisk(manifest.body, disk)
    const reader = new ManifestDiskReader({ ...engine, stem: manifest.stem }, disk, roots)
    const found: RootEntry[] = []
    for (const [pageNo, root] of roots.entries()) {
      const id = root.kind === 'page' ? await this.#page(manifest, disk, reader, pageNo) : undefined
      if (root.kind !== 'page') found.push(root)
      else if (id !== undefined) found.push({ ...root, pageId: id })
    }
    return found.length === roots.length ? imageRoot(disk.bytes, found) : undefined
  }

  /** Id of the page as its bytes make it. */
  async #page(
    manifest: LoadedManifest,
    disk: ManifestDisk,
    reader: ManifestDiskReader,
    pageNo: number,
  ): Promise<string | undefined> {
    const { engine, signal } = this.#context
    const origin = pageNo * PAGE_BYTES
    const end = origin + pageLength(disk.bytes, pageNo)
    const ids = new Map<number, Uint8Array>()
    let page: Page | undefined
    let isWhole = true
    const inHand: Promise<void>[] = []
    const identify = async (index: number, content: Uint8Array<ArrayBuffer>): Promise<void> => {
      const task = { kind: 'identify', content, type: BLOB_CHUNK } as const
      const identified = await engine.pool.run<'identify'>(engine.ring, task, [content.buffer])
      if (!identified.zero) ids.set(index, identified.id)
    }
    for (let at = origin; at < end;) {
      try {
        page = await reader.page(pageNo, signal)
        const size = 2 ** page.chunkShift
        for await (const { offset, data } of reader.stream(at, end, signal)) {
          // A copy: the memory of the stream is used again for what comes next.
          const found = identify((offset - origin) / size, Uint8Array.from(data))
          // Awaited below; until then a failure must not count as unhandled.
          void Promise.allSettled([found])
          inHand.push(found)
          at = offset + data.length
          if (inHand.length >= mostInHand) await inHand.shift()
        }
        at = end
      } catch (error) {
        isWhole = false
        at = this.#lost(manifest, disk, { start: at, end }, error)
      }
    }
    try {
      await Promise.all(inHand)
    } catch (error) {
      isWhole = false
      this.#lost(manifest, disk, { start: origin, end }, error)
    }
    if (!isWhole || page === undefined) return undefined
    const entries = page.entries.map((entry, index) =>
      entry.kind === 'chunk' ? { ...entry, id: ids.get(index) ?? Buffer.alloc(32) } : entry,
    )
    return toHex(engine.ring.identity().pageId({ ...page, entries }))
  }

  /** Where to go on after what could not be read. */
  #lost(manifest: LoadedManifest, disk: ManifestDisk, rest: { start: number; end: number }, error: unknown): number {
    this.#context.signal.throwIfAborted()
    if (!isHoldfastError(error) || error.code === 'Internal') throw error
    const { start = rest.start, end = rest.end } = error.data ?? {}
    const isLost = error.code === 'ChunkLost' && typeof start === 'number' && typeof end === 'number'
    const range = isLost ? { start, end } : rest
    this.#damage(manifest, disk, range, error.message, isLost)
    return range.end
  }

  /** What another level has found already is not said twice. */
  #damage(
    { stem, body }: LoadedManifest,
    disk: ManifestDisk,
    range: { readonly start: number; readonly end: number },
    message: string,
    proved: boolean,
  ): void {
    const { log } = this.#context
    if (log.covers(stem, disk.id, range)) return
    const object = names.snap(stem, 'manifest')
    log.add({ pack: null, object, found: 'L5', message, proved }).affect(stem, body.json.vm.name, disk.id, { ...range })
  }
}
