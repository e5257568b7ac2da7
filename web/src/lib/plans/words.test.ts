import { expect, it } from 'vitest'
import { localParts, placeBetween, planLook } from './words.ts'

it('a plan that takes no VM is no good sign, and a paused one is neither good nor bad', () => {
  expect(planLook({ paused: false, vms: 0, outsideRpo: 0 })).toMatchObject({ tone: 'warn', word: 'No VM matches' })
  expect(planLook({ paused: true, vms: 0, outsideRpo: 0 })).toMatchObject({ tone: 'idle' })
  expect(planLook({ paused: false, vms: 3, outsideRpo: 1 })).toMatchObject({ tone: 'warn', word: '1 outside RPO' })
  expect(planLook({ paused: false, vms: 3, outsideRpo: 0 })).toMatchObject({ tone: 'ok' })
})

it('a time on the clocks of the plan is shown as it stands there, whatever the zone of the reader', () => {
  expect(localParts('2026-11-22T02:30:00+01:00')).toEqual({ day: 'Sun 22 Nov', time: '02:30' })
  expect(localParts('2027-01-01T23:59:00-11:00')).toEqual({ day: 'Fri 1 Jan', time: '23:59' })
})

it('a place on the year never leaves it', () => {
  expect([placeBetween(5, 0, 10), placeBetween(-5, 0, 10), placeBetween(50, 0, 10), placeBetween(1, 2, 2)]).toEqual([
    50, 0, 100, 100,
  ])
})
