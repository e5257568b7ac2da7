import type { Millis } from '../../base/index.ts'
import type { Engine } from '../engine.ts'
import { names } from '../format/index.ts'
import { descriptorOf, lockDay, locksOf } from '../lock/index.ts'
import type { LoadedManifest } from '../read/manifest.ts'
import { inParallel, isAbsent, throwIfAborted, type ObjectStore } from '../store/index.ts'
import { blobRefs, type BlobRef } from './blob-refs.ts'
import type { Homes } from './knowledge.ts'
import { onSide } from './sides.ts'

/** Extensions under way at a time. */
const PARALLEL = 16

export interface PointToLock {
  readonly store: ObjectStore
  readonly manifest: LoadedManifest
  readonly parent: LoadedManifest | undefined
  /** Packs of the manifest's new blobs; undefined if they are not known. */
  readonly homes: Homes | undefined
  /** Where a blob is, in none of `avoid`; undefined: nowhere that is known. */
  readonly homeOf: (ref: BlobRef, avoid: ReadonlySet<string>) => Promise<string | undefined>
  readonly signal: AbortSignal
  readonly onProgress: (what: string) => void
}

/**
 * W2x (§7.2, §11.5): when it returns an empty set, some home of every blob of the manifest is locked to the end of the manifest's
 * generation. Else the packs that are proved absent: the check has to look for other homes first. Again: yes; what is
 * locked for long enough costs no request that changes anything.
 *
 * A parent of the same generation has seen to everything that is inherited from it, so that in each generation one backup of a
 * VM extends its packs and the others only look at what is new.
 */
export async function lockPacks(engine: Engine, point: PointToLock): Promise<ReadonlySet<string>> {
  const { store, manifest, parent, homes, signal, onProgress } = point
  const { lockUntilSec } = manifest.header
  const absent = new Set<string>()
  if (lockUntilSec === 0) return absent
  const until = engine.retention.endOf(lockUntilSec)
  // Published by an attempt of long ago: its promise is over, and no store takes a retention that ends in the past.
  if (until <= (await onSide('store-read', () => store.now()))) return absent
  const isInherited = parent !== undefined && engine.retention.endOf(parent.header.lockUntilSec) >= until
  if (!isInherited) await lockDescriptor(store, until)
  // Without a parent every blob is new.
  const isKnown = homes !== undefined && (parent === undefined || isInherited)
  const locked = new Set<string>()
  for (;;) {
    const packs = isKnown ? new Set(homes.all().map(({ pack }) => pack)) : await allPacks(engine, point, absent)
    if (packs === undefined) return absent
    const wanted = packs.difference(locked)
    const days = await engine.view.lockDays(wanted)
    const extend = [...wanted].filter((pack) => (days.get(pack) ?? 0) < lockDay(until))
    if (extend.length > 0) onProgress(`locking ${extend.length} packs until ${new Date(until).toISOString()}`)
    let isComplete = true
    await inParallel(extend, PARALLEL, async (pack) => {
      throwIfAborted(signal)
      if (await extendOne(store, names.pack(pack), until)) return
      absent.add(pack)
      isComplete = false
    })
    if (isComplete) return new Set()
    if (isKnown) return absent
    for (const pack of wanted) if (!absent.has(pack)) locked.add(pack)
  }
}

/** undefined: a blob is nowhere that is known. */
async function allPacks(
  engine: Engine,
  { manifest, homeOf, signal }: PointToLock,
  avoid: ReadonlySet<string>,
): Promise<Set<string> | undefined> {
  const packs = new Set<string>()
  for await (const ref of blobRefs(engine.blobs, manifest, undefined, false, signal)) {
    const pack = packs.has(ref.at.pack) ? ref.at.pack : await homeOf(ref, avoid)
    if (pack === undefined) return undefined
    packs.add(pack)
  }
  return packs
}

async function lockDescriptor(store: ObjectStore, until: Millis): Promise<void> {
  // One that is gone was replaced meanwhile, and its successor was locked when it was put.
  for (const name of await onSide('store-read', () => descriptorOf(store))) await extendOne(store, name, until)
}

/** false: proved absent. */
async function extendOne(store: ObjectStore, name: string, until: Millis): Promise<boolean> {
  try {
    await onSide('store-write', () => locksOf(store).extendRetention(name, until))
    return true
  } catch (error) {
    if (isAbsent(error)) return false
    throw error
  }
}
