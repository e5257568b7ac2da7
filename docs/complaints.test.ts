import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')

test.each([
  ['complaints.md', 25],
  ['proof.md', 18],
])('each row of %s names tests that are there', (file, count) => {
  const rows = readFileSync(join(import.meta.dirname, file), 'utf8')
    .split('\n')
    .filter((line) => /^\| *\d+ /.test(line))
  expect(rows).toHaveLength(count)
  const missing = rows.flatMap((row) => {
    const shown = [...row.matchAll(/`([^`]+\.test\.ts)`: ([^<|]+)/g)]
    if (shown.length === 0) return [row]
    return shown.flatMap(([, file = '', title = '']) =>
      readFileSync(join(root, file), 'utf8').includes(title.trim()) ? [] : [`${file}: ${title.trim()}`],
    )
  })
  expect(missing).toEqual([])
})
