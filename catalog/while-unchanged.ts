import type { CatalogContext } from './context.ts'

/**
 * What is asked of the catalog alone, and neither of the clock nor of anything else, is answered once for as long as nothing
 * is written: not by this connection, nor by another. Exact, not for a while: the first question after any change reads anew.
 * Inside of a transaction everything is read, and nothing kept, since it may be rolled back. Whoever asks gets a list of
 * his own, of rows that are everybody's: they are not to be changed.
 */
export function whileUnchanged<A extends readonly (string | number | undefined)[], Row>(
  { sqlite }: Pick<CatalogContext, 'sqlite'>,
  make: (...of: A) => readonly Row[],
): (...of: A) => Row[] {
  const kept = new Map<string, readonly Row[]>()
  let keptAt = ''
  let read: (() => string) | undefined
  return (...of) => {
    if (sqlite.inTransaction) return [...make(...of)]
    const at = (read ??= stampOf(sqlite))()
    if (at !== keptAt) kept.clear()
    keptAt = at
    const key = JSON.stringify(of)
    const rows = kept.get(key) ?? make(...of)
    kept.set(key, rows)
    return [...rows]
  }
}

/** Another text after every change: rows that this connection has written, and the version of the file that others write. */
function stampOf(sqlite: CatalogContext['sqlite']): () => string {
  const own = sqlite.prepare<[], number>('SELECT total_changes()').pluck()
  const others = sqlite.prepare<[], number>('PRAGMA data_version').pluck()
  return () => `${own.get()}/${others.get()}`
}
