import { isHoldfastError } from '../../base/index.ts'
import { BLOB_HEADER, buffer, names, parseStem, toHex, type BlobType, type Location } from '../format/index.ts'
import { isDead, type GcState } from '../gcstate/index.ts'
import { homesOf } from '../index-view/index.ts'
import { revive } from '../workers/index.ts'
import { Points } from '../read/points.ts'
import type { KeyedContext } from './context.ts'
import type { DamageEntry } from './damage-log.ts'
import { tocSlot } from './pack-tocs.ts'

/** A blob as a page, root entry or configuration refers to it. */
export interface Reference {
  readonly type: BlobType
  readonly id: Uint8Array
  readonly at: Location
  /** Length of the content where the reference fixes it. */
  readonly ulen?: number
}

/**
 * What a reference comes to. `lost`: no sound home of the blob is known. `faulty`: it can be read, but its slot is not that
 * of the TOC (§12.1: a fault of the writer).
 */
export type Verdict = { readonly state: 'sound' } | { readonly state: 'lost' | 'faulty'; readonly damage: DamageEntry }

/** The point was pruned while it was verified: whatever is missing of it is missing rightly. */
export class PointRemoved extends Error {}

/** Whether a `.t` that counts has come, and no hold. */
export async function isRemoved({ engine, signal }: KeyedContext, stem: string): Promise<boolean> {
  const points = new Points(engine)
  const { series } = parseStem(stem)
  for await (const entry of points.list({ series, signal, unreadable: 'show' })) {
    if (entry.stem === stem) return entry.state === 'tombstoned'
  }
  return await points.isTombstoned(stem, signal)
}

const SOUND: Verdict = { state: 'sound' }

/** §12.1 L1r: every reference resolves to a home that exists, and says of it what the TOC says. */
export class References {
  readonly #context: KeyedContext
  /** One damage for each pack and kind of trouble, whatever the number of references that run into it. */
  readonly #damages = new Map<string, DamageEntry>()
  /** Packs that were gone, and for which the index was read again. */
  readonly #asked = new Set<string>()

  constructor(context: KeyedContext) {
    this.#context = context
  }

  /** Throws PointRemoved if what is missing may be missing, because the point is none any more. */
  async check(reference: Reference, stem: string): Promise<Verdict> {
    const { at, type, id, ulen } = reference
    const hit = this.#context.troubles.hit(at.pack, at.off, toHex(id))
    if (hit !== undefined)
      return (await this.otherHome(reference)) === undefined ? { state: 'lost', damage: hit } : SOUND
    const toc = await this.#context.tocs.get(at.pack)
    if (toc.state === 'sound') {
      const found = tocSlot(toc, at.slot)
      const same = found?.off === at.off && found.clen === at.clen && found.type === type && found.id.equals(id)
      if (same && (ulen === undefined || found.ulen === ulen)) return SOUND
      if (same) return this.#found(reference, 'lost', `a blob of ${found.ulen} bytes stands for one of ${ulen}`)
      return await this.#elsewhere(reference, toc.count)
    }
    // Its trouble is known and does not concern this blob: the scan found it.
    if (this.#context.troubles.has(at.pack)) return SOUND
    if ((await this.otherHome(reference)) !== undefined) return SOUND
    if (toc.state === 'absent' && (await isRemoved(this.#context, stem))) throw new PointRemoved()
    if (toc.state === 'absent') return this.#found(reference, 'lost', 'the pack is gone, and no other home is known')
    return this.#found(reference, 'lost', `the TOC of the pack is ${toc.state}: ${toc.why}`, toc.state === 'damaged')
  }

  /** Another place where the blob is and can be relied upon to stay. `isGone`: its pack is, whatever was seen of it before. */
  async otherHome(reference: Reference, isGone = false): Promise<Location | undefined> {
    const { segments, gc, tocs } = this.#context
    const known = await this.#firstSound(reference, homesOf(segments, reference.type, reference.id), gc)
    if (known !== undefined) return known
    return isGone || (await tocs.get(reference.at.pack)).state === 'absent' ? await this.#movedTo(reference) : undefined
  }

  /**
   * A place that compactions have made since the verify began: they condemned the old one, and the index says so by now. Of one
   * that was made and condemned meanwhile the index is asked again.
   */
  async #movedTo(reference: Reference): Promise<Location | undefined> {
    const { engine, tocs, signal } = this.#context
    for (let gone = [reference.at.pack]; ;) {
      if (gone.some((pack) => !this.#asked.has(pack))) await engine.view.refresh(engine.store, signal)
      for (const pack of gone) this.#asked.add(pack)
      const homes = [...engine.view.homes(reference.type, reference.id)]
      const gc = await engine.gc.read(engine.store, signal)
      const found = await this.#firstSound(reference, homes, gc)
      if (found !== undefined) return found
      gone = []
      for (const { pack } of homes) {
        if (this.#asked.has(pack)) continue
        if ((gc !== undefined && isDead(gc, pack)) || (await tocs.get(pack)).state === 'absent') gone.push(pack)
      }
      if (gone.length === 0) return undefined
    }
  }

  async #firstSound(
    reference: Reference,
    homes: Iterable<Location>,
    gc: GcState | undefined,
  ): Promise<Location | undefined> {
    const { id, at } = reference
    const { troubles, tocs } = this.#context
    for (const home of homes) {
      if (home.pack === at.pack && home.off === at.off) continue
      if (troubles.hit(home.pack, home.off, toHex(id)) !== undefined) continue
      if (gc !== undefined && isDead(gc, home.pack)) continue
      const toc = await tocs.get(home.pack)
      const found = toc.state === 'sound' ? tocSlot(toc, home.slot) : undefined
      if (found?.off !== home.off || found.clen !== home.clen || !found.id.equals(id)) continue
      if (this.#context.level !== 'full' || (await this.#opens(reference, home))) return home
    }
    return undefined
  }

  /** Level full believes no TOC: with `stems`, the packs of other homes are not among those that were read. */
  async #opens(reference: Reference, home: Location): Promise<boolean> {
    const { log, troubles, quarantine, signal } = this.#context
    try {
      await this.open(reference, home)
      return true
    } catch (error) {
      signal.throwIfAborted()
      if (!isHoldfastError(error) || error.code === 'Internal') throw error
      const proved = error.code === 'FormatError' || error.code === 'ObjectAbsent'
      const message = `the blob in slot ${home.slot} ${proved ? 'does not open' : 'cannot be read now'}: ${error.message}`
      const object = names.pack(home.pack)
      troubles.blobs(home.pack, [home.off], log.add({ pack: home.pack, object, found: 'L4', message, proved }))
      if (proved) await quarantine.put(home.pack, 'L4', [{ slot: home.slot, id: toHex(reference.id) }])
      return false
    }
  }

  /** Reads and opens the blob at one place, without any fallback. Throws what the store or a decoder says. */
  async open(reference: Reference, at: Location): Promise<Uint8Array> {
    const { engine, reread, signal } = this.#context
    const { type, id, ulen } = reference
    const reading = await reread.read(names.pack(at.pack), async (store) => {
      const range = await store.getRange(names.pack(at.pack), at.off, BLOB_HEADER + at.clen, signal)
      const blobs = [{ type, id, clen: at.clen, at: 0, ...(ulen !== undefined && { ulen }) }]
      const [opened] = await engine.pool.run<'open'>(engine.ring, { kind: 'open', range: ownMemory(range), blobs })
      if (opened === undefined) throw new TypeError('a worker thread gave no answer')
      if ('error' in opened) throw revive(opened.error)
      return opened.content
    })
    if (reading.sound) return reading.value
    throw reading.error
  }

  /** The slot is wrong; where the bytes are, readers find it by its offset all the same. */
  async #elsewhere(reference: Reference, count: number): Promise<Verdict> {
    const { at, id } = reference
    const toc = await this.#context.tocs.get(at.pack)
    for (let slot = 0; toc.state === 'sound' && slot < count; slot++) {
      const found = tocSlot(toc, slot)
      if (found?.off !== at.off || found.clen !== at.clen || !found.id.equals(id)) continue
      return this.#found(reference, 'faulty', `references name slot ${at.slot} for a blob in slot ${slot}`)
    }
    if ((await this.otherHome(reference)) !== undefined) {
      return this.#found(
        reference,
        'faulty',
        'references point to a place where another blob lies; it is found by the index',
      )
    }
    return this.#found(reference, 'lost', 'references point to a place where another blob lies, and no home is known')
  }

  #found({ at }: Reference, state: 'lost' | 'faulty', message: string, proved = true): Verdict {
    const key = `${at.pack} ${message}`
    let damage = this.#damages.get(key)
    if (damage === undefined) {
      damage = this.#context.log.add({ pack: at.pack, object: names.pack(at.pack), found: 'L1r', message, proved })
      this.#damages.set(key, damage)
    }
    return { state, damage }
  }
}

/** The worker frees the memory that it is given: a view into a larger block must not be. */
function ownMemory(range: Uint8Array): Uint8Array {
  return range.buffer.byteLength === range.length ? range : Buffer.from(buffer(range))
}
