import { asc, sql } from 'drizzle-orm'
import type { CatalogContext } from './context.ts'
import { totals } from './schema.ts'
import type { RunKind, RunState } from './types.ts'

/** `label`: what is counted apart, its parts joined by `/`. */
export type TotalRow = typeof totals.$inferSelect
/**
 * `runs` by kind and outcome, `run-ms` and the bytes by kind, `run-within` by kind and seconds, `missed-starts` by plan and
 * kind, `notifications` by channel and outcome.
 */
export type TotalName = TotalRow['name']

/** Bounds of the durations that are counted, seconds. The migration that made the table names the same. */
export const durationBounds = [10, 60, 300, 900, 3600, 14_400, 43_200, 86_400] as const

/** Part of the caller's transaction. */
export function addTotal(context: Pick<CatalogContext, 'db'>, name: TotalName, label: string, by: number): void {
  addAll(context, [{ name, label, value: by }])
}

function addAll({ db }: Pick<CatalogContext, 'db'>, rows: TotalRow[]): void {
  db.insert(totals)
    .values(rows)
    .onConflictDoUpdate({ target: [totals.name, totals.label], set: { value: sql`${totals.value} + excluded.value` } })
    .run()
}

export interface EndedRun {
  readonly kind: RunKind
  readonly state: RunState
  readonly startedMs: number
  readonly endedMs: number
  readonly bytesRead: number | null
  readonly bytesStored: number | null
}

/** Once for each run, when its end is written down. */
export function countRun(context: Pick<CatalogContext, 'db'>, run: EndedRun): void {
  const { kind } = run
  const tookMs = Math.max(0, run.endedMs - run.startedMs)
  const within = durationBounds.filter((seconds) => tookMs <= seconds * 1000)
  addAll(context, [
    { name: 'runs', label: `${kind}/${run.state}`, value: 1 },
    { name: 'run-ms', label: kind, value: tookMs },
    { name: 'bytes-read', label: kind, value: run.bytesRead ?? 0 },
    { name: 'bytes-stored', label: kind, value: run.bytesStored ?? 0 },
    ...within.map((seconds): TotalRow => ({ name: 'run-within', label: `${kind}/${seconds}`, value: 1 })),
  ])
}

export function allTotals({ db }: Pick<CatalogContext, 'db'>): TotalRow[] {
  return db.select().from(totals).orderBy(asc(totals.name), asc(totals.label)).all()
}
