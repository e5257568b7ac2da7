import { HoldfastError } from '../../base/index.ts'
import type { Engine } from '../engine.ts'
import { toHex } from '../format/index.ts'
import { isDead } from '../gcstate/index.ts'
import type { IndexedHome } from '../index-view/index.ts'
import { listStem, type LoadedManifest } from '../read/manifest.ts'
import type { ObjectStore } from '../store/index.ts'
import { blobRefs, type BlobRef } from './blob-refs.ts'
import { lockPacks } from './lock-packs.ts'
import type { Homes, Knowledge } from './knowledge.ts'
import { rescueBlobs } from './rescue.ts'
import { onSide } from './sides.ts'

/** §7.4: each pass needs fresh news from garbage collection to fail. */
const MAX_PASSES = 10

export interface CheckOptions {
  readonly store: ObjectStore
  readonly knowledge: Knowledge
  readonly session: string
  readonly series: string
  /** As it is in the store. */
  readonly manifest: LoadedManifest
  readonly parent: LoadedManifest | undefined
  /** Packs on which the manifest's new blobs rely; undefined if the manifest is another attempt's (§7.2 W1). */
  readonly homes: Homes | undefined
  readonly reread: ((disk: string, at: number, into: Uint8Array) => Promise<void>) | undefined
  readonly signal: AbortSignal
  readonly onProgress: (what: string) => void
}

export interface CheckResult {
  readonly passes: number
  readonly rescued: number
  /** Base of the last reading. */
  readonly stamp: number
}

/** W2 (§7.4): repeats its pass until one changes nothing. From then on every blob of the manifest has a home for sure. */
export async function checkManifest(engine: Engine, options: CheckOptions): Promise<CheckResult> {
  const check = new Check(engine, options)
  for (let passes = 1; passes <= MAX_PASSES; passes++) {
    options.onProgress(passes === 1 ? 'checking against garbage collection' : `checking again (pass ${passes})`)
    if (await check.pass()) continue
    const absent = await check.lock()
    if (absent.size === 0) return { passes, rescued: check.rescued, stamp: options.knowledge.base }
    check.distrust(absent)
  }
  throw new HoldfastError(
    'SessionInvalid',
    `the check against garbage collection did not settle in ${MAX_PASSES} passes`,
    {
      hint: 'Start a new run when garbage collection has ended.',
      data: { side: 'logic' },
    },
  )
}

class Check {
  readonly #engine: Engine
  readonly #options: CheckOptions
  /** Homes that passes have found or made in place of the ones the manifest names. */
  readonly #chosen = new Map<string, IndexedHome>()
  /** Every blob is looked up, not only packs judged. */
  #byId = false
  /** Nothing is exempt any more: a pack was absent that was relied upon. */
  #trustsNobody = false
  rescued = 0

  constructor(engine: Engine, options: CheckOptions) {
    this.#engine = engine
    this.#options = options
  }

  /** Whether it changed anything. */
  async pass(): Promise<boolean> {
    const { store, knowledge, parent, homes, signal } = this.#options
    await onSide('store-read', () => knowledge.renew(store, signal))
    const exempt = parent !== undefined && !this.#trustsNobody && (await this.#isLive(parent.stem))
    await onSide('store-read', () => knowledge.readBad(store, signal))
    const reestablished = { count: 0 }
    const missing: BlobRef[] = []
    const lost = homes === undefined ? new Set<string>() : await this.#lostPacks(homes, reestablished)
    // A page found by its id has hints of its own: what relied on a lost pack shows only blob by blob.
    if (homes === undefined || lost.size > 0) this.#byId = true
    const byId = this.#byId || (parent !== undefined && !exempt)
    if (byId || this.#mayMiss()) {
      for await (const ref of blobRefs(this.#engine.blobs, this.#options.manifest, parent, exempt, signal)) {
        const home = this.#chosen.get(keyOf(ref))
        const fine =
          home !== undefined
            ? knowledge.isUsable(home)
            : byId
              ? await this.#isFound(ref, reestablished)
              : !knowledge.bad.has(ref.at.pack, ref.at.slot)
        if (!fine) missing.push(ref)
      }
    }
    homes?.lift(knowledge)
    if (missing.length > 0) await this.#replace(missing)
    return reestablished.count > 0 || missing.length > 0
  }

  /** W2x; the packs that it has proved absent. */
  async lock(): Promise<ReadonlySet<string>> {
    const { store, manifest, parent, homes, signal, onProgress } = this.#options
    const homeOf = (ref: BlobRef, avoid: ReadonlySet<string>) => this.#homeOf(ref, avoid)
    return await lockPacks(this.#engine, { store, manifest, parent, homes, homeOf, signal, onProgress })
  }

  /** A pack went between the pass and its extension: garbage collection has copied its blobs elsewhere, or it is lost. */
  distrust(absent: ReadonlySet<string>): void {
    for (const pack of absent) this.#options.knowledge.exclude(pack)
    this.#byId = true
    this.#trustsNobody = true
  }

  /** The home that W2 has settled on, else the hint; a dead pack may be there for a while and is nobody's home. */
  async #homeOf(ref: BlobRef, avoid: ReadonlySet<string>): Promise<string | undefined> {
    const { knowledge } = this.#options
    const chosen = this.#chosen.get(keyOf(ref))
    if (chosen !== undefined && !avoid.has(chosen.pack)) return chosen.pack
    const { pack, slot } = ref.at
    if (!avoid.has(pack) && !isDead(knowledge.state, pack) && !knowledge.bad.has(pack, slot)) return pack
    const isFit = (home: IndexedHome) => !avoid.has(home.pack) && knowledge.isUsable(home)
    const found = this.#engine.view.find(ref.type, ref.id, isFit) ?? (await this.#establishAny(ref))
    if (found !== undefined && !avoid.has(found.pack)) return found.pack
    // Inherited damage is left to the next backup; what is left of it is kept.
    return avoid.has(pack) ? undefined : pack
  }

  /** §7.5: seen as a recovery point, in one LIST, at a moment after W1. That its `.ok` counts was found when it was chosen. */
  async #isLive(stem: string): Promise<boolean> {
    const listing = await onSide('store-read', () => listStem(this.#options.store, stem))
    return listing.manifest !== undefined && listing.validated && !listing.tombstone
  }

  /** Steps 4 and 5: packs of new blobs that may not be relied upon and could not be re-established. */
  async #lostPacks(homes: Homes, reestablished: { count: number }): Promise<Set<string>> {
    const { store, knowledge } = this.#options
    const lost = new Set<string>()
    for (const { pack, stamp } of homes.all()) {
      const verdict = knowledge.verdict(pack, stamp)
      if (verdict === 'usable') continue
      if (verdict === 'stale' && (await onSide('store-read', () => knowledge.establish(store, pack))) !== undefined) {
        reestablished.count += 1
      } else lost.add(pack)
    }
    return lost
  }

  /** Step 3: a quarantined slot can concern a new blob only if its pack is in `homes` or `configs`. */
  #mayMiss(): boolean {
    const { knowledge, homes, manifest } = this.#options
    if (this.#chosen.size > 0) return true
    if (knowledge.bad.isEmpty) return false
    const packs = [
      ...(homes?.all().map(({ pack }) => pack) ?? []),
      ...manifest.body.json.configs.flatMap(({ parts }) => parts.map(({ pack }) => pack)),
    ]
    return packs.some((pack) => knowledge.bad.hasPack(pack))
  }

  /** Looks a blob up by its id; where the index knows no usable home, the stale ones and the hint are re-established. */
  async #isFound(ref: BlobRef, reestablished: { count: number }): Promise<boolean> {
    const { knowledge } = this.#options
    if (knowledge.home(ref.type, ref.id) !== undefined) return true
    const hint = { ...ref.at, stamp: -1 }
    if (knowledge.isUsable(hint)) return true
    if (!(await this.#establishAny(ref))) return false
    reestablished.count += 1
    return true
  }

  async #establishAny(ref: BlobRef): Promise<IndexedHome | undefined> {
    const { store, knowledge } = this.#options
    for (const place of [{ ...ref.at, stamp: -1 }, ...this.#engine.view.homes(ref.type, ref.id)]) {
      if (knowledge.bad.has(place.pack, place.slot) || knowledge.verdict(place.pack, place.stamp) !== 'stale') continue
      const stamp = await onSide('store-read', () => knowledge.establish(store, place.pack))
      if (stamp !== undefined) return { ...place, stamp }
    }
    return undefined
  }

  /** Steps 6 and 7: another home by the refreshed index, else rescue. */
  async #replace(missing: readonly BlobRef[]): Promise<void> {
    const { store, knowledge, session, series, homes, reread, signal } = this.#options
    await onSide('store-read', () => this.#engine.view.refresh(store, signal))
    const gone: BlobRef[] = []
    const seen = new Set<string>()
    for (const ref of missing) {
      const key = keyOf(ref)
      if (seen.has(key)) continue
      seen.add(key)
      const home = knowledge.home(ref.type, ref.id) ?? (await this.#establishAny(ref))
      if (home === undefined) gone.push(ref)
      else this.#choose(key, home)
    }
    if (gone.length > 0) {
      this.#options.onProgress(`storing ${gone.length} blobs again that garbage collection has condemned`)
      const rescued = await rescueBlobs(this.#engine, { store, knowledge, session, series, refs: gone, reread, signal })
      for (const { ref, home } of rescued) this.#choose(keyOf(ref), home)
      this.rescued += rescued.length
    }
    // What was lost is replaced blob by blob; the packs that are relied upon now are those of the chosen homes.
    homes?.retain((pack, stamp) => knowledge.verdict(pack, stamp) === 'usable')
  }

  #choose(key: string, home: IndexedHome): void {
    this.#chosen.set(key, home)
    this.#options.homes?.add(home.pack, home.stamp)
  }
}

function keyOf(ref: BlobRef): string {
  return `${ref.type} ${toHex(ref.id)}`
}
