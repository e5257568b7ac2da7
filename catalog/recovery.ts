import { sql } from 'drizzle-orm'
import type { CatalogContext } from './context.ts'
import type { Platform } from './types.ts'

export interface TableCount {
  readonly table: string
  readonly rows: number
}

/** What a rebuild asks: which tables there are, and how the catalog differs from what a repository really holds. */
export interface RecoveryQueries {
  /** Every table of the file, whatever this version makes of it. */
  tables(): TableCount[]
  /** Begins a look at a repository: what an earlier look has seen is forgotten. */
  beginLook(): void
  saw(pointIds: readonly string[]): void
  /** Points that the catalog believes to be in the repository and the look has not seen, `limit` at most. */
  unseen(repositoryId: string, limit: number): string[]
  /** The endpoint through which VMs of this scope were seen, or whose options name it. */
  endpointOf(platform: Platform, scope: string): string | undefined
  /** What every row of a table that people made refers to. */
  credentials(): { readonly kind: 'hypervisor' | 'repository' | 'channel'; readonly id: string; readonly ref: string }[]
}

export function recoveryQueries({ db, sqlite }: CatalogContext): RecoveryQueries {
  return {
    tables() {
      return sqlite
        .prepare<[], { name: string }>(
          "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name",
        )
        .all()
        .map(({ name: table }) => ({
          table,
          rows: sqlite.prepare<[], { n: number }>(`SELECT count(*) AS n FROM "${table}"`).get()?.n ?? 0,
        }))
    },
    beginLook() {
      // Beside the file, never in it: a look that was killed leaves nothing behind.
      sqlite.exec('CREATE TEMP TABLE IF NOT EXISTS seen_points (id TEXT PRIMARY KEY NOT NULL) WITHOUT ROWID')
      sqlite.exec('DELETE FROM temp.seen_points')
    },
    saw(pointIds) {
      const insert = sqlite.prepare('INSERT OR IGNORE INTO temp.seen_points (id) VALUES (?)')
      sqlite.transaction(() => pointIds.forEach((id) => insert.run(id)))()
    },
    unseen(repositoryId, limit) {
      return sqlite
        .prepare<[string, number], { id: string }>(
          `SELECT point_id AS id FROM copies WHERE repository_id = ? AND state = 'done' AND gone_ms IS NULL
            AND point_id NOT IN (SELECT id FROM temp.seen_points) LIMIT ?`,
        )
        .all(repositoryId, limit)
        .map(({ id }) => id)
    },
    endpointOf(platform, scope) {
      return db.get<{ id: string } | undefined>(sql`
        SELECT e.id FROM endpoints e WHERE e.platform = ${platform} AND (
          json_extract(e.options, '$.scope') = ${scope}
          OR EXISTS (SELECT 1 FROM vms v WHERE v.endpoint_id = e.id AND v.scope = ${scope}))
        ORDER BY e.created_ms LIMIT 1`)?.id
    },
    credentials() {
      return db.all(sql`
        SELECT 'repository' AS kind, id, credential_ref AS ref FROM repositories WHERE credential_ref <> ''
        UNION ALL SELECT 'hypervisor', id, credential_ref FROM endpoints WHERE credential_ref <> ''
        UNION ALL SELECT 'channel', name, credential_ref FROM channels WHERE credential_ref <> ''
        ORDER BY 1, 2`)
    },
  }
}
