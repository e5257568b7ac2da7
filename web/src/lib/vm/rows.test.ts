import { expect, it } from 'vitest'
import type { Point, Run } from '#lib/api/types.ts'
import { pointRows } from './rows.ts'

it('a failed backup stands where its point is missing, and old news is left out', () => {
  const points = [
    { id: 'new', createdMs: 300 },
    { id: 'old', createdMs: 100 },
  ] as Point[]
  const runs = [
    { runId: 'between', kind: 'backup', state: 'failed', startedMs: 200 },
    { runId: 'before', kind: 'backup', state: 'failed', startedMs: 50 },
    { runId: 'drill', kind: 'drill', state: 'failed', startedMs: 250 },
    { runId: 'fine', kind: 'backup', state: 'completed', startedMs: 299 },
  ] as Run[]
  expect(pointRows(points, runs).map((row) => row.id)).toEqual(['new', 'between', 'old'])
})
