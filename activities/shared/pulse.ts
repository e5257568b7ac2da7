import type { Context } from '@temporalio/activity'
import { HoldfastError, formatDuration } from '../../base/index.ts'

export interface PulseOptions {
  /** No progress for so long ends the attempt with `Stalled`, so that the next one reconnects. null: not now. */
  readonly stallTimeoutMs: () => number | null
  /** What is said with each beat; below 1 KiB. */
  readonly details: (quietMs: number) => unknown
  readonly now?: () => number
}

/**
 * The heartbeat of one attempt. It beats at most once a second for as long as the last progress is young, so that a
 * cancel arrives within seconds even while the source hangs and no byte comes; when nothing has moved for the stall
 * timeout the attempt ends itself with a name. It never keeps a stalled copy alive.
 */
export class Pulse implements Disposable {
  /** Aborts on cancel, worker shutdown and stall. */
  readonly signal: AbortSignal
  readonly #context: Context
  readonly #options: PulseOptions
  readonly #stalled = new AbortController()
  readonly #timer: NodeJS.Timeout
  #movedAt: number

  constructor(context: Context, options: PulseOptions) {
    this.#context = context
    this.#options = options
    this.#movedAt = this.#now()
    this.signal = AbortSignal.any([context.cancellationSignal, this.#stalled.signal])
    const interval = Math.min(1000, (context.info.heartbeatTimeoutMs ?? 30_000) / 4)
    this.#timer = setInterval(() => this.#beat(), interval)
  }

  /** Something moved. */
  moved(): void {
    this.#movedAt = this.#now()
  }

  /** Says the exact state now, whatever the timer does: the last word of an attempt. */
  flush(): void {
    this.#context.heartbeat(this.#options.details(this.#now() - this.#movedAt))
  }

  /** Throws what ended the attempt, if something did. */
  check(): void {
    this.signal.throwIfAborted()
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
  }

  #beat(): void {
    const quietMs = this.#now() - this.#movedAt
    const stallTimeoutMs = this.#options.stallTimeoutMs()
    if (stallTimeoutMs !== null && quietMs > stallTimeoutMs) {
      clearInterval(this.#timer)
      this.#stalled.abort(new HoldfastError('Stalled', `no byte moved for ${formatDuration(quietMs)}`))
      return
    }
    if (!this.signal.aborted) this.flush()
  }

  #now(): number {
    return this.#options.now?.() ?? Date.now()
  }
}
