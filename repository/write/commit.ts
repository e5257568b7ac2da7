import { setTimeout as sleep } from 'node:timers/promises'
import { HoldfastError } from '../../base/index.ts'
import type { Engine } from '../engine.ts'
import { names, parseName, validatedKind, type SessionResult } from '../format/index.ts'
import { protectJson } from '../keys/index.ts'
import { decodeManifest, listStem, loadManifest, readValidated, type LoadedManifest } from '../read/manifest.ts'
import { listAll, type ObjectStore } from '../store/index.ts'
import type { CommitOptions, CommitResult } from '../types.ts'
import { inAttempt } from './attempt.ts'
import { checkManifest } from './check.ts'
import { storeConfigs } from './config-parts.ts'
import { Homes, Knowledge } from './knowledge.ts'
import { encodeManifest, type PartRoots } from './manifest-content.ts'
import { DEFAULT_LEASE_SEC, putSmall, readObject, SessionLog } from './session-log.ts'
import type { SessionState, Sessions } from './sessions.ts'
import { onSide } from './sides.ts'
import { requireWritable } from './writable.ts'

/** W0–W3 (§7.2). Again: publishes the same recovery point, never a second one. */
export async function commit(engine: Engine, sessions: Sessions, options: CommitOptions): Promise<CommitResult> {
  return await inAttempt(engine, options.signal, (store, { signal }) => {
    return commitOver(engine, store, sessions, { ...options, signal })
  })
}

async function commitOver(
  engine: Engine,
  store: ObjectStore,
  sessions: Sessions,
  options: CommitOptions,
): Promise<CommitResult> {
  const { signal } = options
  const { state, fresh } = await sessions.enter(options.session, store, signal)
  if (fresh) await requireWritable(engine, signal)
  const { spec } = state
  const stem = names.stem(spec.series, spec.createdMs, spec.snap)
  const repeated = fresh || options.attempt > 1
  if (repeated) {
    const done = await alreadyDone(engine, store, stem, spec.snap, signal)
    if (done !== undefined) return done
  }
  const knowledge =
    options.attempt === 1 ? state.knowledge : await onSide('store-read', () => Knowledge.read(engine, store, signal))
  const run = new Commit(engine, store, state, knowledge, options, stem)
  return await run.run(repeated)
}

/** What a commit that has been done says; CommitRefused if the point was tombstoned or abandoned since. */
async function alreadyDone(
  engine: Engine,
  store: ObjectStore,
  stem: string,
  snap: string,
  signal: AbortSignal,
): Promise<CommitResult | undefined> {
  const listing = await onSide('store-read', () => listStem(store, stem))
  if (listing.abandon || listing.tombstone) throw refused(stem)
  if (listing.manifest === undefined || !listing.validated) return undefined
  const manifest = await onSide('store-read', () => loadManifest(store, engine.ring, stem, signal))
  if (manifest === undefined) return undefined
  const ok = await onSide('store-read', () => readValidated(store, engine.ring, stem, snap, manifest, signal))
  if (ok === undefined || !('counts' in ok)) return undefined
  return resultOf(manifest, ok.counts)
}

class Commit {
  readonly #engine: Engine
  readonly #store: ObjectStore
  readonly #state: SessionState
  readonly #knowledge: Knowledge
  readonly #options: CommitOptions
  readonly #stem: string
  readonly #homes = new Homes()
  /** Of this attempt's S0: that of the session in the first one. */
  readonly #stamp: number

  constructor(
    engine: Engine,
    store: ObjectStore,
    state: SessionState,
    knowledge: Knowledge,
    options: CommitOptions,
    stem: string,
  ) {
    this.#engine = engine
    this.#store = store
    this.#state = state
    this.#knowledge = knowledge
    this.#options = options
    this.#stem = stem
    this.#stamp = options.attempt === 1 ? state.stamp : knowledge.base
  }

  /** `repeated`: an earlier attempt may have published the manifest already. */
  async run(repeated: boolean): Promise<CommitResult> {
    const { signal, attempt } = this.#options
    if (this.#knowledge === this.#state.knowledge) await this.#state.readIndex(this.#store, signal)
    else await onSide('store-read', () => this.#knowledge.readIndex(this.#store, signal))
    const published = repeated ? await this.#published() : undefined
    const { manifest, own } = published === undefined ? await this.#publish() : { manifest: published, own: false }
    const { settle } = this.#store.capabilities
    if (settle > 0) await sleep(settle, undefined, { signal })
    await this.#seeOneself()
    const checked = await checkManifest(this.#engine, {
      store: this.#store,
      knowledge: this.#knowledge,
      session: this.#options.session,
      series: this.#state.spec.series,
      manifest,
      parent: await this.#state.parent(this.#store, signal),
      homes: own ? this.#homes : undefined,
      reread: this.#options.reread,
      signal,
      onProgress: this.#options.onProgress,
    })
    const { spec } = this.#state
    const body = protectJson(
      validatedKind,
      {
        repo: this.#engine.ring.repo,
        snap: spec.snap,
        mSha256: manifest.sha256,
        mBytes: manifest.bytes,
        ...checked,
        validatedMs: this.#engine.clock(),
        attempt,
      },
      this.#engine.ring,
      'writer',
    )
    const name = names.snap(this.#stem, 'validated')
    const outcome = await onSide('store-write', () => putSmall(this.#store, name, body, signal))
    return await this.#promise(manifest, outcome === 'created' ? body : undefined)
  }

  async #published(): Promise<LoadedManifest | undefined> {
    const { signal } = this.#options
    return await onSide('store-read', () => loadManifest(this.#store, this.#engine.ring, this.#stem, signal))
  }

  /** W0 and W1. `own`: it is this attempt's manifest that is in the store. */
  async #publish(): Promise<{ readonly manifest: LoadedManifest; readonly own: boolean }> {
    const { signal, attempt, session, results, configs, onProgress } = this.#options
    const { spec, stamp } = this.#state
    const engine = this.#engine
    const store = this.#store
    const parts = await this.#results()
    if (await onSide('store-read', () => this.#knowledge.renewIfOld(store, signal))) this.#homes.lift(this.#knowledge)
    onProgress('storing the configuration')
    const stored = await storeConfigs(engine, {
      store,
      knowledge: this.#knowledge,
      homes: this.#homes,
      session,
      series: spec.series,
      configs,
      signal,
    })
    // An earlier attempt may have stored configuration that this one found in the index.
    const before = attempt > 1 ? stamp : undefined
    const stamps = [...parts.map((part) => part.uploadStamp), stored.uploadStamp, before].filter((s) => s !== undefined)
    const content = {
      parts,
      configs: stored.configs,
      stampEpoch: stamps.length === 0 ? stamp : Math.min(...stamps),
      lockUntilSec: await onSide('store-read', () => engine.retention.pointUntilSec(store)),
    }
    const object = encodeManifest(engine, spec, this.#options, content)
    const next = this.#state.next?.attempt === attempt ? this.#state.next : await this.#nextPlace()
    const log = new SessionLog(engine, store, {
      session,
      part: 0,
      ...next,
      leaseSec: spec.leaseSec ?? DEFAULT_LEASE_SEC,
      stamp: this.#stamp,
      signal,
    })
    await log.put(
      { type: 'commit', stem: this.#stem, results: results.map(({ part, attempt: of }) => ({ part, attempt: of })) },
      stored.packs,
      stored.segments,
    )
    this.#state.next = { attempt, seq: log.nextSeq, stamp: this.#stamp }
    onProgress('publishing the manifest')
    const name = names.snap(this.#stem, 'manifest')
    const outcome = await onSide('store-write', () => putSmall(store, name, object, signal))
    const mine = decodeManifest(engine.ring, this.#stem, object)
    if (outcome === 'created') return { manifest: mine, own: true }
    const there = await this.#published()
    if (there === undefined) {
      throw new HoldfastError('StoreUnfit', `${name} is taken and cannot be found`, { data: { side: 'store-read' } })
    }
    return { manifest: there, own: there.sha256 === mine.sha256 }
  }

  /** The results that the caller names, each once for each part; their homes go into the check. */
  async #results(): Promise<(PartRoots & { readonly uploadStamp: number | undefined })[]> {
    const { results, session } = this.#options
    const { spec } = this.#state
    const named = new Map(results.map(({ part, attempt }) => [part, attempt]))
    if (
      named.size !== results.length ||
      spec.parts.some(({ part }) => !named.has(part)) ||
      named.size !== spec.parts.length
    ) {
      throw this.#invalid(`the results named are not those of the session's ${spec.parts.length} parts`)
    }
    const parts: (PartRoots & { readonly uploadStamp: number | undefined })[] = []
    for (const plan of spec.parts) {
      const attempt = named.get(plan.part) ?? 0
      const mine = this.#state.results.get(plan.part)
      if (mine?.attempt === attempt) {
        for (const { pack, stamp } of mine.homes.all()) this.#homes.add(pack, stamp)
        const { roots, readBytes, newBytes, uploadStamp } = mine
        const { part, disk, firstPage } = plan
        parts.push({ part, disk, firstPage, roots, readBytes, newBytes, uploadStamp })
        continue
      }
      const result = await this.#stored(plan.part, attempt)
      if (result.disk !== plan.disk || result.firstPage !== plan.firstPage || result.roots.length !== plan.nPages) {
        throw this.#invalid(`the result of part ${plan.part} in session ${session} is not of its pages`)
      }
      for (const home of result.homes) this.#homes.add(home.pack, home.stamp)
      const { disk, firstPage, roots, readBytes, newBytes } = result
      // Which packs its attempts have put is not known here; none was put before the session's S0.
      parts.push({ part: plan.part, disk, firstPage, roots, readBytes, newBytes, uploadStamp: this.#state.stamp })
    }
    return parts
  }

  /** Where this attempt goes on in part 0: attempt 1 begins with the `open` object, which another process has put. */
  async #nextPlace(): Promise<{ readonly attempt: number; readonly seq: number }> {
    const { attempt, session } = this.#options
    const last = (await onSide('store-read', () => listAll(this.#store, attemptPrefix(session, 0, attempt)))).at(-1)
    const parsed = last && parseName(last.name)
    return { attempt, seq: parsed?.kind === 'session' ? parsed.seq + 1 : 0 }
  }

  /** A result is the last object of its attempt. */
  async #stored(part: number, attempt: number): Promise<SessionResult> {
    const { session, signal } = this.#options
    const last = (await onSide('store-read', () => listAll(this.#store, attemptPrefix(session, part, attempt)))).at(-1)
    const read = last && (await readObject(this.#engine, this.#store, last.name, signal))
    if (read?.content.type !== 'result') throw this.#invalid(`attempt ${attempt} of part ${part} has no result`)
    return read.content
  }

  /** §7.3: a store that does not show what it has acknowledged does not keep its promise. */
  async #seeOneself(): Promise<void> {
    const listing = await onSide('store-read', () => listStem(this.#store, this.#stem))
    if (listing.abandon || listing.tombstone) throw refused(this.#stem)
    if (listing.manifest === undefined) {
      throw new HoldfastError('ListingIncomplete', `the manifest of ${this.#stem} was stored, and is not listed`, {
        data: { side: 'store-read' },
      })
    }
  }

  /** W3: only if nobody has begun to abandon or remove the point, and it is there. */
  async #promise(manifest: LoadedManifest, mine: Uint8Array | undefined): Promise<CommitResult> {
    const { signal } = this.#options
    const { snap } = this.#state.spec
    const listing = await onSide('store-read', () => listStem(this.#store, this.#stem))
    if (listing.abandon || listing.tombstone) throw refused(this.#stem)
    // Abandoned and removed while this writer slept, `.t` included: nothing is left to promise.
    if (listing.manifest === undefined || !listing.validated) throw refused(this.#stem)
    // It existed: then it must count (§3.3).
    if (mine !== undefined) return resultOf(manifest, validatedKind.read(validatedKind.parse(mine)))
    const { ring } = this.#engine
    const ok = await onSide('store-read', () => readValidated(this.#store, ring, this.#stem, snap, manifest, signal))
    if (ok !== undefined && 'counts' in ok) return resultOf(manifest, ok.counts)
    throw new HoldfastError(
      'CommitRefused',
      `the validation of ${this.#stem} does not count: ${ok?.why ?? 'it is gone'}`,
      {
        data: { side: 'logic' },
      },
    )
  }

  #invalid(why: string): HoldfastError {
    return new HoldfastError('SessionInvalid', why, { data: { side: 'logic', session: this.#options.session } })
  }
}

function attemptPrefix(session: string, part: number, attempt: number): string {
  return names.session(session, part, attempt, 0).slice(0, -6)
}

function refused(stem: string): HoldfastError {
  return new HoldfastError('CommitRefused', `${stem} was abandoned or tombstoned meanwhile`, {
    data: { stem, side: 'logic' },
  })
}

function resultOf(
  manifest: LoadedManifest,
  ok: { readonly validatedMs: number; readonly passes: number; readonly rescued: number },
): CommitResult {
  const { validatedMs, passes, rescued } = ok
  return {
    stem: manifest.stem,
    snap: manifest.header.snap,
    validatedMs,
    passes,
    rescued,
    manifestBytes: manifest.bytes,
    lockUntilSec: manifest.header.lockUntilSec,
    disks: manifest.body.json.disks.map(({ id, readBytes, newBytes }) => ({ id, readBytes, newBytes })),
  }
}
