import fc from 'fast-check'
import { expect, test } from 'vitest'
import { judgeChange, type ChangeFigures, type PastChange } from './anomaly.ts'

const MiB = 2 ** 20
const GiB = 2 ** 30

function change(figures: Partial<ChangeFigures> = {}): ChangeFigures {
  return {
    comparedBytes: 40 * GiB,
    heldBytes: 20 * GiB,
    softBytes: 15 * GiB,
    rewrittenBytes: 0,
    rewrittenStoredBefore: 0,
    rewrittenStored: 0,
    rewrittenHardBytes: 0,
    turnedBytes: 0,
    addedBytes: 0,
    addedStored: 0,
    addedHardBytes: 0,
    removedBytes: 0,
    removedSoftBytes: 0,
    ...figures,
  }
}
const day = (bytes: number): PastChange => ({
  figures: change({ rewrittenBytes: bytes, turnedBytes: bytes / 20 }),
  isExpected: false,
})
const quietWeek = [80, 90, 100, 100, 110, 120, 130].map((mib) => day(mib * MiB))

test('files that are encrypted in place are flagged, with a habit and without one', () => {
  const encrypted = change({ rewrittenBytes: 3 * GiB, turnedBytes: 2.7 * GiB })
  for (const past of [[], quietWeek]) {
    expect(judgeChange(encrypted, past)).toMatchObject({ isSuspicious: true, sign: 'encrypted' })
  }
})

test('an upgrade is not: it writes archives, and more that can be compressed beside them', () => {
  const upgrade = change({
    rewrittenBytes: 2 * GiB,
    turnedBytes: 0.7 * GiB,
    addedBytes: GiB,
    addedHardBytes: 0.3 * GiB,
  })
  for (const past of [[], quietWeek]) {
    expect(judgeChange(upgrade, past)).toMatchObject({ isSuspicious: false })
    expect(judgeChange(upgrade, past).score).toBeLessThan(50)
  }
})

test('encryption beside the original, which is then removed, is the same', () => {
  const copied = change({
    addedBytes: 2 * GiB,
    addedHardBytes: 2 * GiB,
    removedBytes: 2 * GiB,
    removedSoftBytes: 1.9 * GiB,
  })
  expect(judgeChange(copied, quietWeek)).toMatchObject({ isSuspicious: true, sign: 'encrypted' })
})

test('much that is encrypted is flagged although more of something else changed', () => {
  const hidden = change({ rewrittenBytes: 12 * GiB, turnedBytes: 5 * GiB })
  expect(judgeChange(hidden, quietWeek)).toMatchObject({ isSuspicious: true })
})

test('what a VM does every night is its habit', () => {
  const dump = { rewrittenBytes: GiB, turnedBytes: 0.9 * GiB }
  const nights = Array.from({ length: 7 }, () => ({ figures: change(dump), isExpected: false }))
  expect(judgeChange(change(dump), nights)).toMatchObject({ isSuspicious: false })
  expect(judgeChange(change({ rewrittenBytes: 8 * GiB, turnedBytes: 7 * GiB }), nights)).toMatchObject({
    isSuspicious: true,
  })
})

test('what a person has called expected is not flagged again, though it comes once a week', () => {
  const rotation = change({ rewrittenBytes: 2 * GiB, turnedBytes: 1.9 * GiB })
  expect(judgeChange(rotation, quietWeek).isSuspicious).toBe(true)
  const known = [{ figures: rotation, isExpected: true }, ...quietWeek]
  expect(judgeChange(rotation, known).isSuspicious).toBe(false)
})

test('a few wild points do not widen what is usual', () => {
  const wild = [...quietWeek, day(19 * GiB), day(18 * GiB)]
  const encrypted = change({ rewrittenBytes: 0.5 * GiB, turnedBytes: 0.45 * GiB })
  expect(judgeChange(encrypted, wild).isSuspicious).toBe(true)
})

test('a volume of noise whose content is replaced, and a disk that is emptied, are flagged by their own names', () => {
  const volume = change({ softBytes: 0, rewrittenBytes: 12 * GiB, rewrittenHardBytes: 12 * GiB })
  expect(judgeChange(volume, quietWeek)).toMatchObject({ isSuspicious: true, sign: 'overwritten' })
  const wiped = change({ removedBytes: 19 * GiB, removedSoftBytes: 15 * GiB })
  expect(judgeChange(wiped, quietWeek)).toMatchObject({ isSuspicious: true, sign: 'emptied' })
})

test('a few MiB are nothing, whatever they are', () => {
  expect(judgeChange(change({ softBytes: 10 * MiB, rewrittenBytes: 5 * MiB, turnedBytes: 5 * MiB }), [])).toMatchObject(
    {
      isSuspicious: false,
    },
  )
  expect(judgeChange(change(), quietWeek)).toEqual({ score: 0, isSuspicious: false, sign: null, usualBytes: null })
})

test('it is flagged from a score of 50 on, and more that has turned never lowers it', () => {
  const bytes = fc.integer({ min: 0, max: 20 * GiB })
  fc.assert(
    fc.property(bytes, bytes, bytes, bytes, (soft, rewritten, turned, more) => {
      const most = Math.min(turned, rewritten)
      const verdict = judgeChange(change({ softBytes: soft, rewrittenBytes: rewritten, turnedBytes: most }), quietWeek)
      expect(verdict.isSuspicious).toBe(verdict.score >= 50)
      const worse = change({ softBytes: soft, rewrittenBytes: rewritten + more, turnedBytes: most + more })
      expect(judgeChange(worse, quietWeek).score).toBeGreaterThanOrEqual(verdict.score)
    }),
  )
})
