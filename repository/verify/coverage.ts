import type { LedgerPass, ReadCoverage } from '../types.ts'

/** Counts how much of what is listed was ever read as a whole, and when the part that was read longest ago. */
export class Coverage {
  #packs = 0
  #bytes = 0
  #readPacks = 0
  #readBytes = 0
  #oldestMs: number | null = null

  /** `lastMs`: when its bytes were last hashed and found right; 0: never. */
  add(size: number, lastMs: number): void {
    this.#packs += 1
    this.#bytes += size
    if (lastMs === 0) return
    this.#readPacks += 1
    this.#readBytes += size
    this.#oldestMs = Math.min(this.#oldestMs ?? Infinity, lastMs)
  }

  counted(): ReadCoverage {
    return {
      packs: this.#packs,
      bytes: this.#bytes,
      readPacks: this.#readPacks,
      readBytes: this.#readBytes,
      oldestMs: this.#oldestMs,
    }
  }
}

/** A pass of L4 has hashed every byte as well. */
export function lastReadMs(pass: LedgerPass | undefined): number {
  return Math.max(pass?.l3Ms ?? 0, pass?.l4Ms ?? 0)
}
