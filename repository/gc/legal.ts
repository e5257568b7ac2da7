import { HoldfastError } from '../../base/index.ts'
import type { Engine } from '../engine.ts'
import { names, parseName } from '../format/index.ts'
import { descriptorOf, locksOf } from '../lock/index.ts'
import { loadManifest } from '../read/manifest.ts'
import { inParallel, isAbsent, listAll } from '../store/index.ts'
import { blobRefs } from '../write/blob-refs.ts'
import { listHolds } from './holds.ts'

const PARALLEL = 16

/**
 * §11.5: the store's own legal hold on everything that a point needs, besides the hold object. Again: yes. Throws ChunkLost if
 * something of it is nowhere to be held; what is there is held all the same.
 */
export async function holdInStore(engine: Engine, stem: string, signal: AbortSignal): Promise<void> {
  if (engine.store.capabilities.objectLock === 'none') return
  const { found, lost } = await objectsOf(engine, stem, signal)
  await setHolds(engine, found, true)
  if (lost === 0) return
  throw new HoldfastError('ChunkLost', `${stem} is held; ${lost} of its blobs are in no pack that could be`, {
    data: { stem },
  })
}

/**
 * Ends the store's hold on what no other legal hold needs, and then says `release`, which removes the hold object. Publish, then
 * check, the other way round: a legal hold that is placed meanwhile has put its object first, so either it is seen afterwards
 * and its objects are held again, or it holds them after this has let go.
 */
export async function releaseInStore(
  engine: Engine,
  hold: string,
  signal: AbortSignal,
  release: () => Promise<void>,
): Promise<void> {
  const snap = legalSnap(hold)
  const isLegal = async () =>
    (await listHolds(engine, signal)).some(({ name, type }) => name === hold && type !== 'pin')
  if (engine.store.capabilities.objectLock === 'none' || snap === undefined || !(await isLegal())) {
    await release()
    return
  }
  const stem = await stemOf(engine, snap)
  const mine = stem === undefined ? new Set<string>() : (await objectsOf(engine, stem, signal)).found
  await setHolds(engine, mine.difference(await heldByOthers(engine, hold, signal)), false)
  await release()
  await setHolds(engine, mine.intersection(await heldByOthers(engine, hold, signal)), true)
}

async function heldByOthers(engine: Engine, hold: string, signal: AbortSignal): Promise<Set<string>> {
  const held = new Set<string>()
  const snaps = new Set<string>()
  for (const { name, type, snap } of await listHolds(engine, signal))
    if (name !== hold && type !== 'pin') snaps.add(snap)
  for (const snap of snaps) {
    const stem = await stemOf(engine, snap)
    if (stem === undefined) continue
    for (const name of (await objectsOf(engine, stem, signal)).found) held.add(name)
  }
  return held
}

/** Names of the objects without which a point does not restore; `lost`: blobs of which none is there. */
async function objectsOf(
  engine: Engine,
  stem: string,
  signal: AbortSignal,
): Promise<{ readonly found: Set<string>; readonly lost: number }> {
  const { store, ring, blobs, view } = engine
  const found = new Set([names.snap(stem, 'manifest'), names.snap(stem, 'validated'), ...(await descriptorOf(store))])
  const manifest = await loadManifest(store, ring, stem, signal)
  if (manifest === undefined) return { found: new Set(), lost: 0 }
  await view.refresh(store, signal)
  const there = new Map<string, boolean>()
  const isThere = async (pack: string) => {
    const known = there.get(pack) ?? (await store.head(names.pack(pack))) !== undefined
    there.set(pack, known)
    return known
  }
  let lost = 0
  for await (const ref of blobRefs(blobs, manifest, undefined, false, signal)) {
    // The hint, and where a reader goes on if it is stale: any other home.
    let home: string | undefined
    for (const { pack } of [ref.at, ...view.homes(ref.type, ref.id)]) {
      if (home === undefined && (await isThere(pack))) home = pack
    }
    if (home === undefined) lost += 1
    else found.add(names.pack(home))
  }
  return { found, lost }
}

async function setHolds({ store }: Engine, objects: ReadonlySet<string>, isHeld: boolean): Promise<void> {
  const locks = locksOf(store)
  await inParallel(objects, PARALLEL, async (name) => {
    try {
      await locks.setLegalHold(name, isHeld)
    } catch (error) {
      // What is not there needs no release, and of `fmt` and the keys there are several.
      if (!isAbsent(error) || (isHeld && name.startsWith('pack/'))) throw error
    }
  })
}

function legalSnap(hold: string): string | undefined {
  const parsed = parseName(hold)
  return parsed?.kind === 'hold' ? parsed.snap : undefined
}

async function stemOf({ store }: Engine, snap: string): Promise<string | undefined> {
  for (const { name } of await listAll(store, 'snap/')) {
    const parsed = parseName(name)
    if (parsed?.kind === 'manifest' && parsed.stem.endsWith(snap)) return parsed.stem
  }
  return undefined
}
