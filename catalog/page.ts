import { sql, type SQL } from 'drizzle-orm'
import { HoldfastError } from '../base/index.ts'

export const largestPage = 200

/** What a list wants: at most `limit` rows (1 … 200) after `cursor` (the `nextCursor` of the page before). */
export interface PageRequest {
  readonly limit: number
  readonly cursor?: string | undefined
}
export interface Page<T> {
  readonly items: T[]
  readonly nextCursor: string | null
  readonly total: number
}

type Key = string | number

/** Keyset paging: a row that appears or goes meanwhile never shifts the pages after it. */
export function encodeCursor(key: readonly Key[]): string {
  return Buffer.from(JSON.stringify(key)).toString('base64url')
}

/** The condition `key > cursor` (or `<`, for `desc`) over a row value; undefined on the first page. */
export function afterCursor(columns: readonly SQL[], order: 'asc' | 'desc', request: PageRequest): SQL | undefined {
  if (request.cursor === undefined) return undefined
  const key = decodeCursor(request.cursor, columns.length)
  const left = sql.join([...columns], sql`, `)
  const right = sql.join(
    key.map((value) => sql`${value}`),
    sql`, `,
  )
  return order === 'asc' ? sql`(${left}) > (${right})` : sql`(${left}) < (${right})`
}

function decodeCursor(cursor: string, length: number): Key[] {
  try {
    const key: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
    if (
      Array.isArray(key) &&
      key.length === length &&
      key.every((value) => typeof value === 'string' || typeof value === 'number')
    ) {
      return key
    }
  } catch (error) {
    throw badCursor(error)
  }
  throw badCursor(undefined)
}

function badCursor(cause: unknown): HoldfastError {
  return new HoldfastError('InvalidRequest', 'the cursor is not one of this list', {
    hint: 'Start at the first page again.',
    cause,
  })
}

/** Rows to ask for: one more than the page, which tells whether there is a next one. */
export function rowsFor(request: PageRequest): number {
  if (!Number.isInteger(request.limit) || request.limit < 1 || request.limit > largestPage) {
    throw new HoldfastError('InvalidRequest', `a page has 1 to ${largestPage} rows, not ${request.limit}`)
  }
  return request.limit + 1
}

export function toPage<Row, T>(
  rows: readonly Row[],
  request: PageRequest,
  total: number,
  keyOf: (row: Row) => readonly Key[],
  map: (row: Row) => T,
): Page<T> {
  const kept = rows.slice(0, request.limit)
  const last = rows.length > request.limit ? kept.at(-1) : undefined
  return { items: kept.map(map), nextCursor: last === undefined ? null : encodeCursor(keyOf(last)), total }
}

/** All there is, page by page, so that no list is held. */
export function* everyRow<T>(list: (page: PageRequest) => Page<T>): Generator<T> {
  for (let cursor: string | undefined; ;) {
    const page = list({ limit: largestPage, cursor })
    yield* page.items
    if (page.nextCursor === null) return
    cursor = page.nextCursor
  }
}

/** A page of what is already sorted, ascending by its key. */
export function pageOfSorted<T>(
  all: readonly T[],
  request: PageRequest,
  keyOf: (item: T) => readonly [Key, Key],
): Page<T> {
  const after = request.cursor === undefined ? undefined : decodeCursor(request.cursor, 2)
  const isAfter = (item: T): boolean => after === undefined || compare(keyOf(item), after) > 0
  const rows = all.filter(isAfter).slice(0, rowsFor(request))
  return toPage(rows, request, all.length, keyOf, (item) => item)
}

function compare(a: readonly Key[], b: readonly Key[]): number {
  const at = a.findIndex((key, n) => key !== b[n])
  return at < 0 ? 0 : (a[at] as Key) < (b[at] as Key) ? -1 : 1
}
