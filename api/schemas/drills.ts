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

const keyId = z
  .string()
  .openapi({ description: 'SHA-256 of the public key (SubjectPublicKeyInfo) in hex', example: '9f2c…' })
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
    bootedFrom: z.enum(['disks', 'repository']).openapi({ description: 'disks: those that were restored' }),
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

export const drillDetailSchema = drillSchema
  .extend({
    checks: z.array(drillCheckResultSchema),
    signed: orNull(z.object({ ms: timeMs, key: keyId })).openapi({
      description: 'When its evidence was signed and with which key; null: by a version that signed nothing',
    }),
  })
  .openapi('DrillDetail')

export const drillVerificationSchema = z
  .object({
    genuine: z.boolean(),
    problems: z.array(z.string()).openapi({ description: 'In words; none where it is genuine' }),
    signedMs: timeMs,
    key: keyId,
    picture: z.enum(['same', 'none', 'missing', 'changed']).openapi({
      description: 'none: none was taken; missing: it is no longer there, only its hash is',
    }),
  })
  .openapi('DrillVerification')

export const drillDocumentQuery = z.object({
  format: z.enum(['html', 'json']).default('html').openapi({
    description: 'html: one page to read and print, with the signed data inside; json: these alone (DSSE)',
  }),
})

export const evidenceKeySchema = z
  .object({
    id: keyId,
    publicKey: z.string().openapi({ description: 'PEM' }),
    firstMs: timeMs,
    retiredMs: timeMs.nullable().openapi({ description: 'null: it signs now' }),
    drills: z.number().int().openapi({ description: 'Signed with it' }),
  })
  .openapi('EvidenceKey')
export const evidenceKeysSchema = z.object({ items: z.array(evidenceKeySchema) }).openapi('EvidenceKeys')
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
