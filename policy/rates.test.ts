import { expect, test } from 'vitest'
import { expectedRates } from './index.ts'

const rate = (changeShare: number, storedShare: number | null = 0.3) => ({ changeShare, storedShare })

test('by the middle one of three measured VMs or more, else by what is usual', () => {
  expect(expectedRates([])).toEqual({ changeShare: 0.08, storedShare: 0.5, measuredVms: 0 })
  expect(expectedRates([rate(0.01), rate(0.02)])).toMatchObject({ measuredVms: 0 })
  expect(expectedRates([rate(0.01), rate(0.02, 0.2), rate(0.9, 0.4)])).toEqual({
    changeShare: 0.02,
    storedShare: 0.3,
    measuredVms: 3,
  })
})

test('VMs of which nothing was read say nothing of what is stored, and no share is beyond all or none', () => {
  expect(expectedRates([rate(0, null), rate(0, null), rate(0, null)])).toMatchObject({ measuredVms: 0 })
  expect(expectedRates([rate(3, 2), rate(3, 2), rate(3, 2)])).toMatchObject({ changeShare: 1, storedShare: 1 })
  expect(expectedRates([rate(0, 0), rate(0, 0), rate(0, 0)])).toMatchObject({ changeShare: 0.001, storedShare: 0.001 })
})
