import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')
const rows = readFileSync(join(import.meta.dirname, 'complaints.md'), 'utf8')
  .split('\n')
  .filter((line) => /^\| *\d+ /.test(line))

test('each complaint names tests that are there', () => {
  expect(rows).toHaveLength(25)
  const missing = rows.flatMap((row) => {
    const shown = [...row.matchAll(/`([^`]+\.test\.ts)`: ([^<|]+)/g)]
    if (shown.length === 0) return [row]
    return shown.flatMap(([, file = '', title = '']) =>
      readFileSync(join(root, file), 'utf8').includes(title.trim()) ? [] : [`${file}: ${title.trim()}`],
    )
  })
  expect(missing).toEqual([])
})
