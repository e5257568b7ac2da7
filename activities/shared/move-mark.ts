import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { attemptsPerStart } from '../../workflows/shared/attempts.ts'

/** Which attempt of a copy: `base` counts the starts before (`attemptsPerStart` each), `attempt` from 1 within the start. */
export interface AttemptNumber {
  readonly base: number
  readonly attempt: number
}

interface State {
  end: number
  /** null: unknown, and it stays so. */
  again: number | null
  durable: number
  base: number
  attempt: number
  isStopped: boolean
}

/** All states have one length: each is written over the one before. */
const stateBytes = 192

/**
 * How far a part was read, or a disk was written, kept where a kill -9 of the worker does not reach it: a few bytes in a
 * file, written with every move (the kernel has them as soon as the call returns). It tells exactly how much a resumed
 * attempt moved again; or that it is not known, because an attempt in between was made on another host or before this
 * one was booted. That figure is for people and tests; nothing relies on it. What is durable a restore does rely on.
 */
export class MoveMark implements Disposable {
  readonly #file: number
  /** Of an earlier attempt, nothing if there was none. */
  readonly #earlierEnd: number
  readonly #hadMark: boolean
  readonly #state: State

  constructor(path: string, now: AttemptNumber) {
    mkdirSync(dirname(path), { recursive: true })
    const earlier = readState(path)
    this.#file = openSync(path, earlier === null ? 'w' : 'r+')
    this.#hadMark = earlier !== null
    this.#earlierEnd = earlier?.end ?? 0
    const durable = earlier?.durable ?? 0
    this.#state = { end: this.#earlierEnd, again: movedBefore(earlier, now), durable, ...now, isStopped: false }
    this.#write()
  }

  /** Everything before it was durable at the target when somebody last said so; 0: nobody did. */
  get durable(): number {
    return this.#state.durable
  }

  durableUpTo(offset: number): void {
    this.#state.durable = offset
    this.#write()
  }

  /** Bytes that an earlier attempt had moved and that were moved once more, over all attempts; null: unknown. */
  bytesAgain(bytesResumed: number): number | null {
    // Whatever the count of attempts says: somebody moved what is resumed.
    return bytesResumed > 0 && !this.#hadMark ? null : this.#state.again
  }

  moving(start: number, length: number): void {
    const state = this.#state
    if (state.again !== null) state.again += Math.max(0, Math.min(start + length, this.#earlierEnd) - start)
    state.end = Math.max(state.end, start + length)
    this.#write()
  }

  /** The run stopped this attempt: the next start follows it with no other attempt between. */
  stopped(): void {
    this.#state.isStopped = true
    this.#write()
  }

  #write(): void {
    writeSync(this.#file, JSON.stringify(this.#state).padEnd(stateBytes), 0)
  }

  [Symbol.dispose](): void {
    closeSync(this.#file)
  }
}

function movedBefore(earlier: State | null, { base, attempt }: AttemptNumber): number | null {
  if (earlier === null) return base === 0 && attempt === 1 ? 0 : null
  const isNext =
    attempt === 1
      ? earlier.isStopped && earlier.base === base - attemptsPerStart
      : earlier.base === base && earlier.attempt === attempt - 1
  return isNext ? earlier.again : null
}

/** null: no mark, or none that was ever written whole, as on a full disk. */
function readState(path: string): State | null {
  if (!existsSync(path)) return null
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as State
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}

/** `owner`: the session of a backup, the operation of a restore. `part`: what of it, as a name of a file. */
export function moveMarkPath(cacheDir: string, owner: string, part: string): string {
  return join(cacheDir, 'marks', owner, `${part}-${bootOfHost()}`)
}

/** A host that lost its power may have lost the last marks too: those of another boot are none. */
function bootOfHost(): string {
  const file = '/proc/sys/kernel/random/boot_id'
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : '0'
}

/** Forgets the marks of a session or operation that has ended. */
export function dropMoveMarks(cacheDir: string, owner: string): void {
  rmSync(join(cacheDir, 'marks', owner), { recursive: true, force: true })
}
