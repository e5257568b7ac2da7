import type { z } from '@hono/zod-openapi'
import type { Catalog, CollectionRow, HoldRow, SweepPointView, SweepSeriesRow, SweepView } from '../../catalog/index.ts'
import type { holdSchema } from '../schemas/holds.ts'
import type { collectionSchema, sweepPointSchema, sweepSchema, sweepSeriesSchema } from '../schemas/retention.ts'

export function sweepView({ ...sweep }: SweepView): z.infer<typeof sweepSchema> {
  const { confirmedMs: _, ...rest } = sweep
  return { ...rest, policies: [...rest.policies] }
}

export function sweepSeriesView({ runId: _, ...series }: SweepSeriesRow): z.infer<typeof sweepSeriesSchema> {
  return series
}

export function sweepPointView({ runId: _, ...point }: SweepPointView): z.infer<typeof sweepPointSchema> {
  return { ...point, keptBy: [...point.keptBy] }
}

export function collectionView({ report, repositoryId: _, ...row }: CollectionRow): z.infer<typeof collectionSchema> {
  return { ...row, ...report, notes: [...report.notes] }
}

export function holdView({ name, repositoryId, type, actor, reason, ms }: HoldRow): z.infer<typeof holdSchema> {
  return { name, repositoryId, type, actor, reason, ms }
}

/** Cells that a spreadsheet would take for a formula are made text. */
function cell(value: string | number | null): string {
  const text = value === null ? '' : String(value)
  const safe = typeof value === 'string' && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

const columns = [
  'vm',
  'point',
  'time',
  'origin',
  'policy',
  'rules',
  'state',
  'kept_by',
  'why',
  'agreed_by',
  'stem',
] as const

export type AuditRow = { readonly [column in (typeof columns)[number]]: string | null }

/** Policy against reality: every point of the plan, by VM, page by page. */
export function* auditRows(catalog: Catalog, { runId, policies, approval }: SweepView): Generator<AuditRow> {
  const rules = new Map(policies.map((policy) => [policy.name, policy.rules]))
  let cursor: string | undefined
  do {
    const page = catalog.sweeps.points(runId, { limit: 200, cursor })
    for (const point of page.items) {
      yield {
        vm: point.vmName,
        point: point.pointId,
        time: new Date(point.timeMs).toISOString(),
        origin: point.origin,
        policy: point.policy,
        rules: rules.get(point.policy) ?? null,
        state: point.state,
        kept_by: point.keptBy.join(' '),
        why: point.why,
        agreed_by: point.state === 'removed' ? (approval?.user ?? 'nobody was asked') : null,
        stem: point.stem,
      }
    }
    cursor = page.nextCursor ?? undefined
  } while (cursor !== undefined)
}

/** As a stream: a repository may hold any number of points. */
export function auditStream(rows: Iterable<AuditRow>, format: 'csv' | 'json'): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  const lines = format === 'csv' ? csvLines(rows) : jsonLines(rows)
  return new ReadableStream({
    pull(controller) {
      let text = ''
      for (let count = 0; count < 200; count += 1) {
        const next = lines.next()
        if (next.done === true) {
          if (text !== '') controller.enqueue(encoder.encode(text))
          controller.close()
          return
        }
        text += next.value
      }
      controller.enqueue(encoder.encode(text))
    },
  })
}

function* csvLines(rows: Iterable<AuditRow>): Generator<string> {
  yield `${columns.join(',')}\r\n`
  for (const row of rows) yield `${columns.map((column) => cell(row[column])).join(',')}\r\n`
}

function* jsonLines(rows: Iterable<AuditRow>): Generator<string> {
  let lead = '{"items":[\n'
  for (const row of rows) {
    yield `${lead}${JSON.stringify(row)}`
    lead = ',\n'
  }
  yield lead === ',\n' ? '\n]}\n' : `${lead}]}\n`
}
