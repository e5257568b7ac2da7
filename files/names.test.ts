import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { byteName, bytesOf, fromText, isPlainName, pathText, segmentsOf, toText, type ByteName } from './names.ts'

const name = (text: string): ByteName => byteName(Buffer.from(text))

describe('the text of a name', () => {
  test('is the name itself where that is harmless', () => {
    for (const text of ['hostname', 'Größe und Name', '日本', '🙂', 'a b']) expect(toText(name(text))).toBe(text)
  })

  test('has no line, no control, and no byte that is no text', () => {
    expect(toText(name('new\nline'))).toBe(String.raw`new\x0aline`)
    expect(toText(byteName(Buffer.from('caf\xe9', 'latin1')))).toBe(String.raw`caf\xe9`)
    expect(toText(name('back\\slash'))).toBe(String.raw`back\x5cslash`)
    expect(toText(name('\u202egnp.exe'))).toBe(String.raw`\xe2\x80\xaegnp.exe`)
    expect(toText(name('\ufeffmark'))).toBe(String.raw`\xef\xbb\xbfmark`)
    expect(toText(name('\u001b[31m'))).toBe(String.raw`\x1b[31m`)
  })

  test('leads back to the same bytes, whatever they are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        const text = toText(byteName(bytes))
        expect(text).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
        expect(bytesOf(fromText(text)).equals(Buffer.from(bytes))).toBe(true)
      }),
    )
  })
})

describe('a path', () => {
  test('begins at the root of its volume, with or without more slashes', () => {
    expect(segmentsOf('/')).toEqual([])
    expect(segmentsOf('//etc/./hosts/')).toEqual(['etc', 'hosts'])
    expect(pathText(segmentsOf(String.raw`/a\x0ab/c`))).toBe(String.raw`/a\x0ab/c`)
  })

  test.each(['/etc/../shadow', '..', String.raw`/a\x2fb`, String.raw`/a\x00`, String.raw`/\x2e\x2e/etc`, 'a\\b'])(
    'that names no file is refused: %s',
    (path) => {
      expect(() => segmentsOf(path)).toThrow(/is not a path/)
    },
  )

  test('has segments that are plain names only', () => {
    for (const bad of ['', '.', '..', 'a/b', 'a\0']) expect(isPlainName(bad as ByteName)).toBe(false)
    expect(isPlainName('...' as ByteName)).toBe(true)
  })
})
