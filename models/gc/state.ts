/**
 * One state: the store, then the private memory of each actor. A step of the model is one store request, so whatever
 * an actor has read and not yet acted upon is a field here.
 */
import type { Bounds } from './bounds.ts'
import { packCount, packP, packQ, parent, secondHome } from './world.ts'

/** Files of a stem (§3.3), as bits of `State.snapshots[k]`. */
export const file = { m: 1, ok: 2, a: 4, t: 8 } as const

/** States of a `gc/` record: `.c` alone is pending, with `.f` final, retired once it is deleted below the floor. */
export const record = { none: 0, pending: 1, final: 2, retired: 3 } as const

/** Program counters: the name is the step that is about to happen. */
export const writerAt = {
  s0: 0,
  s0Late: 1, // mutant late_base only
  s1: 2,
  s2: 3,
  w1: 4,
  w2: 5,
  rescue: 6, // of chunk 0..3: 6..9
  w3: 10,
  done: 11,
  head: 12, // second half of a re-establishment
  parentT: 13, // §7.5 in two requests: HEAD .t …
  parentOk: 14, // … then HEAD .ok
  w3List: 15,
} as const

export const collectorAt = {
  g0: 0,
  g1: 1,
  g1Copied: 2, // publish the index entry of the compaction copy
  g1Again: 3, // LIST packs after a copy
  g2: 4,
  g3a: 5,
  g3b: 6,
  g4: 7,
  g5: 8,
  g6: 9,
  end: 10,
  mark: 11, // simple profile: roots, mark, choose (§9.2, §9.3)
  g3bHold: 12, // with holds: LIST hold/ after snap/
} as const

export const placerAt = { look: 0, put: 1, lookT: 2, lookOk: 3, takeBack: 4, end: 5, confirmed: 6 } as const
export const removerAt = { first: 0, second: 1, delete1: 2, delete2: 3, delete3: 4, end: 5 } as const
export const cleanerAt = { list: 0, putA: 1, getOk: 2, putT: 3, end: 4 } as const

/** What a writer told its caller (§7.2, W3). Only asked where a cleaner exists. */
export const report = { none: 0, success: 1, failure: 2 } as const

export class GcRecord {
  state = 0
  epoch = 0
  condemned = 0
  final = 0

  copy(from: GcRecord): void {
    this.state = from.state
    this.epoch = from.epoch
    this.condemned = from.condemned
    this.final = from.final
  }
}

export class Writer {
  at = 0
  /** Stamp: base epoch of its latest reading of the state. */
  base = 0
  announced = 0
  reestablished = 0
  /** Chunks it has rescued already (bit set), one rescue each. */
  rescued = 0
  /** Dead set of the reading that precedes a HEAD. */
  dead = 0
  /** With §7.5 in two requests: 1 = `.t` was seen absent, 2 = then `.ok` was seen present. */
  parentSeen = 0
  report = 0
  /** Knowledge: bit e of known[p] = "as of record e, p was not condemned". */
  readonly known = new Uint8Array(packCount)

  copy(from: Writer): void {
    this.at = from.at
    this.base = from.base
    this.announced = from.announced
    this.reestablished = from.reestablished
    this.rescued = from.rescued
    this.dead = from.dead
    this.parentSeen = from.parentSeen
    this.report = from.report
    for (let p = 0; p < packCount; p++) this.known[p] = from.known[p]!
  }
}

/** One garbage collection run. Its fields are reset when it ends. */
export class Collector {
  at = 0
  base = 0
  /** Packs condemned; after G3b those that become final. Simple profile, G1 to mark: all packs listed. */
  condemned = 0
  /** G0 to G1: the dead set; then the packs that count as homes. Simple profile: the dead set until marked. */
  view = 0
  /** G5: finals still to delete. Simple profile, G0 to mark: packs in final sets. */
  todo = 0
  /** For G6 by listing: packs listed at G1 and not dead; packs in segments listed at G1. */
  listed = 0
  segments = 0
  /** What LIST snap/ showed at G3b while hold/ is not listed yet (`snapshots.ts`, rootsOf). */
  roots = 0
  /** Simple profile: roots that were marked whole; records present at G0. */
  seen = 0
  others = 0

  copy(from: Collector): void {
    this.at = from.at
    this.base = from.base
    this.condemned = from.condemned
    this.view = from.view
    this.todo = from.todo
    this.listed = from.listed
    this.segments = from.segments
    this.roots = from.roots
    this.seen = from.seen
    this.others = from.others
  }
}

const blank = new Collector()

export class State {
  packs = 0
  /** Published index: bit e of index[p] = "a home, as of record e". */
  readonly index = new Uint8Array(packCount)
  readonly snapshots = new Uint8Array(3)
  hold = 0
  floor = 0
  retirer = 0
  /** The floor that the retirer has decided on and not yet published. */
  nextFloor = 0
  placer = 0
  remover = 0
  removing = 0
  cleaner = 0
  readonly records = [new GcRecord(), new GcRecord(), new GcRecord()] as const
  readonly writers = [new Writer(), new Writer()] as const
  readonly collectors = [new Collector(), new Collector(), new Collector()] as const

  copy(from: State): void {
    this.packs = from.packs
    for (let p = 0; p < packCount; p++) this.index[p] = from.index[p]!
    for (let k = 0; k < 3; k++) this.snapshots[k] = from.snapshots[k]!
    this.hold = from.hold
    this.floor = from.floor
    this.retirer = from.retirer
    this.nextFloor = from.nextFloor
    this.placer = from.placer
    this.remover = from.remover
    this.removing = from.removing
    this.cleaner = from.cleaner
    for (let j = 0; j < 3; j++) this.records[j]!.copy(from.records[j]!)
    for (let i = 0; i < 2; i++) this.writers[i]!.copy(from.writers[i]!)
    for (let g = 0; g < 3; g++) this.collectors[g]!.copy(from.collectors[g]!)
  }

  /** A run that ended is as if it had never been: only what it stored remains. */
  end(collector: number): void {
    const run = this.collectors[collector]!
    run.copy(blank)
    run.at = collectorAt.end
  }
}

/** P and Q exist and are indexed as of record 0, the parent is a recovery point, the floor is 1, no record yet. */
export function initialState(bounds: Bounds): State {
  const state = new State()
  state.packs = (1 << packP) | (1 << packQ)
  state.index[packP] = 1
  state.index[packQ] = 1
  state.snapshots[parent] = file.m | file.ok
  state.floor = 1
  if (bounds.twoHomes) {
    state.packs |= 1 << secondHome
    state.index[secondHome] = 1
  }
  if (bounds.earlierRun !== 'none') {
    const earlier = state.records[0]
    const abandoned = bounds.earlierRun === 'abandoned'
    earlier.state = abandoned ? record.pending : record.final
    earlier.epoch = 1
    earlier.condemned = 1 << (abandoned ? packP : packQ)
    earlier.final = abandoned ? 0 : earlier.condemned
    state.end(0)
  }
  return state
}
