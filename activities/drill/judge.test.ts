import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { fitting } from '../../workflows/drill/fitting.ts'
import { judgeCheck } from './judge.ts'

const check = { title: 'Orders', path: '/x', args: [], timeoutMs: 1000, expectExit: 0, count: null }

test('the proof has the hash of a whole output, of which the verdict keeps only what fits', () => {
  const out = 'x'.repeat(100_000)
  const judged = judgeCheck(check, { exit: 0, out, err: '' })
  expect(judged.out.length).toBeLessThan(3_000)
  expect(judged.outSha256).toBe(createHash('sha256').update(out).digest('hex'))
  const [kept] = fitting([judged])
  expect(Object.keys(kept ?? {}).filter((name) => name.endsWith('Sha256'))).toEqual([])
})
