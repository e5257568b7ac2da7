import { expect, test } from 'vitest'
import { runRaces } from './testing-races.ts'

test('whatever administrators and writers do at once, no key that was written with is lost', async () => {
  const { written } = await runRaces(12)
  expect(written).toBeGreaterThan(0)
})
