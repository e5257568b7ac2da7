import { expect, it } from 'vitest'
import { plans } from '#lib/fixtures/plans.ts'
import {
  changedAt,
  draftOf,
  listOfText,
  newDraft,
  numbersOfText,
  rowsOf,
  specOf,
  whereOf,
  withKeep,
  withNumbers,
  withOffset,
} from './draft.ts'
import type { Plan } from '#lib/api/types.ts'

it('rules are rows and rows are rules; a row without a value is none', () => {
  const where = [
    { field: 'site' as const, is: ['lyon'] },
    { field: 'tag' as const, isNot: ['nobackup', 'lab'] },
  ]
  expect(whereOf(rowsOf(where))).toEqual(where)
  expect(rowsOf([{ field: 'tag', is: ['a'], isNot: ['b'] }])).toHaveLength(2)
  expect(whereOf([{ field: 'tag', op: 'is', text: ' , ' }])).toEqual([])
  expect(listOfText('a, b ,,c')).toEqual(['a', 'b', 'c'])
})

it('an empty count takes the rule away, and without any the category decides', () => {
  expect(withKeep(null, 'daily', 7)).toEqual({ daily: 7 })
  expect(withKeep({ daily: 7, hourly: 3 }, 'daily', null)).toEqual({ hourly: 3 })
  expect(withKeep({ daily: 7 }, 'daily', 0)).toBeNull()
})

it('what the server adds is no part of what is saved', () => {
  const plan: Plan = {
    ...newDraft,
    name: 'nightly',
    revision: 3,
    createdMs: 1,
    changedMs: 2,
    words: 'every day',
    nextMs: null,
    last: null,
    missed: [],
    vms: 1,
    outsideRpo: 0,
  }
  expect(draftOf(plan)).toEqual({ ...newDraft, name: 'nightly' })
})

const added = ['revision', 'createdMs', 'changedMs', 'words', 'nextMs', 'last', 'missed', 'vms', 'outsideRpo']

it('everything that a plan says comes back from the editor as it was', () => {
  for (const plan of plans) {
    const draft = draftOf(plan)
    const written = Object.fromEntries(Object.entries(plan).filter(([member]) => !added.includes(member)))
    expect(specOf(draft, rowsOf(draft.where))).toEqual(written)
  }
})

it('a value with a comma stays one until somebody types in its row', () => {
  const where = [{ field: 'tag' as const, is: ['a,b', 'c'] }]
  expect(whereOf(rowsOf(where))).toEqual(where)
  const [{ field, op } = { field: 'tag' as const, op: 'is' as const }] = rowsOf(where)
  expect(whereOf([{ field, op, text: 'a, d' }])).toEqual([{ field: 'tag', is: ['a', 'd'] }])
})

it('rows of hooks and disks that say nothing yet are not sent', () => {
  const draft = {
    ...newDraft,
    hooks: [{ when: 'after-thaw' as const, path: '' }],
    disks: { include: [{}], exclude: [{ label: 'scratch*' }, {}] },
  }
  expect(specOf(draft, [])).toMatchObject({ hooks: [], disks: { include: [], exclude: [{ label: 'scratch*' }] } })
  expect(changedAt([{ label: 'a', key: 'b' }], 0, { label: undefined })).toEqual([{ key: 'b' }])
})

it('days, months and a shift are written only where they say something', () => {
  expect(numbersOfText('15, 1, x, 40, 1', 31)).toEqual([1, 15])
  const nightly = { kind: 'calendar' as const, at: ['02:30'] }
  expect(withNumbers(nightly, 'monthDays', [1])).toEqual({ ...nightly, monthDays: [1] })
  expect(withNumbers({ ...nightly, monthDays: [1] }, 'monthDays', [])).toEqual(nightly)
  expect(withOffset({ kind: 'every', everyMs: 60, offsetMs: 5 }, 0)).toEqual({ kind: 'every', everyMs: 60 })
})
