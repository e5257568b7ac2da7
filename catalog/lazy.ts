import { sql, type SQL } from 'drizzle-orm'

/**
 * A value that is made when it is first asked for. Statements that every row of a page asks are prepared so, once for the
 * life of the catalog: to build and to prepare one takes longer than to run it.
 */
export function lazy<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => (made ??= { value: make() }).value
}

/**
 * A value that such a statement is given each time it runs. A bare parameter in a condition makes SQLite plan the statement
 * anew for each value, since the plan might depend on it: that takes ten times as long as running it. The plus hides the
 * value from the planner; statements that are written by hand say `= +?`. A limit is written into the text for the same reason.
 */
export function given(name: string): SQL {
  return sql`+${sql.placeholder(name)}`
}
