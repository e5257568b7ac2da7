import { repeatProbe, type Connect, type RepeatedSize } from '../store/index.ts'
import type { ProbeReport } from '../types.ts'

type Repeated = Pick<ProbeReport, 'checks' | 'staleMs'>

/** What a collection repeats of the probe before it begins (§9.8). */
export class Recheck {
  readonly #connect: Connect
  readonly #size: RepeatedSize
  #begun: Promise<Repeated> | undefined

  constructor(connect: Connect, size: RepeatedSize) {
    this.#connect = connect
    this.#size = size
  }

  /** For the next `run`: it needs no key, and can be done while one is derived. */
  begin(): void {
    this.#begun = this.#probe()
    // Whoever runs or ends hears of it.
    void Promise.allSettled([this.#begun])
  }

  /** What `begin` has found, once; later what is there now. Throws what the store throws. */
  async run(): Promise<Repeated> {
    const begun = this.#begun
    this.#begun = undefined
    return await (begun ?? this.#probe())
  }

  /** Until nothing is under way that nobody has waited for: it removes what it has put. */
  async end(): Promise<void> {
    await Promise.allSettled([this.#begun])
    this.#begun = undefined
  }

  #probe(): Promise<Repeated> {
    return repeatProbe([this.#connect(), this.#connect()], this.#size)
  }
}
