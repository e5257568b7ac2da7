import { promisify } from 'node:util'
import { constants, zstdCompress, zstdDecompress } from 'node:zlib'
import { eq } from 'drizzle-orm'
import { inTransaction, type CatalogContext } from './context.ts'
import { histories } from './schema.ts'

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
  /** Ended runs whose history is not kept yet, newest first; those of which `skip` says that it is lost are left out. */
  missing(limit: number, skip?: (runId: string) => boolean): { readonly runId: string; readonly workflowId: string }[]
}

export function historyQueries(context: CatalogContext): HistoryQueries {
  const { db, sqlite, now, publish } = context
  return {
    async archive(run, json) {
      const content = await compress(Buffer.from(json), { params: { [constants.ZSTD_c_compressionLevel]: 9 } })
      inTransaction(context, () => {
        const done = db
          .insert(histories)
          .values({ ...run, content, archivedMs: now() })
          .onConflictDoNothing({ target: histories.runId })
          .run()
        // A copy of the catalog that was made before it does not hold it: the next one is due.
        if (done.changes > 0) publish('run', run.runId)
      })
    },
    has: (runId) =>
      db.select({ id: histories.runId }).from(histories).where(eq(histories.runId, runId)).get() !== undefined,
    async read(runId) {
      const found = db.select().from(histories).where(eq(histories.runId, runId)).get()
      return found && (await decompress(found.content, { maxOutputLength: largest })).toString('utf8')
    },
    missing(limit, skip = () => false) {
      const ended = sqlite
        .prepare<[], { runId: string; workflowId: string }>(
          `SELECT run_id AS runId, workflow_id AS workflowId FROM runs
          WHERE ended_ms IS NOT NULL AND NOT EXISTS (SELECT 1 FROM histories h WHERE h.run_id = runs.run_id)
          ORDER BY started_ms DESC`,
        )
        .iterate()
      // Row by row: however many histories are lost, those behind them are still found.
      return Iterator.from(ended)
        .filter(({ runId }) => !skip(runId))
        .take(limit)
        .toArray()
    },
  }
}
