interface Page<T> {
  readonly items: readonly T[]
  readonly nextCursor: string | null
  readonly total: number
}

/** More than this is not read at once; the caller says how many there are. */
const mostPages = 5

/** All pages of a list, up to a thousand rows. `total` is what the server counts. */
export async function allPages<T>(
  read: (cursor: string | null) => Promise<Page<T>>,
): Promise<{ readonly items: T[]; readonly total: number }> {
  const items: T[] = []
  let cursor: string | null = null
  let total = 0
  for (let page = 0; page < mostPages; page += 1) {
    const answer: Page<T> = await read(cursor)
    items.push(...answer.items)
    total = answer.total
    cursor = answer.nextCursor
    if (cursor === null) break
  }
  return { items, total: Math.max(total, items.length) }
}
