import type { ChangeRef, DiskKey, MustFullReason, PointId, TrackerId } from '../../values.ts'

/** A named bitmap as QMP reports it (`BlockDirtyInfo`); bitmaps without a name belong to jobs and are not ours to see. */
export interface BitmapView {
  readonly node: string
  readonly name: string
  readonly recording: boolean
  readonly busy: boolean
  readonly persistent: boolean
  readonly inconsistent: boolean
  /** Dirty bytes. */
  readonly count: number
}

/** One disk as the queries show it now. */
export interface DiskView {
  readonly key: DiskKey
  /** The node that holds the disk's current content; filters of ours are looked through. */
  readonly node: string
  readonly size: number
  readonly volume: string
  /** `persistent`: stored in the qcow2 file at a clean end · `memory`: lives as long as QEMU (raw, rulings 15). */
  readonly tracking: 'persistent' | 'memory'
  /** Of the whole chain; `node` tells where each one is. */
  readonly bitmaps: readonly BitmapView[]
}

export interface DiskWish {
  readonly view: DiskView
  readonly since: ChangeRef | null
  readonly full: MustFullReason | null
  /** A bitmap as large as the disk in which only the last granule is set. */
  readonly seed: BitmapRef
}
export interface BitmapRef {
  readonly node: string
  readonly name: string
}

/** Elements of a QMP `transaction`. */
export type BitmapAction =
  | {
      readonly do: 'add'
      readonly node: string
      readonly name: string
      readonly persistent: boolean
      readonly disabled: boolean
    }
  | { readonly do: 'merge'; readonly node: string; readonly target: string; readonly from: BitmapRef }
  | { readonly do: 'remove'; readonly node: string; readonly name: string }

export interface RoundId {
  readonly installation: string
  readonly tracker: TrackerId
  readonly point: PointId
}

export interface DiskPlan {
  readonly key: DiskKey
  readonly mode: 'full' | 'incremental'
  readonly why: MustFullReason | null
  /** Removals of what earlier rounds left. Before the switch, each on its own: a failure is residue, never a reason to
   *  stop (drivers.md R8). */
  readonly cleanup: readonly BitmapAction[]
  /** The switch: all disks in one transaction. */
  readonly begin: readonly BitmapAction[]
}
