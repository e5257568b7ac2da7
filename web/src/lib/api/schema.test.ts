import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { apiTypes } from '../../../write-api-types.ts'

it('the types are those of the committed API document; else run node web/write-api-types.ts', async () => {
  expect(readFileSync(new URL('schema.gen.ts', import.meta.url), 'utf8')).toBe(await apiTypes())
})
