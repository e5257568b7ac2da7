/**
 * Hostile bytes against every decoder: nothing but FormatError and FormatUnsupported, bounded time and memory, and bytes
 * that are accepted are bytes that were understood: written again they are the same.
 */
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { layouts } from './layouts.ts'
import { propertiesOf } from './properties.ts'
import { sealed } from './sealed.ts'
import { texts } from './texts.ts'

let rss = 0
beforeAll(() => {
  rss = process.memoryUsage().rss
})
afterAll(() => {
  // What the declared lengths ask for is gigabytes.
  expect(process.memoryUsage().rss - rss).toBeLessThan(400 * 2 ** 20)
})

describe.each([...layouts, ...texts, ...sealed])('$name', (target) => {
  test.each(propertiesOf(target))('$what', ({ property, runs }) => {
    fc.assert(property, { numRuns: runs })
  })
})

test('a CRC finds every single flipped bit of a header before anything else is looked at', () => {
  for (const target of layouts.filter((item) => ['pack header', 'blob header', 'floor'].includes(item.name))) {
    const [sample] = fc.sample(target.samples, { numRuns: 1, seed: 7 })
    if (sample === undefined) throw new Error('no sample')
    const covered = (target.crcs?.(Buffer.from(sample))[0]?.[0] ?? 0) + 4
    for (let bit = 0; bit < covered * 8; bit++) {
      const altered = Buffer.from(sample)
      altered.writeUInt8(altered.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
      expect(() => target.decode(altered)).toThrow(expect.objectContaining({ code: 'FormatError' }))
    }
  }
})
