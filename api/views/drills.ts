import type { z } from '@hono/zod-openapi'
import { pageOfSorted, type DrillView, type PageRequest } from '../../catalog/index.ts'
import type { ApiDeps } from '../deps.ts'
import { drillAgenda, hindrances, type AgendaEntry, type DrillState } from '../drill-agenda.ts'
import type { agendaSchema, drillDetailSchema, drillSchema } from '../schemas/drills.ts'

export function drillView(drill: DrillView): z.infer<typeof drillSchema> {
  const { rtoMs } = drill
  return {
    id: drill.id,
    vmId: drill.vmId,
    vmName: drill.vmName,
    pointId: drill.pointId,
    pointCreatedMs: drill.pointCreatedMs,
    repositoryId: drill.repositoryId,
    bootedFrom: drill.bootedFrom,
    verdict: drill.verdict,
    why: drill.why,
    startedMs: drill.startedMs,
    endedMs: drill.endedMs,
    rtoSeconds: drill.rtoSeconds,
    rtoTargetSeconds: rtoMs === null ? null : rtoMs / 1000,
    restoreSeconds: drill.restoreSeconds,
    bootSeconds: drill.bootSeconds,
    checksPassed: drill.checks.filter((check) => check.passed).length,
    checksTotal: drill.checks.length,
    screenshot: drill.screenshot === null ? null : `/api/v1/drills/${drill.id}/screenshot`,
    run: { workflowId: drill.workflowId, runId: drill.runId },
  }
}

export function drillDetailView(
  { catalog }: Pick<ApiDeps, 'catalog'>,
  drill: DrillView,
): z.infer<typeof drillDetailSchema> {
  const signed = catalog.evidence.ofDrill(drill.id)
  return {
    ...drillView(drill),
    checks: drill.checks.map((check) => ({ ...check })),
    signed: signed === undefined ? null : { ms: signed.signedMs, key: signed.keyId },
  }
}

type Agenda = z.infer<typeof agendaSchema>

export function agendaView(
  deps: Pick<ApiDeps, 'catalog' | 'now'>,
  request: PageRequest,
  { vmId, state }: { readonly vmId?: string | undefined; readonly state?: DrillState | undefined },
): Agenda {
  const all = drillAgenda(deps)
  const matching = all.filter(
    (entry) => (state === undefined || entry.state === state) && (vmId === undefined || entry.vmId === vmId),
  )
  const page = pageOfSorted(matching, request, (entry) => [entry.dueMs, entry.vmId])
  const hindranceOf = hindrances(deps.catalog)
  const isProven = ({ lastPassedMs, dueMs }: AgendaEntry): boolean => lastPassedMs !== null && deps.now() <= dueMs
  return {
    ...page,
    items: page.items.map((entry) => ({
      vmId: entry.vmId,
      vmName: entry.vmName,
      category: entry.category,
      hypervisorId: entry.endpointId,
      everyMs: entry.everyMs,
      state: entry.state,
      fromMs: entry.fromMs,
      dueMs: entry.dueMs,
      lastPassedMs: entry.lastPassedMs,
      lastVerdict: entry.lastVerdict,
      hindrance: hindranceOf(entry),
    })),
    coverage: {
      promised: all.length,
      proven: all.filter(isProven).length,
      overdue: all.filter((entry) => entry.state === 'overdue').length,
      neverPassed: all.filter(({ lastPassedMs }) => lastPassedMs === null).length,
    },
  }
}
