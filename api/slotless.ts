import type { Catalog } from '../catalog/index.ts'
import type { Attention } from './attention.ts'

const dayMs = 86_400_000

/** Runs of the last day that went on without a slot: more than the limits allow may have worked at a time. */
export function slotlessRuns(catalog: Catalog, nowMs: number): Attention[] {
  const { runs, total } = catalog.runs.withAttention(nowMs - dayMs, 1)
  const [newest] = runs
  if (newest === undefined) return []
  return [
    {
      kind: 'without-slot',
      severity: 'attention',
      title: total === 1 ? `${newest.title} went on without a slot` : `${total} runs went on without a slot`,
      detail:
        'The capacity governor could not be asked, and they did not wait any longer. More than the limits allow may have worked at a time; look why the server was away.',
      sinceMs: newest.startedMs,
      subject: { kind: 'run', id: newest.runId },
      action: { label: 'Look at it', command: `holdfast run show ${newest.workflowId}` },
    },
  ]
}
