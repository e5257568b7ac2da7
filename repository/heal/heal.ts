import { randomBytes } from 'node:crypto'
import { isHoldfastError } from '../../base/index.ts'
import { lookOnly, type Engine } from '../engine.ts'
import {
  BLOB_CHUNK,
  BLOB_CONFIG,
  BLOB_PAGE,
  chunkLength,
  configPartLength,
  fromHex,
  PAGE_BYTES,
  pageLength,
  rootsOfDisk,
  type ManifestDisk,
  type Page,
} from '../format/index.ts'
import { isWhole, type MirrorSide, type Writer } from '../mirror/index.ts'
import type { PageRoot } from '../read/blob-reader.ts'
import { isFormatProblem, loadManifest, type LoadedManifest } from '../read/manifest.ts'
import type { HealOptions, HealReport, PointEntry } from '../types.ts'
import type { BlobRef } from '../write/blob-refs.ts'
import { Knowledge } from '../write/knowledge.ts'
import { requireWritable } from '../write/writable.ts'
import { healPoints } from './points.ts'
import { Repair, type Ill } from './repair.ts'
import { HealSources, type Place } from './sources.ts'

/** Ill blobs that are stored again at a time: what is kept of one is small, its content is not kept. */
const BATCH = 4096

/**
 * §12.3: walks what every point refers to, each distinct page once, and stores again what lies in a quarantined place and has
 * no other sound home. Run `verify` with quarantine first: what nobody has looked at is not known to be damaged.
 */
export async function heal(
  given: MirrorSide & { readonly writer: Writer },
  from: readonly MirrorSide[],
  options: Omit<HealOptions, 'mirrors'>,
): Promise<HealReport> {
  const { signal, apply, onProgress } = options
  // Reading comes upon damage, and would note it under `bad/`: not in a dry run, and not on the other side.
  const side = { engine: apply ? given.engine : lookOnly(given.engine), points: given.points, writer: given.writer }
  const mirrors = from.map((mirror) => ({ engine: lookOnly(mirror.engine), points: mirror.points }))
  const { engine, points, writer } = side
  if (apply) await requireWritable(engine, signal)
  for (const mirror of mirrors) await mirror.engine.view.refresh(mirror.engine.store, signal)
  // The reading before any upload (§7.2 S0), then index and `bad/`.
  const knowledge = await Knowledge.read(engine, engine.store, signal)
  await knowledge.readIndex(engine.store, signal)
  const session = randomBytes(16).toString('hex')
  const sources = new HealSources(engine, mirrors, signal)
  const repair = new Repair({ engine, knowledge, sources, session, apply, signal })
  const entries = await restorable(points, signal)
  const walk = new Walk(engine, knowledge, repair, sources, signal)
  if (apply) await openSession(writer, engine, session, signal)
  for (const [index, entry] of entries.entries()) {
    await walk.point(entry)
    onProgress(index + 1, entries.length, entry.stem)
  }
  await repair.flush()
  if (apply) await writer.endSession(session, 'committed')
  const damagedPoints = await healPoints(side, mirrors, { apply, signal })
  return { applied: apply, points: walk.points, ...repair.counts, lost: repair.lost, damagedPoints }
}

async function restorable(points: MirrorSide['points'], signal: AbortSignal): Promise<PointEntry[]> {
  const entries = await Array.fromAsync(points.list({ signal, unreadable: 'show' }))
  return entries.filter((entry) => isWhole(entry) || entry.state === 'tombstone-unverifiable')
}

/** S0: a session says who stores the packs, so that nobody collects them while they are new. */
async function openSession(writer: Writer, engine: Engine, session: string, signal: AbortSignal): Promise<void> {
  const createdMs = engine.clock()
  const none = '0'.repeat(32)
  const nothing = { parentStem: null, parts: [], point: null }
  const spec = { session, snap: randomBytes(16).toString('hex'), series: none, createdMs, owner: engine.ring.repo }
  await writer.openSession({ ...spec, ...nothing }, signal)
}

/** Goes through the references of points and hands those in quarantined places to the repair. */
class Walk {
  readonly #engine: Engine
  readonly #knowledge: Knowledge
  readonly #repair: Repair
  readonly #sources: HealSources
  readonly #signal: AbortSignal
  /** Pages in which nothing is ill, by place: a page that many points share is looked at once. */
  readonly #sound = new Set<string>()
  points = 0

  constructor(engine: Engine, knowledge: Knowledge, repair: Repair, sources: HealSources, signal: AbortSignal) {
    this.#engine = engine
    this.#knowledge = knowledge
    this.#repair = repair
    this.#sources = sources
    this.#signal = signal
  }

  async point({ stem }: PointEntry): Promise<void> {
    // With nothing in quarantine nothing is ill, and no page need be read.
    if (this.#knowledge.bad.isEmpty) return
    const manifest = await this.#manifest(stem)
    if (manifest === undefined) return
    this.points += 1
    for (const config of manifest.body.json.configs) {
      for (const [part, { id, ...at }] of config.parts.entries()) {
        const length = configPartLength(config, part)
        const place = { manifest, disk: null, config: { name: config.name, part }, offset: 0, length }
        await this.#consider({ type: BLOB_CONFIG, id: fromHex(id, 32, 'config id'), at }, place)
      }
    }
    for (const disk of manifest.body.json.disks) {
      for (const [pageNo, root] of rootsOfDisk(manifest.body, disk).entries()) {
        this.#signal.throwIfAborted()
        if (root.kind === 'page') await this.#page(manifest, disk, pageNo, root)
      }
    }
  }

  /** One that is damaged is for `healPoints`. */
  async #manifest(stem: string): Promise<LoadedManifest | undefined> {
    try {
      return await loadManifest(this.#engine.store, this.#engine.ring, stem, this.#signal)
    } catch (error) {
      if (isFormatProblem(error)) return undefined
      throw error
    }
  }

  async #page(manifest: LoadedManifest, disk: ManifestDisk, pageNo: number, root: PageRoot): Promise<void> {
    const key = `${root.pageId.slice(0, 32)} ${root.pack.slice(0, 16)} ${root.off}`
    if (this.#sound.has(key)) return
    const id = fromHex(root.pageId, 32, 'page id')
    const offset = pageNo * PAGE_BYTES
    const place = { manifest, disk: disk.id, config: undefined, offset, length: pageLength(disk.bytes, pageNo) }
    const here = await this.#load(root, pageNo, disk)
    const page = here ?? (await this.#sources.page(id, pageNo, place))
    let isSound = true
    for (const [index, entry] of (page?.entries ?? []).entries()) {
      if (page === undefined || entry.kind !== 'chunk') continue
      const at = offset + index * 2 ** page.chunkShift
      const chunk = { ...place, offset: at, length: chunkLength(disk.bytes, page, index) }
      // Hints of a mirror's page mean nothing here: its chunks are looked up by id alone.
      const ref: BlobRef = { type: BLOB_CHUNK, id: Buffer.from(entry.id), at: entry }
      const isIll = await this.#consider(ref, chunk, here === undefined)
      isSound &&= !isIll
    }
    // After its chunks: the page that is stored again names their new homes.
    const ref: BlobRef = { type: BLOB_PAGE, id, at: root }
    const isIll = await this.#consider(ref, place, here === undefined, page)
    if (isSound && !isIll) this.#sound.add(key)
  }

  /** undefined: no place here gives it. */
  async #load(root: PageRoot, pageNo: number, disk: ManifestDisk): Promise<Page | undefined> {
    try {
      return await this.#engine.blobs.page(root, pageNo, disk.bytes, this.#signal)
    } catch (error) {
      if (isHoldfastError(error) && error.code === 'ChunkLost') return undefined
      throw error
    }
  }

  /** Whether the place is quarantined. `anywhere`: the reference's own place is not known, or gives nothing. */
  async #consider(ref: BlobRef, place: Place, anywhere = false, page?: Page): Promise<boolean> {
    const { bad } = this.#knowledge
    if (!anywhere && !bad.has(ref.at.pack, ref.at.slot)) return false
    if (anywhere && ref.type === BLOB_CHUNK && this.#knowledge.home(ref.type, ref.id) !== undefined) return false
    const ill: Ill = { ref, place, ...(page && { page }) }
    await this.#repair.add(ill)
    if (this.#repair.waiting >= BATCH) await this.#repair.flush()
    return true
  }
}
