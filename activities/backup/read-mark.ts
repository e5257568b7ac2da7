import { closeSync, existsSync, mkdirSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'

/**
 * How far a part was read, kept where a kill -9 of the worker does not reach it: sixteen bytes in a file, written with
 * every read (the kernel has them as soon as the call returns). It tells exactly how much a resumed attempt read again.
 * A figure for people and tests; nothing relies on it, and a worker on another host starts from nothing.
 */
export class ReadMark implements Disposable {
  readonly #file: number
  readonly #earlierEnd: number
  #end: number
  #again: number

  constructor(path: string) {
    mkdirSync(dirname(path), { recursive: true })
    const known = existsSync(path)
    this.#file = openSync(path, known ? 'r+' : 'w+')
    const state = Buffer.alloc(16)
    const read = known ? readSync(this.#file, state, 0, 16, 0) : 0
    this.#end = this.#earlierEnd = read === 16 ? Number(state.readBigUInt64LE(0)) : 0
    this.#again = read === 16 ? Number(state.readBigUInt64LE(8)) : 0
  }

  /** Source bytes that an earlier attempt had read and that were read once more, over all attempts. */
  get bytesReadAgain(): number {
    return this.#again
  }

  reading(start: number, length: number): void {
    this.#again += Math.max(0, Math.min(start + length, this.#earlierEnd) - start)
    this.#end = Math.max(this.#end, start + length)
    const state = Buffer.alloc(16)
    state.writeBigUInt64LE(BigInt(this.#end), 0)
    state.writeBigUInt64LE(BigInt(this.#again), 8)
    writeSync(this.#file, state, 0, 16, 0)
  }

  [Symbol.dispose](): void {
    closeSync(this.#file)
  }
}

export function readMarkPath(cacheDir: string, session: string, part: number): string {
  return join(cacheDir, 'marks', session, String(part))
}

/** Forgets the marks of a session that has ended. */
export function dropReadMarks(cacheDir: string, session: string): void {
  rmSync(join(cacheDir, 'marks', session), { recursive: true, force: true })
}
