import type Database from 'better-sqlite3'

type Statement = Database.Statement<unknown[], unknown>
type Prepared = Pick<Statement, 'run' | 'get' | 'all' | 'raw'>

/** More texts than the catalog asks; lists of any length push out what nobody has asked for long. */
const mostKept = 1000

/**
 * A connection for drizzle that prepares each text once: to prepare a query takes ten times as long as to look up a row by
 * it. What is prepared on the connection itself is not kept here: whoever does that keeps his statements.
 */
export function preparingOnce(sqlite: Database.Database, most = mostKept): Database.Database {
  const known = new Map<string, Prepared>()
  const prepare = (text: string): Prepared => {
    const prepared = known.get(text) ?? asObjectsAgain(sqlite.prepare(text))
    // The oldest in the map is the one that nobody has asked for longest.
    known.delete(text)
    known.set(text, prepared)
    const [oldest] = known.size > most ? known.keys() : []
    if (oldest !== undefined) known.delete(oldest)
    return prepared
  }
  const transaction = sqlite.transaction.bind(sqlite)
  // All that drizzle asks of a connection.
  return { prepare, transaction } as unknown as Database.Database
}

/** One text may be asked for rows as arrays here and as objects there; a statement remembers which it was asked last. */
function asObjectsAgain(statement: Statement): Prepared {
  return {
    run: (...values) => statement.run(...values),
    get: (...values) => statement.raw(false).get(...values),
    all: (...values) => statement.raw(false).all(...values),
    raw: () => statement.raw(true),
  }
}
