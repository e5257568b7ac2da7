import fc from 'fast-check'
import { expect, test } from 'vitest'
import { canonicalJson, parseCanonicalJson, type JsonValue } from './canonical-json.ts'

const json = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.string({ unit: 'grapheme' }),
    fc.integer({ min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER }),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.string({ unit: 'grapheme' }), tie('value'), { maxKeys: 4 }),
  ),
})).value

const parse = (text: string) => parseCanonicalJson(Buffer.from(text), 1_000, 'text')

test('what was written is read back, and is its own canonical form', () => {
  fc.assert(
    fc.property(json, (value) => {
      const bytes = canonicalJson(value)
      const back = parseCanonicalJson(bytes, bytes.length, 'value')
      expect(canonicalJson(back)).toEqual(bytes)
      expect(JSON.stringify(back)).toBe(bytes.toString())
    }),
  )
})

test.each([
  ['another order', '{"b":1,"a":2}'],
  ['a duplicate key', '{"a":1,"a":1}'],
  ['white space', '{"a": 1}'],
  ['a line break at the end', '{"a":1}\n'],
  ['a float', '1.5'],
  ['an exponent', '1e3'],
  ['a negative zero', '-0'],
  ['an integer beyond 2^53 − 1', '9007199254740992'],
  ['an escape that is not needed', '"\\u0061"'],
  ['an escaped solidus', '"\\/"'],
  ['a lone surrogate', '"\\ud800"'],
  ['two values', '1 2'],
  ['nothing', ''],
  ['a byte order mark', '\ufeff1'],
  ['an upper-case escape', '"\\u001F"'],
])('%s is a format error', (_, text) => {
  expect(() => parse(text)).toThrow(expect.objectContaining({ code: 'FormatError' }))
})

test('bytes that are no UTF-8 are a format error', () => {
  expect(() => parseCanonicalJson(Buffer.from([0x22, 0xc3, 0x22]), 10, 'text')).toThrow('UTF-8')
})

test('keys are sorted by UTF-16 code units, not by code points', () => {
  expect(canonicalJson({ '\ufb33': 1, '\u{1f600}': 2 }).toString()).toBe('{"\u{1f600}":2,"\ufb33":1}')
})

test('a member named __proto__ is a member', () => {
  expect(canonicalJson(parse('{"__proto__":1}')).toString()).toBe('{"__proto__":1}')
})

test('sixteen levels are read, seventeen are refused before they are parsed', () => {
  const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)
  expect(parse(nested(16))).toBeTruthy()
  expect(() => parse(nested(17))).toThrow('nested deeper')
  expect(() => parse('['.repeat(900))).toThrow('nested deeper')
  expect(parse(`"${'['.repeat(500)}"`)).toBe('['.repeat(500))
  expect(parse(`"\\"${'['.repeat(500)}"`)).toBe(`"${'['.repeat(500)}`)
})

test('a deep bracket bomb of the largest object costs neither time nor memory', () => {
  const bomb = Buffer.alloc(32 * 2 ** 20, '[')
  const started = performance.now()
  expect(() => parseCanonicalJson(bomb, bomb.length, 'bomb')).toThrow('nested deeper')
  expect(performance.now() - started).toBeLessThan(1_000)
})

test('bytes beyond the bound are refused', () => {
  expect(() => parseCanonicalJson(Buffer.from('"aaaa"'), 5, 'text')).toThrow('at most 5')
})
