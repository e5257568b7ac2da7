import { expect, it } from 'vitest'
import { holdsOf, isEndedByHand, releaseCommand, removeCommand } from './holds.ts'

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

it('the commands say what the buttons do', () => {
  const point = { id: 'p1', vmId: 'web-01', vmName: 'web one' }
  expect(releaseCommand(point, 'hold/a-1', '')).toBe('holdfast point release web-01 p1 --hold hold/a-1')
  expect(releaseCommand(point, 'hold/a-1', 'case closed')).toBe(
    "holdfast point release web-01 p1 --hold hold/a-1 --reason 'case closed'",
  )
  expect(removeCommand(point, null, '')).toBe("holdfast point rm web-01 p1 --confirm 'web one' --reason WHY")
  expect(removeCommand(point, 'offsite', 'wrong data')).toBe(
    "holdfast point rm web-01 p1 --repository offsite --confirm 'web one' --reason 'wrong data'",
  )
})

it('what a VM or a recovery plan holds is not ended by hand', () => {
  expect(isEndedByHand({ actor: 'operator' })).toBe(true)
  expect(isEndedByHand({ actor: 'instant:web-01' })).toBe(false)
  expect(isEndedByHand({ actor: 'recovery:shop' })).toBe(false)
})
