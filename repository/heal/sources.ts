import { isHoldfastError } from '../../base/index.ts'
import {
  BLOB_CHUNK,
  type BLOB_CONFIG,
  BLOB_HEADER,
  BLOB_OVERHEAD,
  BLOB_PAGE,
  chunkLength,
  decodePage,
  toHex,
  type BlobType,
  type Page,
  type PageEntry,
} from '../format/index.ts'
import { shareIdentity, storedDisk, type MirrorSide, type StoredDisk } from '../mirror/index.ts'
import type { Engine } from '../engine.ts'
import { loadManifest, type LoadedManifest } from '../read/manifest.ts'
import { LoadedPoint } from '../read/open-point.ts'

/** Where the content of a blob belongs: by this a mirror with an identity of its own is asked. */
export interface Place {
  readonly manifest: LoadedManifest
  readonly disk: string | null
  readonly config: { readonly name: string; readonly part: number } | undefined
  readonly offset: number
  readonly length: number
}

/**
 * §12.3: mirrors in order, first by id where they share ours, then by point, disk and place. Whatever comes is right or does
 * not come: its id is computed again with our keys. A mirror that is damaged or cannot be read now is passed over, and told.
 */
export class HealSources {
  readonly #engine: Engine
  readonly #mirrors: readonly MirrorSide[]
  readonly #signal: AbortSignal
  /** By stem here, of the last point asked for: its copies. */
  #copies:
    | { readonly stem: string; readonly found: readonly { mirror: MirrorSide; manifest: LoadedManifest }[] }
    | undefined

  constructor(engine: Engine, mirrors: readonly MirrorSide[], signal: AbortSignal) {
    this.#engine = engine
    this.#mirrors = mirrors
    this.#signal = signal
  }

  /** Sealed under our keys; undefined: no mirror has it. */
  async blob(
    type: typeof BLOB_CHUNK | typeof BLOB_CONFIG,
    id: Uint8Array,
    place: Place,
  ): Promise<Uint8Array | undefined> {
    const { length } = place
    for (const mirror of this.#mirrors) {
      const sealed = await this.#checked(type, id, () => this.#byId(mirror, type, id, length))
      if (sealed !== undefined) return sealed
    }
    for (const copy of await this.#copiesOf(place.manifest)) {
      const sealed = await this.#checked(type, id, () => this.#byPlace(copy.mirror, copy.manifest, place))
      if (sealed !== undefined) return sealed
    }
    return undefined
  }

  /** Entries of a page with our ids; their hints are those of a mirror and mean nothing here. */
  async page(id: Uint8Array, pageNo: number, place: Place): Promise<Page | undefined> {
    for (const mirror of this.#mirrors) {
      const content = await this.#try(() => this.#byId(mirror, BLOB_PAGE, id, undefined))
      const page = content && decodePage(content)
      if (page?.pageNo === pageNo && this.#isPage(page, id)) return page
    }
    for (const { mirror, manifest } of await this.#copiesOf(place.manifest)) {
      const page = await this.#try(() => this.#translated(mirror, manifest, place.disk ?? '', pageNo))
      if (page !== undefined && this.#isPage(page, id)) return page
    }
    return undefined
  }

  #isPage(page: Page, id: Uint8Array): boolean {
    return this.#engine.ring.identity().pageId(page).equals(id)
  }

  async #byId(
    { engine }: MirrorSide,
    type: BlobType,
    id: Uint8Array,
    ulen: number | undefined,
  ): Promise<Uint8Array | undefined> {
    if (!shareIdentity(this.#engine, engine)) return undefined
    const home = engine.view.find(type, id, () => true)
    if (home === undefined) return undefined
    return await engine.blobs.read({ type, id, ...(ulen !== undefined && { ulen }) }, home, this.#signal)
  }

  async #byPlace(
    { engine }: MirrorSide,
    manifest: LoadedManifest,
    { disk, config, offset, length }: Place,
  ): Promise<Uint8Array | undefined> {
    if (disk === null) return config && (await configPart(engine, manifest, config))
    const copy = storedDisk(engine, manifest, disk)
    if (copy === undefined || offset + length > copy.disk.bytes) return undefined
    const content = new Uint8Array(length)
    await copy.reader.read(offset, content, this.#signal)
    return content
  }

  /** A page of a mirror with other ids: ours are those of the contents that its chunks give. */
  async #translated(
    { engine }: MirrorSide,
    manifest: LoadedManifest,
    disk: string,
    pageNo: number,
  ): Promise<Page | undefined> {
    const copy = storedDisk(engine, manifest, disk)
    if (copy?.roots[pageNo]?.kind !== 'page') return undefined
    const page = await copy.reader.page(pageNo, this.#signal)
    const entries: PageEntry[] = []
    for (const [index, entry] of page.entries.entries()) {
      entries.push(entry.kind === 'chunk' ? { ...entry, id: await this.#ourId(engine, copy, page, index) } : entry)
    }
    return { ...page, entries }
  }

  async #ourId(mirror: Engine, copy: StoredDisk, page: Page, index: number): Promise<Uint8Array> {
    const entry = page.entries[index]
    if (entry?.kind !== 'chunk') throw new TypeError('a hole has no id')
    const ulen = chunkLength(copy.disk.bytes, page, index)
    const content = await mirror.blobs.read({ type: BLOB_CHUNK, id: entry.id, ulen }, entry, this.#signal)
    const task = { kind: 'identify', content, type: BLOB_CHUNK } as const
    const found = await this.#engine.pool.run<'identify'>(this.#engine.ring, task)
    return found.zero ? Buffer.alloc(32) : found.id
  }

  /** Content whose id is this one by our keys, sealed. */
  async #checked(
    type: typeof BLOB_CHUNK | typeof BLOB_CONFIG,
    id: Uint8Array,
    get: () => Promise<Uint8Array | undefined>,
  ): Promise<Uint8Array | undefined> {
    const content = await this.#try(get)
    if (content === undefined) return undefined
    const engine = this.#engine
    const length = content.length
    const memory = new Uint8Array(new SharedArrayBuffer(length + BLOB_HEADER + BLOB_OVERHEAD))
    memory.set(content)
    const task = { kind: 'identify', content: memory.subarray(0, length), type } as const
    const found = await engine.pool.run<'identify'>(engine.ring, task)
    if (found.zero || toHex(found.id) !== toHex(id)) return undefined
    const { innerHash } = found
    const seal = { kind: 'seal', memory, length, type, id: found.id, innerHash, level: 1 } as const
    const sealed = await engine.pool.run<'seal'>(engine.ring, seal)
    return memory.subarray(0, sealed.length)
  }

  /** What a mirror cannot give now, another may. */
  async #try<T>(get: () => Promise<T | undefined>): Promise<T | undefined> {
    try {
      return await get()
    } catch (error) {
      this.#signal.throwIfAborted()
      if (!isHoldfastError(error) || error.code === 'Internal') throw error
      this.#engine.warn(`a mirror could not give what is lost here: ${error.message}`)
      return undefined
    }
  }

  /** Points of the mirrors that may be this one: of its series and instant. What they give is checked by its id. */
  async #copiesOf(manifest: LoadedManifest): Promise<readonly { mirror: MirrorSide; manifest: LoadedManifest }[]> {
    if (this.#copies?.stem === manifest.stem) return this.#copies.found
    const { series, createdMs } = manifest.header
    const found: { mirror: MirrorSide; manifest: LoadedManifest }[] = []
    for (const mirror of this.#mirrors) {
      const copies = await this.#try(async () => {
        const here: LoadedManifest[] = []
        for await (const entry of mirror.points.list({ series, signal: this.#signal, unreadable: 'show' })) {
          if (entry.createdMs !== createdMs || entry.validatedMs === null) continue
          const { store, ring } = mirror.engine
          const copy = await this.#try(() => loadManifest(store, ring, entry.stem, this.#signal))
          if (copy !== undefined) here.push(copy)
        }
        return here
      })
      for (const copy of copies ?? []) found.push({ mirror, manifest: copy })
    }
    this.#copies = { stem: manifest.stem, found }
    return found
  }
}

async function configPart(
  engine: Engine,
  manifest: LoadedManifest,
  { name, part }: { readonly name: string; readonly part: number },
): Promise<Uint8Array | undefined> {
  const { stem, header } = manifest
  if (!manifest.body.json.configs.some((config) => config.name === name)) return undefined
  const { series, createdMs, snap } = header
  const entry = { stem, series, createdMs, snap, state: 'recovery-point', validatedMs: null } as const
  await using point = new LoadedPoint(engine, manifest, entry)
  let index = 0
  for await (const content of point.config(name)) {
    if (index === part) return content
    index += 1
  }
  return undefined
}
