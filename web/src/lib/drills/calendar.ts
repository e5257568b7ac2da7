import type { Drill, DrillAgendaEntry } from '#lib/api/index.ts'
import { agendaLooks, verdictLooks } from '#lib/state/looks.ts'
import type { Look } from '#lib/state/tone.ts'

export interface CalendarItem {
  readonly key: string
  readonly name: string
  readonly look: Look
  readonly href: string
}

export interface CalendarDay {
  /** Its first instant in the zone of the reader. */
  readonly ms: number
  readonly isToday: boolean
  readonly isPast: boolean
  readonly items: readonly CalendarItem[]
  /** How many more there are than are shown. */
  readonly more: number
}

const shown = 3

/**
 * Whole weeks from Monday of the week before this one: drills that have ended on the day they did, the next ones on the
 * day they begin by themselves, else on the day they are due; what is overdue is today's.
 */
export function calendar(
  ended: readonly Drill[],
  agenda: readonly DrillAgendaEntry[],
  now: number,
  weeks: number,
): readonly (readonly CalendarDay[])[] {
  const today = startOf(now)
  const monday = addDays(today, -((new Date(today).getDay() + 6) % 7) - 7)
  const items = new Map<number, CalendarItem[]>()
  const put = (ms: number, item: CalendarItem): void => {
    const day = startOf(ms)
    items.set(day, [...(items.get(day) ?? []), item])
  }
  for (const { id, vmName, verdict, endedMs } of ended)
    put(endedMs, {
      key: id,
      name: vmName,
      look: verdictLooks[verdict],
      href: `/drills?drill=${encodeURIComponent(id)}`,
    })
  for (const { vmId, vmName, state, hindrance, fromMs, dueMs } of agenda) {
    const at = state === 'coming' ? (hindrance === null ? fromMs : dueMs) : now
    put(at, { key: `next ${vmId}`, name: vmName, look: agendaLooks[state], href: `/vms/${vmId}` })
  }
  return Array.from({ length: weeks }, (_, week) =>
    Array.from({ length: 7 }, (__, day) => {
      const ms = addDays(monday, week * 7 + day)
      const all = items.get(ms) ?? []
      // Where all fit but one, that one takes no more room than the word for it.
      const kept = all.length === shown + 1 ? all : all.slice(0, shown)
      return { ms, isToday: ms === today, isPast: ms < today, items: kept, more: all.length - kept.length }
    }),
  )
}

function startOf(ms: number): number {
  return new Date(ms).setHours(0, 0, 0, 0)
}

/** By the calendar: days with a clock change have 23 or 25 hours. */
function addDays(ms: number, days: number): number {
  const date = new Date(ms)
  return new Date(date.getFullYear(), date.getMonth(), date.getDate() + days).getTime()
}
