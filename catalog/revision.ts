import { isDeepStrictEqual } from 'node:util'
import { HoldfastError } from '../base/index.ts'

/** Two people who change the same thing: the second is told instead of undoing the first. null: whatever is there. */
export function requireRevision(what: string, now: number, seen: number | null): void {
  if (seen === null || seen === now) return
  if (now === 0) throw new HoldfastError('NotFound', `${what} is not there`)
  const message =
    seen === 0 ? `${what} is there already` : `${what} is at revision ${now}; the change was made to revision ${seen}`
  throw new HoldfastError('StaleRevision', message, { data: { revision: now } })
}

/** Equal once written as JSON: members that are undefined are none, their order does not count. */
export function isSameJson(a: unknown, b: unknown): boolean {
  return isDeepStrictEqual(JSON.parse(JSON.stringify(a)), JSON.parse(JSON.stringify(b)))
}
