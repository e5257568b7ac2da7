import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeRecovery, parseRecovery } from './printed.ts'

const secret = fc.uint8Array({ minLength: 32, maxLength: 32 })

test('a printed key is read back, however it is typed', () => {
  fc.assert(
    fc.property(
      secret,
      fc.constantFrom('', ' ', '-', ' - ', '\n', '.'),
      fc.boolean(),
      fc.boolean(),
      (bytes, gap, lower, bare) => {
        const text = encodeRecovery(bytes)
        expect(text).toMatch(/^HFR1(-[A-Z2-7]{4}){14}-[A-Z2-7]{2}$/)
        const groups = bare ? text.split('-').slice(1) : text.split('-')
        const typed = groups.join(gap)
        expect(parseRecovery(lower ? typed.toLowerCase() : typed)).toEqual(Buffer.from(bytes))
      },
    ),
  )
})

test('no single mistyped character is accepted', () => {
  const text = encodeRecovery(Buffer.from(Array.from({ length: 32 }, (_, i) => i * 7)))
  for (let at = 5; at < text.length; at++) {
    if (text[at] === '-') continue
    for (const other of 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567') {
      if (other === text[at]) continue
      const typed = text.slice(0, at) + other + text.slice(at + 1)
      expect(() => parseRecovery(typed)).toThrow(expect.objectContaining({ code: 'WrongSecret' }))
    }
  }
})

test('a missing or an additional character is named', () => {
  const text = encodeRecovery(Buffer.alloc(32))
  expect(() => parseRecovery(text.slice(0, -1))).toThrow('57 characters instead of 58')
  expect(() => parseRecovery(`${text}A`)).toThrow('59 characters instead of 58')
  expect(() => parseRecovery('')).toThrow('0 characters')
})
