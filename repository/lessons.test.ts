import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const page = new URL('../docs/repository-lessons.md', import.meta.url)
const rows = readFileSync(page, 'utf8')
  .split('\n')
  .filter((line) => /^\| *\d+ *\|/.test(line))

/** Of a rule that is not built yet: the page says which. */
const open = [23]

test('each of the thirty lessons has a row, and each row a test that exists, or says what is open', () => {
  expect(rows.map((row) => Number(row.split('|')[1]))).toEqual(Array.from({ length: 30 }, (_, index) => index + 1))
  for (const [index, row] of rows.entries()) {
    const links = [...row.matchAll(/\[([^\]]+)\]\((\.\.\/[^)]+\.ts)\)/g)]
    if (links.length === 0)
      expect([open, row]).toEqual([expect.arrayContaining([index + 1]), expect.stringContaining('Open: ')])
    for (const [, name = '', file = ''] of links) {
      const url = new URL(file, page)
      expect([file, existsSync(url)]).toEqual([file, true])
      expect([name, readFileSync(url, 'utf8').includes(name)]).toEqual([name, true])
    }
  }
})
