/** Schedules of the engine that are not as the plans say, by name of the plan. */
export interface ScheduleNotes {
  /** Could not be made or put right. */
  readonly wrong: { readonly plan: string; readonly message: string }[]
  /** One of somebody else has the name that this plan's schedule would have: the plan does not start. */
  readonly taken: string[]
  /** Carry our mark, and the catalog has never known such a plan: they are left alone, and start it. */
  readonly unknown: string[]
}

/** One that had been changed or deleted in the engine, and is again as its plan says. */
export interface PutRight {
  readonly plan: string
  readonly what: 'changed' | 'deleted'
  readonly atMs: number
}

/** What the keeper of schedules knows by its last look. */
export interface ScheduleState extends ScheduleNotes {
  /** When a look that came to its end has begun; null: none has since the server started. */
  readonly lookedMs: number | null
  /** Why the last look did not come to a good end; what stands beside it is of the one before, where nobody answered. */
  readonly error: string | null
  /** Since the server started; of each plan the newest. */
  readonly putRight: readonly PutRight[]
}

export const nothingLooked: ScheduleState = {
  lookedMs: null,
  error: null,
  wrong: [],
  taken: [],
  unknown: [],
  putRight: [],
}
