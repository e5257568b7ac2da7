import { HoldfastError } from '../../base/index.ts'
import type { Engine } from '../engine.ts'
import { names, parseName, parseStem, tombstoneKind, type SnapKind } from '../format/index.ts'
import { openJson } from '../keys/index.ts'
import { getWhole, listAll, throwIfAborted } from '../store/index.ts'
import type { PointEntry, PointState } from '../types.ts'
import { isFormatProblem, loadManifest, notRestorable, readValidated, type LoadedManifest } from './manifest.ts'

const noSignal = new AbortController().signal

/** Which of the four objects of a stem a listing shows. */
type Present = ReadonlySet<SnapKind>

/**
 * The states of §3.3, by what counts and not by what is present. Objects do not change: what has been found to count once
 * is not read again.
 */
export class Points {
  readonly #engine: Engine
  readonly #validated = new Map<string, number>()
  readonly #tombstones = new Map<string, 'counts' | 'unverifiable'>()

  constructor(engine: Engine) {
    this.#engine = engine
  }

  /** Newest first inside a series. `snap/` is listed first and `hold/` after (§11.2). */
  async *list(options: { readonly series?: string; readonly signal?: AbortSignal } = {}): AsyncGenerator<PointEntry> {
    const { series, signal = noSignal } = options
    const { store } = this.#engine
    const stems = new Map<string, Set<SnapKind>>()
    for (const { name } of await listAll(store, series === undefined ? 'snap/' : `snap/${series}/`)) {
      const parsed = parseName(name)
      if (parsed === undefined || !('stem' in parsed)) continue
      stems.set(parsed.stem, (stems.get(parsed.stem) ?? new Set()).add(parsed.kind))
    }
    const held = await this.#held()
    for (const [stem, present] of stems) {
      throwIfAborted(signal)
      const entry = await this.#entry(stem, present, held, signal)
      if (entry !== undefined) yield entry
    }
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
    const entry = await this.#entry(stem, present, await this.#held(), noSignal)
    if (entry === undefined) throw new HoldfastError('NotFound', `there is no point ${stem} in the repository`)
    if (entry.state === 'manifest-lost') throw notRestorable(stem, 'has lost its manifest')
    // Held and validated restores as it stands; everything else is the reader's risk.
    const stands = entry.state === 'recovery-point' || (entry.state === 'held' && entry.validatedMs !== null)
    if (!stands && !explicit) throw notRestorable(stem, `is ${entry.state.replaceAll('-', ' ')}`)
    const manifest = await loadManifest(this.#engine.store, this.#engine.ring, stem, noSignal)
    if (manifest === undefined) throw notRestorable(stem, 'has lost its manifest')
    return { entry, manifest }
  }

  /** Snapshots that a `hold/` names: by its name alone, whatever its content (§3.3). */
  async #held(): Promise<Set<string>> {
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
    const { store, ring, warn } = this.#engine
    let manifest: LoadedManifest | undefined
    try {
      manifest = hasManifest ? await loadManifest(store, ring, stem, signal) : undefined
    } catch (error) {
      // A manifest that cannot be understood is validated all the same if the `.ok` says so; opening it will tell.
      if (!isFormatProblem(error)) throw error
      warn(`the manifest of ${stem} is damaged: ${error.message}`)
    }
    const ok = await readValidated(store, ring, stem, snap, manifest, signal)
    if (ok === undefined) return null
    if (!('counts' in ok)) {
      warn(`the validation of ${stem} does not count: ${ok.why}`)
      return null
    }
    this.#validated.set(key, ok.counts.validatedMs)
    return ok.counts.validatedMs
  }

  async #tombstone(stem: string, snap: string, signal: AbortSignal): Promise<'counts' | 'unverifiable' | 'none'> {
    const known = this.#tombstones.get(stem)
    if (known !== undefined) return known
    const bytes = await getWhole(this.#engine.store, names.snap(stem, 'tombstone'), signal)
    if (bytes === undefined) return 'none'
    const opened = openJson(tombstoneKind, bytes, this.#engine.ring, 'maintenance')
    if (opened.counts ? opened.value.snap !== snap : opened.mac === 'bad') {
      this.#engine.warn(`the tombstone of ${stem} does not count: it is not genuine`)
      return 'none'
    }
    const state = opened.counts ? 'counts' : 'unverifiable'
    this.#tombstones.set(stem, state)
    return state
  }
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
