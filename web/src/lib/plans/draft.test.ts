import { expect, it } from 'vitest'
import { draftOf, listOfText, newDraft, rowsOf, whereOf, withKeep } from './draft.ts'
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
