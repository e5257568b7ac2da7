import { isEmptyPolicy, retention, type KeepRules, type RetainedPoint } from './retention.ts'

/** One recovery point as a sweep sees it: what the repository says of it, and what is known besides. */
export interface SweepPoint extends RetainedPoint {
  readonly series: string
  /** Under which rules it ages: retention is evaluated per series and policy (rulings 5). */
  readonly policy: string
  /** Damage was found in it: it takes the place of no sound point. */
  readonly isDamaged: boolean
}

export interface PlannedPoint {
  readonly id: string
  readonly series: string
  /** Every rule that keeps it; empty: it goes. */
  readonly keptBy: readonly string[]
}

/** What a sweep would take of one series. */
export interface SeriesShare {
  readonly series: string
  readonly points: number
  readonly going: number
  /** More than the set share would go at once: a person is asked first. */
  readonly asks: boolean
}

/** The rules of a policy; null: nobody knows them, and nothing of it goes. */
export type RulesOf = (policy: string) => KeepRules | null

const day = 86_400_000

export const noPolicy = 'no policy is known'
export const emptyPolicy = 'its policy keeps nothing'

/**
 * What stays of these points and by which rule, newest first inside a series (format §11.1). A damaged point never keeps a
 * sound one from being kept: sound points are judged as if it were not there, and it stays as long as it would have.
 * The newest sound point of a series always stays, whatever the policies say.
 */
export function planSweep(points: readonly SweepPoint[], rulesOf: RulesOf, nowMs: number): PlannedPoint[] {
  return [...Map.groupBy(points, ({ series }) => series).values()].flatMap((own) => planSeries(own, rulesOf, nowMs))
}

function planSeries(points: readonly SweepPoint[], rulesOf: RulesOf, nowMs: number): PlannedPoint[] {
  const kept = new Map<string, string[]>()
  for (const [policy, own] of Map.groupBy(points, (point) => point.policy)) {
    const rules = rulesOf(policy)
    for (const [id, by] of judged(own, rules, nowMs)) kept.set(id, by)
  }
  const sorted = [...points].sort((a, b) => b.timeMs - a.timeMs || (a.id < b.id ? -1 : 1))
  const newest = sorted.find(({ isDamaged }) => !isDamaged) ?? sorted[0]
  if (newest !== undefined) {
    const by = kept.get(newest.id) ?? []
    if (!by.includes('newest')) kept.set(newest.id, ['newest', ...by])
  }
  return sorted.map(({ id, series }) => ({ id, series, keptBy: kept.get(id) ?? [] }))
}

function judged(points: readonly SweepPoint[], rules: KeepRules | null, nowMs: number): Map<string, string[]> {
  if (rules === null || isEmptyPolicy(rules)) {
    const why = rules === null ? noPolicy : emptyPolicy
    return new Map(points.map(({ id, guard }) => [id, guard === null ? [why] : [guard, why]]))
  }
  const all = keepersOf(points, rules, nowMs)
  const sound = points.filter(({ isDamaged }) => !isDamaged)
  return sound.length === points.length ? all : new Map([...all, ...keepersOf(sound, rules, nowMs)])
}

function keepersOf(points: readonly SweepPoint[], rules: KeepRules, nowMs: number): Map<string, string[]> {
  return new Map(retention(points, rules, nowMs).map(({ id, keptBy }) => [id, [...keptBy]]))
}

/** Per series: how many there are, how many go, and whether that is so much that a person is asked. `maxShare`: 0 … 1. */
export function sharesOf(planned: readonly PlannedPoint[], maxShare: number): SeriesShare[] {
  return [...Map.groupBy(planned, ({ series }) => series)].map(([series, points]) => {
    const going = points.filter(({ keptBy }) => keptBy.length === 0).length
    return { series, points: points.length, going, asks: going > 1 && going > maxShare * points.length }
  })
}

export interface SweepFacts {
  readonly nowMs: number
  /** When the last sweep was planned, else when the repository was added. */
  readonly lastMs: number
  /** When the last run of a sweep began, whatever became of it; null: there was none. */
  readonly triedMs: number | null
}

/** From when on a repository is to be swept: once a day, and an hour after one that came to no plan; not after now: it is due. */
export function nextSweepMs({ nowMs, lastMs, triedMs }: SweepFacts): number {
  // A clock that was set back must not stop it for as long as it was wrong.
  const after = (sinceMs: number, ms: number): number => (nowMs < sinceMs ? nowMs : sinceMs + ms)
  return Math.max(after(lastMs, day), triedMs === null ? 0 : after(triedMs, day / 24))
}

export function isSweepDue(facts: SweepFacts): boolean {
  return facts.nowMs >= nextSweepMs(facts)
}

/** Collecting reads every page of every point: it is worth that when something was removed, is due to go, or once a week. */
export interface CollectionFacts {
  readonly removedSince: number
  /** Packs whose deletion was put off by the last one. */
  readonly waitingPacks: number
  /** Null: never. */
  readonly lastMs: number | null
  readonly nowMs: number
}

/** Why a collection is worth its reading, in words; null: it is not. */
export function worthCollecting({ removedSince, waitingPacks, lastMs, nowMs }: CollectionFacts): string | null {
  if (removedSince > 0)
    return `${removedSince} ${removedSince === 1 ? 'point was' : 'points were'} removed since the last one`
  if (lastMs === null) return 'there was none yet'
  if (waitingPacks > 0 && nowMs - lastMs >= day) return `${waitingPacks} packs wait for their deletion`
  return nowMs - lastMs >= 7 * day ? 'the last one is a week old' : null
}

/** The rules in words, as a person would read them aloud. */
export function rulesInWords(rules: KeepRules): string {
  const counts = [
    ['last', rules.last],
    ['hourly', rules.hourly],
    ['daily', rules.daily],
    ['weekly', rules.weekly],
    ['monthly', rules.monthly],
    ['yearly', rules.yearly],
    ['manual', rules.manual],
    ['publish', rules.publish],
    ['safety', rules.safety],
  ] as const
  const parts = counts.flatMap(([name, count]) => (count === undefined || count <= 0 ? [] : [`${count} ${name}`]))
  if ((rules.withinMs ?? 0) > 0) parts.push(`all of ${Math.round((rules.withinMs ?? 0) / day)} days`)
  return parts.length === 0 ? 'nothing' : `${parts.join(', ')} (${rules.timeZone})`
}
