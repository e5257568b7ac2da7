import { expect, test } from 'vitest'
import { partsToRun } from './parts.ts'

test('without a wish every part runs, else those that were asked for, in their order', () => {
  expect(partsToRun([])).toEqual({ run: ['check', 'contract', 'e2e', 'chaos'] })
  expect(partsToRun(['e2e', 'check'])).toEqual({ run: ['check', 'e2e'] })
  expect(partsToRun(['stores'])).toEqual({ run: ['stores'] })
})

test('a part that does not exist runs nothing, not even the others', () => {
  expect(partsToRun(['chao', 'check'])).toEqual({
    unknown: ['chao'],
    known: ['check', 'contract', 'e2e', 'chaos', 'stores'],
  })
})
