import { expect, it } from 'vitest'
import type { Doctor } from '#lib/api/types.ts'
import { byUrgency, doctorSentence } from './words.ts'

const check = (id: string, state: Doctor['checks'][number]['state']): Doctor['checks'][number] => ({
  id,
  state,
  title: id,
  detail: '',
  hint: null,
})

it('what failed stands first, and the order of the doctor holds within a state', () => {
  const checks = [
    check('a', 'ok'),
    check('b', 'attention'),
    check('c', 'failed'),
    check('d', 'ok'),
    check('e', 'unknown'),
  ]
  expect(byUrgency(checks).map(({ id }) => id)).toEqual(['c', 'b', 'e', 'a', 'd'])
})

it('the sentence counts what needs somebody, what is not known included', () => {
  expect(doctorSentence({ checks: [check('a', 'ok'), check('b', 'ok')] })).toBe('All 2 checks are good.')
  expect(doctorSentence({ checks: [check('a', 'ok'), check('b', 'unknown')] })).toBe('1 of 2 checks needs somebody.')
  expect(doctorSentence({ checks: [check('a', 'failed'), check('b', 'attention')] })).toBe(
    '2 of 2 checks need somebody.',
  )
})
