import { expect, test } from 'vitest'
import { readViews, tagsOf, toggleTag, withView } from './views.ts'

test('tags come with how many VMs have them, and say whether the filter asks for them', () => {
  const vms = [{ tags: ['erp', 'Finance Paris'] }, { tags: ['erp'] }, { tags: [] }, { tags: ['dmz', 'dmz'] }]
  expect(tagsOf(vms, 'web tag:ERP')).toEqual([
    { tag: 'erp', vms: 2, isAsked: true },
    { tag: 'dmz', vms: 1, isAsked: false },
    { tag: 'Finance Paris', vms: 1, isAsked: false },
  ])
})

test('a tag is put into the filter and taken out again; the rest of it stays', () => {
  expect(toggleTag('web site:lyon', 'ERP')).toBe('web site:lyon tag:erp')
  expect(toggleTag('web tag:Erp  site:lyon', 'erp')).toBe('web site:lyon')
  expect(toggleTag('', 'Finance Paris')).toBe('tag:finance')
})

test('what a browser remembers may be anything; only views of the list come back', () => {
  const view = { name: 'Lyon', href: '/vms?q=site%3Alyon' }
  expect(readViews(JSON.stringify([view, { name: 'x' }, null, { name: 'y', href: 'https://elsewhere/' }, 7]))).toEqual([
    view,
  ])
  for (const text of [null, '', '{', '{}', '7']) expect(readViews(text)).toEqual([])
})

test('a view of the same name takes the place of the other', () => {
  const one = { name: 'b', href: '/vms' }
  expect(withView([one, { name: 'c', href: '/vms' }], { name: 'a', href: '/vms?q=x' }).map(({ name }) => name)).toEqual(
    ['a', 'b', 'c'],
  )
  expect(withView([one], { name: 'b', href: '/vms?q=y' })).toEqual([{ name: 'b', href: '/vms?q=y' }])
})
