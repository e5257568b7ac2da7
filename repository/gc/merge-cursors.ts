import { SEGMENT_ENTRY } from '../format/index.ts'
import type { SegmentSource } from './contents.ts'
import type { PackFacts } from './partition.ts'

/** One entry of one segment, where it stands. */
export interface Cursor {
  readonly window: Buffer
  readonly at: number
  /** In the listing; beyond its end for a pack that was not listed. */
  readonly ordinal: number
  /** Of a segment that is in no index. */
  readonly isOrphan: boolean
}

/**
 * All entries of several segments in the order of their ids. Only segments whose prefix has been reached are open: level 1 is
 * disjoint by prefix, so a few of its ordinals are in memory at a time.
 */
export class MergeCursors {
  readonly #waiting: SegmentSource[]
  readonly #heap: Source[] = []
  readonly #facts: PackFacts
  readonly #orphans: ReadonlySet<SegmentSource>

  constructor(segments: readonly SegmentSource[], orphans: readonly SegmentSource[], facts: PackFacts) {
    this.#facts = facts
    this.#orphans = new Set(orphans)
    this.#waiting = [...segments, ...orphans].sort((a, b) => b.header.prefix - a.header.prefix)
  }

  /** The entry with the least id; `next` moves beyond it. undefined: no more. */
  peek(): Cursor | undefined {
    this.#open()
    return this.#heap[0]
  }

  next(): void {
    const [top] = this.#heap
    if (top === undefined) return
    if (!top.advance()) {
      const last = this.#heap.pop()
      if (last === undefined || last === top) return
      this.#heap[0] = last
    }
    this.#sink()
  }

  /** Opens what begins at or before the least id. */
  #open(): void {
    for (let last = this.#waiting.at(-1); last !== undefined; last = this.#waiting.at(-1)) {
      const [top] = this.#heap
      if (top !== undefined && last.header.prefix > top.window.readUInt32BE(top.at)) return
      this.#waiting.pop()
      const source = new Source(last, this.#facts.learn(last), this.#orphans.has(last))
      if (!source.advance()) continue
      this.#heap.push(source)
      this.#rise()
    }
  }

  #rise(): void {
    const heap = this.#heap
    for (let child = heap.length - 1; child > 0;) {
      const parent = (child - 1) >>> 1
      if (!before(heap[child], heap[parent])) return
      swap(heap, child, parent)
      child = parent
    }
  }

  #sink(): void {
    const heap = this.#heap
    for (let parent = 0; ;) {
      let least = parent
      for (const child of [2 * parent + 1, 2 * parent + 2]) if (before(heap[child], heap[least])) least = child
      if (least === parent) return
      swap(heap, parent, least)
      parent = least
    }
  }
}

class Source implements Cursor {
  readonly #windows: Iterator<Buffer>
  readonly #ordinals: Uint32Array
  window = Buffer.alloc(0)
  at = 0
  ordinal = 0

  readonly isOrphan: boolean

  constructor(segment: SegmentSource, ordinals: Uint32Array, isOrphan: boolean) {
    this.#windows = segment.rawEntries()[Symbol.iterator]()
    this.#ordinals = ordinals
    this.isOrphan = isOrphan
  }

  /** false: at its end. */
  advance(): boolean {
    this.at += SEGMENT_ENTRY
    if (this.at >= this.window.length) {
      const step = this.#windows.next()
      if (step.done === true) return false
      this.window = step.value as Buffer<ArrayBuffer>
      this.at = 0
    }
    this.ordinal = this.#ordinals[this.window.readUInt32LE(this.at + 32)] ?? 0xffffffff
    return true
  }
}

/** By id, then by pack, then by slot. */
function before(a: Source | undefined, b: Source | undefined): boolean {
  if (a === undefined || b === undefined) return false
  const order =
    a.window.compare(b.window, b.at, b.at + 32, a.at, a.at + 32) ||
    a.ordinal - b.ordinal ||
    a.window.readUInt16LE(a.at + 44) - b.window.readUInt16LE(b.at + 44)
  return order < 0
}

function swap(heap: Source[], a: number, b: number): void {
  const [x, y] = [heap[a], heap[b]]
  if (x === undefined || y === undefined) return
  heap[a] = y
  heap[b] = x
}
