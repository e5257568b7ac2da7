import type { Bytes } from '../../base/index.ts'

/** Half-open: `start` belongs to it, `end` does not. Never empty where a stream yields it. */
export interface ByteRange {
  readonly start: Bytes
  readonly end: Bytes
}

/** `zero`: the range reads as zeros, and that is its content. */
export interface Extent {
  readonly offset: Bytes
  readonly length: Bytes
  readonly kind: 'data' | 'zero'
}

/** What one metadata context says about a range. The meaning of `flags` is the context's own. */
export interface StatusExtent {
  readonly offset: Bytes
  readonly length: Bytes
  readonly flags: number
}

/** A stream or a list; every function of this folder takes both. */
export type Source<T> = AsyncIterable<T> | Iterable<T>
