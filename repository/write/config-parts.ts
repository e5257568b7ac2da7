import { createHash } from 'node:crypto'
import { HoldfastError } from '../../base/index.ts'
import type { Engine } from '../engine.ts'
import {
  BLOB_CONFIG,
  BLOB_HEADER,
  BLOB_OVERHEAD,
  bounds,
  encodeSegment,
  PACK_DATA,
  toHex,
  type ManifestConfig,
} from '../format/index.ts'
import { segmentObject } from '../index-view/index.ts'
import { throwIfAborted, type ObjectStore, type PageMemory } from '../store/index.ts'
import type { ConfigPart } from '../types.ts'
import type { Homes, Knowledge } from './knowledge.ts'
import type { PackMemory } from './part-buffers.ts'
import type { Placed } from './pack-builder.ts'
import { PackWriter, segmentOf } from './pack-writer.ts'
import { putSmall } from './session-log.ts'
import { onSide } from './sides.ts'

const PART = bounds.config.part
const SLOT = PART + BLOB_HEADER + BLOB_OVERHEAD

/** What W0 has stored. */
export interface StoredConfigs {
  readonly configs: readonly ManifestConfig[]
  readonly packs: readonly string[]
  readonly segments: readonly string[]
  /** Smallest stamp of the packs put; undefined if every part was known. */
  readonly uploadStamp: number | undefined
}

/** W0: config parts as chunks in S2, each of 4 MiB but the last; what is stored already is reused (§4.4, §7.2). */
export async function storeConfigs(
  engine: Engine,
  options: {
    readonly store: ObjectStore
    readonly knowledge: Knowledge
    readonly homes: Homes
    readonly session: string
    readonly series: string
    readonly configs: readonly ConfigPart[]
    readonly signal: AbortSignal
  },
): Promise<StoredConfigs> {
  if (options.configs.length === 0) return { configs: [], packs: [], segments: [], uploadStamp: undefined }
  const { packTarget } = engine.fmt
  const grant = await engine.budget.acquire(packTarget + SLOT, options.signal)
  const packMemory = engine.budget.lend(packTarget)
  const slotMemory = engine.budget.lend(SLOT)
  try {
    const stored = await store(engine, options, packMemory, slotMemory)
    // Only now: a thread or a put that failed may still be using them.
    engine.budget.giveBack(packMemory)
    engine.budget.giveBack(slotMemory)
    return stored
  } finally {
    grant.release()
  }
}

async function store(
  engine: Engine,
  options: Parameters<typeof storeConfigs>[1],
  packMemory: PageMemory,
  slot: Uint8Array,
): Promise<StoredConfigs> {
  const { knowledge, homes, session, series, signal } = options
  let free: Promise<void> = Promise.resolve()
  const packs = new PackWriter({
    store: options.store,
    ring: engine.ring,
    pool: engine.pool,
    identity: { repo: engine.ring.repo, series, kind: PACK_DATA },
    clock: engine.clock,
    stamp: () => knowledge.base,
    retention: engine.retention,
    takeMemory: async (): Promise<PackMemory> => {
      await free
      const { promise, resolve } = Promise.withResolvers<void>()
      free = promise
      return { bytes: packMemory, release: () => resolve() }
    },
    signal,
  })
  const placed = new Map<string, Placed>()
  const storePart = async (length: number): Promise<{ id: string; at: Placed }> => {
    const content = slot.subarray(0, length)
    const found = await engine.pool.run<'identify'>(engine.ring, { kind: 'identify', content, type: BLOB_CONFIG })
    if (found.zero) throw new TypeError('config parts are not tested for zero')
    const id = toHex(found.id)
    const pending = placed.get(id)
    if (pending !== undefined) return { id, at: pending }
    const home = knowledge.home(BLOB_CONFIG, found.id)
    if (home !== undefined) {
      homes.add(home.pack, home.stamp)
      const { pack, slot: number, off, clen } = home
      return { id, at: { pack: { name: pack }, slot: number, off, clen } }
    }
    const { innerHash } = found
    const task = { kind: 'seal', memory: slot, length, type: BLOB_CONFIG, id: found.id, innerHash, level: 1 } as const
    const sealed = await engine.pool.run<'seal'>(engine.ring, task)
    const at = await packs.append(slot.subarray(0, sealed.length))
    placed.set(id, at)
    return { id, at }
  }

  const open: { readonly config: ConfigPart; bytes: number; sha256: string; parts: { id: string; at: Placed }[] }[] = []
  for (const config of options.configs) {
    const hash = createHash('sha256')
    const parts: { id: string; at: Placed }[] = []
    let bytes = 0
    let filled = 0
    for await (const piece of piecesOf(config.content)) {
      throwIfAborted(signal)
      hash.update(piece)
      bytes += piece.length
      for (let at = 0; at < piece.length;) {
        const taken = Math.min(piece.length - at, PART - filled)
        slot.set(piece.subarray(at, at + taken), filled)
        at += taken
        filled += taken
        if (filled < PART) continue
        parts.push(await storePart(filled))
        filled = 0
      }
      if (parts.length > bounds.config.parts) throw tooLarge(config.name)
    }
    if (filled > 0) parts.push(await storePart(filled))
    if (parts.length > bounds.config.parts) throw tooLarge(config.name)
    open.push({ config, bytes, sha256: hash.digest('hex'), parts })
  }

  await packs.close()
  const finished = packs.drain()
  const segments: string[] = []
  if (finished.length > 0) {
    await onSide('store-write', () => options.store.flush())
    const content = encodeSegment(
      segmentOf(finished, { repo: engine.ring.repo, createdMs: engine.clock(), producer: session }),
    )
    const { sha, name } = segmentObject(content)
    await onSide('store-write', () => putSmall(options.store, name, content, signal))
    await engine.view.add(sha, content)
    segments.push(sha)
    for (const pack of finished) homes.add(pack.sha, pack.stamp)
  }
  const stamps = finished.map(({ stamp }) => stamp)
  return {
    configs: open.map(({ config, bytes, sha256, parts }) => ({
      name: config.name,
      type: config.type,
      bytes,
      sha256,
      parts: parts.map(({ id, at: { pack, slot: number, off, clen } }) => {
        if (pack.name === undefined) throw new TypeError('the pack of a config part has no name')
        return { id, pack: pack.name, slot: number, off, clen }
      }),
    })),
    packs: finished.map(({ sha }) => sha),
    segments,
    uploadStamp: stamps.length === 0 ? undefined : Math.min(...stamps),
  }
}

async function* piecesOf(content: ConfigPart['content']): AsyncGenerator<Uint8Array> {
  if (content instanceof Uint8Array) yield content
  else for await (const piece of content) yield piece
}

function tooLarge(name: string): HoldfastError {
  return new HoldfastError('ConfigInvalid', `configuration ${name} is larger than 1 GiB`, { data: { side: 'logic' } })
}
