import { expect, it } from 'vitest'
import { newest, unseen } from './news.ts'

const one = (id: number, recoveredMs: number | null = null) => ({ id, recoveredMs })

it('the bell counts what began since somebody looked, and nothing that is over', () => {
  expect(unseen([one(3), one(5), one(6, 9)], 3)).toBe(1)
  expect(unseen([one(3), one(5)], 0)).toBe(2)
})

it('what was looked at stays looked at, also when the list is empty afterwards', () => {
  expect(newest([one(5), one(4)], 2)).toBe(5)
  expect(newest([], 7)).toBe(7)
})
