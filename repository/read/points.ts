import { HoldfastError, isHoldfastError } from '../../base/index.ts'
import type { Engine } from '../engine.ts'
import { names, parseName, parseStem, tombstoneKind, type SnapKind } from '../format/index.ts'
import { openJson } from '../keys/index.ts'
import { listAll, throwIfAborted, type ObjectStore } from '../store/index.ts'
import type { PointEntry, PointState, Repository, SeriesHead } from '../types.ts'
import {
  getSmall,
  isFormatProblem,
  loadManifest,
  notRestorable,
  readValidated,
  type LoadedManifest,
} from './manifest.ts'

const noSignal = new AbortController().signal

/** Which of the four objects of a stem a listing shows. */
type Present = ReadonlySet<SnapKind>

/** What it takes to tell states. */
export type PointsEngine = Pick<Engine, 'store' | 'connect' | 'ring' | 'warn'>

/** One stem as `survey` finds it. */
export interface SurveyedPoint {
  readonly stem: string
  readonly snap: string
  readonly present: Present
  /** undefined: nothing that a list shows. */
  readonly entry: PointEntry | undefined
  readonly tombstoned: boolean
  readonly held: boolean
}

/** An object that cannot be read now, by a newer version only, or with other keys: neither there nor absent (§3.3). */
class Unreadable extends Error {
  readonly object: string
  readonly reason: HoldfastError

  constructor(object: string, reason: HoldfastError) {
    super(reason.message, { cause: reason })
    this.object = object
    this.reason = reason
  }
}

/**
 * The states of §3.3, by what counts and not by what is present. Objects do not change: what has been found to count once
 * is not read again.
 */
export class Points {
  readonly #engine: PointsEngine
  readonly #validated = new Map<string, number>()
  readonly #tombstones = new Map<string, 'counts' | 'unverifiable'>()

  constructor(engine: PointsEngine) {
    this.#engine = engine
  }

  /** Newest first inside a series. `snap/` is listed first and `hold/` after (§11.2). */
  async *list(options: Parameters<Repository['listPoints']>[0] = {}): AsyncGenerator<PointEntry> {
    const { series, signal = noSignal, unreadable = 'throw' } = options
    const stems = await this.#stems(series === undefined ? 'snap/' : `snap/${series}/`)
    const held = await this.held()
    for (const [stem, present] of stems) {
      throwIfAborted(signal)
      const entry = await this.#shown(stem, present, held, signal, unreadable)
      if (entry !== undefined) yield entry
    }
  }

  /** `snap/` is listed first and `hold/` after, as above. */
  async *heads(signal: AbortSignal): AsyncGenerator<SeriesHead> {
    const stems = await this.#stems('snap/')
    const held = await this.held()
    const ofSeries = Map.groupBy(stems, ([stem]) => parseStem(stem).series)
    for (const [series, own] of ofSeries) {
      let newest: PointEntry | null = null
      let unreadable: SeriesHead['unreadable'] = null
      const standing: string[] = []
      for (const [stem, present] of own) {
        throwIfAborted(signal)
        const { snap } = parseStem(stem)
        if (newest !== null) {
          if (standsByName(present, held.has(snap))) standing.push(snap)
          continue
        }
        const entry = await this.#shown(stem, present, held, signal, 'show')
        if (entry?.unreadable !== undefined) unreadable ??= entry.unreadable
        else if (entry !== undefined && isStanding(entry)) newest = entry
        else continue
        standing.push(snap)
      }
      yield { series, newest, standing, unreadable }
    }
  }

  /** The recovery point before this one in its series; what cannot be read is passed over. undefined: it is the first. */
  async previous(stem: string, signal: AbortSignal): Promise<PointEntry | undefined> {
    const { series, createdMs } = parseStem(stem)
    const stems = await this.#stems(`snap/${series}/`)
    const held = await this.held()
    for (const [other, present] of stems) {
      throwIfAborted(signal)
      if (other === stem || parseStem(other).createdMs >= createdMs) continue
      const entry = await this.#shown(other, present, held, signal, 'show')
      if (entry !== undefined && isStanding(entry)) return entry
    }
    return undefined
  }

  /** What `#entry` says; what cannot be read throws, or is an entry of that state. */
  async #shown(
    stem: string,
    present: Present,
    held: ReadonlySet<string>,
    signal: AbortSignal,
    unreadable: 'throw' | 'show',
  ): Promise<PointEntry | undefined> {
    try {
      return await this.#entry(stem, present, held, signal)
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error
      if (unreadable === 'throw') throw error.reason
      const { object, message } = error
      return { stem, ...parseStem(stem), state: 'unreadable', validatedMs: null, unreadable: { object, message } }
    }
  }

  /**
   * For whoever deletes: every stem of which anything is there, what is removed and remembered included; `entry` is then
   * undefined. `tombstoned`: a `.t` that counts. Throws for a point that cannot be read. `series`: only this one.
   */
  async *survey(signal: AbortSignal, series?: string): AsyncGenerator<SurveyedPoint> {
    const stems = await this.#stems(series === undefined ? 'snap/' : `snap/${series}/`)
    const held = await this.held()
    for (const [stem, present] of stems) {
      throwIfAborted(signal)
      const { snap } = parseStem(stem)
      try {
        const entry = await this.#entry(stem, present, held, signal)
        const tombstone = present.has('tombstone') ? await this.#tombstone(stem, snap, signal) : 'none'
        yield { stem, snap, present, entry, tombstoned: tombstone === 'counts', held: held.has(snap) }
      } catch (error) {
        throw error instanceof Unreadable ? error.reason : error
      }
    }
  }

  /** Whether a `.t` that counts is there now, whatever an earlier listing has shown. */
  async isTombstoned(stem: string, signal: AbortSignal): Promise<boolean> {
    const present = (await this.#stems(`${stem}.`)).get(stem)
    if (present?.has('tombstone') !== true) return false
    return (await this.#tombstone(stem, parseStem(stem).snap, signal)) === 'counts'
  }

  /** What a listing of `prefix` shows of each stem, in its order. */
  async #stems(prefix: string): Promise<Map<string, Set<SnapKind>>> {
    const stems = new Map<string, Set<SnapKind>>()
    for (const { name } of await listAll(this.#engine.store, prefix)) {
      const parsed = parseName(name)
      if (parsed === undefined || !('stem' in parsed)) continue
      stems.set(parsed.stem, (stems.get(parsed.stem) ?? new Set()).add(parsed.kind))
    }
    return stems
  }

  /** The state of one stem and its manifest. Throws NotFound or PointNotRestorable. */
  async load(
    stem: string,
    explicit: boolean,
  ): Promise<{ readonly entry: PointEntry; readonly manifest: LoadedManifest }> {
    const present = new Set<SnapKind>()
    for (const { name } of await listAll(this.#engine.store, `${stem}.`)) {
      const parsed = parseName(name)
      if (parsed !== undefined && 'stem' in parsed && parsed.stem === stem) present.add(parsed.kind)
    }
    const entry = await this.#entry(stem, present, await this.held(), noSignal).catch((error: unknown) => {
      throw error instanceof Unreadable ? error.reason : error
    })
    if (entry === undefined) throw new HoldfastError('NotFound', `there is no point ${stem} in the repository`)
    if (entry.state === 'manifest-lost') throw notRestorable(stem, 'has lost its manifest')
    // Held and validated restores as it stands; everything else is the reader's risk.
    const stands = entry.state === 'recovery-point' || (entry.state === 'held' && entry.validatedMs !== null)
    if (!stands && !explicit) throw notRestorable(stem, `is ${entry.state.replaceAll('-', ' ')}`)
    const manifest = await loadManifest(this.#engine.store, this.#engine.ring, stem, noSignal)
    if (manifest === undefined) throw notRestorable(stem, 'has lost its manifest')
    return { entry, manifest }
  }

  /** Snapshots that a `hold/` names now: by its name alone, whatever its content (§3.3). */
  async held(): Promise<Set<string>> {
    const held = new Set<string>()
    for (const { name } of await listAll(this.#engine.store, 'hold/')) {
      const parsed = parseName(name)
      if (parsed?.kind === 'hold') held.add(parsed.snap)
    }
    return held
  }

  /** undefined: nothing that a list shows (removed and remembered, or an intent alone). */
  async #entry(
    stem: string,
    present: Present,
    held: ReadonlySet<string>,
    signal: AbortSignal,
  ): Promise<PointEntry | undefined> {
    const { series, createdMs, snap } = parseStem(stem)
    const tombstone = present.has('tombstone') ? await this.#tombstone(stem, snap, signal) : 'none'
    if (!present.has('manifest') && (tombstone !== 'none' || !present.has('validated'))) return undefined
    const validatedMs = present.has('validated') ? await this.#ok(stem, snap, present.has('manifest'), signal) : null
    if (!present.has('manifest') && validatedMs === null) return undefined
    const state = stateOf(present, validatedMs !== null, tombstone, held.has(snap))
    return { stem, series, snap, createdMs, state, validatedMs }
  }

  /** When it was validated, if the `.ok` counts. */
  async #ok(stem: string, snap: string, hasManifest: boolean, signal: AbortSignal): Promise<number | null> {
    const key = `${stem} ${hasManifest}`
    const known = this.#validated.get(key)
    if (known !== undefined) return known
    const { ring, warn } = this.#engine
    const manifest = hasManifest ? await this.#manifest(stem, signal) : undefined
    const ok = await this.#read(names.snap(stem, 'validated'), signal, (store) =>
      readValidated(store, ring, stem, snap, manifest, signal),
    )
    if (ok === undefined) return null
    if (!('counts' in ok)) {
      warn(`the validation of ${stem} does not count: ${ok.why}`)
      return null
    }
    this.#validated.set(key, ok.counts.validatedMs)
    return ok.counts.validatedMs
  }

  /** A manifest that cannot be understood is validated all the same if the `.ok` says so; opening it will tell. */
  async #manifest(stem: string, signal: AbortSignal): Promise<LoadedManifest | undefined> {
    const { ring, warn } = this.#engine
    return await this.#read(names.snap(stem, 'manifest'), signal, async (store) => {
      try {
        return await loadManifest(store, ring, stem, signal)
      } catch (error) {
        if (!isFormatProblem(error)) throw error
        warn(`the manifest of ${stem} is damaged: ${error.message}`)
        return undefined
      }
    })
  }

  /** What fails is read twice more over a second connection before it is called unreadable: a network error is neither. */
  async #read<T>(object: string, signal: AbortSignal, read: (store: ObjectStore) => Promise<T>): Promise<T> {
    const { store, connect } = this.#engine
    let second: ObjectStore | undefined
    for (let tries = 1; ; tries++) {
      try {
        return await read(second ?? store)
      } catch (error) {
        throwIfAborted(signal)
        if (!isHoldfastError(error)) throw error
        const ofStore = error.code.startsWith('Store')
        if (!ofStore && error.code !== 'FormatUnsupported' && error.code !== 'KeyUnknown') throw error
        if (!ofStore || tries === 3) throw new Unreadable(object, error)
        second ??= connect()
      }
    }
  }

  async #tombstone(stem: string, snap: string, signal: AbortSignal): Promise<'counts' | 'unverifiable' | 'none'> {
    const known = this.#tombstones.get(stem)
    if (known !== undefined) return known
    const name = names.snap(stem, 'tombstone')
    const opened = await this.#read(name, signal, async (store) => {
      const bytes = await getSmall(store, name, signal)
      return bytes && openJson(tombstoneKind, bytes, this.#engine.ring, 'maintenance')
    })
    if (opened === undefined) return 'none'
    if (opened.counts ? opened.value.snap !== snap : opened.mac === 'bad') {
      this.#engine.warn(`the tombstone of ${stem} does not count: it is not genuine`)
      return 'none'
    }
    const state = opened.counts ? 'counts' : 'unverifiable'
    this.#tombstones.set(stem, state)
    return state
  }
}

function isStanding({ state, validatedMs }: PointEntry): boolean {
  return state === 'recovery-point' || (state === 'held' && validatedMs !== null)
}

/** What §3.3 says of a point whose objects all count. */
function standsByName(present: Present, held: boolean): boolean {
  return present.has('manifest') && present.has('validated') && (!present.has('tombstone') || held)
}

/** §3.3. */
function stateOf(
  present: Present,
  validated: boolean,
  tombstone: 'counts' | 'unverifiable' | 'none',
  held: boolean,
): PointState {
  if (!present.has('manifest')) return 'manifest-lost'
  if (tombstone !== 'none' && held) return 'held'
  if (tombstone === 'counts') return 'tombstoned'
  if (tombstone === 'unverifiable') return 'tombstone-unverifiable'
  return validated ? 'recovery-point' : 'not-validated'
}
