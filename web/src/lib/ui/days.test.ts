import { expect, it } from 'vitest'
import { onDays, toggledDays, week, type Day } from './days.ts'

it('days are taken away and given back, in the order of the week, and all of them are not written down', () => {
  const workdays = toggledDays(toggledDays(undefined, 'sat'), 'sun')
  expect(workdays).toEqual(['mon', 'tue', 'wed', 'thu', 'fri'])
  expect(toggledDays(['sun'], 'tue')).toEqual(['tue', 'sun'])
  expect(toggledDays(workdays, 'sun')).toEqual(week.filter((day) => day !== 'sat'))
  expect(toggledDays(['mon'], 'mon')).toBeUndefined()
  expect(toggledDays(week.slice(1), 'mon')).toBeUndefined()
  const hours: { start: string; end: string; days?: Day[] } = { start: '08:00', end: '18:00' }
  expect(onDays(hours, ['sat'])).toEqual({ ...hours, days: ['sat'] })
  expect(Object.keys(onDays({ ...hours, days: ['sat'] }, undefined))).toEqual(['start', 'end'])
})
