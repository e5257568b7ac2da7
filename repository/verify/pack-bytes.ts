import { isHoldfastError, type HoldfastError } from '../../base/index.ts'
import { decodePackTail, formatError, names, readTail, TAIL_READ, toHex, type PackTail } from '../format/index.ts'
import type { KeyRing } from '../keys/index.ts'
import type { ObjectStore } from '../store/index.ts'
import type { PackCheck } from '../workers/index.ts'
import type { Context } from './context.ts'
import type { Reading } from './reread.ts'

/** What one worker thread needs for a pack besides its bytes: one blob before and after decompression. */
const DECODE_BYTES = 12 * 1024 * 1024

/** Reads whole packs under the memory budget of the process and has them hashed or opened in the worker threads. */
export class PackBytes {
  readonly #context: Context

  constructor(context: Context) {
    this.#context = context
  }

  /** L3: the SHA-256 of the whole pack is its name; then its TOC must be sound as well, for that name was given to it. */
  async hash(pack: string, size: number): Promise<Reading<PackTail>> {
    const { engine, reread } = this.#context
    const name = names.pack(pack)
    return await reread.read(name, async (store) => {
      using _memory = await this.#grant(size)
      const bytes = await this.#read(store, name, size)
      const tail = tailOf(bytes)
      const { sha256 } = await engine.pool.run<'hash'>(undefined, { kind: 'hash', content: bytes }, own(bytes))
      if (toHex(sha256) !== pack) throw formatError(name, 'its bytes do not hash to its name')
      if (!('entries' in tail)) throw tail
      if (tail.footer.repo !== engine.fmt.repo) throw formatError(name, `belongs to repository ${tail.footer.repo}`)
      return tail
    })
  }

  /** L3 and L4: what is wrong with the pack is in the check; the error is that of a pack that cannot be read. */
  async open(
    ring: KeyRing,
    pack: string,
    size: number,
  ): Promise<{ readonly check: PackCheck; readonly tail: PackTail | undefined } | { readonly error: HoldfastError }> {
    const { engine, reread } = this.#context
    const name = names.pack(pack)
    let last: PackCheck | undefined
    const reading = await reread.read(name, async (store) => {
      using _memory = await this.#grant(size + DECODE_BYTES)
      const bytes = await this.#read(store, name, size)
      const tail = tailOf(bytes)
      const check = await engine.pool.run<'check'>(ring, { kind: 'check', pack: bytes }, own(bytes))
      last = check
      if (toHex(check.sha256) !== pack) throw formatError(name, 'its bytes do not hash to its name')
      return { check, tail: 'entries' in tail ? tail : undefined }
    })
    if (reading.sound) return reading.value
    return reading.proved && last !== undefined ? { check: last, tail: undefined } : { error: reading.error }
  }

  async #read(store: ObjectStore, name: string, size: number): Promise<Uint8Array> {
    return await store.getRange(name, 0, size, this.#context.signal)
  }

  async #grant(bytes: number): Promise<Disposable> {
    const { budget } = this.#context.engine
    const grant = await budget.acquire(Math.min(bytes, budget.limit), this.#context.signal)
    return {
      [Symbol.dispose]: () => {
        grant.release()
      },
    }
  }
}

/** Memory that nobody else uses is handed to the worker thread instead of copied. */
function own(bytes: Uint8Array): ArrayBuffer[] {
  return bytes.buffer instanceof ArrayBuffer && bytes.length === bytes.buffer.byteLength ? [bytes.buffer] : []
}

/** TOC of a pack that is in memory, on memory of its own; the error if it cannot be used. */
function tailOf(bytes: Uint8Array): PackTail | HoldfastError {
  try {
    const copy = (from: number) => Buffer.from(bytes.subarray(from))
    const decoded = decodePackTail(copy(Math.max(0, bytes.length - TAIL_READ)), bytes.length)
    return 'missing' in decoded ? readTail(copy(decoded.missing.offset), bytes.length) : decoded
  } catch (error) {
    if (isHoldfastError(error)) return error
    throw error
  }
}
