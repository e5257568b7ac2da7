import { expect, test } from 'vitest'
import { answer, erpPoints } from '#lib/fixtures/index.ts'
import type { PointDetail } from '#lib/api/types.ts'
import { canRetry, copyLook } from './copies.ts'

const { body } = answer('GET', `/points/${erpPoints[0]?.id ?? ''}`, new URLSearchParams())
const [there] = (body as PointDetail).copies
if (there === undefined) throw new Error('the fixture has a copy')

test('a copy says what it is, and what is there and whole needs nobody', () => {
  const cases = [
    [{}, 'There', false],
    [{ state: 'pending' }, 'Waiting', true],
    [{ state: 'in-progress' }, 'Being copied', false],
    [{ state: 'failed' }, 'Failed', true],
    [{ state: 'removed' }, 'Removed', true],
    [{ damage: { ms: 1, what: 'a chunk is lost' } }, 'Damaged', true],
    [{ goneMs: 1 }, 'Not there any more', true],
  ] as const
  for (const [change, word, retry] of cases) {
    const copy = { ...there, ...change }
    expect([copyLook(copy).word, canRetry(copy)]).toEqual([word, retry])
  }
})
