/** With what the daily sweeps of a repository run, and those by hand that say nothing else. */
export interface SweepSettings {
  /** How long what goes can still be looked at before it goes. */
  readonly graceMs: number
  /** 'grace': goes on by itself after `graceMs`, once a person has approved one. 'required': a person approves each. */
  readonly approval: 'grace' | 'required'
  /** How long a sweep waits for a person. */
  readonly approveWithinMs: number
  /** 0.01 … 1: of a series that would lose more of its points at once a person is asked first. */
  readonly maxShare: number
}

/** What is set; a member that is null is as for all repositories, and there as nobody has set anything. */
export type OwnSweepSettings = { readonly [member in keyof SweepSettings]: SweepSettings[member] | null }

const day = 86_400_000

export const sweepDefaults: SweepSettings = {
  graceMs: day,
  approval: 'grace',
  approveWithinMs: 7 * day,
  maxShare: 0.5,
}

export const nothingSet: OwnSweepSettings = { graceMs: null, approval: null, approveWithinMs: null, maxShare: null }

export const sweepBounds = {
  graceMs: { min: 0, max: 30 * day },
  // Shorter than that nobody can look at a plan.
  approveWithinMs: { min: day / 24, max: 90 * day },
  maxShare: { min: 0.01, max: 1 },
} as const

/** What holds: what is said first, member by member. */
export function sweepSettingsOf(...said: readonly OwnSweepSettings[]): SweepSettings {
  const first = <M extends keyof SweepSettings>(member: M): SweepSettings[M] =>
    said.map((one) => one[member]).find((value) => value !== null) ?? sweepDefaults[member]
  return {
    graceMs: first('graceMs'),
    approval: first('approval'),
    approveWithinMs: first('approveWithinMs'),
    maxShare: first('maxShare'),
  }
}

/** How old the plan of the last sweep may be that came to its end: one a day, its grace time, and a day on which nobody looked. */
export function sweepOverdueAfterMs({ graceMs }: Pick<SweepSettings, 'graceMs'>): number {
  return 2 * day + Math.max(day, graceMs)
}
