import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { apiTypes, plainNulls } from '../../../write-api-types.ts'

it('the types are those of the committed API document; else run node web/write-api-types.ts', async () => {
  expect(readFileSync(new URL('schema.gen.ts', import.meta.url), 'utf8')).toBe(await apiTypes())
})

it('"this component or null" is said at the place of use, however the document writes it', () => {
  const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` })
  const plain = plainNulls({
    components: {
      schemas: {
        Proof: { type: ['object', 'null'] },
        Vm: {
          type: 'object',
          properties: {
            proof: ref('Proof'),
            point: { allOf: [ref('Point'), { type: ['object', 'null'] }] },
            run: ref('Run'),
          },
        },
      },
    },
  })
  expect(plain).toEqual({
    components: {
      schemas: {
        Proof: { type: 'object' },
        Vm: {
          type: 'object',
          properties: {
            proof: { anyOf: [ref('Proof'), { type: 'null' }] },
            point: { anyOf: [ref('Point'), { type: 'null' }] },
            run: ref('Run'),
          },
        },
      },
    },
  })
})
