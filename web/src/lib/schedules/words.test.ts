import { expect, it } from 'vitest'
import { schedules } from '#lib/fixtures/plans.ts'
import { comparedLook, engineLook, engineWhy, putRightWords } from './words.ts'

const fine = { ...schedules, items: schedules.items.slice(0, 1), unknown: [] }

it('one that is not as its plan says is worse than that nobody could look, and that than what nobody knows', () => {
  const wrong = { ...fine.items[0], engine: { state: 'taken', why: null, putRight: null } } as (typeof fine.items)[0]
  expect(comparedLook({ ...fine, items: [wrong], error: 'away' })).toMatchObject({ tone: 'fail' })
  expect(comparedLook({ ...fine, error: 'away' })).toMatchObject({ tone: 'warn', word: 'Not compared now' })
  expect(comparedLook({ ...fine, lookedMs: null })).toMatchObject({ tone: 'unknown' })
  expect(comparedLook({ ...fine, unknown: ['old'] })).toMatchObject({ tone: 'warn' })
  expect(comparedLook(fine)).toMatchObject({ tone: 'ok' })
})

it('a plan that does not start by the clock needs no schedule, and that is no fault', () => {
  expect(engineLook({ state: 'none', why: null, putRight: null })).toMatchObject({ tone: 'idle' })
  expect(putRightWords({ state: 'as-wanted', why: null, putRight: { what: 'deleted', atMs: 1 } })).toContain('deleted')
  expect(putRightWords({ state: 'as-wanted', why: null, putRight: null })).toBeNull()
  expect(engineWhy({ state: 'wrong', why: 'invalid', putRight: null })).toBe('invalid')
  expect(engineWhy({ state: 'taken', why: null, putRight: null })).toContain('somebody else')
})
