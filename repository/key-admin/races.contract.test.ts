import { expect, test } from 'vitest'
import { runRaces } from './testing-races.ts'

test('in a thousand orders of store calls, no key that was written with is lost', async () => {
  const { kekRotations, collisions, written } = await runRaces(1000)
  // The runs must have been about something.
  expect([kekRotations > 20, collisions > 10, written > 200]).toEqual([true, true, true])
})
