import { isHoldfastError, type HoldfastError } from '../../base/index.ts'
import {
  BLOB_CHUNK,
  bounds,
  decodePackTail,
  formatError,
  names,
  readTail,
  TAIL_READ,
  toHex,
  type PackTail,
} from '../format/index.ts'
import { judge } from '../gcstate/index.ts'
import { segmentName, type SegmentFile } from '../index-view/index.ts'
import { readPackTail } from '../read/pack-tail.ts'
import type { PackCheck } from '../workers/index.ts'
import type { Context } from './context.ts'
import { compareToc, countEntries, type IndexedPack } from './indexed.ts'

/** What one worker thread needs for a pack besides its bytes: one blob before and after decompression. */
const DECODE_BYTES = 12 * 1024 * 1024

/** §12.1 L1, L2 and, on level full, L3 and L4, pack by pack. Everything wrong goes to the log and the troubles. */
export class PackChecker {
  readonly #context: Context
  readonly #counts: ReadonlyMap<SegmentFile, Uint32Array>

  private constructor(context: Context, counts: ReadonlyMap<SegmentFile, Uint32Array>) {
    this.#context = context
    this.#counts = counts
  }

  static async create(context: Context): Promise<PackChecker> {
    const counts = new Map<SegmentFile, Uint32Array>()
    for (const segment of context.segments) counts.set(segment, await countEntries(segment, context.signal))
    return new PackChecker(context, counts)
  }

  /** A pack that the listing shows. `indexed`: what the segments say of it; empty for one that no index names. */
  async present(pack: string, size: number, indexed: readonly IndexedPack[]): Promise<void> {
    const { totals, step, level } = this.#context
    this.#sizes(pack, size, indexed)
    const tail = level === 'full' ? await this.#full(pack, size) : await this.#quick(pack, size)
    if (tail !== undefined) {
      totals.chunks += tail.entries.filter(({ type }) => type === BLOB_CHUNK).length
      this.#index(pack, tail, indexed)
    }
    totals.packs += 1
    step(names.pack(pack))
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
      if (tail.footer.repo !== engine.ring.repo) throw formatError(name, `belongs to repository ${tail.footer.repo}`)
      return tail
    })
    totals.bytes += reading.sound ? reading.value.footer.tocLen + 48 : 0
    if (reading.sound) return reading.value
    if (!reading.proved) {
      this.#unreadable(pack, reading.error)
      return undefined
    }
    // The tail is lost: what a scan of the whole pack still finds is no loss.
    const check = await this.#check(pack, size)
    if (check !== undefined) await this.#report(pack, check, 'L2', reading.error.message)
    return undefined
  }

  /** L3 and L4: hash, structure, and every blob opened, in a worker thread. */
  async #full(pack: string, size: number): Promise<PackTail | undefined> {
    const { totals } = this.#context
    const result = await this.#check(pack, size)
    if (result === undefined) return undefined
    totals.bytes += size
    const sound =
      toHex(result.check.sha256) === pack && result.check.structure === null && result.check.bad.length === 0
    if (!sound) await this.#report(pack, result, 'L4')
    return result.tail
  }

  /** Reads the whole pack and checks it; undefined if it cannot be read, which is then in the log. */
  async #check(
    pack: string,
    size: number,
  ): Promise<{ readonly check: PackCheck; readonly tail: PackTail | undefined } | undefined> {
    const { engine, log, reread, signal, troubles, quarantine } = this.#context
    const name = names.pack(pack)
    if (size < bounds.pack.min || size > bounds.pack.max) {
      const entry = log.add({ pack, object: name, found: 'L1', message: `no pack has ${size} bytes`, proved: true })
      troubles.whole(pack, entry)
      await quarantine.put(pack, 'L1')
      return undefined
    }
    let last: PackCheck | undefined
    const reading = await reread.read(name, async (store) => {
      using _memory = await this.#grant(size)
      const bytes = await store.getRange(name, 0, size, signal)
      const tail = tailOf(bytes)
      const memory =
        bytes.buffer instanceof ArrayBuffer && bytes.length === bytes.buffer.byteLength ? [bytes.buffer] : []
      const check = await engine.pool.run<'check'>(engine.ring, { kind: 'check', pack: bytes }, memory)
      last = check
      if (toHex(check.sha256) !== pack) throw formatError(name, 'its bytes do not hash to its name')
      return { check, tail }
    })
    if (reading.sound) return reading.value
    if (reading.proved && last !== undefined) return { check: last, tail: undefined }
    this.#unreadable(pack, reading.error)
    return undefined
  }

  async #grant(size: number): Promise<Disposable> {
    const { budget } = this.#context.engine
    const grant = await budget.acquire(Math.min(size + DECODE_BYTES, budget.limit), this.#context.signal)
    return {
      [Symbol.dispose]: () => {
        grant.release()
      },
    }
  }

  async #report(
    pack: string,
    { check }: { readonly check: PackCheck },
    found: 'L2' | 'L4',
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

  #unreadable(pack: string, error: HoldfastError): void {
    const { log, troubles } = this.#context
    const message = `cannot be read now: ${error.message}`
    const found = this.#context.level === 'full' ? 'L4' : 'L2'
    troubles.whole(pack, log.add({ pack, object: names.pack(pack), found, message, proved: false }))
  }

  /** A wrong index loses nothing: references carry their own place. But a backup may rely on what is not there. */
  #index(pack: string, tail: PackTail, indexed: readonly IndexedPack[]): void {
    for (const { segment, why } of compareToc(tail.entries, indexed, this.#counts)) {
      this.#context.log.add({
        pack,
        object: segmentName(segment),
        found: 'L2',
        message: `the index segment ${why}`,
        proved: true,
      })
    }
  }
}

/** TOC of a pack that is in memory, on memory of its own; undefined if it cannot be used, which the worker finds too. */
function tailOf(bytes: Uint8Array): PackTail | undefined {
  try {
    const copy = (from: number) => Buffer.from(bytes.subarray(from))
    const decoded = decodePackTail(copy(Math.max(0, bytes.length - TAIL_READ)), bytes.length)
    return 'missing' in decoded ? readTail(copy(decoded.missing.offset), bytes.length) : decoded
  } catch (error) {
    if (isHoldfastError(error)) return undefined
    throw error
  }
}

function listOf(bad: PackCheck['bad']): string {
  const shown = bad.slice(0, 5).map(({ slot, why }) => `slot ${slot} (${why.message})`)
  return bad.length > shown.length ? `${shown.join(', ')}, …` : shown.join(', ')
}
