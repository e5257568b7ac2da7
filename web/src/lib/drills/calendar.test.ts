import { expect, it } from 'vitest'
import type { Drill, DrillAgendaEntry } from '#lib/api/index.ts'
import { calendar } from './calendar.ts'

const at = (month: number, day: number, hour = 12): number => new Date(2026, month - 1, day, hour).getTime()
const now = at(10, 21)
const next = (vmName: string, over: Partial<DrillAgendaEntry>): DrillAgendaEntry => ({
  vmId: vmName,
  vmName,
  category: 'standard',
  hypervisorId: 'lab',
  everyMs: 1,
  state: 'coming',
  fromMs: at(10, 23),
  dueMs: at(10, 30),
  lastPassedMs: null,
  lastVerdict: null,
  hindrance: null,
  ...over,
})
const ended = (id: string, endedMs: number): Drill =>
  ({ id, vmName: 'web-01', verdict: 'passed', endedMs }) as Partial<Drill> as Drill

const dayOf = (agenda: DrillAgendaEntry[], drills: Drill[], month: number, day: number) =>
  calendar(drills, agenda, now, 5)
    .flat()
    .find(({ ms }) => ms === at(month, day, 0))

it('is whole weeks from Monday of the week before, through a clock change', () => {
  const weeks = calendar([], [], now, 5)
  expect(weeks.map((days) => days.length)).toEqual([7, 7, 7, 7, 7])
  const days = weeks.flat().map(({ ms }) => new Date(ms))
  expect(days[0]?.getTime()).toBe(at(10, 12, 0))
  expect(days.map((date) => date.getHours())).toEqual(days.map(() => 0))
  expect(
    weeks
      .flat()
      .filter(({ isToday }) => isToday)
      .map(({ ms }) => ms),
  ).toEqual([at(10, 21, 0)])
})

it('shows a drill on the day it begins by itself, else on the day it is due, and what is overdue today', () => {
  const agenda = [
    next('a', {}),
    next('b', { hindrance: 'no-checks' }),
    next('c', { state: 'overdue', dueMs: at(9, 1) }),
    next('d', { state: 'ready', fromMs: at(10, 2) }),
  ]
  expect(dayOf(agenda, [], 10, 23)?.items.map(({ name }) => name)).toEqual(['a'])
  expect(dayOf(agenda, [], 10, 30)?.items.map(({ name }) => name)).toEqual(['b'])
  expect(dayOf(agenda, [], 10, 21)?.items.map(({ name }) => name)).toEqual(['c', 'd'])
})

it('shows what has ended, and says how many there is no room for', () => {
  const drills = Array.from({ length: 9 }, (_, n) => ended(`d${n}`, at(10, 20, n)))
  expect(dayOf([], drills, 10, 20)).toMatchObject({ more: 6, isPast: true })
  expect(dayOf([], drills.slice(0, 4), 10, 20)).toMatchObject({ more: 0 })
  expect(dayOf([], drills, 10, 20)?.items).toHaveLength(3)
})
