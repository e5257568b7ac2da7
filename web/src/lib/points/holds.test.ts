import { expect, it } from 'vitest'
import { holdsOf } from './holds.ts'

it('holds of one person for one reason are one, with the repositories that have it and since when', () => {
  const legal = { type: 'legal', actor: 'ann', reason: 'case 4711' } as const
  const holds = [
    { name: 'hold/b-1', repositoryId: 'offsite', ...legal, ms: 9 },
    { name: 'hold/a-1', repositoryId: 'main', ...legal, ms: 5 },
    { name: 'hold/a-2', repositoryId: 'main', ...legal, reason: 'case 4712', ms: 7 },
  ]
  expect(holdsOf(holds)).toEqual([
    { ...holds[1], places: ['main', 'offsite'] },
    { ...holds[2], places: ['main'] },
  ])
})
