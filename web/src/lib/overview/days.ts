import type { Day, PlanStrip } from '#lib/api/types.ts'
import { count } from '#lib/format/index.ts'
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
  counted: (day: Day) => readonly [number, number],
  nouns: readonly [string, string],
): Strip {
  const firstUsed = days.findIndex((day) => counted(day).some((n) => n > 0))
  const cells = days.map((day, at): DayCell => {
    const [good, bad] = counted(day)
    const today = at === days.length - 1
    const before = firstUsed < 0 || at < firstUsed
    const kind = today && runningToday ? 'run' : before ? (today ? 'idle' : 'none') : tone(good, bad)
    return { day: day.day, tone: kind, words: `${good} ${nouns[0]}, ${bad} ${nouns[1]}` }
  })
  const of = (wanted: DayCell['tone']): number => cells.filter((cell) => cell.tone === wanted).length
  const label = `${title}: ${count(of('ok'), 'day')} complete, ${of('warn')} partly, ${of('fail')} failed, ${of('idle') + of('none')} without.`
  const sum = (at: 0 | 1): number => days.reduce((n, day) => n + counted(day)[at], 0)
  return { title, sub, cells, label, good: sum(0), bad: sum(1) }
}

/** The strip of one plan, with what its row says beside it. */
interface PlanLine extends Strip {
  readonly name: string
  readonly vms: number | null
  readonly nextMs: number | null
  readonly paused: boolean
}

/** What came of a day's starts of one plan; a start that did not come is trouble as one that failed. */
function planDay({ done, failed, left, open, missed }: PlanStrip['days'][number]): Pick<DayCell, 'tone' | 'words'> {
  const bad = failed + left + missed
  const words = [
    done + failed + left + open > 0 ? `${done} of ${done + failed + left + open} backed up` : '',
    failed > 0 ? `${failed} failed` : '',
    left > 0 ? `${left} left out` : '',
    open > 0 ? `${open} to come` : '',
    missed > 0 ? `${count(missed, 'start')} missed` : '',
  ]
  return { tone: open > 0 ? 'run' : tone(done, bad), words: words.filter((word) => word !== '').join(', ') }
}

/** One strip for each plan. A day before its first start is empty, one without any is idle. */
export function planLines(plans: readonly PlanStrip[]): PlanLine[] {
  return plans.map(({ name, words, vms, nextMs, paused, days }) => {
    const first = days.findIndex((one) => one.done + one.failed + one.left + one.open + one.missed > 0)
    const cells = days.map((one, at): DayCell => {
      if (first >= 0 && at >= first) {
        const cell = planDay(one)
        return { day: one.day, ...cell, words: cell.tone === 'idle' ? 'nothing due' : cell.words }
      }
      return { day: one.day, tone: at === days.length - 1 ? 'idle' : 'none', words: 'not started yet' }
    })
    const of = (wanted: DayCell['tone']): number => cells.filter((cell) => cell.tone === wanted).length
    const today = cells.at(-1)?.tone === 'run' ? ' Today is running.' : ''
    const sum = (of: (one: PlanStrip['days'][number]) => number): number => days.reduce((n, one) => n + of(one), 0)
    return {
      ...{ name, vms, nextMs, paused, cells, title: name, sub: paused ? `paused, ${words}` : words },
      label: `${name}: ${count(of('ok'), 'day')} complete, ${of('warn')} partly, ${of('fail')} failed, ${of('idle') + of('none')} without.${today}`,
      good: sum(({ done }) => done),
      bad: sum(({ failed, left }) => failed + left),
    }
  })
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
