import fc from 'fast-check'
import { expect, it } from 'vitest'
import { bytes, millis } from '../../base/index.ts'
import { listOrdered, type Listing } from './ordered-list.ts'
import type { ObjectInfo } from './store.ts'

const info = (name: string): ObjectInfo => ({ name, size: bytes(1), modified: millis(0) })

/** A service with pages of `page` names, in byte order or folder by folder as a file system has them. */
function service(names: readonly string[], order: 'bytes' | 'folders', page: number): Listing {
  const key = (name: string) => (order === 'bytes' ? name : name.replaceAll('/', '\0'))
  const sorted = names.toSorted((a, b) => (key(a) < key(b) ? -1 : 1))
  return {
    flat: async (prefix, cursor) => {
      const after = sorted.filter(
        (name) => name.startsWith(prefix) && (cursor === undefined || key(name) > key(cursor)),
      )
      const objects = after.slice(0, page).map(info)
      const last = objects.at(-1)?.name
      return { objects, folders: [], ...(after.length > page && last !== undefined && { next: last }) }
    },
    level: async (prefix, next) => {
      // The marker of a folder is an object of the level that it marks, and a folder of the one above.
      const entries = new Map<string, 'object' | 'folder'>()
      for (const name of sorted.filter((each) => each.startsWith(prefix))) {
        const slash = name.indexOf('/', prefix.length)
        if (slash < 0) entries.set(name, 'object')
        else entries.set(name.slice(0, slash + 1), 'folder')
      }
      const all = [...entries]
      const from = next === undefined ? 0 : Number(next)
      const here = all.slice(from, from + page)
      return {
        objects: here.flatMap(([entry, is]) => (is === 'object' ? [info(entry)] : [])),
        folders: here.flatMap(([entry, is]) => (is === 'folder' ? [entry] : [])),
        ...(from + page < all.length && { next: String(from + page) }),
      }
    },
  }
}

async function everything(listing: Listing, prefix: string, from = ''): Promise<string[]> {
  const found: string[] = []
  const disordered = new Set<string>()
  for (let cursor = from; ;) {
    const { objects, next } = await listOrdered(listing, prefix, cursor, disordered)
    found.push(...objects.map(({ name }) => name))
    if (next === undefined) return found
    expect(next > cursor).toBe(true)
    cursor = next
  }
}

const component = fc.stringMatching(/^[ab][ab.-]{0,2}$/)
const name = fc.array(component, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'))

it('lists in byte order whatever order the service has, from any cursor, in any page size', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(name, { maxLength: 25 }),
      fc.constantFrom('', 'a', 'a/', 'b-', 'a/b/'),
      fc.constantFrom('bytes' as const, 'folders' as const),
      fc.integer({ min: 1, max: 6 }),
      name,
      async (names, prefix, order, page, cursor) => {
        const wanted = names.filter((each) => each.startsWith(prefix)).sort()
        // No object lies where another has its folder: §3.2 has no such names, and some services lose one of them.
        fc.pre(!names.some((each) => names.some((other) => other.startsWith(`${each}/`))))
        fc.pre(order === 'bytes' || prefix === '' || !prefix.includes('/') || isFlat(wanted, prefix))
        const listing = service(names, order, page)
        // A cursor is a name of the listing that it continues, or could be one.
        if (prefix !== '' && prefix.includes('/')) cursor = prefix + cursor.replaceAll('/', '-')
        expect(await everything(listing, prefix)).toEqual(wanted)
        expect(await everything(listing, prefix, cursor)).toEqual(wanted.filter((each) => each > cursor))
      },
    ),
    { numRuns: 1000 },
  )
})

/** As all prefixes with a slash are below which §3.2 has names: no folder among names that its own begins. */
function isFlat(names: readonly string[], prefix: string): boolean {
  return names.every((each) => !each.slice(prefix.length).includes('/'))
}

it('walks a prefix whose page is out of order, and asks a service in order only once per page', async () => {
  const calls: string[] = []
  const names = ['x/a/1', 'x/a-b', 'x/b']
  const inner = service(names, 'folders', 1000)
  const listing: Listing = {
    flat: (prefix, cursor) => (calls.push(`flat ${prefix}`), inner.flat(prefix, cursor)),
    level: (prefix, next) => (calls.push(`level ${prefix}`), inner.level(prefix, next)),
  }
  expect(await everything(listing, 'x/')).toEqual(['x/a-b', 'x/a/1', 'x/b'])
  expect(calls).toEqual(['flat x/', 'level x/', 'level x/a/'])
  calls.length = 0
  expect(await everything(listing, 'x/a/')).toEqual(['x/a/1'])
  expect(calls).toEqual(['flat x/a/'])
})

it('takes no later page that is out of order: what the one before it left out is not known', async () => {
  const listing = service(['x/a/1', 'x/a-b', 'x/b'], 'folders', 1)
  const disordered = new Set<string>()
  const { next = '' } = await listOrdered(listing, 'x/', '', disordered)
  expect(next).toBe('x/a/1')
  await expect(listOrdered(listing, 'x/', next, disordered)).rejects.toMatchObject({ code: 'ListingIncomplete' })
  expect(await everything(listing, 'x/a/')).toEqual(['x/a/1'])
  const again = await listOrdered(listing, 'x/', '', disordered)
  expect(again.objects.map(({ name }) => name)).toEqual(['x/a-b', 'x/a/1', 'x/b'])
})

it('leaves out what is no object: markers of folders, and names of other programs', async () => {
  const names = ['pack/', 'pack/aa/1', 'Photos/1', 'pack/UPPER']
  expect(await everything(service(names, 'bytes', 10), '')).toEqual(['pack/aa/1'])
})
