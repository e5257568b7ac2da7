import { expect, test } from 'vitest'
import { reviewCommand, shareWords } from './changes.ts'

test('a share is whole per cents', () => {
  expect([0, 0.314, 1].map(shareWords)).toEqual(['0 %', '31 %', '100 %'])
})

test('the command says what the dialog does, whatever somebody types', () => {
  const of = { vmId: 'web-01', id: 'abc' }
  expect(reviewCommand(of, 'attack', "it's bad ")).toBe(
    "holdfast point review web-01 abc --as attack --reason 'it'\\''s bad'",
  )
})
