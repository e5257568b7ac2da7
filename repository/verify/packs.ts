import type { HoldfastError } from '../../base/index.ts'
import { BLOB_CHUNK, bounds, formatError, names, toHex, type PackTail } from '../format/index.ts'
import { judge } from '../gcstate/index.ts'
import { segmentName, type SegmentFile } from '../index-view/index.ts'
import type { KeyRing } from '../keys/index.ts'
import { readPackTail } from '../read/pack-tail.ts'
import type { PackCheck } from '../workers/index.ts'
import type { Context } from './context.ts'
import { compareToc, countEntries, type IndexedPack } from './indexed.ts'
import { PackBytes } from './pack-bytes.ts'
import type { Unsound } from './reread.ts'

/** §12.1 L1, L2 and, as the level says, L3 and L4, pack by pack. Everything wrong goes to the log and the troubles. */
export class PackChecker {
  readonly #context: Context
  readonly #counts: ReadonlyMap<SegmentFile, Uint32Array>
  readonly #bytes: PackBytes
  /** Packs of which something could not be read now, or not be judged with the keys at hand: never done with. */
  readonly #unproved = new Set<string>()
  /** Absent when they were read, and listed before. */
  readonly #gone = new Set<string>()

  private constructor(context: Context, counts: ReadonlyMap<SegmentFile, Uint32Array>) {
    this.#context = context
    this.#counts = counts
    this.#bytes = new PackBytes(context)
  }

  static async create(context: Context): Promise<PackChecker> {
    const counts = new Map<SegmentFile, Uint32Array>()
    for (const segment of context.segments) counts.set(segment, await countEntries(segment, context.signal))
    return new PackChecker(context, counts)
  }

  /** L1 alone, for a pack whose turn has not come. */
  listed(pack: string, size: number, indexed: readonly IndexedPack[]): void {
    this.#sizes(pack, size, indexed)
  }

  /** L1 alone, for a pack that an earlier attempt of this verify has judged sound. */
  resumed(pack: string, size: number, indexed: readonly IndexedPack[]): void {
    const { totals, step } = this.#context
    this.#sizes(pack, size, indexed)
    totals.packs += 1
    totals.packsResumed += 1
    step(names.pack(pack))
  }

  /**
   * A pack that the listing shows. `indexed`: what the segments say of it; empty for one that no index names. Whether it
   * is done with: not if something in it could not be read or judged, nor if something is wrong with it that `bad/` does
   * not say.
   */
  async present(pack: string, size: number, indexed: readonly IndexedPack[]): Promise<boolean> {
    const { totals, step, level, ring, troubles, quarantine } = this.#context
    this.#sizes(pack, size, indexed)
    const tail =
      ring !== undefined && level === 'full'
        ? await this.#full(ring, pack, size)
        : level === 'quick'
          ? await this.#quick(pack, size)
          : await this.#data(pack, size)
    if (this.#gone.delete(pack)) {
      await this.absent(pack, indexed)
      return false
    }
    let isAsIndexed = true
    if (tail !== undefined) {
      totals.chunks += tail.entries.filter(({ type }) => type === BLOB_CHUNK).length
      isAsIndexed = this.#index(pack, tail, indexed)
    }
    totals.packs += 1
    step(names.pack(pack))
    return isAsIndexed && !this.#unproved.has(pack) && (!troubles.has(pack) || quarantine.holds(pack))
  }

  /**
   * L1: a pack that segments name and the listing does not show. Garbage collection deletes packs whose segments stay for
   * a while: what nobody may rely upon is not missed.
   */
  async absent(pack: string, indexed: readonly IndexedPack[]): Promise<void> {
    const { log, reread, quarantine, troubles } = this.#context
    const name = names.pack(pack)
    const reading = await reread.read(name, (store) => store.head(name))
    // It came after the listing, or a listing left it out: it is there.
    if (reading.sound && reading.value !== undefined) {
      await this.present(pack, reading.value.size, indexed)
      return
    }
    if (await this.#excused(pack, indexed)) return
    const segments = indexed.map(({ segment }) => segment.sha.slice(0, 8)).join(', ')
    const proved = reading.sound
    const message = proved
      ? `the pack is gone; index segments ${segments} name it`
      : `the pack cannot be read now: ${reading.error.message}`
    const entry = log.add({ pack, object: name, found: 'L1', message, proved })
    troubles.whole(pack, entry)
    if (proved) await quarantine.put(pack, 'L1')
  }

  /** Judged by a reading after the pack was seen to be absent: whoever deleted it condemned it before. */
  async #excused(pack: string, indexed: readonly IndexedPack[]): Promise<boolean> {
    const { engine, gc, signal } = this.#context
    if (gc === undefined) return false
    const now = await engine.gc.read(engine.store, signal)
    return indexed.every(({ segment }) => judge(now, pack, segment.header.stampEpoch) !== 'usable')
  }

  #sizes(pack: string, size: number, indexed: readonly IndexedPack[]): void {
    const { log } = this.#context
    for (const { segment, pack: known } of indexed) {
      if (known.size === size) continue
      const message = `the pack has ${size} bytes, index segment ${segment.sha.slice(0, 8)} says ${known.size}`
      log.add({ pack, object: names.pack(pack), found: 'L1', message, proved: true })
      return
    }
  }

  /** L2: footer, TOC and their CRCs. */
  async #quick(pack: string, size: number): Promise<PackTail | undefined> {
    const { engine, reread, signal, totals } = this.#context
    const name = names.pack(pack)
    const reading = await reread.read(name, async (store) => {
      const tail = await readPackTail(store, pack, size, signal)
      if (tail.footer.repo !== engine.fmt.repo) throw formatError(name, `belongs to repository ${tail.footer.repo}`)
      return tail
    })
    totals.bytes += reading.sound ? reading.value.footer.tocLen + 48 : 0
    if (reading.sound) return reading.value
    // The tail is lost: what a scan of the whole pack still finds is no loss.
    await this.#damaged(pack, size, 'L2', reading)
    return undefined
  }

  /** L3: every byte hashed, and with it in memory L2. */
  async #data(pack: string, size: number): Promise<PackTail | undefined> {
    if (!(await this.#fitsBounds(pack, size))) return undefined
    const reading = await this.#bytes.hash(pack, size)
    if (!reading.sound) {
      await this.#damaged(pack, size, 'L3', reading)
      return undefined
    }
    this.#context.totals.bytes += size
    return reading.value
  }

  /** L3 and L4: hash, structure, and every blob opened, in a worker thread. */
  async #full(ring: KeyRing, pack: string, size: number): Promise<PackTail | undefined> {
    if (!(await this.#fitsBounds(pack, size))) return undefined
    const result = await this.#bytes.open(ring, pack, size)
    if (!('check' in result)) {
      this.#unreadable(pack, 'L4', result.error)
      return undefined
    }
    this.#context.totals.bytes += size
    const { check, tail } = result
    const sound = toHex(check.sha256) === pack && check.structure === null && check.bad.length === 0
    if (!sound) await this.#report(pack, result, 'L4')
    return tail
  }

  /** A cheaper level found something: with keys, every blob is tried, so that only what is really lost counts as lost. */
  async #damaged(pack: string, size: number, found: 'L2' | 'L3', reading: Unsound): Promise<void> {
    const { ring, log, troubles, quarantine } = this.#context
    const { error, proved } = reading
    if (!proved || error.code === 'ObjectAbsent') {
      this.#unreadable(pack, found, error)
      return
    }
    if (!(await this.#fitsBounds(pack, size))) return
    if (ring !== undefined) {
      const result = await this.#bytes.open(ring, pack, size)
      if ('check' in result) await this.#report(pack, result, found, error.message)
      else this.#unreadable(pack, found, result.error)
      return
    }
    troubles.whole(pack, log.add({ pack, object: names.pack(pack), found, message: error.message, proved }))
    await quarantine.put(pack, found)
  }

  async #fitsBounds(pack: string, size: number): Promise<boolean> {
    if (size >= bounds.pack.min && size <= bounds.pack.max) return true
    const { log, troubles, quarantine } = this.#context
    const object = names.pack(pack)
    troubles.whole(pack, log.add({ pack, object, found: 'L1', message: `no pack has ${size} bytes`, proved: true }))
    await quarantine.put(pack, 'L1')
    return false
  }

  async #report(
    pack: string,
    { check }: { readonly check: PackCheck },
    found: 'L2' | 'L3' | 'L4',
    first?: string,
  ): Promise<void> {
    const { log, troubles, quarantine } = this.#context
    const { structure, bad, blobs } = check
    const messages = [
      ...(first === undefined ? [] : [first]),
      ...(toHex(check.sha256) === pack ? [] : ['its bytes do not hash to its name']),
      ...(structure === null || structure.message === first ? [] : [structure.message]),
      ...(bad.length === 0 ? [] : [`${bad.length} of ${blobs} blobs do not open: ${listOf(bad)}`]),
    ]
    const proved = toHex(check.sha256) !== pack || structure?.proved === true || bad.some(({ why }) => why.proved)
    if (!proved || bad.some(({ why }) => !why.proved)) this.#unproved.add(pack)
    const object = names.pack(pack)
    const entry = log.add({ pack, object, found, message: messages.join('; '), proved })
    if (structure !== null) troubles.allBut(pack, check.found, entry)
    else
      troubles.blobs(
        pack,
        bad.map(({ off }) => off),
        entry,
      )
    if (!proved) return
    // Where only blobs are bad the others stay homes; a pack whose structure is bad is collected by nobody (§9.3).
    if (structure !== null || bad.length === 0) await quarantine.put(pack, found)
    else
      await quarantine.put(
        pack,
        found,
        bad.filter(({ why }) => why.proved),
      )
  }

  #unreadable(pack: string, found: 'L2' | 'L3' | 'L4', error: HoldfastError): void {
    // Collected since the listing, or lost: that is judged as for one that no listing shows.
    if (error.code === 'ObjectAbsent') {
      this.#gone.add(pack)
      return
    }
    const { log, troubles } = this.#context
    const message = `cannot be read now: ${error.message}`
    this.#unproved.add(pack)
    troubles.whole(pack, log.add({ pack, object: names.pack(pack), found, message, proved: false }))
  }

  /** A wrong index loses nothing: references carry their own place. But a backup may rely on what is not there. */
  #index(pack: string, tail: PackTail, indexed: readonly IndexedPack[]): boolean {
    let agrees = true
    for (const { segment, why } of compareToc(tail.entries, indexed, this.#counts)) {
      this.#context.log.add({
        pack,
        object: segmentName(segment),
        found: 'L2',
        message: `the index segment ${why}`,
        proved: true,
      })
      agrees = false
    }
    return agrees
  }
}

function listOf(bad: PackCheck['bad']): string {
  const shown = bad.slice(0, 5).map(({ slot, why }) => `slot ${slot} (${why.message})`)
  return bad.length > shown.length ? `${shown.join(', ')}, …` : shown.join(', ')
}
