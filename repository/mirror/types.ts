import type { CopyProgress, Pace, Stem } from '../types.ts'

export interface MirrorOptions {
  /** Waited for before so many sealed bytes are stored there. */
  readonly pace?: Pace
  /** Only these series. Default: all. */
  readonly series?: readonly string[]
  /** Exactly these points, also such as were removed in the mirror: those get a fresh snapUUID there (§13). */
  readonly points?: readonly Stem[]
  /** Of `points`: what was removed in the mirror stays removed, and is reported so. */
  readonly leaveRemoved?: boolean
  /** Of `points`: those that are there are read back too; an attempt that was cut off may not have come to it. */
  readonly readThere?: boolean
  /**
   * Also points older than the newest one of their series in the mirror. Default: only what is newer, so that what its own
   * retention has removed does not come back.
   */
  readonly all?: boolean
  /** Class and policy of the points there; default: those of the points here. */
  readonly retention?: { readonly class: string; readonly policy: string }
  /** What is read back from the mirror: what this run has changed (default), or every byte. */
  readonly verify?: 'new' | 'full'
  /** Changes nothing; says what would be copied. */
  readonly dryRun?: boolean
  readonly signal: AbortSignal
  readonly onProgress: (progress: MirrorProgress) => void
}

export interface MirrorProgress extends CopyProgress {
  readonly stem: Stem
  readonly vm: string
  readonly disk: string
  readonly diskBytes: number
}

export interface MirroredPoint {
  readonly stem: Stem
  /** Its name there. */
  readonly target: Stem
  readonly createdMs: number
  readonly vm: string
  /** there: before this run, removed: in the mirror, and left so; said only of points that were asked for by name. */
  readonly outcome: 'mirrored' | 'planned' | 'there' | 'removed' | 'failed'
  /** New in the mirror; in a dry run an upper bound. */
  readonly bytesStored: number
  /** Content that was read back from the mirror. */
  readonly bytesVerified: number
  /** Of a point that this run has mirrored or read back: Unix seconds until which the mirror's store keeps it; 0: not locked. */
  readonly lockUntilSec?: number
  /** Why it failed: its data are lost here, or it was removed there meanwhile. */
  readonly problem?: string
}

export interface MirrorReport {
  readonly points: readonly MirroredPoint[]
  /** Points that the mirror has already; that it has removed; that are older than its newest one and were left out. */
  readonly there: number
  readonly removed: number
  readonly older: number
}
