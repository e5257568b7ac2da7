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
  base: number
  attempt: number
  isStopped: boolean
}

/** All states have one length: each is written over the one before. */
const stateBytes = 160

/**
 * How far a part was read, kept where a kill -9 of the worker does not reach it: a few bytes in a file, written with
 * every read (the kernel has them as soon as the call returns). It tells exactly how much a resumed attempt read again;
 * or that it is not known, because an attempt in between was made on another host or before this one was booted. A
 * figure for people and tests; nothing relies on it.
 */
export class ReadMark implements Disposable {
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
    this.#state = { end: this.#earlierEnd, again: readBefore(earlier, now), ...now, isStopped: false }
    this.#write()
  }

  /** Source bytes that an earlier attempt had read and that were read once more, over all attempts; null: unknown. */
  bytesReadAgain(bytesResumed: number): number | null {
    // Whatever the count of attempts says: somebody read what is resumed.
    return bytesResumed > 0 && !this.#hadMark ? null : this.#state.again
  }

  reading(start: number, length: number): void {
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

function readBefore(earlier: State | null, { base, attempt }: AttemptNumber): number | null {
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

export function readMarkPath(cacheDir: string, session: string, part: number): string {
  return join(cacheDir, 'marks', session, `${part}-${bootOfHost()}`)
}

/** A host that lost its power may have lost the last marks too: those of another boot are none. */
function bootOfHost(): string {
  const file = '/proc/sys/kernel/random/boot_id'
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : '0'
}

/** Forgets the marks of a session that has ended. */
export function dropReadMarks(cacheDir: string, session: string): void {
  rmSync(join(cacheDir, 'marks', session), { recursive: true, force: true })
}
