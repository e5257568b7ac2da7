import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'

/** A small deterministic generator (mulberry32): what a schedule draws is told by its seed alone. */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = (seed ^ 0x9e3779b9) >>> 0
  }

  /** 0 … 1, without 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let t = this.#state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }

  /** 0 … n − 1. */
  below(n: number): number {
    return Math.floor(this.next() * n)
  }

  chance(p: number): boolean {
    return this.next() < p
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)]
    if (item === undefined) throw new RangeError('nothing to pick from')
    return item
  }
}

/**
 * Replaces the randomness of the whole process (names, nonces, keys) by that of a seed until it is disposed: every module
 * imports it from `node:crypto`, and takes what stands there now.
 */
export function seedRandomness(seed: number): Disposable {
  const random = new Random(seed)
  const real = crypto.randomBytes
  const seeded = (size: number): Buffer => {
    const bytes = Buffer.allocUnsafe(size)
    for (let at = 0; at < size; at++) bytes[at] = random.below(256)
    return bytes
  }
  crypto.randomBytes = seeded as typeof crypto.randomBytes
  syncBuiltinESMExports()
  return {
    [Symbol.dispose]() {
      crypto.randomBytes = real
      syncBuiltinESMExports()
    },
  }
}
