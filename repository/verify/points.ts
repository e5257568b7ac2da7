import { createHash } from 'node:crypto'
import { HoldfastError, isHoldfastError, toHoldfastError } from '../../base/index.ts'
import {
  BLOB_CHUNK,
  BLOB_CONFIG,
  BLOB_PAGE,
  chunkLength,
  configPartLength,
  formatError,
  fromHex,
  names,
  PAGE_BYTES,
  pageLength,
  rootsOfDisk,
  type ManifestConfig,
  type ManifestDisk,
  type Page,
  type RootEntry,
} from '../format/index.ts'
import { loadManifest, type LoadedManifest } from '../read/manifest.ts'
import { objectAbsent } from '../store/index.ts'
import { checkedPage } from '../workers/index.ts'
import type { KeyedContext } from './context.ts'
import type { DamageEntry } from './damage-log.ts'
import { isRemoved, PointRemoved, References, type Reference } from './references.ts'

type PageRoot = Extract<RootEntry, { kind: 'page' }>
/** What is wrong with one page: with the reference to it, and with its chunks by entry. */
interface PageFaults {
  readonly root: DamageEntry | undefined
  readonly chunkShift: number
  readonly faults: readonly { readonly first: number; readonly count: number; readonly damage: DamageEntry }[]
}

/** §12.1 L1r for whole points: manifest, pages, chunks and configurations, each distinct page once. */
export class PointChecker {
  readonly #context: KeyedContext
  readonly #references: References
  /** Pages that were looked at: null if nothing is wrong. */
  readonly #pages = new Map<string, PageFaults | null>()
  /** Points whose manifest is in the log already. */
  readonly #broken = new Set<string>()

  constructor(context: KeyedContext) {
    this.#context = context
    this.#references = new References(context)
  }

  async check(stem: string): Promise<void> {
    const manifest = await this.load(stem)
    try {
      if (manifest !== undefined) await this.#everything(manifest)
    } catch (error) {
      if (!(error instanceof PointRemoved)) throw error
      this.#context.log.note(`${stem} was removed while it was verified`)
    }
    this.#context.totals.points += 1
    this.#context.step(manifest === undefined ? stem : `${manifest.body.json.vm.name} ${stem}`)
  }

  async #everything(manifest: LoadedManifest): Promise<void> {
    const { json } = manifest.body
    for (const disk of json.disks) {
      for (const [pageNo, root] of rootsOfDisk(manifest.body, disk).entries()) {
        this.#context.signal.throwIfAborted()
        if (root.kind === 'page') await this.#page(manifest, disk, pageNo, root)
      }
    }
    for (const config of json.configs) await this.#config(manifest, config)
  }

  /** The manifest with every check that needs no page; undefined if it is damaged, which is then in the log. */
  async load(stem: string): Promise<LoadedManifest | undefined> {
    if (this.#broken.has(stem)) return undefined
    const { engine, log, reread, signal } = this.#context
    const object = names.snap(stem, 'manifest')
    const reading = await reread.read(object, async (store) => {
      const manifest = await loadManifest(store, engine.ring, stem, signal)
      if (manifest === undefined) throw objectAbsent(object)
      return manifest
    })
    if (reading.sound) return reading.value
    const { error, proved } = reading
    this.#broken.add(stem)
    if (error.code === 'ObjectAbsent' && (await isRemoved(this.#context, stem))) return undefined
    log.add({ pack: null, object, found: 'manifest', message: error.message, proved }).affect(stem, '', null)
    return undefined
  }

  /** Packs that these points need by their hints, sorted; pages that cannot be read are found by `check`. */
  async packsOf(stems: readonly string[]): Promise<string[]> {
    const packs = new Set<string>()
    for (const stem of stems) {
      const manifest = await this.load(stem)
      for (const disk of manifest?.body.json.disks ?? []) {
        for (const [pageNo, root] of manifest === undefined ? [] : rootsOfDisk(manifest.body, disk).entries()) {
          if (root.kind !== 'page') continue
          packs.add(root.pack)
          const page = await this.#load(root, pageNo, disk)
          if (page instanceof HoldfastError) continue
          for (const entry of page.entries) if (entry.kind === 'chunk') packs.add(entry.pack)
        }
      }
      for (const { parts } of manifest?.body.json.configs ?? []) for (const part of parts) packs.add(part.pack)
    }
    return [...packs].sort()
  }

  async #page(manifest: LoadedManifest, disk: ManifestDisk, pageNo: number, root: PageRoot): Promise<void> {
    const key = `${root.pageId.slice(0, 32)} ${root.pack.slice(0, 16)} ${root.off}`
    const start = pageNo * PAGE_BYTES
    const end = start + pageLength(disk.bytes, pageNo)
    let known = this.#pages.get(key)
    if (known === undefined) {
      const damage = await this.#root(root, manifest.stem)
      const page = await this.#load(root, pageNo, disk)
      if (page instanceof HoldfastError) {
        if (page.code === 'ObjectAbsent' && (await isRemoved(this.#context, manifest.stem))) throw new PointRemoved()
        this.#affect(damage ?? this.#lostPage(root, page), manifest, disk, start, end)
        return
      }
      known = await this.#chunks(page, manifest.stem, disk, damage)
      this.#pages.set(key, known)
    }
    if (known === null) return
    if (known.root !== undefined) this.#affect(known.root, manifest, disk, start, end)
    for (const { first, count, damage } of known.faults) {
      const from = start + first * 2 ** known.chunkShift
      this.#affect(damage, manifest, disk, from, Math.min(end, from + count * 2 ** known.chunkShift))
    }
  }

  /** The reference of the page itself; a damage if it is lost or faulty. */
  async #root(root: PageRoot, stem: string): Promise<DamageEntry | undefined> {
    const verdict = await this.#references.check(pageReference(root), stem)
    return verdict.state === 'sound' ? undefined : verdict.damage
  }

  /** The page at its hint, else at any other home; the first error if there is none. */
  async #load(root: PageRoot, pageNo: number, disk: ManifestDisk): Promise<Page | HoldfastError> {
    const { engine } = this.#context
    const reference = pageReference(root)
    const open = async (at: Reference['at']) => {
      const content = await this.#references.open(reference, at)
      return checkedPage(engine.ring, content, { id: reference.id, pageNo, diskBytes: disk.bytes })
    }
    try {
      return await open(root)
    } catch (error) {
      const first = this.#expected(error)
      const other = await this.#references.otherHome(reference, first.code === 'ObjectAbsent')
      if (other === undefined) return first
      try {
        return await open(other)
      } catch (again) {
        this.#expected(again)
        return first
      }
    }
  }

  /** A page blob that is where it should be and does not open: only seen here on level quick. */
  #lostPage(root: PageRoot, error: HoldfastError): DamageEntry {
    const { log, troubles } = this.#context
    const proved = error.code === 'FormatError' || error.code === 'ObjectAbsent'
    const message = `page ${root.pageId} in slot ${root.slot}: ${error.message}`
    const damage = log.add({ pack: root.pack, object: names.pack(root.pack), found: 'L1r', message, proved })
    troubles.blobs(root.pack, [root.off], damage)
    return damage
  }

  async #chunks(
    page: Page,
    stem: string,
    disk: ManifestDisk,
    root: DamageEntry | undefined,
  ): Promise<PageFaults | null> {
    const faults: { first: number; count: number; damage: DamageEntry }[] = []
    for (const [index, entry] of page.entries.entries()) {
      if (entry.kind !== 'chunk') continue
      const ulen = chunkLength(disk.bytes, page, index)
      const verdict = await this.#references.check({ type: BLOB_CHUNK, id: entry.id, at: entry, ulen }, stem)
      if (verdict.state === 'sound') continue
      const last = faults.at(-1)
      if (last !== undefined && last.damage === verdict.damage && last.first + last.count === index) last.count += 1
      else faults.push({ first: index, count: 1, damage: verdict.damage })
    }
    return faults.length === 0 && root === undefined ? null : { root, chunkShift: page.chunkShift, faults }
  }

  async #config(manifest: LoadedManifest, config: ManifestConfig): Promise<void> {
    const { log, level } = this.#context
    const { stem, body } = manifest
    const vm = body.json.vm.name
    let sound = true
    const hash = createHash('sha256')
    for (const [index, part] of config.parts.entries()) {
      const { id, ...at } = part
      const reference = {
        type: BLOB_CONFIG,
        id: fromHex(id, 32, 'config id'),
        at,
        ulen: configPartLength(config, index),
      } as const
      const verdict = await this.#references.check(reference, stem)
      if (verdict.state !== 'sound') {
        verdict.damage.affect(stem, vm, null)
        verdict.damage.also(`configuration ${config.name} needs it`)
      }
      sound &&= verdict.state !== 'lost'
      if (sound && level === 'full') hash.update(await this.#part(reference))
    }
    if (!sound || level !== 'full' || hash.digest('hex') === config.sha256) return
    const error = formatError(names.snap(stem, 'manifest'), `configuration ${config.name} has another SHA-256`)
    const damage = { pack: null, object: names.snap(stem, 'manifest'), found: 'L4', message: error.message } as const
    log.add({ ...damage, proved: true }).affect(stem, vm, null)
  }

  /** At its hint or wherever else it is: `check` has found a sound home. */
  async #part(reference: Reference): Promise<Uint8Array> {
    try {
      return await this.#references.open(reference, reference.at)
    } catch (error) {
      const isGone = isHoldfastError(error) && error.code === 'ObjectAbsent'
      const other = await this.#references.otherHome(reference, isGone)
      if (other === undefined) throw error
      return await this.#references.open(reference, other)
    }
  }

  #affect(damage: DamageEntry, { stem, body }: LoadedManifest, disk: ManifestDisk, start: number, end: number): void {
    damage.affect(stem, body.json.vm.name, disk.id, { start, end })
  }

  /** What reading can meet; anything else ends the verify. */
  #expected(error: unknown): HoldfastError {
    this.#context.signal.throwIfAborted()
    if (!isHoldfastError(error) || error.code === 'Internal') throw error
    return toHoldfastError(error)
  }
}

function pageReference(root: PageRoot): Reference {
  return { type: BLOB_PAGE, id: fromHex(root.pageId, 32, 'page id'), at: root }
}
