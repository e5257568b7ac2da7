import { clockOf, isTimeZone } from './clock.ts'
import { nextOccurrences } from './schedule.ts'
import { windowAt } from './window.ts'

export type AlertSeverity = 'critical' | 'warning'

export const digestCadences = ['day', 'week', 'month'] as const
export type DigestCadence = (typeof digestCadences)[number]

/** What goes to a channel, and when. */
export interface AlertRoute {
  /** `critical`: only that. `warning`: both. */
  readonly severity: AlertSeverity
  /** Only what concerns a VM, or anything else, with one of these tags; empty: everything. */
  readonly tags: readonly string[]
  /** Within these hours only what is critical is sent; the rest waits for their end. Null: no quiet hours. */
  readonly quiet: { readonly start: string; readonly end: string } | null
  /** `HH:MM` at which a summary of the day is sent, whatever happened; null: none. */
  readonly digestAt: string | null
  /** How often that is; absent: every day. A week begins on Monday, a month on its first day. */
  readonly digestEvery?: DigestCadence | undefined
  /** Of `quiet` and `digestAt`; IANA name. */
  readonly timeZone: string
}

/** Something is told only after it has lasted so long: what heals by itself within it is nobody's night. */
export const settleMs = 60_000

/** Every problem of a route, in words. */
export function routeProblems({ quiet, digestAt, timeZone }: AlertRoute): string[] {
  const times = [...(quiet === null ? [] : [quiet.start, quiet.end]), ...(digestAt === null ? [] : [digestAt])]
  const wrong = times.filter((at) => clockOf(at) === null).map((at) => `“${at}” is no time of day: HH:MM`)
  return isTimeZone(timeZone) ? wrong : [...wrong, `“${timeZone}” is no time zone`]
}

/** Whether it is for this channel at all. What has no tags (the engine, the clock) concerns everybody. */
export function isRouted(
  route: Pick<AlertRoute, 'severity' | 'tags'>,
  incident: { readonly severity: AlertSeverity; readonly tags: readonly string[] },
): boolean {
  if (route.severity === 'critical' && incident.severity !== 'critical') return false
  if (route.tags.length === 0 || incident.tags.length === 0) return true
  return incident.tags.some((tag) => route.tags.includes(tag))
}

/** Whether it may be sent now. */
export function isTellable(
  route: Pick<AlertRoute, 'quiet' | 'timeZone'>,
  severity: AlertSeverity,
  nowMs: number,
): boolean {
  return severity === 'critical' || route.quiet === null || !windowAt(route.quiet, route.timeZone, nowMs).open
}

/** Whether a digest is due: its time has come since the last one. `sinceMs`: of the last one, or of the channel. */
export function isDigestDue(
  route: Pick<AlertRoute, 'digestAt' | 'digestEvery' | 'timeZone'>,
  sinceMs: number,
  nowMs: number,
): boolean {
  if (route.digestAt === null) return false
  const { digestEvery = 'day' } = route
  const days = digestEvery === 'week' ? { days: ['mon'] as const } : digestEvery === 'month' ? { monthDays: [1] } : {}
  const [next] = nextOccurrences({ kind: 'calendar', at: [route.digestAt], ...days }, route.timeZone, sinceMs, 1)
  return next !== undefined && next.atMs <= nowMs
}

/** A channel that is mended gets what waited soon, and messages in their order keep each other waiting no longer. */
const longestDelayMs = 15 * 60_000
const givenUpAfterMs = 86_400_000

/** Milliseconds until the next try of a message after so many failed ones; null: it is a day old and given up. */
export function retryDelay(attempts: number, ageMs: number): number | null {
  if (ageMs >= givenUpAfterMs) return null
  const minutes = [0.5, 2, 5][attempts - 1]
  return minutes === undefined ? longestDelayMs : minutes * 60_000
}

/** So many tries failed: it is no hiccup of the network, and whoever relies on the channel hears nothing. */
export const failingAttempts = 3
