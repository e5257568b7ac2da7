import { expect, it } from 'vitest'
import type { Repository } from '#lib/api/types.ts'
import { fillOf, fullBy, reductionOf, testLook } from './words.ts'

const usage = (capacityBytes: number | null, freeBytes: number | null, more = {}) =>
  ({ usage: { capacityBytes, freeBytes, dedupRatio: null, compressionRatio: null, ...more } }) as Pick<
    Repository,
    'usage'
  >

it('how full a repository is counts everything that lies there', () => {
  expect(fillOf(usage(100, 30))).toEqual({ percent: 70, tone: 'ok' })
  expect(fillOf(usage(100, 14))?.tone).toBe('warn')
  expect(fillOf(usage(100, 0))).toEqual({ percent: 100, tone: 'fail' })
})

it('a store that does not say its capacity is not shown as empty or full', () => {
  expect(fillOf(usage(null, null))).toBeNull()
  expect(fillOf({ usage: null })).toBeNull()
})

it('reduction is deduplication times compression, and nothing while empty', () => {
  expect(reductionOf(usage(1, 1, { dedupRatio: 3.1, compressionRatio: 2 }))).toBe('6.2 ×')
  expect(reductionOf(usage(1, 1))).toBeNull()
})

it('a date within two months is soon, and an untested connection is unknown, not fine', () => {
  expect(fullBy({ fullByMs: 10 * 86_400_000 }, 0)?.soon).toBe(true)
  expect(fullBy({ fullByMs: 100 * 86_400_000 }, 0)?.soon).toBe(false)
  expect(fullBy({ fullByMs: null }, 0)).toBeNull()
  expect(testLook(null).tone).toBe('unknown')
})
