import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { codes, HoldfastError, type ErrorCode } from './index.ts'

const document = readFileSync(new URL('../docs/errors.md', import.meta.url), 'utf8')
/** Heading → the text below it, up to the next heading. */
const entries = new Map(
  document
    .split(/^### /m)
    .slice(1)
    .map(
      (part) =>
        [
          part.slice(0, part.indexOf('\n')),
          part
            .slice(part.indexOf('\n'))
            .replace(/^## [\s\S]*/m, '')
            .trim(),
        ] as const,
    ),
)
const all = Object.keys(codes) as ErrorCode[]

test.each(all)('%s has a hint, and an anchor in docs/errors.md with cause and remedy', (code) => {
  expect(codes[code].hint.length).toBeGreaterThan(20)
  expect(new HoldfastError(code, 'message').docs).toBe(`errors.md#${code.toLowerCase()}`)
  expect(entries.get(code)?.length ?? 0, 'docs/errors.md').toBeGreaterThan(120)
})

test('docs/errors.md describes no code that does not exist', () => {
  expect([...entries.keys()].filter((heading) => !Object.hasOwn(codes, heading))).toEqual([])
})
