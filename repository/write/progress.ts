import type { CopyProgress, PartResult } from '../types.ts'

const REPORT_MS = 250
type Bottleneck = CopyProgress['bottleneck']
type Counters = Pick<CopyProgress, 'bytesRead' | 'bytesStored' | 'chunksNew' | 'chunksReused' | 'chunksZero'>

/** Counts what an attempt does, finds out what it waits for, and reports both a few times a second. */
export class Progress {
  readonly #onProgress: (progress: CopyProgress) => void
  readonly #counters = { bytesRead: 0, bytesStored: 0, chunksNew: 0, chunksReused: 0, chunksZero: 0 }
  readonly #waited = { source: 0, mover: 0, repository: 0 }
  readonly #bytesResumed: number
  #bottleneck: Bottleneck = 'source'
  #durableOffset: number
  #offset: number
  #reportedAt = 0

  constructor(
    onProgress: (progress: CopyProgress) => void,
    start: { readonly durableOffset: number; readonly bytesResumed: number },
  ) {
    this.#onProgress = onProgress
    this.#durableOffset = start.durableOffset
    this.#offset = start.durableOffset
    this.#bytesResumed = start.bytesResumed
  }

  get bytesRead(): number {
    return this.#counters.bytesRead
  }

  /** As a part's result says it. */
  get result(): Pick<
    PartResult,
    'bytesReadThisAttempt' | 'bytesResumed' | 'chunksNew' | 'chunksReused' | 'chunksZero'
  > {
    const { bytesRead, chunksNew, chunksReused, chunksZero } = this.#counters
    return { bytesReadThisAttempt: bytesRead, bytesResumed: this.#bytesResumed, chunksNew, chunksReused, chunksZero }
  }

  add(more: Partial<Counters>): void {
    for (const name of Object.keys(more) as (keyof Counters)[]) this.#counters[name] += more[name] ?? 0
  }

  reached(offset: number): void {
    this.#offset = offset
    if (performance.now() - this.#reportedAt >= REPORT_MS) this.report()
  }

  durable(offset: number): void {
    this.#durableOffset = offset
    this.#offset = Math.max(this.#offset, offset)
    this.report()
  }

  /** Time that the front of the disk waits for `what` until `work` has ended. */
  async waiting<T>(what: Bottleneck, work: () => Promise<T>): Promise<T> {
    const began = performance.now()
    try {
      return await work()
    } finally {
      this.#waited[what] += performance.now() - began
    }
  }

  report(): void {
    this.#reportedAt = performance.now()
    const most = Math.max(...Object.values(this.#waited))
    for (const what of ['source', 'mover', 'repository'] as const) {
      if (most > 0 && this.#waited[what] === most) this.#bottleneck = what
      this.#waited[what] = 0
    }
    this.#onProgress({
      durableOffset: this.#durableOffset,
      offset: this.#offset,
      ...this.#counters,
      bytesResumed: this.#bytesResumed,
      bottleneck: this.#bottleneck,
    })
  }
}
