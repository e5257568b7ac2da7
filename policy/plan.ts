import type { Keep } from './categories.ts'

/**
 * What a plan is (product P-PLAN). Everything here is plain JSON: the catalog stores it, the API takes it and the policy
 * file says the same with durations and sizes in words. Times of day are `HH:MM` on the clocks of `timeZone`.
 */
export type Weekday = 'mon' | 'tue' | 'wed' | 'thu' | 'fri' | 'sat' | 'sun'
export const weekdays: readonly Weekday[] = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']

export type SelectorField = 'name' | 'tag' | 'category' | 'power' | 'hypervisor' | 'site'
export const selectorFields: readonly SelectorField[] = ['name', 'tag', 'category', 'power', 'hypervisor', 'site']

/**
 * One condition on a VM. `is`: one of them, `isNot`: none of them; both may be given. Names are patterns (`*` any
 * characters, `?` one); all values are compared without case. A VM with several tags has each of them.
 */
export interface SelectorRule {
  readonly field: SelectorField
  readonly is?: readonly string[] | undefined
  readonly isNot?: readonly string[] | undefined
}

/** When a plan starts. The zone is the plan's; what a clock change does to a time is told by `policy/schedule.ts`. */
export type Schedule =
  /** Every so often since midnight UTC of 1 January 1970, shifted by `offsetMs`. */
  | { readonly kind: 'every'; readonly everyMs: number; readonly offsetMs?: number | undefined }
  /** At these times of the days that meet every condition given. Days of the month count from 1, months from 1. */
  | {
      readonly kind: 'calendar'
      readonly at: readonly string[]
      readonly days?: readonly Weekday[] | undefined
      readonly monthDays?: readonly number[] | undefined
      readonly months?: readonly number[] | undefined
    }
  /** Five fields: minute, hour, day of the month, month, day of the week. */
  | { readonly kind: 'cron'; readonly cron: string }
  /** When a run of that plan has ended, whatever came of it, or only if it went well. */
  | { readonly kind: 'after'; readonly plan: string; readonly when?: 'ended' | 'succeeded' | undefined }
  /** Only when somebody or something asks. */
  | { readonly kind: 'manual' }

/** When its backups may move data. `end` before or equal to `start`: it ends on the next day. */
export interface Window {
  readonly start: string
  readonly end: string
  /** Days on which it opens; absent: all. */
  readonly days?: readonly Weekday[] | undefined
  /** What becomes of a backup that is under way: it goes on in the next window, or it fails. */
  readonly atEnd: 'pause' | 'fail'
}

/** A limit for the whole plan; outside its hours there is none. `start` equal to `end`: always. */
export interface BandwidthLimit {
  readonly bytesPerSecond: number
  readonly start: string
  readonly end: string
  readonly days?: readonly Weekday[] | undefined
}

/** `backup`: copied there from the hypervisor; exactly one, the first. `mirror`: copied there from the first repository. */
export interface PlanTarget {
  readonly repository: string
  readonly copy: 'backup' | 'mirror'
  /** null: as the category of each VM says. */
  readonly keep: Keep | null
}

/** `label`: pattern; `key`: bus address; sizes in bytes. A rule matches where all that it names match. */
export interface DiskRule {
  readonly label?: string | undefined
  readonly key?: string | undefined
  readonly minBytes?: number | undefined
  readonly maxBytes?: number | undefined
}

/** Which disks of a VM are in its points (product P-DISK). A new disk joins by itself. */
export interface DiskSelection {
  /** `data`: without the disk it boots from. */
  readonly roles: 'all' | 'data'
  /** Empty: all. */
  readonly include: readonly DiskRule[]
  readonly exclude: readonly DiskRule[]
  /** `[NOBAK]` in the label of a disk leaves it out. */
  readonly honourNobak: boolean
}

export interface PlanHook {
  readonly when: 'before-freeze' | 'after-thaw'
  /** Program in the guest. */
  readonly path: string
  readonly args: readonly string[]
  readonly timeoutMs: number
  readonly onFailure: 'fail' | 'warn'
}

export type Quiesce = 'required' | 'preferred' | 'none'
/** What the points of a plan are to be, as far as `quiesce` wants the guest quiet at all. */
export type PlanConsistency = 'filesystem' | 'application'

/** What somebody writes down; the catalog adds the revision. */
export interface PlanSpec {
  /** Lower-case letters, digits and hyphens: its identity, in workflow ids and policy files alike. */
  readonly name: string
  readonly description: string
  /** A paused plan starts nothing by itself; it can still be started by hand. */
  readonly paused: boolean
  /** All must hold; without any rule every VM matches that is not left out on purpose. */
  readonly where: readonly SelectorRule[]
  /** IANA name: of the schedule, the windows and the calendar of the retention. */
  readonly timeZone: string
  readonly schedule: Schedule
  readonly window: Window | null
  readonly targets: readonly PlanTarget[]
  /** `incremental`: changes where the change record is valid, else in full with the reason. */
  readonly mode: 'incremental' | 'full'
  /** So long after the last full one a disk is read in full again. null: never for its age. */
  readonly fullEveryMs: number | null
  /** null: as the category of each VM says. */
  readonly quiesce: Quiesce | null
  /**
   * `application`: the hooks before the freeze have brought the programs of the guest to rest (a dump is finished); without
   * all of them a point is at best file-system consistent, and `quiesce` says whether it is made then.
   */
  readonly consistency: PlanConsistency
  readonly hooks: readonly PlanHook[]
  readonly disks: DiskSelection
  /** Of zstd, 1 … 19. */
  readonly compressionLevel: number
  /** VMs of the plan at once; the capacity governor may allow fewer. */
  readonly concurrency: number
  /** How often a VM whose backup failed is tried again in the same run, and how long after its failure. */
  readonly retries: number
  readonly retryAfterMs: number
  readonly bandwidth: readonly BandwidthLimit[]
  /** 1 first … 5 last; restores are 1. */
  readonly priority: number
  /** The VM is shut down cleanly before its snapshot and started again after it. */
  readonly stopBefore: boolean
}

export interface Plan extends PlanSpec {
  /** Grows with each change: who changes names the one he saw. */
  readonly revision: number
  readonly createdMs: number
  readonly changedMs: number
}

export const allDisks: DiskSelection = { roles: 'all', include: [], exclude: [], honourNobak: true }

/** Everything of a plan that need not be said. */
export const planDefaults = {
  description: '',
  paused: false,
  where: [],
  timeZone: 'UTC',
  schedule: { kind: 'manual' },
  window: null,
  mode: 'incremental',
  fullEveryMs: null,
  quiesce: null,
  consistency: 'filesystem',
  hooks: [],
  disks: allDisks,
  compressionLevel: 1,
  concurrency: 4,
  retries: 1,
  retryAfterMs: 600_000,
  bandwidth: [],
  priority: 3,
  stopBefore: false,
} as const satisfies Omit<PlanSpec, 'name' | 'targets'>
