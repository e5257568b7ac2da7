import { z } from '@hono/zod-openapi'
import {
  categoryName,
  durationMs,
  hypervisorId,
  orNull,
  pageOf,
  pageQuery,
  pointId,
  repositoryId,
  timeMs,
  vmId,
} from './common.ts'

const verdict = z.enum(['passed', 'failed', 'inconclusive'])

export const drillCheckResultSchema = z
  .object({
    title: z.string(),
    passed: z.boolean(),
    exit: z.number().nullable(),
    out: z.string(),
    err: z.string(),
    count: z.number().nullable(),
    detail: z.string(),
  })
  .openapi('DrillCheckResult')

/** A restore drill that has ended; one that runs is a run of kind `drill`. */
export const drillSchema = z
  .object({
    id: z.string().openapi({ example: 'web-01.20261121t073352' }),
    vmId,
    vmName: z.string(),
    pointId,
    pointCreatedMs: timeMs.nullable(),
    repositoryId,
    verdict,
    why: z.string(),
    startedMs: timeMs,
    endedMs: timeMs,
    rtoSeconds: z
      .number()
      .nullable()
      .openapi({ description: 'From the start of the restore to a guest whose checks passed' }),
    rtoTargetSeconds: z.number().nullable(),
    restoreSeconds: z.number(),
    bootSeconds: z.number().nullable(),
    checksPassed: z.number().int(),
    checksTotal: z.number().int(),
    screenshot: z.string().nullable().openapi({ description: 'Address of the picture' }),
    run: z.object({ workflowId: z.string(), runId: z.string() }),
  })
  .openapi('Drill')

export const drillDetailSchema = drillSchema.extend({ checks: z.array(drillCheckResultSchema) }).openapi('DrillDetail')
export const drillPageSchema = pageOf(drillSchema, 'DrillPage')
export const drillListQuery = pageQuery.extend({
  vmId: vmId.optional(),
  pointId: pointId.optional(),
  verdict: verdict.optional(),
})

const agendaState = z.enum(['running', 'overdue', 'ready', 'coming'])

/** The next drill of a VM with points to which drills are promised. */
export const agendaEntrySchema = z
  .object({
    vmId,
    vmName: z.string(),
    category: categoryName,
    hypervisorId,
    everyMs: durationMs.openapi({ description: 'How often a drill is promised' }),
    state: agendaState.openapi({ description: 'ready: may begin now; coming: later' }),
    fromMs: timeMs.openapi({ description: 'From then on Holdfast begins it by itself, where it may' }),
    dueMs: timeMs.openapi({ description: 'From then on the promise is broken' }),
    lastPassedMs: timeMs.nullable(),
    lastVerdict: orNull(verdict),
    hindrance: z.enum(['no-checks', 'hypervisor']).nullable().openapi({
      description:
        'Why Holdfast does not begin it by itself: nothing is asked of its guest, or its hypervisor cannot boot and ask one, as far as its last test knows',
    }),
  })
  .openapi('DrillAgendaEntry')

export const agendaSchema = pageOf(agendaEntrySchema, 'DrillAgendaPage')
  .extend({
    coverage: z
      .object({
        promised: z.number().int().openapi({ description: 'VMs with points to which drills are promised' }),
        proven: z.number().int().openapi({ description: 'of them: passed within their interval' }),
        overdue: z.number().int(),
        neverPassed: z.number().int(),
      })
      .openapi({ description: 'Of all VMs, whatever the filter says' }),
  })
  .openapi('DrillAgenda')
export const agendaQuery = pageQuery.extend({ vmId: vmId.optional(), state: agendaState.optional() })
