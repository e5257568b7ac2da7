import Database from 'better-sqlite3'

/**
 * Every reference to a secret that the catalog in `path` names, also while its server has it open or is away: nothing is
 * written. Throws what SQLite throws.
 */
export function credentialRefs(path: string): string[] {
  const sqlite = new Database(path, { readonly: true, fileMustExist: true })
  try {
    return sqlite
      .prepare<[], { ref: string }>(
        `SELECT credential_ref AS ref FROM endpoints UNION SELECT credential_ref FROM repositories
          UNION SELECT credential_ref FROM channels ORDER BY 1`,
      )
      .all()
      .map(({ ref }) => ref)
      .filter((ref) => ref !== '')
  } finally {
    sqlite.close()
  }
}
