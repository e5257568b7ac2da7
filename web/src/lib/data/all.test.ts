import { expect, it } from 'vitest'
import { allPages } from './all.ts'

const pages = (n: number, total: number) => (cursor: string | null) => {
  const at = cursor === null ? 0 : Number(cursor)
  return Promise.resolve({ items: [at], nextCursor: at + 1 < n ? String(at + 1) : null, total })
}

it('reads every page in order', async () => {
  expect(await allPages(pages(3, 3))).toEqual({ items: [0, 1, 2], total: 3 })
})

it('stops after five pages and still says how many there are', async () => {
  const { items, total } = await allPages(pages(99, 99))
  expect([items.length, total]).toEqual([5, 99])
})
