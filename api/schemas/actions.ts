import { z } from '@hono/zod-openapi'
import {
  consistencySchema,
  displayName,
  findingSchema,
  hypervisorId,
  planName,
  pointId,
  repositoryId,
  vmId,
} from './common.ts'
import { drillChecksSchema } from './drill-checks.ts'

/** Only what tests and small installations change; see `Tuning` in the workflow contracts. */
export const tuningSchema = z
  .object({
    moverHeartbeatMs: z.number().int().min(1000).max(600_000).optional(),
    journalSourceBytes: z.number().int().min(1_048_576).max(1_099_511_627_776).optional(),
    freezeLimitMs: z.number().int().min(100).max(60_000).optional(),
    operatorWaitMs: z.number().int().min(1000).max(2_592_000_000).optional(),
    reprobeMs: z.number().int().min(100).max(3_600_000).optional(),
    shutdownLimitMs: z
      .number()
      .int()
      .min(1000)
      .max(3_600_000)
      .optional()
      .openapi({ description: 'How long a guest may take to shut down for its backup. Default 300,000 ms' }),
    stallTimeoutMs: z.number().int().min(1000).max(86_400_000).optional(),
  })
  .openapi('Tuning')

export const backupBody = z
  .object({
    repositoryId: repositoryId.optional().openapi({
      description: 'Default: the first target of its plan, else where its newest point is, else the only one',
    }),
    plan: planName
      .nullable()
      .optional()
      .openapi({ description: 'Whose policy to follow. Default: the first plan that takes the VM; null: none' }),
    mode: z.enum(['auto', 'full']).optional().openapi({ description: 'Default by the plan, else auto' }),
    origin: z.enum(['manual', 'publish']).default('manual'),
    name: displayName.nullable().default(null),
    description: z.string().max(1000).nullable().default(null),
    want: consistencySchema.optional().openapi({ description: 'Default by the policy of the VM' }),
    onQuiesceFailure: z
      .enum(['degrade', 'fail'])
      .optional()
      .openapi({ description: 'Default by the policy of the VM' }),
    compressionLevel: z
      .number()
      .int()
      .min(1)
      .max(19)
      .optional()
      .openapi({ description: 'Default by the plan, else 1' }),
    stopBefore: z.boolean().default(false).openapi({
      description:
        'Shut the VM down cleanly for the point, and start it again as soon as that is taken. One that is off stays off. Not taken from the plan',
    }),
    takeOverFrom: z.string().min(1).max(200).optional().openapi({
      description:
        'Id or name of the installation whose mark on the VM, and in the repository, gives way. Any other one still refuses',
    }),
    reason: z.string().max(500).default(''),
    tuning: tuningSchema.default({}),
  })
  .openapi('BackupRequest')

export const restoreTargetSchema = z
  .discriminatedUnion('kind', [
    z.object({ kind: z.literal('new'), hypervisorId, name: displayName }),
    z.object({
      kind: z.literal('original'),
      confirmName: z.string().openapi({ description: 'The name of the VM, typed by whoever asks' }),
    }),
  ])
  .openapi('RestoreTarget')

export const restoreBody = z
  .object({
    pointId,
    repositoryId: repositoryId.optional().openapi({
      description: 'Which copy to read, also that of a mirror alone. Default: the one that the point names',
    }),
    target: restoreTargetSchema,
    disks: z
      .array(z.string().max(200))
      .max(100)
      .optional()
      .openapi({
        description:
          'Only these disks of the point. In the original place the machine and its other disks stay as they are; a new VM has these alone, or with none its configuration. Default: all',
        example: ['virtio1'],
      }),
    identity: z.enum(['new', 'same']).default('new').openapi({ description: 'MAC addresses and machine id' }),
    powerOn: z
      .boolean()
      .optional()
      .openapi({ description: 'Default: a VM in its original place as it was before, a new one stays off' }),
    reason: z.string().max(500).default(''),
    tuning: tuningSchema.default({}),
  })
  .openapi('RestoreRequest')

/** What the wizard shows before the last click: checks of the site, and the consequences in words. */
export const restoreChecksSchema = z
  .object({
    findings: z.array(findingSchema),
    passed: z.array(z.object({ title: z.string(), detail: z.string() })),
    blocked: z.boolean(),
    does: z.array(z.string()),
    doesNotTouch: z.array(z.string()),
    undo: z.string(),
    command: z.string(),
    estimateSeconds: z
      .number()
      .nullable()
      .openapi({ description: 'From the last restores and drills of this VM; null without any' }),
  })
  .openapi('RestoreChecks')

export const drillBody = z
  .object({
    pointId: pointId.optional().openapi({ description: 'Default: the newest validated point of vmId' }),
    vmId: vmId.optional(),
    hypervisorId: hypervisorId
      .optional()
      .openapi({ description: 'Where to boot in isolation; default: where the VM lives' }),
    checks: drillChecksSchema
      .optional()
      .openapi({ description: 'Default: those of the VM, else those of its category' }),
    from: z.enum(['disks', 'repository']).default('disks').openapi({
      description:
        'disks: they are restored first; repository: it boots out of the repository, as an instant restore does, and what the boot reads first is noted. What it does not read is not looked at',
    }),
    bootTimeoutMs: z
      .number()
      .int()
      .min(1000)
      .max(3_600_000)
      .optional()
      .openapi({ description: 'Default: what is said of the VM, else of its category, else five minutes' }),
    reason: z.string().max(500).default(''),
    tuning: tuningSchema.default({}),
  })
  .openapi('DrillRequest')
