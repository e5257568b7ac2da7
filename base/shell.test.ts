import { execFileSync } from 'node:child_process'
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { shellWord } from './shell.ts'

it('a shell reads back exactly the word that was quoted, and plain words stay as they are', () => {
  const words = fc.sample(
    fc.string({ minLength: 1, maxLength: 30 }).filter((word) => !word.includes('\0')),
    60,
  )
  const out = execFileSync('sh', ['-c', `printf '%s\\0' ${words.map(shellWord).join(' ')}`], { encoding: 'utf8' })
  expect(out.split('\0').slice(0, -1)).toEqual(words)
  expect(shellWord('backup/web-01')).toBe('backup/web-01')
  expect(shellWord('')).toBe("''")
})
