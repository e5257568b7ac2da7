/** What is to happen and when; at the same moment in the order in which it was said. Nothing waits for real. */
export class Timeline {
  #nowMs: number
  #said = 0
  readonly #heap: { readonly atMs: number; readonly nth: number; readonly work: () => void | Promise<void> }[] = []

  constructor(startMs: number) {
    this.#nowMs = startMs
  }

  get nowMs(): number {
    return this.#nowMs
  }

  /** What lies behind happens now. */
  at(atMs: number, work: () => void | Promise<void>): void {
    const one = { atMs: Math.max(this.#nowMs, Math.round(atMs)), nth: this.#said++, work }
    this.#heap.push(one)
    for (let child = this.#heap.length - 1; child > 0;) {
      const parent = (child - 1) >> 1
      if (!this.#swapIfLater(parent, child)) return
      child = parent
    }
  }

  /** Until nothing is left that is due by then. */
  async run(untilMs: number): Promise<void> {
    for (;;) {
      const [next] = this.#heap
      if (next === undefined || next.atMs > untilMs) break
      this.#take()
      this.#nowMs = next.atMs
      await next.work()
    }
    this.#nowMs = untilMs
  }

  #take(): void {
    const last = this.#heap.pop()
    if (last === undefined || this.#heap.length === 0) return
    this.#heap[0] = last
    for (let parent = 0; ;) {
      const [left, right] = [2 * parent + 1, 2 * parent + 2]
      const child = right < this.#heap.length && this.#isLater(left, right) ? right : left
      if (child >= this.#heap.length || !this.#swapIfLater(parent, child)) return
      parent = child
    }
  }

  #isLater(a: number, b: number): boolean {
    const [one, other] = [this.#heap[a], this.#heap[b]]
    if (one === undefined || other === undefined) return false
    return one.atMs > other.atMs || (one.atMs === other.atMs && one.nth > other.nth)
  }

  #swapIfLater(parent: number, child: number): boolean {
    const [one, other] = [this.#heap[parent], this.#heap[child]]
    if (one === undefined || other === undefined || !this.#isLater(parent, child)) return false
    this.#heap[parent] = other
    this.#heap[child] = one
    return true
  }
}
