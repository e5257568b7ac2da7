import { expect, test } from 'vitest'
import { matches } from './pattern.ts'

test('a line of the output is enough', () => {
  expect(matches('^state: primary$', 'up 3 days\nstate: primary\n')).toBe(true)
  expect(matches('^primary$', 'state: primary\n')).toBe(false)
})

test('an expression without end ends, and says what it is', () => {
  const began = Date.now()
  expect(() => matches('^(a+)+$', `${'a'.repeat(60)}!`)).toThrow('does not come to an end')
  expect(Date.now() - began).toBeLessThan(5_000)
})
