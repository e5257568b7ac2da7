import { expect, test } from 'vitest'
import { keptWords } from './words.ts'

test('a point says by which rules it is kept, that it goes, or that nobody has looked', () => {
  expect(keptWords({ kept: { by: ['newest', 'within', 'daily'], ms: 1 } })).toBe('newest, recent, daily')
  expect(keptWords({ kept: { by: [], ms: 1 } })).toBe('nothing: it goes')
  expect(keptWords({ kept: null })).toBe('not looked at yet')
})
