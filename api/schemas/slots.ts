import { z } from '@hono/zod-openapi'
import { slotKinds } from '../../policy/index.ts'
import { timeMs } from './common.ts'
import { bandwidthLimits } from './policy.ts'

export const slotHolderSchema = z
  .object({
    runId: z.string(),
    workflowId: z.string(),
    title: z.string(),
    kind: z.string(),
    priority: z.number().int().openapi({ description: '1 first … 5 last' }),
    state: z
      .enum(['working', 'waiting', 'parked'])
      .openapi({ description: '`parked`: stands still outside its window' }),
    sinceMs: timeMs,
  })
  .openapi('SlotHolder')

export const slotResourceSchema = z
  .object({
    resource: z.string().openapi({ example: 'host/lab' }),
    kind: z.enum(slotKinds),
    slots: z.number().int(),
    isDefault: z.boolean(),
    working: z.number().int(),
    waiting: z.number().int(),
    runs: z.array(slotHolderSchema).openapi({ description: 'Working first, then in the order of their turn' }),
  })
  .openapi('SlotResource')

export const slotsSchema = z.object({ items: z.array(slotResourceSchema) }).openapi('Slots')

export const slotCount = z.number().int().min(1).max(10_000)
export const slotLimitBody = z
  .object({ slots: slotCount.nullable().openapi({ description: 'null: the default again' }) })
  .openapi('SlotLimit')

const limitKey = z.string().max(300).openapi({ example: 'plan/nightly' })
export const bandwidthBody = z
  .object({
    worker: z.string().min(1).max(200).openapi({ description: 'Names the process: drawn when it starts' }),
    moving: z.array(z.object({ key: limitKey, copies: z.number().int().min(0).max(10_000) })).max(1000),
  })
  .openapi('BandwidthReport')
export const bandwidthSchema = z
  .object({
    shares: z.array(
      z.object({
        key: limitKey,
        bytesPerSecond: z.number().int().nullable().openapi({ description: 'null: nothing limits it now' }),
        limits: bandwidthLimits.openapi({ description: 'The whole limit, for when the server is away' }),
        timeZone: z.string(),
      }),
    ),
  })
  .openapi('BandwidthShares')

const linkEnd = z
  .string()
  .min(1)
  .max(100)
  .regex(/^[^/*]+$/)
  .nullable()
const linkLimits = {
  timeZone: z.string().max(100).openapi({ description: 'IANA name', example: 'Europe/Paris' }),
  backup: bandwidthLimits.openapi({ description: 'Of what backups store; none: they are not limited' }),
  restore: bandwidthLimits.openapi({ description: 'Of what restores and drills fetch' }),
}
const link = {
  hypervisorId: linkEnd.openapi({ description: 'null: all hypervisors together', example: 'lab' }),
  repositoryId: linkEnd.openapi({ description: 'null: all repositories together', example: 'main' }),
  ...linkLimits,
}
/** Of one link, wherever its ends are said. */
export const linkLimitsBody = z.strictObject({
  timeZone: linkLimits.timeZone.default('UTC'),
  backup: linkLimits.backup.default([]),
  restore: linkLimits.restore.default([]),
})
export const linkBody = linkLimitsBody
  .extend({ hypervisorId: link.hypervisorId, repositoryId: link.repositoryId })
  .openapi('LinkLimits')

const linkNowSchema = z
  .object({
    bytesPerSecond: z.number().int().nullable().openapi({ description: 'What is on now; null: nothing limits it' }),
    untilMs: timeMs.nullable().openapi({ description: 'When that may change; null: never' }),
    copies: z.number().int().openapi({ description: 'Disks that are being moved under it' }),
  })
  .openapi('LinkNow')
export const linkSchema = z
  .object({ ...link, now: z.object({ backup: linkNowSchema, restore: linkNowSchema }) })
  .openapi('Link')
export const linksSchema = z.object({ items: z.array(linkSchema) }).openapi('Links')
