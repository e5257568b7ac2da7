import { randomBytes } from 'node:crypto'
import {
  BLOB_HEADER,
  buffer,
  bounds,
  decodeBlobHeader,
  encodePackHeader,
  encodePackTail,
  fromHex,
  PACK_BY_COMPACTION,
  PACK_FOOTER,
  PACK_HEADER,
  TOC_ENTRY,
  type PackKind,
  type TocEntry,
} from '../format/index.ts'

/** A pack that references point to before it has its name. */
export interface PackRef {
  /** 64 hex digits, once the pack is closed. */
  name: string | undefined
}

/** Where a blob went. */
export interface Placed {
  readonly pack: PackRef
  readonly slot: number
  readonly off: number
  readonly clen: number
}

export interface PackIdentity {
  readonly repo: string
  readonly kind: PackKind
  /** 32 hex digits, or undefined for a pack of mixed origin. */
  readonly series: string
  readonly createdMs: number
  /** §4.2, flag bit 0. */
  readonly byCompaction?: boolean
}

/** §4.2: fills a pack, blob by blob, in memory that the caller provides. */
export class PackBuilder {
  readonly ref: PackRef = { name: undefined }
  readonly kind: PackKind
  readonly memory: Uint8Array
  readonly #repo: string
  readonly #entries: TocEntry[] = []
  #end = PACK_HEADER

  constructor(memory: Uint8Array, { repo, kind, series, createdMs, byCompaction = false }: PackIdentity) {
    this.memory = memory
    this.kind = kind
    this.#repo = repo
    const flags = byCompaction ? PACK_BY_COMPACTION : 0
    const seriesHash = fromHex(series, 16, 'series').subarray(0, 4)
    memory.set(encodePackHeader({ kind, flags, repo, random: randomBytes(16), createdMs, seriesHash }))
  }

  get entries(): readonly TocEntry[] {
    return this.#entries
  }

  /** Whether a blob of `length` bytes and its TOC entry still go in. */
  fits(length: number): boolean {
    const tail = TOC_ENTRY * (this.#entries.length + 1) + PACK_FOOTER
    return this.#entries.length < bounds.pack.blobs && this.#end + length + tail <= this.memory.length
  }

  /** `blob`: header and ciphertext. */
  append(blob: Uint8Array): Placed {
    if (!this.fits(blob.length)) throw new RangeError('the pack is full')
    const { nonce: _, id, ...facts } = decodeBlobHeader(blob)
    if (blob.length !== BLOB_HEADER + facts.clen) throw new RangeError('not a whole blob')
    const off = this.#end
    this.memory.set(blob, off)
    this.#end += blob.length
    this.#entries.push({ ...facts, id: Buffer.from(id), off })
    return { pack: this.ref, slot: this.#entries.length - 1, off, clen: facts.clen }
  }

  /** Adds TOC and footer. The bytes of the whole pack, a view of the memory. */
  close(): Buffer {
    const tail = encodePackTail(this.#entries, this.#repo)
    this.memory.set(tail, this.#end)
    return buffer(this.memory).subarray(0, this.#end + tail.length)
  }
}
