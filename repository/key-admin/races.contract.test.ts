import { expect, test } from 'vitest'
import { runsOf } from '../testing/crash-points.ts'
import { runRaces } from './testing-races.ts'

test('in hundreds of orders of store calls, no key that was written with is lost', async () => {
  const { kekRotations, collisions, written } = await runRaces(runsOf(250, 1000))
  // The runs must have been about something.
  expect([kekRotations > 3, collisions > 2, written > 50]).toEqual([true, true, true])
})
