import { z } from '@hono/zod-openapi'
import { repositoryId, timeMs } from './common.ts'

export const holdBody = z
  .object({ type: z.enum(['pin', 'legal']).default('pin'), reason: z.string().min(1).max(500) })
  .openapi('HoldRequest')
export const releaseBody = z
  .object({
    hold: z.string().max(200).optional().openapi({ description: 'One of its holds; default: all pins' }),
    reason: z.string().max(500).default(''),
  })
  .openapi('ReleaseRequest')
export const removePointBody = z
  .object({
    confirmName: z.string().openapi({ description: 'The name of its VM, typed by whoever asks' }),
    repositoryId: repositoryId.optional().openapi({
      description: 'From this repository; needed where it lies in several. A point goes with its last copy.',
    }),
    reason: z.string().min(1).max(500),
  })
  .openapi('RemovePoint')

export const holdSchema = z
  .object({
    name: z.string(),
    repositoryId: z.string().openapi({ description: 'Where; each repository that has the point has its own' }),
    type: z.enum(['pin', 'legal', 'unknown']),
    actor: z.string(),
    reason: z.string(),
    ms: timeMs.nullable(),
  })
  .openapi('Hold')
export const holdsSchema = z
  .object({
    items: z.array(holdSchema),
    missing: z.array(z.object({ repositoryId: z.string(), type: z.enum(['pin', 'legal']) })).openapi({
      description: 'Copies without the hold yet: retention leaves them alone, and they get it within minutes',
    }),
  })
  .openapi('Holds')
