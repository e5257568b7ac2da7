import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DAY_MS, generationEnd, lockDay } from './index.ts'

const days = fc.integer({ min: 1, max: 3_650 })
/** Until the year 2140. */
const seconds = fc.integer({ min: 1, max: 5_364_662_400 })

describe('the end of a generation', () => {
  it('is the first boundary that is not before the lock, and 0 stays 0', () => {
    expect(generationEnd(0, 30)).toBe(0)
    expect(generationEnd(1, 30)).toBe(30 * DAY_MS)
    expect(generationEnd(30 * 86_400, 30)).toBe(30 * DAY_MS)
    expect(generationEnd(30 * 86_400 + 1, 30)).toBe(60 * DAY_MS)
  })

  it('never promises less than was asked for, and never a whole generation more', () => {
    fc.assert(
      fc.property(seconds, days, (until, generation) => {
        const end = generationEnd(until, generation)
        expect(end).toBeGreaterThanOrEqual(until * 1000)
        expect(end - until * 1000).toBeLessThan(generation * DAY_MS)
        expect(end % (generation * DAY_MS)).toBe(0)
      }),
    )
  })

  it('grows with the lock, and is the same for all of one generation: that is what makes extensions rare', () => {
    fc.assert(
      fc.property(seconds, seconds, days, (a, b, generation) => {
        const [first, second] = [Math.min(a, b), Math.max(a, b)].map((sec) => generationEnd(sec, generation))
        expect(second).toBeGreaterThanOrEqual(first ?? 0)
        expect(generationEnd(Number(first) / 1000, generation)).toBe(first)
        if (Math.max(a, b) * 1000 <= Number(first)) expect(second).toBe(first)
      }),
    )
  })

  it('as the index keeps it is a lower bound that loses nothing of a whole generation', () => {
    fc.assert(
      fc.property(seconds, days, (until, generation) => {
        const end = generationEnd(until, generation)
        expect(lockDay(end) * DAY_MS).toBe(Math.min(end, 0xffff * DAY_MS))
        expect(lockDay(until * 1000) * DAY_MS).toBeLessThanOrEqual(until * 1000)
      }),
    )
  })
})
