/** Compile-time proof that a union is handled completely; throws if a value from outside slips through. */
export function assertNever(value: never): never {
  throw new TypeError(`unexpected value: ${JSON.stringify(value)}`)
}

/** A secret as it is kept in a file: one line break at the end is the editor's, everything else is the secret's. */
export function secretText(content: string): string {
  return content.replace(/\r?\n$/, '')
}

/** Runs `make` at the first call and hands out the same value afterwards. */
export function lazy<T>(make: () => T): () => T {
  let made: { value: T } | undefined
  return () => (made ??= { value: make() }).value
}
