import { HoldfastError } from '../../base/index.ts'
import type { Engine } from '../engine.ts'
import {
  BLOB_CHUNK,
  BLOB_HEADER,
  BLOB_PAGE,
  encodeSegment,
  names,
  PACK_DATA,
  PACK_META,
  toHex,
  type Location,
} from '../format/index.ts'
import { segmentObject, type IndexedHome } from '../index-view/index.ts'
import type { ObjectStore } from '../store/index.ts'
import { compressAndSeal, identify, openBlob } from '../workers/index.ts'
import type { BlobRef } from './blob-refs.ts'
import type { Knowledge } from './knowledge.ts'
import { Lane } from './lane.ts'
import { PackWriter, segmentOf } from './pack-writer.ts'
import type { Placed } from './pack-builder.ts'
import { putSmall } from './session-log.ts'
import { isFormatProblem } from '../read/manifest.ts'
import { isAbsent } from '../store/index.ts'
import { onSide } from './sides.ts'

/** A rescued blob and its new home. */
export interface Rescued {
  readonly ref: BlobRef
  readonly home: IndexedHome
}

/**
 * §7.4 step 7: stores missing blobs again. Verbatim from a condemned or quarantined place, if it still exists and the blob
 * verifies; else a chunk is read again from the source. New packs under the stamp of the latest reading, and their L0.
 */
export async function rescueBlobs(
  engine: Engine,
  options: {
    readonly store: ObjectStore
    readonly knowledge: Knowledge
    readonly session: string
    readonly series: string
    readonly refs: readonly BlobRef[]
    readonly reread: ((disk: string, at: number, into: Uint8Array) => Promise<void>) | undefined
    /** Where no place here gives a blob (§12.3): header and ciphertext under current keys; undefined: not there either. */
    readonly fetch?: (ref: BlobRef) => Promise<Uint8Array | undefined>
    /** What cannot be stored again; default: that ends the rescue. */
    readonly onGone?: (ref: BlobRef) => void
    readonly signal: AbortSignal
  },
): Promise<Rescued[]> {
  const { store, knowledge, refs, signal } = options
  const grant = await engine.budget.acquire(engine.fmt.packTarget, signal)
  const memory = engine.budget.lend(engine.fmt.packTarget)
  const stamp = knowledge.base
  const lane = new Lane()
  const writer = (kind: typeof PACK_DATA | typeof PACK_META) =>
    new PackWriter({
      store,
      ring: engine.ring,
      pool: engine.pool,
      identity: { repo: engine.ring.repo, series: options.series, kind },
      clock: engine.clock,
      stamp: () => stamp,
      retention: engine.retention,
      takeMemory: () => lane.take(memory),
      signal,
    })
  const placed: { readonly ref: BlobRef; readonly at: Placed }[] = []
  try {
    // One pack at a time has the memory: first all chunks and config parts, then all pages.
    for (const kind of [PACK_DATA, PACK_META] as const) {
      const packs = writer(kind)
      const mine = refs.filter((ref) => (ref.type === BLOB_PAGE) === (kind === PACK_META))
      for (const ref of mine) {
        const blob = await blobOf(engine, options, ref)
        if (blob === undefined) options.onGone?.(ref)
        else placed.push({ ref, at: await packs.append(blob) })
      }
      await packs.close()
      const finished = packs.drain()
      if (finished.length === 0) continue
      await onSide('store-write', () => store.flush())
      const content = encodeSegment(
        segmentOf(finished, { repo: engine.ring.repo, createdMs: engine.clock(), producer: options.session }),
      )
      const { sha, name } = segmentObject(content)
      await onSide('store-write', () => putSmall(store, name, content, signal))
      await engine.view.add(sha, content)
    }
    engine.budget.giveBack(memory)
  } finally {
    grant.release()
  }
  return placed.map(({ ref, at }) => {
    const { pack, slot, off, clen } = at
    if (pack.name === undefined) throw new TypeError('the pack of a rescued blob has no name')
    return { ref, home: { pack: pack.name, slot, off, clen, stamp } }
  })
}

async function blobOf(
  engine: Engine,
  options: Parameters<typeof rescueBlobs>[1],
  ref: BlobRef,
): Promise<Uint8Array | undefined> {
  const places: Location[] = [ref.at, ...engine.view.homes(ref.type, ref.id)]
  for (const place of places) {
    const blob = await verbatim(engine, options.store, ref, place, options.signal)
    if (blob !== undefined) return blob
  }
  const fetched = await options.fetch?.(ref)
  if (fetched !== undefined) return fetched
  const { source } = ref
  if (ref.type === BLOB_CHUNK && source !== undefined && options.reread !== undefined) {
    const content = new Uint8Array(new SharedArrayBuffer(source.length))
    const { reread } = options
    await onSide('source', () => reread(source.disk, source.offset, content))
    const found = identify(engine.ring, BLOB_CHUNK, content)
    if (!found.zero && Buffer.compare(found.id, ref.id) === 0) {
      const blob = Buffer.allocUnsafe(BLOB_HEADER + 64 + content.length)
      const input = { type: BLOB_CHUNK, content, id: found.id, innerHash: found.innerHash, level: 1 } as const
      return blob.subarray(0, compressAndSeal(engine.ring, input, blob))
    }
  }
  if (options.onGone !== undefined) return undefined
  throw new HoldfastError(
    'SessionInvalid',
    `blob ${toHex(ref.id)} is gone from the repository and cannot be stored again`,
    {
      hint: 'Start a new run: it stores again what is missing.',
      data: { side: 'logic', ...(source && { disk: source.disk, start: source.offset }) },
    },
  )
}

/** undefined: absent there, or damaged. What could not be read throws: it may be there. */
async function verbatim(
  engine: Engine,
  store: ObjectStore,
  ref: BlobRef,
  at: Location,
  signal: AbortSignal,
): Promise<Uint8Array | undefined> {
  try {
    const name = names.pack(at.pack)
    const bytes = await onSide('store-read', () => store.getRange(name, at.off, BLOB_HEADER + at.clen, signal))
    openBlob(engine.ring, Buffer.from(bytes), { type: ref.type, id: ref.id, clen: at.clen })
    return bytes
  } catch (error) {
    if (isAbsent(error) || isFormatProblem(error)) return undefined
    throw error
  }
}
