import { expect, it } from 'vitest'
import type { Day } from '#lib/api/types.ts'
import { strips } from './days.ts'

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
  expect(backups?.label).toBe('Backups: 1 days complete, 0 partly, 1 failed, 1 without.')
})
