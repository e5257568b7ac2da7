import type { Engine } from '../engine.ts'
import type { GcState } from '../gcstate/index.ts'
import type { Points } from '../read/points.ts'
import type { Rereader } from '../verify/reread.ts'
import type { Contents } from './contents.ts'
import { Latecomers } from './latecomers.ts'
import type { PackTable } from './pack-table.ts'
import type { TocReader } from './toc.ts'
import type { CollectWaits, PackSum } from './types.ts'

/** What every step of one collection works with. */
export interface Run {
  readonly engine: Engine
  /** UUID: owner of its records. */
  readonly id: string
  readonly waits: CollectWaits
  readonly points: Points
  readonly reread: Rereader
  readonly tocs: TocReader
  /** Snapshots that the caller believes in. */
  readonly known: readonly string[]
  /** Unix ms by the store's clock, when the run began. */
  readonly nowMs: number
  readonly signal: AbortSignal
  readonly note: (message: string) => void
  readonly progress: (what: string) => void
}

/** What G0 and G1 have found. */
export interface Seen {
  /** G0. */
  readonly state: GcState
  /** L, with the flags of what G0 and sessions say. */
  readonly table: PackTable
  readonly contents: Contents
}

export function latecomers({ engine, tocs, signal }: Run, table: PackTable): Latecomers {
  const { view, store, ring, clock } = engine
  const readToc = (pack: string, size: number) => tocs.read(pack, size)
  return new Latecomers({ table, view, store, readToc, repo: ring.repo, clock, signal })
}

/** Sums packs of a table. */
export class Tally {
  packs = 0
  bytes = 0

  add(bytes: number): void {
    this.packs += 1
    this.bytes += bytes
  }

  get sum(): PackSum {
    return { packs: this.packs, bytes: this.bytes }
  }
}
