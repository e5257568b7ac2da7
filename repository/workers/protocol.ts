import type { SerializedError } from '../../base/index.ts'
import type { BlobType, KeySetContent } from '../format/index.ts'
import type { KeyRing } from '../keys/index.ts'

/** What a worker thread does with memory that it shares with the main thread, or that is handed to it. */
export type Task =
  /** §6.2, §5.2: zero test, SHA-256, id of a chunk or config part. */
  | { readonly kind: 'identify'; readonly content: Uint8Array; readonly type: BlobType }
  /** §4.2, §6.4: the content at the start of `memory` is replaced by its sealed blob. */
  | {
      readonly kind: 'seal'
      readonly memory: Uint8Array
      readonly length: number
      readonly type: BlobType
      readonly id: Uint8Array
      readonly innerHash: Uint8Array
      readonly level: number
    }
  /** Needs no key. Memory that was handed over is freed. */
  | { readonly kind: 'hash'; readonly content: Uint8Array }
  /** §7.8: opens blobs that lie in `range`, whose memory is freed. */
  | { readonly kind: 'open'; readonly range: Uint8Array; readonly blobs: readonly BlobWanted[] }
  /** §13: one chunk or config part, which `range` is, sealed for another repository into `memory`. `range` is freed. */
  | {
      readonly kind: 'reseal'
      readonly to: KeyRing
      readonly range: Uint8Array
      readonly blob: Omit<BlobWanted, 'at'>
      readonly memory: Uint8Array
    }
  /** §12.1 L3 and L4 of a whole pack, whose memory is freed. */
  | { readonly kind: 'check'; readonly pack: Uint8Array }

/** A blob inside a range that was read, as its reference describes it. */
export interface BlobWanted {
  /** Of the blob header, in the range. */
  readonly at: number
  readonly type: BlobType
  readonly id: Uint8Array
  readonly clen: number
  /** Length of the content where the reference fixes it. */
  readonly ulen?: number
}

export type Identified =
  | { readonly zero: true }
  | { readonly zero: false; readonly innerHash: Uint8Array; readonly id: Uint8Array }
export interface Sealed {
  /** Bytes of header and ciphertext. */
  readonly length: number
}
export interface Resealed {
  /** In the other repository. */
  readonly id: Uint8Array
  /** Bytes of header and ciphertext. */
  readonly length: number
}
export interface Hashed {
  readonly sha256: Uint8Array
}
/** Proved: the bytes are wrong. Otherwise a newer version wrote them. */
export interface Fault {
  readonly message: string
  readonly proved: boolean
}

/** What checking every byte of a pack found. */
export interface PackCheck {
  /** Of the whole pack: its name if it is sound. */
  readonly sha256: Uint8Array
  /** Why header or TOC cannot be used; its blobs were then found by a scan. */
  readonly structure: Fault | null
  /** Blobs that were looked at, and bytes of content that they gave. */
  readonly blobs: number
  readonly content: number
  /** Blobs that do not open. */
  readonly bad: readonly { readonly slot: number; readonly off: number; readonly id: string; readonly why: Fault }[]
  /** With `structure`: offsets and ids of the blobs that open all the same. */
  readonly found: readonly { readonly off: number; readonly id: string }[]
}

/** In the order of the request. */
export type OpenedBlob = { readonly content: Uint8Array } | { readonly error: SerializedError }

export interface Results {
  readonly identify: Identified
  readonly seal: Sealed
  readonly hash: Hashed
  readonly open: readonly OpenedBlob[]
  readonly reseal: Resealed
  readonly check: PackCheck
}

/** A task as it crosses to the thread, where key rings are known by number. */
export type WireTask =
  | Exclude<Task, { kind: 'reseal' }>
  | (Omit<Extract<Task, { kind: 'reseal' }>, 'to'> & { readonly to: number })

export type Request =
  /** Keys of a repository, sent to a thread before its first task for it. */
  | { readonly ring: number; readonly content: KeySetContent }
  | { readonly no: number; readonly ring: number | undefined; readonly task: WireTask }
export type Reply =
  | { readonly no: number; readonly result: Results[Task['kind']] }
  | { readonly no: number; readonly error: SerializedError }
