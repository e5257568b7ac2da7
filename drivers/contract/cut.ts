import type { EffectSeam } from './rig.ts'

/** What a caller of a dead process sees: nothing. It is no HoldfastError, so that no cleanup takes it for an answer. */
export class ProcessDied extends Error {
  override readonly name = 'ProcessDied'
}

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
