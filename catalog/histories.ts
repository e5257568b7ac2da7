import { promisify } from 'node:util'
import { constants, zstdCompress, zstdDecompress } from 'node:zlib'
import { eq, sql } from 'drizzle-orm'
import type { CatalogContext } from './context.ts'
import { histories, runs } from './schema.ts'

const compress = promisify(zstdCompress)
const decompress = promisify(zstdDecompress)
/** A history ends at 50 MiB in the engine; what claims to be more is damaged. */
const largest = 128 * 1024 * 1024

export interface HistoryQueries {
  /** Idempotent by run id. `json`: canonical protobuf JSON of a closed history. */
  archive(
    run: { readonly runId: string; readonly workflowId: string; readonly eventCount: number },
    json: string,
  ): Promise<void>
  has(runId: string): boolean
  read(runId: string): Promise<string | undefined>
  /** Ended runs whose history is not kept yet, newest first. */
  missing(limit: number): { readonly runId: string; readonly workflowId: string }[]
}

export function historyQueries({ db, now }: CatalogContext): HistoryQueries {
  return {
    async archive(run, json) {
      const content = await compress(Buffer.from(json), { params: { [constants.ZSTD_c_compressionLevel]: 9 } })
      db.insert(histories)
        .values({ ...run, content, archivedMs: now() })
        .onConflictDoNothing({ target: histories.runId })
        .run()
    },
    has: (runId) =>
      db.select({ id: histories.runId }).from(histories).where(eq(histories.runId, runId)).get() !== undefined,
    async read(runId) {
      const found = db.select().from(histories).where(eq(histories.runId, runId)).get()
      return found && (await decompress(found.content, { maxOutputLength: largest })).toString('utf8')
    },
    missing(limit) {
      return db
        .select({ runId: runs.runId, workflowId: runs.workflowId })
        .from(runs)
        .where(sql`${runs.endedMs} IS NOT NULL AND NOT EXISTS (SELECT 1 FROM histories h WHERE h.run_id = runs.run_id)`)
        .orderBy(sql`${runs.startedMs} DESC`)
        .limit(limit)
        .all()
    },
  }
}
