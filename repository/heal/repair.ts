import { isHoldfastError } from '../../base/index.ts'
import type { Engine } from '../engine.ts'
import {
  BLOB_CHUNK,
  BLOB_HEADER,
  BLOB_OVERHEAD,
  BLOB_PAGE,
  encodePage,
  toHex,
  type Location,
  type Page,
  type PageEntry,
} from '../format/index.ts'
import { sha256 } from '../keys/index.ts'
import type { HealLoss } from '../types.ts'
import type { BlobRef } from '../write/blob-refs.ts'
import type { Knowledge } from '../write/knowledge.ts'
import { rescueBlobs } from '../write/rescue.ts'
import { sealBlob } from '../workers/index.ts'
import type { HealSources, Place } from './sources.ts'

/** A blob in a quarantined place, and who needs it. */
export interface Ill {
  readonly ref: BlobRef
  readonly place: Place
  /** Of a page: its entries. */
  readonly page?: Page
}

/** Stores ill blobs again, batch by batch: chunks and configurations first, then the pages that name their new homes. */
export class Repair {
  readonly #engine: Engine
  readonly #knowledge: Knowledge
  readonly #sources: HealSources
  readonly #session: string
  readonly #apply: boolean
  readonly #signal: AbortSignal
  #batch = new Map<string, Ill & { readonly needs: Place[] }>()
  /** Blobs that were judged, by key: memory follows the damage, not the repository. */
  readonly #settled = new Map<string, 'sound' | 'lost'>()
  readonly lost: HealLoss[] = []
  readonly counts = { quarantined: 0, elsewhere: 0, fromHere: 0, fromMirror: 0 }

  constructor(parts: {
    readonly engine: Engine
    readonly knowledge: Knowledge
    readonly sources: HealSources
    readonly session: string
    readonly apply: boolean
    readonly signal: AbortSignal
  }) {
    this.#engine = parts.engine
    this.#knowledge = parts.knowledge
    this.#sources = parts.sources
    this.#session = parts.session
    this.#apply = parts.apply
    this.#signal = parts.signal
  }

  get waiting(): number {
    return this.#batch.size
  }

  async add(ill: Ill): Promise<void> {
    const key = keyOf(ill.ref)
    const settled = this.#settled.get(key)
    if (settled === 'lost') this.lost.push(lossOf(ill.place))
    if (settled !== undefined) return
    const known = this.#batch.get(key)
    if (known !== undefined) {
      known.needs.push(ill.place)
      return
    }
    this.counts.quarantined += 1
    // Healed before, or a second home from the beginning: readers find it by its id.
    if (!(await this.#hasHome(ill.ref))) this.#batch.set(key, { ...ill, needs: [ill.place] })
    else {
      this.counts.elsewhere += 1
      this.#settled.set(key, 'sound')
    }
  }

  /** Everything that waits is stored, or lost. */
  async flush(): Promise<void> {
    const batch = this.#batch
    this.#batch = new Map()
    if (batch.size === 0) return
    const origin = new Map<string, 'here' | 'mirror' | 'nowhere'>()
    const itemOf = (ref: BlobRef) => batch.get(keyOf(ref))
    const fetch = async (ref: BlobRef): Promise<Uint8Array | undefined> => {
      const item = itemOf(ref)
      const blob = item && (await this.#fetch(item))
      if (blob !== undefined) origin.set(keyOf(ref), 'mirror')
      return blob
    }
    const refs = [...batch.values()].map(({ ref }) => ref)
    if (this.#apply) {
      await rescueBlobs(this.#engine, {
        store: this.#engine.store,
        knowledge: this.#knowledge,
        session: this.#session,
        series: '0'.repeat(32),
        refs,
        reread: undefined,
        fetch,
        onGone: (ref) => void origin.set(keyOf(ref), 'nowhere'),
        signal: this.#signal,
      })
    } else {
      // A page needs only its entries; what they name is judged for itself.
      for (const ref of refs) {
        const found = (await this.#isHere(ref)) || (await fetch(ref)) !== undefined
        if (!found) origin.set(keyOf(ref), 'nowhere')
      }
    }
    for (const [key, { needs }] of batch) {
      const from = origin.get(key) ?? 'here'
      this.#settled.set(key, from === 'nowhere' ? 'lost' : 'sound')
      if (from === 'here') this.counts.fromHere += 1
      else if (from === 'mirror') this.counts.fromMirror += 1
      else for (const place of needs) this.lost.push(lossOf(place))
    }
  }

  async #fetch({ ref, place, page }: Ill): Promise<Uint8Array | undefined> {
    if (ref.type !== BLOB_PAGE) return await this.#sources.blob(ref.type, ref.id, place)
    return page && this.#sealPage(page, ref.id)
  }

  /** §6.5: hints are no part of a page's identity, so it is the same page with hints of today. */
  #sealPage(page: Page, id: Uint8Array): Uint8Array | undefined {
    const entries: PageEntry[] = []
    for (const entry of page.entries) {
      const home = entry.kind === 'chunk' ? this.#knowledge.home(BLOB_CHUNK, entry.id) : undefined
      if (entry.kind !== 'chunk') entries.push(entry)
      else if (home !== undefined) entries.push({ kind: 'chunk', id: entry.id, ...locationOf(home) })
      // A chunk that is lost leaves a reference that fails, instead of a page that cannot be read at all.
      else entries.push(entry)
    }
    const payload = encodePage({ ...page, entries })
    const blob = Buffer.allocUnsafe(BLOB_HEADER + BLOB_OVERHEAD + payload.length)
    const innerHash = sha256(payload)
    const input = { type: BLOB_PAGE, id, innerHash, ulen: payload.length, comp: 0, payload } as const
    return blob.subarray(0, sealBlob(this.#engine.ring, input, blob))
  }

  /** A usable home that is not quarantined, and opens. */
  async #hasHome(ref: BlobRef): Promise<boolean> {
    const home = this.#knowledge.home(ref.type, ref.id)
    return home !== undefined && (await this.#opens(ref, home))
  }

  /** Whether any place here still gives it. */
  async #isHere(ref: BlobRef): Promise<boolean> {
    for (const place of [ref.at, ...this.#engine.view.homes(ref.type, ref.id)]) {
      if (await this.#opens(ref, place)) return true
    }
    return false
  }

  async #opens({ type, id }: BlobRef, at: Location): Promise<boolean> {
    try {
      await this.#engine.blobs.readAt(this.#engine.store, { type, id }, at, this.#signal)
      return true
    } catch (error) {
      this.#signal.throwIfAborted()
      if (isHoldfastError(error) && (error.code === 'FormatError' || error.code === 'ObjectAbsent')) return false
      throw error
    }
  }
}

function locationOf({ pack, slot, off, clen }: Location): Location {
  return { pack, slot, off, clen }
}

function keyOf({ type, id }: BlobRef): string {
  return `${type} ${toHex(id.subarray(0, 16))}`
}

function lossOf({ manifest, disk, offset, length }: Place): HealLoss {
  return { stem: manifest.stem, vm: manifest.body.json.vm.name, disk, start: offset, end: offset + length }
}
