import { z } from '@hono/zod-openapi'
import { byteCount, timeMs } from './common.ts'

export const scrubLevelSchema = z
  .enum(['data', 'full'])
  .openapi('ScrubLevel', { description: 'Every stored byte hashed, or every chunk opened as well' })

/** How much of a repository is read a day by itself, and how far reading has come. */
export const scrubSchema = z
  .object({
    level: scrubLevelSchema,
    budgetBytes: byteCount.nullable().openapi({ description: 'Read a day without being asked for; null: nothing' }),
    countedMs: timeMs.nullable().openapi({ description: 'When a verify that reads packs last came to its end' }),
    packs: z.number().int().nullable(),
    bytes: byteCount.nullable(),
    readPacks: z.number().int().nullable().openapi({ description: 'Of these: read as a whole at least once' }),
    readBytes: byteCount.nullable(),
    oldestMs: timeMs.nullable().openapi({ description: 'Of what was read: the oldest last time' }),
    roundDays: z
      .number()
      .int()
      .nullable()
      .openapi({ description: 'In so many days everything is read once, at this budget' }),
  })
  .openapi('Scrub')

export const setScrubBody = z
  .strictObject({
    level: scrubLevelSchema.default('data'),
    budgetBytes: byteCount.min(1).nullable().openapi({ description: 'A day; null: nothing by itself' }),
  })
  .openapi('SetScrub')
