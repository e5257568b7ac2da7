const hour = 3_600_000
const day = 24 * hour

/** What a workload category promises (product P-CAT). Durations in milliseconds; null: no promise. */
export interface Category {
  readonly rpoMs: number
  readonly rtoMs: number | null
  readonly quiesce: 'required' | 'preferred' | 'none'
  /** A VM not proven for so long is due for a drill. */
  readonly drillEveryMs: number | null
}

export const categories = {
  critical: { rpoMs: 4 * hour, rtoMs: 2 * hour, quiesce: 'required', drillEveryMs: 31 * day },
  important: { rpoMs: day, rtoMs: 4 * hour, quiesce: 'required', drillEveryMs: 92 * day },
  standard: { rpoMs: day, rtoMs: 4 * hour, quiesce: 'preferred', drillEveryMs: 183 * day },
  ephemeral: { rpoMs: 7 * day, rtoMs: null, quiesce: 'none', drillEveryMs: null },
} as const satisfies { readonly [name: string]: Category }

export type CategoryName = keyof typeof categories
export const categoryNames = Object.keys(categories) as CategoryName[]
/** Of a VM that nobody has classified. */
export const defaultCategory: CategoryName = 'standard'
