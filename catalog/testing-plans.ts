import Database from 'better-sqlite3'

interface Step {
  readonly detail: string
}

/**
 * How SQLite goes about what `work` asks of the catalog in `path`: the steps of each statement, as EXPLAIN QUERY PLAN says
 * them. Without ANALYZE, which nothing here runs, plans follow from the schema alone and not from how much there is.
 */
export function queryPlans(path: string, work: () => void): Map<string, string[]> {
  const asked = new Set<string>()
  // The method is taken only to be put back, and called with the database it belongs to.
  // oxlint-disable-next-line typescript/unbound-method
  const { prepare } = Database.prototype
  Database.prototype.prepare = function (this: Database.Database, source: string) {
    asked.add(source)
    return prepare.call(this, source)
  } as typeof prepare
  try {
    work()
  } finally {
    Database.prototype.prepare = prepare
  }
  const sqlite = new Database(path, { readonly: true })
  try {
    const planned = [...asked].filter((source) => /^\s*(SELECT|WITH|INSERT|UPDATE|DELETE)\b/i.test(source))
    return new Map(planned.map((source) => [source, stepsOf(sqlite, source)]))
  } finally {
    sqlite.close()
  }
}

function stepsOf(sqlite: Database.Database, source: string): string[] {
  const statement = sqlite.prepare<unknown[], Step>(`EXPLAIN QUERY PLAN ${source}`)
  const values = Array.from({ length: source.split('?').length - 1 }, () => null)
  return statement.all(...values).map(({ detail }) => detail)
}

/** Steps that read all points or all copies, or all of one repository, and not an index of a few or one that says it all. */
export function wholeTables(plans: ReadonlyMap<string, readonly string[]>): string[] {
  const few = /INDEX (copies_(wanted|lost)|points_(gone|damaged|manual))\b|COVERING INDEX copies_(held|mirrored)\b/
  const whole =
    /^SCAN|^SEARCH [^(]*$|INDEX copies_by_repository|INDEX copies_(held|mirrored|in_hand) \((repository_id|source_id)[^ ]*\)$/
  return [...plans].flatMap(([source, steps]) => {
    const names = source.matchAll(/\b(?:FROM|JOIN)\s+"?(points|copies)"?(?:\s+(?:AS\s+)?(?!WHERE|USING)([a-z]))?\b/gi)
    const tables = new Set([...names].flatMap(([, table = '', alias]) => [table, alias ?? table]))
    return steps.filter((step) => {
      const [, name = ''] = /^(?:SCAN|SEARCH) (\w+)/.exec(step) ?? []
      // What a part of the statement has made, and is named like a table.
      if (step === `SCAN ${name}` && steps.includes(`CO-ROUTINE ${name}`)) return false
      return tables.has(name) && whole.test(step) && !few.test(step)
    })
  })
}
