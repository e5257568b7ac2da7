import type { Point, Run } from '#lib/api/types.ts'

/** A row of the point table: a point, or a backup that failed where one was expected. */
export type PointRow =
  | { readonly id: string; readonly ms: number; readonly point: Point; readonly run: null }
  | { readonly id: string; readonly ms: number; readonly point: null; readonly run: Run }

/** Newest first. Failures older than the oldest point shown say nothing any more and are left out. */
export function pointRows(points: readonly Point[], runs: readonly Run[]): PointRow[] {
  const oldest = Math.min(...points.map((point) => point.createdMs))
  const failed = runs.filter(
    (run) => run.kind === 'backup' && (run.state === 'failed' || run.state === 'terminated') && run.startedMs >= oldest,
  )
  return [
    ...points.map((point): PointRow => ({ id: point.id, ms: point.createdMs, point, run: null })),
    ...failed.map((run): PointRow => ({ id: run.runId, ms: run.startedMs, point: null, run })),
  ].toSorted((a, b) => b.ms - a.ms)
}
