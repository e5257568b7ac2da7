import { z } from '@hono/zod-openapi'
import { tuningSchema } from './actions.ts'
import { durationMs, orNull, pointId, repositoryId, timeMs, vmId } from './common.ts'

const counter = z.number().int().nonnegative()

export const shipmentSchema = z
  .object({
    sentMs: timeMs,
    untilMs: timeMs.openapi({ description: 'Expected there by then; the lag is trouble again from then on' }),
    isOverdue: z.boolean(),
    note: z.string(),
    user: z.string(),
  })
  .openapi('Shipment')
export const shipmentBody = z
  .strictObject({
    untilMs: timeMs.openapi({ description: 'In the future, 90 days at most' }),
    note: z
      .string()
      .max(200)
      .regex(/^[^\p{Cc}]*$/u, 'no control characters')
      .default(''),
  })
  .openapi('PutShipment')
export const shipmentParams = z.object({
  source: repositoryId.openapi({ param: { name: 'source', in: 'path' }, example: 'main' }),
  target: repositoryId.openapi({ param: { name: 'target', in: 'path' }, example: 'offsite' }),
})

export const mirrorSchema = z
  .object({
    sourceId: repositoryId,
    sourceName: z.string(),
    targetId: repositoryId,
    targetName: z.string(),
    done: counter.openapi({ description: 'Points that are there' }),
    behind: counter.openapi({ description: 'Lag in points: wanted there, and waiting, in hand or failed' }),
    failed: counter.openapi({ description: 'Of those behind: failed at the last try' }),
    lagMs: durationMs.openapi({ description: 'Lag in time: how long the oldest point behind could have been there' }),
    newestMs: timeMs.nullable().openapi({ description: 'The moment that the newest point there stands at' }),
    shipment: orNull(shipmentSchema).openapi({
      description:
        'Media with copies that are on their way there. None of them counts as copied before it was read there',
    }),
  })
  .openapi('Mirror')
export const mirrorsSchema = z.object({ items: z.array(mirrorSchema) }).openapi('Mirrors')

export const mirrorBody = z
  .object({
    sourceId: repositoryId,
    targetId: repositoryId,
    vmId: vmId.optional().openapi({ description: 'Only points of this VM' }),
    pointId: pointId
      .optional()
      .openapi({ description: 'Only this point, also where it failed, is damaged or was removed' }),
    all: z.boolean().default(false).openapi({
      description: 'Also points older than the newest of their VM there; never such as were removed there',
    }),
    reason: z.string().max(500).default(''),
    tuning: tuningSchema.default({}),
  })
  .refine(({ sourceId, targetId }) => sourceId !== targetId, {
    message: 'a repository is not mirrored into itself',
    path: ['targetId'],
  })
  .refine(({ pointId: point, vmId: vm, all }) => point === undefined || (vm === undefined && !all), {
    message: 'one point, or points of a VM: not both',
    path: ['pointId'],
  })
  .openapi('MirrorRequest')
