import { expect, it } from 'vitest'
import type { Run } from '#lib/api/types.ts'
import { announcement } from './announce.ts'

const run = (state: Run['state'], endedMs: number | null = null) =>
  ({ title: 'Backup of web-01', state, endedMs }) as Run

it('the live region speaks of states and not of progress', () => {
  expect(announcement(undefined, run('running'))).toBe('Backup of web-01: Running')
  expect(announcement('running', run('running'))).toBeNull()
  expect(announcement('running', run('failed', 1))).toBe('Backup of web-01: Failed')
})

it('a run that had ended before it was first seen is old news', () => {
  expect(announcement(undefined, run('completed', 1))).toBeNull()
})
