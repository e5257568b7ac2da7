import { expect, it } from 'vitest'
import { sweeps } from '#lib/fixtures/index.ts'
import type { Sweep } from '#lib/api/types.ts'
import { approveCommand, sentenceOf, waitEndOf, wantsApproval } from './words.ts'

const sweep = sweeps[0] as Sweep

it('says how many points would go, and when none does', () => {
  expect(sentenceOf(sweep)).toBe('131 of 8,770 points of 197 VMs would go.')
  expect(sentenceOf({ ...sweep, going: 0 })).toContain('Nothing goes')
  expect(sentenceOf({ ...sweep, state: 'completed', removed: 1 })).toBe('1 of 8,770 points of 197 VMs removed.')
})

it('wants an approval only while it waits for one, and names exactly that plan', () => {
  expect(wantsApproval(sweep)).toBe(true)
  expect(wantsApproval({ ...sweep, state: 'completed', waitsFor: null })).toBe(false)
  expect(approveCommand(sweep)).toBe(`holdfast retention approve main --plan ${sweep.digest}`)
})

it('says whether a person is required, or what it does by itself when nobody answers', () => {
  expect(waitEndOf({ ...sweep, approvalRequired: true })).toContain('A person is required')
  expect(waitEndOf({ ...sweep, approvalRequired: false })).toContain('this VM loses nothing, and it goes on')
  expect(waitEndOf({ ...sweep, approvalRequired: null })).not.toContain('goes on')
  expect(waitEndOf({ ...sweep, waitsFor: 'grace' })).toBe('It goes on')
})
