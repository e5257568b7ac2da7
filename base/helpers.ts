/** Compile-time proof that a union is handled completely; throws if a value from outside slips through. */
export function assertNever(value: never): never {
  throw new TypeError(`unexpected value: ${JSON.stringify(value)}`)
}

/** Runs `make` at the first call and hands out the same value afterwards. */
export function lazy<T>(make: () => T): () => T {
  let made: { value: T } | undefined
  return () => (made ??= { value: make() }).value
}
