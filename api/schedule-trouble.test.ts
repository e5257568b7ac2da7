import { expect, test } from 'vitest'
import { nothingLooked, type ScheduleState } from './schedule-state.ts'
import { isScheduleKnown, scheduleTrouble } from './schedule-trouble.ts'

const deps = (state: Partial<ScheduleState>) => ({ schedules: () => ({ ...nothingLooked, ...state }) })
const told = (state: Partial<ScheduleState>) =>
  scheduleTrouble(deps(state)).map(({ subject, severity, title }) => [subject?.id, severity, title])

test('a schedule that is not as its plan says is told once, the worst of it, with what to do', () => {
  const wrong = [
    { plan: 'nightly', message: 'no such zone' },
    { plan: 'weekly', message: 'no such zone' },
  ]
  expect(told({ lookedMs: 5, wrong, taken: ['nightly'], unknown: ['old'] })).toEqual([
    ['nightly', 'failed', expect.stringContaining('somebody else’s')],
    ['weekly', 'failed', expect.stringContaining('not as the plan says')],
    ['old', 'attention', expect.stringContaining('not in the catalog')],
  ])
  const [first] = scheduleTrouble(deps({ lookedMs: 5, wrong }))
  expect([first?.detail, first?.sinceMs]).toEqual([expect.stringContaining('no such zone'), 5])
  expect(first?.action.command).toBe('holdfast plans run nightly')
  expect(told({ lookedMs: 5 })).toEqual([])
  expect(scheduleTrouble({})).toEqual([])
})

test('it has recovered only when somebody has looked since the server started', () => {
  const incident = { kind: 'schedule' }
  expect(isScheduleKnown(deps({}), incident)).toBe(false)
  expect(isScheduleKnown(deps({ error: 'nobody answers' }), incident)).toBe(false)
  expect(isScheduleKnown(deps({ lookedMs: 1 }), incident)).toBe(true)
  const others = { error: 'weekly was refused', wrong: [{ plan: 'weekly', message: 'refused' }] }
  expect(isScheduleKnown(deps(others), incident)).toBe(true)
  expect(isScheduleKnown(deps({}), { kind: 'missed-start' })).toBe(true)
})
