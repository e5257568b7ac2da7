import { expect, it } from 'vitest'
import { categories } from '#lib/fixtures/categories.ts'
import { asPlan, draftOf, isSame, newDraft, unitOf } from './draft.ts'

const critical = categories.find(({ name }) => name === 'critical')

it('a category is edited as it was written down, and only what differs is a change', () => {
  if (critical === undefined) throw new Error('the fixtures have lost it')
  const draft = draftOf(critical)
  expect(draft).not.toHaveProperty('revision')
  expect(draft).not.toHaveProperty('vms')
  const { daily = 0, ...others } = draft.keep
  expect(isSame({ ...draft, keep: { ...others, daily } }, draft)).toBe(true)
  expect(isSame({ ...draft, keep: { ...draft.keep, daily: 7 } }, draft)).toBe(false)
  expect(isSame({ ...draft, copies: { repositories: 3, media: 1, offSite: 1, immutable: 0 } }, draft)).toBe(false)
})

it('durations are shown in the unit that says them whole', () => {
  expect([3_600_000, 24 * 3_600_000, 36 * 3_600_000, 7 * 24 * 3_600_000].map(unitOf)).toEqual(['h', 'h', 'h', 'd'])
})

it('what follows is asked of the preview of plans, and by hand means no schedule', () => {
  expect(asPlan({ ...newDraft, name: 'payroll' }, 'main')).toMatchObject({
    where: [{ field: 'category', is: ['payroll'] }],
    schedule: { kind: 'every', everyMs: 86_400_000 },
    targets: [{ repository: 'main', keep: { daily: 14, weekly: 4 } }],
  })
  expect(asPlan({ ...newDraft, everyMs: null }, 'main').schedule).toEqual({ kind: 'manual' })
})
