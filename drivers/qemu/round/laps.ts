/** What each step of the window took in which a guest stands still, for whoever asks why it was so long. */
export class Laps {
  /** Milliseconds by step, in their order. */
  readonly took: Record<string, number> = {}
  #at = performance.now()

  start(): void {
    this.#at = performance.now()
  }

  /** The step that has just ended. */
  end(step: string): void {
    const now = performance.now()
    this.took[step] = Math.round(now - this.#at) + (this.took[step] ?? 0)
    this.#at = now
  }
}
