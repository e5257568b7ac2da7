import { HoldfastError } from '../../base/index.ts'
import { isObjectName } from '../format/names.ts'
import type { ObjectInfo } from './store.ts'
import type { WirePage } from './wire.ts'

/** How a service lists; each call is one request. */
export interface Listing {
  flat(prefix: string, cursor: string | undefined): Promise<WirePage>
  level(prefix: string, next: string | undefined): Promise<WirePage>
}

/** Objects in one page that is put together from several levels. */
const PAGE = 1000

/**
 * §14.1: names under `prefix` after `cursor` in ascending byte order, whatever order the service has. Services that keep
 * folders list `a/…` before `a-b`, where byte order has it after: then their own paging loses or repeats names. Among the
 * names of §3.2 only the root has such neighbours (`probe/`, `probe-tmp/`), so a prefix without a slash is walked folder
 * by folder, level by level. Below a slash the service's own pages are taken; should a first one be out of order, the prefix
 * is walked as well and remembered in `disordered`; should a later one be, ListingIncomplete is thrown.
 */
export async function listOrdered(
  listing: Listing,
  prefix: string,
  cursor: string,
  disordered: Set<string>,
): Promise<{ objects: ObjectInfo[]; next?: string }> {
  if (prefix.includes('/') && !disordered.has(prefix)) {
    const isFirst = cursor <= prefix
    const page = await listing.flat(prefix, isFirst ? undefined : cursor)
    if (isOrdered(page.objects, cursor, prefix)) {
      const objects = page.objects.filter(({ name }) => isObjectName(name))
      return page.next === undefined ? { objects } : { objects, next: page.next }
    }
    disordered.add(prefix)
    // What an earlier page left out because of its order is not known.
    if (!isFirst)
      throw new HoldfastError('ListingIncomplete', `the listing of ${prefix} is out of order after ${cursor}`)
  }
  const walk = { listing, cursor, found: [] as ObjectInfo[] }
  await walkLevel(walk, prefix)
  const { found } = walk
  const objects = found.slice(0, PAGE)
  const last = objects.at(-1)
  return found.length > PAGE && last !== undefined ? { objects, next: last.name } : { objects }
}

function isOrdered(objects: readonly ObjectInfo[], cursor: string, prefix: string): boolean {
  let before = cursor
  for (const { name } of objects) {
    if (name <= before || !name.startsWith(prefix)) return false
    before = name
  }
  return true
}

interface Walk {
  readonly listing: Listing
  readonly cursor: string
  /** Ascending; the walk ends when it holds more than a page. */
  readonly found: ObjectInfo[]
}

/** One level is read to its end before anything of it counts: only then is its order known. */
async function walkLevel(walk: Walk, prefix: string): Promise<void> {
  const entries = new Map<string, ObjectInfo | undefined>()
  for (let next: string | undefined; ;) {
    const page = await walk.listing.level(prefix, next)
    for (const object of page.objects) if (isObjectName(object.name)) entries.set(object.name, object)
    // A folder whose name no object can have holds none; one that is not below this level would be walked for ever.
    for (const folder of page.folders) {
      if (isObjectName(folder.slice(0, -1)) && folder.length > prefix.length) entries.set(folder, undefined)
    }
    if (page.next === undefined) break
    next = page.next
  }
  const { cursor, found } = walk
  for (const key of [...entries.keys()].sort()) {
    if (found.length > PAGE) return
    const object = entries.get(key)
    if (object !== undefined) {
      if (key > cursor) found.push(object)
    } else if (cursor <= key || cursor.startsWith(key)) await walkLevel(walk, key)
  }
}
