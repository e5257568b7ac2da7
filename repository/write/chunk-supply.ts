import type { Engine } from '../engine.ts'
import { BLOB_CHUNK } from '../format/index.ts'
import type { DiskSource } from '../types.ts'
import type { Sealed } from '../workers/index.ts'
import type { ChunkSource } from './chunk-reader.ts'
import type { Piece } from './extents.ts'

/** How the copy of a part gets one chunk: first what it is, and then, if nobody has it, its sealed blob. */
export interface ChunkSupply {
  /** The source has done its part of finding out. */
  readonly filled: Promise<unknown>
  /** Id in this repository, or that nothing but zeros is in it. */
  readonly identified: Promise<Uint8Array | 'zero'>
  /** Header and ciphertext, written to the start of the chunk's memory. After `identified`. */
  seal(): Promise<Sealed>
  /** From the source, so far. */
  bytesRead(): number
}

/** A chunk that another repository has stored (§13). */
export interface SealedChunk {
  /** Id in this repository. `memory` may be used, and is the same in both calls. */
  identify(memory: Uint8Array): Promise<Uint8Array>
  /** Header and ciphertext under the keys of this repository, at the start of `memory`. After `identify`. */
  reseal(memory: Uint8Array): Promise<Sealed>
  /** Whether it was read from there. */
  wasRead(): boolean
}

/** A source whose chunks are sealed already: they are taken over without being decompressed, and only if they are needed. */
export interface SealedSource extends DiskSource {
  /** The chunk that is exactly [at, at + length); undefined: it is read like that of any other source. */
  sealed(at: number, length: number, signal: AbortSignal): Promise<SealedChunk | undefined>
}

export function isSealedSource(source: DiskSource): source is SealedSource {
  return 'sealed' in source
}

/** §7.2 S2: read, tested for zero, hashed; compressed, compared and sealed. */
export function readSupply(
  engine: Engine,
  source: ChunkSource,
  chunk: {
    readonly at: number
    readonly length: number
    readonly memory: Uint8Array
    readonly pieces: readonly Piece[]
    readonly level: number
  },
): ChunkSupply {
  const { at, length, memory, pieces, level } = chunk
  const content = memory.subarray(0, length)
  let bytesRead = 0
  const filled = source.fill(at, content, pieces)
  const found = filled.then(async (read) => {
    bytesRead = read
    return await engine.pool.run<'identify'>(engine.ring, { kind: 'identify', content, type: BLOB_CHUNK })
  })
  return {
    filled,
    identified: found.then((identified) => (identified.zero ? 'zero' : identified.id)),
    async seal() {
      const identified = await found
      if (identified.zero) throw new TypeError('a chunk of zeros is not stored')
      const { id, innerHash } = identified
      const task = { kind: 'seal', memory, length, type: BLOB_CHUNK, id, innerHash, level } as const
      return await engine.pool.run<'seal'>(engine.ring, task)
    },
    bytesRead: () => bytesRead,
  }
}

export function sealedSupply(chunk: SealedChunk, memory: Uint8Array, length: number): ChunkSupply {
  const identified = chunk.identify(memory)
  return {
    filled: identified,
    identified,
    seal: () => chunk.reseal(memory),
    bytesRead: () => (chunk.wasRead() ? length : 0),
  }
}
