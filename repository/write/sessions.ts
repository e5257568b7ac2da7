import { HoldfastError, isHoldfastError } from '../../base/index.ts'
import type { Engine } from '../engine.ts'
import { canonicalJson, names, parseName, parseStem, type SessionOpen } from '../format/index.ts'
import { LruCache } from '../read/lru.ts'
import { listStem, loadManifest, notRestorable, readValidated, type LoadedManifest } from '../read/manifest.ts'
import { listAll, type ObjectStore } from '../store/index.ts'
import type { PartPlan, SessionSpec } from '../types.ts'
import { Knowledge } from './knowledge.ts'
import type { PartOutcome } from './part-copy.ts'
import { DEFAULT_LEASE_SEC, readObject, SessionLog } from './session-log.ts'
import { onSide } from './sides.ts'
import { requireWritable } from './writable.ts'

/** What this process knows of a session. */
export interface SessionState {
  readonly spec: SessionSpec
  /** S0 and S1 of this process, shared by first attempts of its parts (§16). */
  readonly knowledge: Knowledge
  /** S1, once. */
  readIndex(store: ObjectStore, signal: AbortSignal): Promise<void>
  /** The parent's manifest, loaded once. */
  parent(store: ObjectStore, signal: AbortSignal): Promise<LoadedManifest | undefined>
  /** Results of this process, by part. */
  readonly results: Map<number, PartOutcome & { readonly attempt: number; readonly plan: PartPlan }>
  /** Of the session's S0, as its `open` object says: no upload of the session is older. */
  readonly stamp: number
  /** Attempt and sequence of part 0 that come next, where this process has written it last. */
  next: { readonly attempt: number; readonly seq: number; readonly stamp: number } | undefined
}

/** Sessions whose state is kept. Another process may end a session: one that is forgotten is read again from the store. */
const MAX_SESSIONS = 64

/** Sessions that this process has opened or met. */
export class Sessions {
  readonly #engine: Engine
  readonly #states = new LruCache<SessionState>(MAX_SESSIONS)

  constructor(engine: Engine) {
    this.#engine = engine
  }

  get(session: string): SessionState | undefined {
    return this.#states.get(session)
  }

  /** S0 of part 0 (§7.2): the reading first, then the `open` object. Again: an existing one that says the same is adopted. */
  async open(spec: SessionSpec, signal: AbortSignal): Promise<SessionSpec> {
    const engine = this.#engine
    await requireWritable(engine, signal)
    checkSpec(spec)
    const known = this.#states.get(spec.session)
    if (known !== undefined) return sameSpec(known.spec, spec)
    await this.#requireParent(spec, signal)
    const store = engine.connect()
    const knowledge = await onSide('store-read', () => Knowledge.read(engine, store, signal))
    const leaseSec = spec.leaseSec ?? DEFAULT_LEASE_SEC
    const log = new SessionLog(engine, store, {
      session: spec.session,
      part: 0,
      attempt: 1,
      leaseSec,
      stamp: knowledge.base,
      signal,
    })
    try {
      await log.put(openContent(spec))
      this.#keep(newState(engine, spec, knowledge.base, knowledge, { attempt: 1, seq: log.nextSeq }))
      return spec
    } catch (error) {
      if (!isHoldfastError(error) || error.code !== 'SessionFenced') throw error
      // It is open already: whoever came first has fixed the point.
      const theirs = await this.#readOpen(spec.session, signal)
      if (theirs === undefined) throw error
      this.#keep(newState(engine, sameSpec(theirs.spec, spec), theirs.stamp, knowledge, undefined))
      return theirs.spec
    }
  }

  /** What the `open` object says; undefined if it is proved absent. */
  async read(session: string, signal: AbortSignal): Promise<SessionSpec | undefined> {
    const known = this.#states.get(session)
    return known?.spec ?? (await this.#readOpen(session, signal))?.spec
  }

  /** The `open` object: what it fixes, and the stamp of S0. */
  async #readOpen(
    session: string,
    signal: AbortSignal,
  ): Promise<{ readonly spec: SessionSpec; readonly stamp: number } | undefined> {
    const read = await readObject(this.#engine, this.#engine.store, names.session(session, 0, 1, 0), signal)
    if (read === undefined) return undefined
    const { object, content } = read
    if (content.type !== 'open') throw invalid(session, `its first object is of type ${content.type}`)
    const { series, snap, createdMs, parentStem, owner, parts, point } = content
    const { leaseSec, stamp } = object
    const fixed = { session, snap, series, createdMs, parentStem, owner, parts, point: point ?? null, leaseSec }
    return { spec: fixed, stamp }
  }

  /** The session in this process: as it was opened here, else with S0 of its own. */
  async enter(
    session: string,
    store: ObjectStore,
    signal: AbortSignal,
  ): Promise<{ state: SessionState; fresh: boolean }> {
    const known = this.#states.get(session)
    if (known !== undefined) return { state: known, fresh: false }
    const read = await this.#readOpen(session, signal)
    if (read === undefined) throw invalid(session, 'it was never opened, or its objects have been removed')
    const knowledge = await onSide('store-read', () => Knowledge.read(this.#engine, store, signal))
    const state = newState(this.#engine, read.spec, read.stamp, knowledge, undefined)
    this.#keep(state)
    return { state, fresh: true }
  }

  /** W4. Again: a session that has ended stays as it ended. */
  async end(session: string, outcome: 'committed' | 'failed'): Promise<void> {
    const { signal } = new AbortController()
    const engine = this.#engine
    const known = this.#states.get(session)
    let place = known?.next
    let leaseSec = known?.spec.leaseSec
    if (place === undefined) {
      const last = await this.#last(session)
      if (last === undefined) throw invalid(session, 'it was never opened, or its objects have been removed')
      const read = await readObject(engine, engine.store, last.name, signal)
      if (read?.content.type === 'end') return
      place = { attempt: last.attempt, seq: last.seq + 1, stamp: read?.object.stamp ?? 0 }
      leaseSec = read?.object.leaseSec
    }
    const store = engine.connect()
    const log = new SessionLog(engine, store, {
      session,
      part: 0,
      ...place,
      leaseSec: leaseSec ?? DEFAULT_LEASE_SEC,
      signal,
    })
    await log.put({ type: 'end', outcome })
    this.#states.delete(session)
  }

  #keep(state: SessionState): void {
    this.#states.set(state.spec.session, state, 1)
  }

  /** The newest object of part 0. */
  async #last(session: string): Promise<{ name: string; attempt: number; seq: number } | undefined> {
    const listed = await onSide('store-read', () => listAll(this.#engine.store, names.sessionPrefix(session, 0)))
    const last = listed.at(-1)
    const parsed = last && parseName(last.name)
    return last !== undefined && parsed?.kind === 'session'
      ? { name: last.name, attempt: parsed.attempt, seq: parsed.seq }
      : undefined
  }

  /** A parent is a recovery point of the same series (§3.3): that its `.ok` counts is found out here, once. */
  async #requireParent(spec: SessionSpec, signal: AbortSignal): Promise<void> {
    const { parentStem } = spec
    if (parentStem === null) return
    const { store, ring } = this.#engine
    const manifest = await onSide('store-read', () => loadManifest(store, ring, parentStem, signal))
    if (manifest === undefined) throw noParent(parentStem, 'has no manifest')
    const { snap } = parseStem(parentStem)
    const ok = await onSide('store-read', () => readValidated(store, ring, parentStem, snap, manifest, signal))
    if (ok === undefined || !('counts' in ok)) throw noParent(parentStem, 'is not validated')
    const listing = await onSide('store-read', () => listStem(store, parentStem))
    if (listing.tombstone) throw noParent(parentStem, 'is tombstoned')
  }
}

function newState(
  engine: Engine,
  spec: SessionSpec,
  stamp: number,
  knowledge: Knowledge,
  next: { readonly attempt: number; readonly seq: number } | undefined,
): SessionState {
  let reading: Promise<void> | undefined
  let parent: Promise<LoadedManifest | undefined> | undefined
  return {
    spec,
    knowledge,
    stamp,
    results: new Map(),
    next: next && { ...next, stamp },
    readIndex(store, signal) {
      reading ??= onSide('store-read', () => knowledge.readIndex(store, signal))
      reading.catch(() => (reading = undefined))
      return reading
    },
    async parent(store, signal) {
      const { parentStem } = spec
      if (parentStem === null) return undefined
      parent ??= onSide('store-read', () => loadManifest(store, engine.ring, parentStem, signal))
      parent.catch(() => (parent = undefined))
      const manifest = await parent
      if (manifest === undefined) throw noParent(parentStem, 'has no manifest any more')
      return manifest
    },
  }
}

function openContent(spec: SessionSpec): SessionOpen {
  const { series, snap, createdMs, parentStem, owner, parts, point } = spec
  const parent = parentStem === null ? null : parseStem(parentStem).snap
  return {
    type: 'open',
    series,
    snap,
    createdMs,
    parent,
    parentStem,
    owner,
    parts: parts.map(({ part, disk, firstPage, nPages }) => ({ part, disk, firstPage, nPages })),
    ...(point !== null && {
      point: JSON.parse(canonicalJson(point).toString('utf8')) as NonNullable<SessionOpen['point']>,
    }),
  }
}

function checkSpec(spec: SessionSpec): void {
  const { parentStem, series, point } = spec
  if (parentStem !== null && parseStem(parentStem).series !== series) {
    throw noParent(parentStem, `is not of series ${series}`)
  }
  if (point !== null && canonicalJson(point).length > 256 * 1024) {
    throw invalid(spec.session, 'its point in time is larger than 256 KiB')
  }
}

function sameSpec(there: SessionSpec, wanted: SessionSpec): SessionSpec {
  const bytes = (spec: SessionSpec) => canonicalJson({ ...openContent(spec), session: spec.session })
  if (!bytes(there).equals(bytes(wanted))) {
    throw invalid(wanted.session, 'it is open already, for another point, parent or division into parts')
  }
  return there
}

function invalid(session: string, why: string): HoldfastError {
  return new HoldfastError('SessionInvalid', `session ${session}: ${why}`, { data: { session, side: 'logic' } })
}

function noParent(stem: string, why: string): HoldfastError {
  return new HoldfastError('SessionInvalid', `the parent ${stem} ${why}`, {
    hint: 'Start a new run with another parent, or a full backup.',
    cause: notRestorable(stem, why),
    data: { parentStem: stem, side: 'logic' },
  })
}
