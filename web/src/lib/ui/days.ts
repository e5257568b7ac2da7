export const week = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const
export type Day = (typeof week)[number]

/** With or without one day more. undefined is all of them; none is all too: what is on on no day would never be. */
export function toggledDays(days: readonly Day[] | undefined, day: Day): Day[] | undefined {
  const chosen: readonly Day[] = days ?? week
  const next = week.filter((one) => (one === day ? !chosen.includes(one) : chosen.includes(one)))
  return next.length === week.length || next.length === 0 ? undefined : next
}

/** The same hours on these days; all of them are not written down. */
export function onDays<T extends { start?: string; days?: Day[] | undefined }>(hours: T, days: Day[] | undefined): T {
  const whole = { ...hours }
  delete whole.days
  return days === undefined ? whole : { ...whole, days }
}
