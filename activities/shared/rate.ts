/** Bytes per second over the last seconds, for people. */
export class RateMeter {
  readonly #samples: { readonly ms: number; readonly bytes: number }[] = []
  readonly #windowMs: number

  constructor(windowMs = 10_000) {
    this.#windowMs = windowMs
  }

  /** `bytes`: the total so far. null before the second sample. */
  sample(ms: number, bytes: number): number | null {
    this.#samples.push({ ms, bytes })
    while (this.#samples.length > 2 && ms - (this.#samples[0]?.ms ?? ms) > this.#windowMs) this.#samples.shift()
    const first = this.#samples[0]
    if (first === undefined || first.ms >= ms) return null
    return Math.max(0, Math.round(((bytes - first.bytes) * 1000) / (ms - first.ms)))
  }
}
