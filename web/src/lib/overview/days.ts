import type { Day } from '#lib/api/types.ts'
import type { Tone } from '#lib/state/tone.ts'

/** One cell of a strip of days. `none`: before the first record. */
interface DayCell {
  readonly day: string
  readonly tone: Tone | 'none'
  readonly words: string
}

export interface Strip {
  readonly title: string
  readonly sub: string
  readonly cells: readonly DayCell[]
  /** The strip as one sentence, for those who do not see it. */
  readonly label: string
  readonly good: number
  readonly bad: number
}

function tone(good: number, bad: number): DayCell['tone'] {
  if (good === 0 && bad === 0) return 'idle'
  if (bad === 0) return 'ok'
  return good === 0 ? 'fail' : 'warn'
}

function strip(
  title: string,
  sub: string,
  days: readonly Day[],
  runningToday: boolean,
  count: (day: Day) => readonly [number, number],
  nouns: readonly [string, string],
): Strip {
  const firstUsed = days.findIndex((day) => count(day).some((n) => n > 0))
  const cells = days.map((day, at): DayCell => {
    const [good, bad] = count(day)
    const today = at === days.length - 1
    const before = firstUsed < 0 || at < firstUsed
    const kind = today && runningToday ? 'run' : before ? (today ? 'idle' : 'none') : tone(good, bad)
    return { day: day.day, tone: kind, words: `${good} ${nouns[0]}, ${bad} ${nouns[1]}` }
  })
  const of = (wanted: DayCell['tone']): number => cells.filter((cell) => cell.tone === wanted).length
  const label = `${title}: ${of('ok')} days complete, ${of('warn')} partly, ${of('fail')} failed, ${of('idle') + of('none')} without.`
  const sum = (at: 0 | 1): number => days.reduce((n, day) => n + count(day)[at], 0)
  return { title, sub, cells, label, good: sum(0), bad: sum(1) }
}

/** Thirty days as two strips, oldest first; today counts as running while something runs. */
export function strips(
  days: readonly Day[],
  running: { readonly backups: boolean; readonly drills: boolean },
): Strip[] {
  return [
    strip('Backups', 'points made, runs that failed', days, running.backups, (day) => [day.points, day.failed], [
      'points',
      'failed',
    ]),
    strip(
      'Drills',
      'points proven, drills that failed',
      days,
      running.drills,
      (day) => [day.drillsPassed, day.drillsFailed],
      ['passed', 'failed'],
    ),
  ]
}
