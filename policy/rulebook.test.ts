import { expect, it } from 'vitest'
import { planDefaults, Rulebook, type RuleSource } from './index.ts'

const target = (repository: string, daily: number | null) => ({
  repository,
  copy: 'backup' as const,
  keep: daily === null ? null : { daily },
})
const plans: { readonly [name: string]: ReturnType<RuleSource['plan']> } = {
  nightly: {
    ...planDefaults,
    isDeleted: false,
    timeZone: 'Europe/Paris',
    targets: [target('main', 30), target('vault', 365)],
  },
  plain: { ...planDefaults, isDeleted: false, timeZone: 'Asia/Tokyo', targets: [target('main', null)] },
  over: { ...planDefaults, isDeleted: true, targets: [target('main', 7)] },
}
const book = (repositoryId: string) =>
  new Rulebook({
    repositoryId,
    category: (name) => (name === 'standard' ? { keep: { daily: 14, weekly: 4 } } : undefined),
    plan: (name) => plans[name],
    planOf: (stem) => (stem === 'unlisted' ? undefined : stem === '' ? null : stem),
    lastRules: (stem, policy) =>
      stem === 'nightly' && policy === 'plan nightly' ? { daily: 90, timeZone: 'UTC' } : undefined,
  })
const vm = { vmId: 'web-01', category: 'standard', override: {} }

it('a plan says what stays in each of its repositories, in its own zone', () => {
  expect(book('main').ofPoint(vm, 'nightly')).toEqual({
    policy: 'plan nightly',
    rules: { publish: 2, daily: 30, timeZone: 'Europe/Paris' },
    planIsGone: false,
  })
  expect(book('vault').ofPoint(vm, 'nightly')?.rules).toMatchObject({ daily: 365 })
})

it('without a word of the plan the category decides, on the clocks of the plan', () => {
  expect(book('main').ofPoint(vm, 'plain')).toMatchObject({
    policy: 'category standard, Asia/Tokyo',
    rules: { daily: 14, timeZone: 'Asia/Tokyo' },
  })
  expect(book('main').ofPoint(vm, '')).toMatchObject({ policy: 'category standard', rules: { timeZone: 'UTC' } })
})

it('what is set for the VM alone wins over both, and a category that is gone keeps everything', () => {
  const own = { ...vm, override: { keep: { last: 3, publish: 5 } } }
  expect(book('main').ofPoint(own, 'nightly')).toEqual({
    policy: 'set for web-01, Europe/Paris',
    rules: { publish: 5, last: 3, timeZone: 'Europe/Paris' },
    planIsGone: false,
  })
  expect(book('main').ofPoint({ ...vm, category: 'gone' }, '')).toEqual({ policy: 'none', rules: null })
})

it('points of a plan that was deleted, or no longer writes here, go on by what it said last', () => {
  expect(book('main').ofPoint(vm, 'over')).toMatchObject({ policy: 'plan over', rules: { daily: 7 }, planIsGone: true })
  const dropped = { policy: 'plan nightly', rules: { daily: 90 }, planIsGone: true }
  expect(book('elsewhere').ofPoint(vm, 'nightly')).toMatchObject(dropped)
  // Nobody remembers what it said: the category is no stand-in for it.
  expect(book('elsewhere').ofPoint(vm, 'plain')).toEqual({ policy: 'none', rules: null, planIsGone: true })
})

it('a category never decides over a point of a plan that nobody knows, and what is set for the VM does', () => {
  expect(book('main').ofPoint(vm, 'a plan that nobody knows')).toEqual({ policy: 'none', rules: null })
  expect(book('main').ofPoint(vm, 'unlisted')).toBeUndefined()
  const own = { ...vm, override: { keep: { last: 3 } } }
  expect(book('main').ofPoint(own, 'unlisted')).toMatchObject({ policy: 'set for web-01', rules: { last: 3 } })
})
