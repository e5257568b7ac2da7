/**
 * Canonical compact encoding of a state: only the fields that the configuration uses, each with just enough bits.
 * Equal states have equal words, and unequal ones unequal words, so no state is ever taken for another by encoding.
 */
import type { Bounds } from './bounds.ts'
import { packCount } from './world.ts'
import type { Collector, GcRecord, State, Writer } from './state.ts'

const setBits = packCount

/** Walks over all fields in one order, writing (`store`) or reading them: one list for both directions. */
abstract class FieldWalk {
  abstract field(value: number, bits: number): number
  private readonly bounds: Bounds

  constructor(bounds: Bounds) {
    this.bounds = bounds
  }

  walk(s: State): void {
    const b = this.bounds
    s.packs = this.field(s.packs, setBits)
    s.floor = this.field(s.floor, 3)
    s.retirer = this.field(s.retirer, 3)
    s.nextFloor = this.field(s.nextFloor, 3)
    for (let k = 0; k < 3; k++) s.snapshots[k] = this.field(s.snapshots[k]!, 4)
    if (b.holds) {
      s.hold = this.field(s.hold, 1)
      s.placer = this.field(s.placer, 3)
    }
    if (b.removal) {
      s.remover = this.field(s.remover, 3)
      s.removing = this.field(s.removing, 2)
    }
    if (b.cleaner) s.cleaner = this.field(s.cleaner, 3)
    this.stamps(s.index)
    for (let j = 0; j < b.collectors; j++) this.record(s.records[j]!)
    for (let i = 0; i < b.writers; i++) this.writer(s.writers[i]!)
    for (let g = 0; g < b.collectors; g++) this.collector(s.collectors[g]!)
  }

  /** Stamp sets of all packs, in two fields: seven times four bits are the most that one can take. */
  private stamps(stamps: Uint8Array): void {
    this.stampsOf(stamps, 0, 7)
    this.stampsOf(stamps, 7, packCount)
  }

  private stampsOf(stamps: Uint8Array, first: number, end: number): void {
    const bits = this.bounds.collectors + 1
    let together = 0
    for (let p = end - 1; p >= first; p--) together = (together << bits) | stamps[p]!
    together = this.field(together, (end - first) * bits)
    for (let p = first; p < end; p++) {
      stamps[p] = together & ((1 << bits) - 1)
      together >>>= bits
    }
  }

  private record(r: GcRecord): void {
    r.state = this.field(r.state, 2)
    r.epoch = this.field(r.epoch, 2)
    r.condemned = this.field(r.condemned, setBits)
    r.final = this.field(r.final, setBits)
  }

  private writer(w: Writer): void {
    w.at = this.field(w.at, 4)
    w.base = this.field(w.base, 2)
    w.announced = this.field(w.announced, 1)
    w.reestablished = this.field(w.reestablished, 1)
    w.rescued = this.field(w.rescued, 4)
    w.dead = this.field(w.dead, setBits)
    if (this.bounds.removal) w.parentSeen = this.field(w.parentSeen, 2)
    if (this.bounds.cleaner) w.report = this.field(w.report, 2)
    this.stamps(w.known)
  }

  private collector(c: Collector): void {
    const b = this.bounds
    c.at = this.field(c.at, 4)
    c.base = this.field(c.base, 2)
    c.condemned = this.field(c.condemned, setBits)
    c.view = this.field(c.view, setBits)
    c.todo = this.field(c.todo, setBits)
    if (b.mergeByListing) {
      c.listed = this.field(c.listed, setBits)
      c.segments = this.field(c.segments, setBits)
    }
    if (b.holds) c.roots = this.field(c.roots, 11)
    if (b.simpleProfile) {
      c.seen = this.field(c.seen, 3)
      c.others = this.field(c.others, 3)
    }
  }
}

class Packer extends FieldWalk {
  into = new Uint32Array(0)
  at = 0
  private word = 0
  private used = 0

  override field(value: number, bits: number): number {
    if (this.used + bits > 32) this.flush()
    this.word |= value << this.used
    this.used += bits
    return value
  }

  flush(): void {
    this.into[this.at++] = this.word
    this.word = 0
    this.used = 0
  }
}

class Unpacker extends FieldWalk {
  from = new Uint32Array(0)
  at = 0
  private word = 0
  private used = 32

  override field(_value: number, bits: number): number {
    if (this.used + bits > 32) {
      this.word = this.from[this.at++]!
      this.used = 0
    }
    const value = (this.word >>> this.used) & ((1 << bits) - 1)
    this.used += bits
    return value
  }

  restart(): void {
    this.used = 32
  }
}

export class Codec {
  /** 32-bit words of one state. */
  readonly words: number
  private readonly packer: Packer
  private readonly unpacker: Unpacker

  constructor(bounds: Bounds, sample: State) {
    this.packer = new Packer(bounds)
    this.unpacker = new Unpacker(bounds)
    this.words = 0
    this.pack(sample, new Uint32Array(64), 0)
    this.words = this.packer.at
  }

  pack(state: State, into: Uint32Array<ArrayBuffer>, at: number): void {
    this.packer.into = into
    this.packer.at = at
    this.packer.walk(state)
    this.packer.flush()
  }

  unpack(from: Uint32Array<ArrayBuffer>, at: number, state: State): void {
    this.unpacker.from = from
    this.unpacker.at = at
    this.unpacker.restart()
    this.unpacker.walk(state)
  }
}
