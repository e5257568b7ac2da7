/** When a repository is measured again. All in milliseconds. */
export const measuringPace = {
  dailyMs: 86_400_000,
  /** After it was added: whoever adds one tests it, which measures it as well. */
  firstMs: 3_600_000,
  /** After a try that failed, or did not come to its end. */
  againMs: 3_600_000,
} as const

export interface MeasuringFacts {
  readonly nowMs: number
  readonly createdMs: number
  /** When it was last measured; null: never. */
  readonly measuredMs: number | null
  /** When the last try began. */
  readonly triedMs: number | null
}

/** Whether the repository is to be measured now. */
export function isMeasuringDue({ nowMs, createdMs, measuredMs, triedMs }: MeasuringFacts): boolean {
  const { dailyMs, firstMs, againMs } = measuringPace
  // A clock that was set back must not stop it for as long as it was wrong.
  const within = (sinceMs: number, ms: number): boolean => nowMs >= sinceMs && nowMs - sinceMs < ms
  if (triedMs !== null && within(triedMs, againMs)) return false
  return measuredMs === null ? !within(createdMs, firstMs) : !within(measuredMs, dailyMs)
}
