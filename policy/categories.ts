import type { DrillCheckSpec } from './drill-checks.ts'
import type { KeepRules } from './retention.ts'
import type { DiskSelection, Quiesce } from './plan.ts'

const hour = 3_600_000
const day = 24 * hour

/** What stays, without the zone: that is the plan's. */
export type Keep = Omit<KeepRules, 'timeZone'>

/**
 * How many repositories hold each point (product P-321), on how many kinds of media, how many of them stand elsewhere than
 * the VM, and how many cannot delete it.
 */
export interface Copies {
  readonly repositories: number
  readonly media: number
  readonly offSite: number
  readonly immutable: number
}

/** What a workload category promises (product P-CAT). Durations in milliseconds; null: no promise. */
export interface Category {
  readonly description: string
  /** How often it wants to be backed up; null: on demand. */
  readonly everyMs: number | null
  readonly keep: Keep
  readonly copies: Copies
  readonly rpoMs: number
  readonly rtoMs: number | null
  readonly quiesce: Quiesce
  /** A VM not proven for so long is due for a drill. */
  readonly drillEveryMs: number | null
  /** The same for a full exercise: with the people, as on the real day. */
  readonly exerciseEveryMs: number | null
  readonly drill?: DrillRules | undefined
}

/** What drills do with VMs that say nothing else themselves. */
export interface DrillRules {
  /** Of a VM without checks of its own. */
  readonly checks?: readonly DrillCheckSpec[] | undefined
  /** How long the guest may take until its agent answers. */
  readonly bootTimeoutMs?: number | undefined
}

/** The categories that are there from the start. All but their names can be changed. */
export const defaultCategories = {
  critical: {
    description: 'Hours of work lost would stop the business',
    everyMs: 4 * hour,
    keep: { daily: 30, weekly: 12, monthly: 12 },
    copies: { repositories: 2, media: 1, offSite: 1, immutable: 1 },
    rpoMs: 4 * hour,
    rtoMs: 2 * hour,
    quiesce: 'required',
    drillEveryMs: 31 * day,
    exerciseEveryMs: 92 * day,
  },
  important: {
    description: 'A day of work lost would be felt',
    everyMs: day,
    keep: { daily: 14, weekly: 8, monthly: 6 },
    copies: { repositories: 2, media: 1, offSite: 1, immutable: 0 },
    rpoMs: day,
    rtoMs: 4 * hour,
    quiesce: 'required',
    drillEveryMs: 92 * day,
    exerciseEveryMs: 366 * day,
  },
  standard: {
    description: 'Everything that nobody has classified',
    everyMs: day,
    keep: { daily: 14, weekly: 4 },
    copies: { repositories: 1, media: 1, offSite: 0, immutable: 0 },
    rpoMs: day,
    rtoMs: 4 * hour,
    quiesce: 'preferred',
    drillEveryMs: 183 * day,
    exerciseEveryMs: null,
  },
  ephemeral: {
    description: 'Can be made again',
    everyMs: 7 * day,
    keep: { weekly: 4 },
    copies: { repositories: 1, media: 1, offSite: 0, immutable: 0 },
    rpoMs: 7 * day,
    rtoMs: null,
    quiesce: 'none',
    drillEveryMs: null,
    exerciseEveryMs: null,
  },
} as const satisfies { readonly [name: string]: Category }

/** One of `defaultCategories`, or one that somebody made: lower-case letters, digits and hyphens. */
export type CategoryName = string
/** Of a VM that nobody has classified. */
export const defaultCategory: CategoryName = 'standard'
export const isDefaultCategory = (name: CategoryName): boolean => Object.hasOwn(defaultCategories, name)

/** What is set for one VM alone and wins over category and plan. */
export interface VmOverride {
  readonly rpoMs?: number | undefined
  readonly rtoMs?: number | undefined
  readonly quiesce?: Quiesce | undefined
  readonly keep?: Keep | undefined
  readonly drillEveryMs?: number | undefined
  readonly bootTimeoutMs?: number | undefined
  readonly fullEveryMs?: number | undefined
  readonly disks?: DiskSelection | undefined
}
