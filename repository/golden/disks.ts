import { createHash } from 'node:crypto'
import { MiB } from '../../base/index.ts'
import type { DiskSource, SourceExtent } from '../types.ts'

/** One MiB of a disk: what it holds, by a name from which its bytes follow. */
export type Content = { readonly text: string } | { readonly noise: string } | { readonly zero: true }
/** By number of the chunk. What is not named is zero, or unallocated from `allocated` on. */
export interface DiskState {
  readonly bytes: number
  readonly allocated: number
  readonly chunks: ReadonlyMap<number, Content>
}

/** Bytes of one chunk: a text over and over (compresses to nothing), SHA-256 output (does not compress), or zeros. */
function fill(content: Content | undefined, into: Buffer): void {
  if (content === undefined || 'zero' in content) into.fill(0)
  else if ('text' in content) into.fill(`${content.text}\n`)
  else {
    for (let at = 0, n = 0; at < into.length; at += 32, n++) {
      createHash('sha256').update(`${content.noise} ${n}`).digest().copy(into, at)
    }
  }
}

/** Fills `into` with the bytes of the disk from `at`. */
export function readState(state: DiskState, at: number, into: Uint8Array): void {
  const chunk = Buffer.alloc(MiB)
  for (let done = 0; done < into.length;) {
    const offset = at + done
    const within = offset % MiB
    const length = Math.min(MiB - within, into.length - done)
    // The content of the short last chunk is that of a chunk of its length.
    fill(state.chunks.get(Math.floor(offset / MiB)), chunk.subarray(0, chunkBytes(state, Math.floor(offset / MiB))))
    into.set(chunk.subarray(within, within + length), done)
    done += length
  }
}

/** SHA-256 of the whole disk. */
export function hashState(state: DiskState): string {
  const hash = createHash('sha256')
  const [piece, zero] = [Buffer.alloc(MiB), Buffer.alloc(MiB)]
  for (let at = 0; at < state.bytes; at += MiB) {
    const isNamed = state.chunks.has(at / MiB)
    const view = (isNamed ? piece : zero).subarray(0, Math.min(MiB, state.bytes - at))
    if (isNamed) readState(state, at, view)
    hash.update(view)
  }
  return hash.digest('hex')
}

/** A source of this state; with `changed`, only those chunks are yielded, as an incremental does. */
export function sourceOf(state: DiskState, changed?: readonly number[]): DiskSource {
  return {
    size: state.bytes,
    readable: 'all',
    maxInFlight: 4,
    read: async (at, into) => {
      readState(state, at, into)
    },
    async *extents(start, end) {
      let run: { offset: number; length: number; kind: SourceExtent['kind'] } | undefined
      for (let offset = start; offset < end;) {
        const no = Math.floor(offset / MiB)
        const next = Math.min(end, (no + 1) * MiB)
        const kind = state.chunks.has(no) ? 'data' : offset >= state.allocated ? 'unallocated' : 'zero'
        const wanted = changed === undefined || changed.includes(no)
        if (run !== undefined && wanted && run.kind === kind && run.offset + run.length === offset)
          run.length += next - offset
        else {
          if (run !== undefined) yield run
          run = wanted ? { offset, length: next - offset, kind } : undefined
        }
        offset = next
      }
      if (run !== undefined) yield run
    },
  }
}

function chunkBytes(state: DiskState, no: number): number {
  return Math.min(MiB, state.bytes - no * MiB)
}
