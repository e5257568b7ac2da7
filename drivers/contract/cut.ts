import type { EffectSeam } from './rig.ts'

/** What a caller of a dead process sees: nothing. It is no HoldfastError, so that no cleanup takes it for an answer. */
export class ProcessDied extends Error {
  override readonly name = 'ProcessDied'
}

const isExhaustive = process.env['HOLDFAST_EXHAUSTIVE'] === '1'
const seed = Number(process.env['HOLDFAST_SEED'] ?? Math.floor(Date.now() / 1000) % 100_000)

/**
 * The effects at which to end a process: every `stride`-th, beginning with one that the seed draws, so that some runs
 * together meet all of them. HOLDFAST_EXHAUSTIVE=1 meets all in one. Without end: whoever asks knows the last.
 */
export function* placesToDie(stride: number): Generator<number, never> {
  const step = isExhaustive ? 1 : stride
  for (let k = isExhaustive ? 0 : seed % stride; ; k += step) yield k
}

/** How to meet the same places again; for the message of what failed there. */
export const samePlaces = isExhaustive ? 'HOLDFAST_EXHAUSTIVE=1' : `HOLDFAST_SEED=${seed}`

/** Lets `k` effects happen and then ends the process: its sockets and pipes close, and no further effect happens. */
export class CutAfter implements EffectSeam {
  readonly done: string[] = []
  readonly #k: number
  readonly #ends = new Set<() => void>()
  #dead = false

  constructor(k: number) {
    this.#k = k
  }

  get isDead(): boolean {
    return this.#dead
  }

  async run<T>(what: string, effect: () => Promise<T>): Promise<T> {
    if (this.#dead) throw new ProcessDied(what)
    if (this.done.length >= this.#k) this.#die(what)
    this.done.push(what)
    const result = await effect()
    if (this.#dead) throw new ProcessDied(what)
    return result
  }

  atDeath(end: () => void): () => void {
    this.#ends.add(end)
    return () => this.#ends.delete(end)
  }

  #die(what: string): never {
    this.#dead = true
    for (const end of this.#ends) end()
    throw new ProcessDied(what)
  }
}
