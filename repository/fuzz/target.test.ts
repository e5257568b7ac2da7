import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatError } from '../format/index.ts'
import { attempt, type FuzzTarget } from './target.ts'

const bytes = Buffer.from('some bytes')
const targetOf = (decode: FuzzTarget['decode'], more: Partial<FuzzTarget> = {}): FuzzTarget => ({
  name: 'a decoder',
  covers: [],
  samples: fc.constant(bytes),
  decode,
  ...more,
})

test('a decoder that does what it must not is caught', () => {
  const refuse = targetOf(() => {
    throw formatError('it', 'is damaged')
  })
  expect(attempt(refuse, bytes)).toBe('refused')
  expect(() => attempt({ ...refuse, refusals: ['WrongSecret'] }, bytes)).toThrow('is damaged')
  expect(() =>
    attempt(
      targetOf(() => JSON.parse('{')),
      bytes,
    ),
  ).toThrow(SyntaxError)
  expect(() =>
    attempt(
      targetOf(() => Buffer.alloc(2 ** 26)),
      bytes,
    ),
  ).toThrow('asks for 67108864 bytes for 10')
  const rewrites = targetOf(() => 1, { rewrite: () => Buffer.from('other bytes') })
  expect(() => attempt(rewrites, bytes)).toThrow('would not write')
  const authentic = targetOf(() => 1, { isAuthentic: true })
  expect(attempt(authentic, bytes, bytes)).toBe('accepted')
  expect(() => attempt(authentic, bytes, Buffer.from('what was sealed'))).toThrow('nobody has sealed')
})

test('what the watch on memory replaces is put back', () => {
  const makers = () => ['alloc', 'allocUnsafe', 'allocUnsafeSlow'].map((name) => Reflect.get(Buffer, name) as unknown)
  const before = makers()
  attempt(
    targetOf(() => Buffer.alloc(1)),
    bytes,
  )
  expect(makers().every((maker, index) => maker === before[index])).toBe(true)
})
