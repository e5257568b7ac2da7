import { expect, test } from 'vitest'
import { originalProblems, originalWords, type OriginalFacts } from './originals.ts'

const minute = 60_000
const off: OriginalFacts = {
  ...{ where: 'lyon', seen: { state: 'stopped' }, standbys: [], instants: [], pointMs: 60 * minute },
  isOfThePast: false,
}
const standby = { name: 'web-01-standby', endpointName: 'paris', state: 'following', headMs: 50 * minute } as const

test('a VM that is off, gone or cannot be seen is brought back; one that is there in any other way is named', () => {
  expect(originalProblems(off)).toEqual([])
  expect(originalProblems({ ...off, seen: { state: 'gone' } })).toEqual([])
  expect(originalProblems({ ...off, seen: { state: 'unseen', why: 'no worker' } })).toEqual([])
  for (const state of ['running', 'paused', 'suspended', 'io-error'] as const)
    expect(originalProblems({ ...off, seen: { state } })).toEqual([`it is ${state} on lyon`])
  expect(originalWords({ where: 'lyon', seen: { state: 'unseen', why: 'no worker' } })).toContain('no worker')
})

test('a standby that runs, may run or is newer than the point is named, beside everything else', () => {
  expect(originalProblems({ ...off, standbys: [standby] })).toEqual([])
  const newer = { ...standby, headMs: 65 * minute }
  expect(originalProblems({ ...off, standbys: [newer] })).toEqual([
    'its standby web-01-standby on paris is 5 min newer than its point',
  ])
  // Before the intrusion: what is newer is not wanted.
  expect(originalProblems({ ...off, standbys: [newer], isOfThePast: true })).toEqual([])
  expect(
    originalProblems({
      ...{ ...off, seen: { state: 'running' }, instants: [{ name: 'web-01-now', endpointName: 'lyon' }] },
      standbys: [
        { ...standby, state: 'failed-over' },
        { ...standby, name: 'second', state: 'failing-back' },
      ],
      isOfThePast: true,
    }),
  ).toEqual([
    'it is running on lyon',
    'its standby web-01-standby on paris has taken over',
    'its standby second on paris runs or may run',
    'web-01-now on lyon runs from a point of it',
  ])
})
