import { expect, it } from 'vitest'
import { copyWords, everyWords, keepWords } from './words.ts'

it('what a category promises is said in words', () => {
  expect(keepWords({ daily: 30, weekly: 0, monthly: 12, withinMs: 2 * 86_400_000 })).toBe(
    '30 daily, 12 monthly, everything of 2 d',
  )
  expect(keepWords({ manual: 5 })).toBe('nothing')
  expect(copyWords({ repositories: 2, media: 1, offSite: 1, immutable: 0 })).toBe('2, 1 off site')
  expect(copyWords({ repositories: 3, media: 2, offSite: 0, immutable: 1 })).toBe('3, 2 kinds of media, 1 immutable')
  expect([everyWords(null), everyWords(4 * 3_600_000)]).toEqual(['on demand', 'every 4 h'])
})
