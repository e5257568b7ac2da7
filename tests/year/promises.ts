import { defaultCategories, type Keep } from '../../policy/index.ts'
import type { Diary, PointEntry } from './diary.ts'
import { mirrored, vault, vaultKeeps, type Estate } from './estate.ts'

/** What holds at the end of the year: changed in its course only so that less is kept. */
export interface LastWord {
  readonly category: (vm: string) => string
  readonly keep: (category: string) => Keep
}

const dayMs = 86_400_000

/**
 * Which points exist after all that was ever made, by the words of the policy alone: simple, slow, and of one piece with no
 * line of the planner. What rules keep of all points they also keep of those that are left of them, so it matters not when
 * sweeps ran, as long as no rule was widened.
 */
export function promisedPoints(estate: Estate, diary: Diary, last: LastWord): Map<string, Set<string>> {
  const promised = new Map(estate.repositories.map((name) => [name, new Set<string>()]))
  const copied = new Set(diary.copies)
  const held = new Set(diary.holds.filter(({ untilMs }) => untilMs === null).map(({ snap }) => snap))
  for (const [name, stems] of promised) {
    const mine = diary.points.filter((point) => (name === vault ? copied.has(point.stem) : point.repository === name))
    for (const own of Map.groupBy(mine, ({ vm }) => vm).values()) {
      const newest = own.reduce((best, point) => (point.createdMs > best.createdMs ? point : best))
      stems.add(newest.stem)
      for (const { stem } of own) if (held.has(stem.slice(-32))) stems.add(stem)
      const groups = Map.groupBy(own, (point) => JSON.stringify(rulesFor(estate, point, name, last)))
      for (const [rules, together] of groups) {
        const [keep, timeZone] = JSON.parse(rules) as ReturnType<typeof rulesFor>
        for (const stem of keptBy(together, keep, timeZone)) stems.add(stem)
      }
    }
  }
  return promised
}

/** The plan that made it says what it keeps in this repository, or leaves it to the category; in the zone of the plan. */
function rulesFor(estate: Estate, point: PointEntry, repository: string, last: LastWord): [Keep, string, string] {
  const plan = estate.plans.find(({ name }) => name === point.plan)
  const own = repository === vault && plan?.name === mirrored.plan ? vaultKeeps : plan?.targets[0]?.keep
  const category = last.category(point.vm)
  const zone = plan?.timeZone ?? 'UTC'
  return own ? [own, zone, point.plan ?? ''] : [last.keep(category), zone, category]
}

function keptBy(points: readonly PointEntry[], keep: Keep, timeZone: string): Set<string> {
  const newestFirst = points.toSorted((a, b) => b.createdMs - a.createdMs)
  const stems = new Set<string>()
  // By hand: all of them, unless a number is said. Two of those that were published.
  for (const { stem } of newestFirst.filter(({ origin }) => origin === 'manual')) stems.add(stem)
  for (const { stem } of newestFirst.filter(({ origin }) => origin === 'publish').slice(0, keep.publish ?? 2))
    stems.add(stem)
  const scheduled = newestFirst.filter(({ origin }) => origin === 'scheduled')
  for (const { stem } of scheduled.slice(0, keep.last ?? 0)) stems.add(stem)
  const periods = { hourly: hourOf, daily: dayOf, weekly: weekOf, monthly: monthOf, yearly: yearOf } as const
  for (const [rule, periodOf] of Object.entries(periods)) {
    const newestOf = new Map<string, string>()
    for (const { stem, createdMs } of scheduled) {
      const period = periodOf(wall(createdMs, timeZone))
      if (!newestOf.has(period)) newestOf.set(period, stem)
    }
    for (const stem of [...newestOf.values()].slice(0, keep[rule as keyof typeof periods] ?? 0)) stems.add(stem)
  }
  return stems
}

interface Wall {
  /** `2026-03-29 03:30:00` */
  readonly text: string
  /** By how much the clock is ahead of UTC: tells an hour from its repetition. */
  readonly aheadMs: number
}
const known = new Map<string, Wall>()
const clocks = new Map<string, Intl.DateTimeFormat>()

function wall(ms: number, timeZone: string): Wall {
  const key = `${timeZone} ${ms}`
  const found = known.get(key)
  if (found !== undefined) return found
  const style = { dateStyle: 'short', timeStyle: 'medium', timeZone } as const
  const clock = clocks.get(timeZone) ?? new Intl.DateTimeFormat('sv-SE', style)
  clocks.set(timeZone, clock)
  const text = clock.format(ms)
  const made = { text, aheadMs: Date.parse(`${text.replace(' ', 'T')}Z`) - Math.floor(ms / 1000) * 1000 }
  known.set(key, made)
  return made
}
/** How often the clocks were changed under a plan between two of its starts. */
export function clockChanges({ plans }: Estate, starts: Diary['starts']): number {
  return plans.reduce((sum, { name, timeZone }) => {
    const dueMs = starts.filter(({ plan }) => plan === name).map((one) => one.dueMs)
    const ahead = dueMs.sort((a, b) => a - b).map((ms) => wall(ms, timeZone).aheadMs)
    return sum + ahead.filter((ms, nth) => nth > 0 && ms !== ahead[nth - 1]).length
  }, 0)
}

const hourOf = ({ text, aheadMs }: Wall): string => `${text.slice(0, 13)} ${aheadMs}`
const dayOf = ({ text }: Wall): string => text.slice(0, 10)
const monthOf = ({ text }: Wall): string => text.slice(0, 7)
const yearOf = ({ text }: Wall): string => text.slice(0, 4)
/** Weeks begin on Mondays; 29 December 1969 was one. */
const weekOf = ({ text }: Wall): string =>
  String(Math.floor((Date.parse(`${text.slice(0, 10)}T00:00:00Z`) / dayMs + 3) / 7))

export const firstKeeps = (category: string): Keep =>
  (defaultCategories as { readonly [name: string]: { readonly keep: Keep } })[category]?.keep ?? {}
