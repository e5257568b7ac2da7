/**
 * A value that is made when it is first asked for. Statements that every row of a page asks are prepared so, once for the
 * life of the catalog: to build and to prepare one takes longer than to run it.
 */
export function lazy<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => (made ??= { value: make() }).value
}
