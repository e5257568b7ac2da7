import fc from 'fast-check'
import { test } from 'vitest'
import { unlockProperty } from './unlock.ts'

test('whatever lies in keys/, a repository opens with the keys that were sealed, or says why not', async () => {
  await fc.assert(await unlockProperty(), { numRuns: 150 })
})
