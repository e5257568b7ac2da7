import { expect, it } from 'vitest'
import type { Day, PlanStrip } from '#lib/api/types.ts'
import { planLines, strips } from './days.ts'

const day = (at: number, more: Partial<Day> = {}): Day => ({
  day: `2026-11-${String(at).padStart(2, '0')}`,
  points: 0,
  failed: 0,
  cancelled: 0,
  drillsPassed: 0,
  drillsFailed: 0,
  newBytes: 0,
  ...more,
})

it('a day is complete, partly, failed or idle by what came of it, and empty before the first record', () => {
  const days = [
    day(1),
    day(2, { points: 3 }),
    day(3, { points: 2, failed: 1 }),
    day(4, { failed: 2 }),
    day(5),
    day(6, { points: 1 }),
  ]
  const [backups, drills] = strips(days, { backups: false, drills: false })
  expect(backups?.cells.map((cell) => cell.tone)).toEqual(['none', 'ok', 'warn', 'fail', 'idle', 'ok'])
  expect([backups?.good, backups?.bad]).toEqual([6, 3])
  expect(drills?.cells.every((cell) => cell.tone === 'none' || cell.tone === 'idle')).toBe(true)
})

it('today is running while something runs, whatever came of it before', () => {
  const [backups] = strips([day(1, { points: 1 }), day(2, { failed: 1 })], { backups: true, drills: false })
  expect(backups?.cells.at(-1)?.tone).toBe('run')
})

it('the sentence for those who do not see the strip counts every day once', () => {
  const [backups] = strips([day(1), day(2, { points: 1 }), day(3, { failed: 1 })], { backups: false, drills: false })
  expect(backups?.label).toBe('Backups: 1 day complete, 0 partly, 1 failed, 1 without.')
})

const strip = (days: Partial<PlanStrip['days'][number]>[]): PlanStrip => ({
  name: 'nightly',
  words: 'every day at 02:00',
  paused: false,
  vms: 4,
  nextMs: null,
  days: days.map((one, at) => ({
    ...{ day: `2026-11-${String(at + 1).padStart(2, '0')}`, done: 0, failed: 0, left: 0, open: 0, missed: 0 },
    ...one,
  })),
})

it('a day of a plan tells what came of its starts, and one that did not come is no quiet day', () => {
  const [line] = planLines([
    strip([
      {},
      { done: 4 },
      { done: 3, failed: 1 },
      { failed: 4 },
      {},
      { missed: 1 },
      { done: 1, left: 3 },
      { done: 2, open: 2 },
    ]),
  ])
  expect(line?.cells.map((cell) => cell.tone)).toEqual(['none', 'ok', 'warn', 'fail', 'idle', 'fail', 'warn', 'run'])
  expect([line?.good, line?.bad]).toEqual([10, 8])
  expect(line?.cells.map((cell) => cell.words).slice(2, 6)).toEqual([
    '3 of 4 backed up, 1 failed',
    '0 of 4 backed up, 4 failed',
    'nothing due',
    '1 start missed',
  ])
  expect(line?.label).toBe('nightly: 1 day complete, 2 partly, 2 failed, 2 without. Today is running.')
})

it('a plan that never started has empty days and nothing due today', () => {
  const [line] = planLines([strip([{}, {}, {}])])
  expect(line?.cells.map((cell) => cell.tone)).toEqual(['none', 'none', 'idle'])
})
