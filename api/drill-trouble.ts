import { formatDuration } from '../base/index.ts'
import type { Catalog } from '../catalog/index.ts'
import type { Attention } from './attention.ts'
import type { ApiDeps } from './deps.ts'
import type { AgendaEntry } from './drill-agenda.ts'

/** Drills that failed, and VMs whose next one should have been, `most` of each; `more`: how many were left out. */
export function drillTrouble(
  deps: Pick<ApiDeps, 'catalog' | 'now'>,
  most: number,
  agenda: readonly AgendaEntry[],
): { items: Attention[]; more: number } {
  const overdue = agenda.filter(({ state }) => state === 'overdue')
  return {
    items: [...failedDrills(deps.catalog, most), ...overdue.slice(0, most).map((vm) => overdueDrill(vm, deps.now()))],
    more: Math.max(0, overdue.length - most),
  }
}

function failedDrills(catalog: Catalog, most: number): Attention[] {
  return catalog.statistics.drillsFailed(most).map((drill) => ({
    kind: 'drill-failed',
    severity: 'failed',
    title: `The last drill of ${drill.vmName} failed`,
    detail: drill.why,
    sinceMs: drill.endedMs,
    subject: { kind: 'drill', id: drill.id },
    action: { label: 'See the evidence', command: `holdfast run show ${drill.workflowId}` },
  }))
}

function overdueDrill({ vmId, vmName, dueMs, lastPassedMs }: AgendaEntry, nowMs: number): Attention {
  return {
    kind: 'drill-overdue',
    severity: 'attention',
    title: lastPassedMs === null ? `${vmName} was never proven` : `${vmName} is due for a drill`,
    detail:
      lastPassedMs === null
        ? 'Its first drill was due thirty days after its first point.'
        : `Last proven ${formatDuration(nowMs - lastPassedMs)} ago.`,
    sinceMs: dueMs,
    subject: { kind: 'vm', id: vmId },
    action: { label: 'Drill', command: `holdfast drill ${vmId}` },
  }
}
