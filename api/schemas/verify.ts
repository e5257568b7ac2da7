import { z } from '@hono/zod-openapi'
import { byteCount, orNull, pageOf, pageQuery, repositoryId, timeMs } from './common.ts'
import { tuningSchema } from './actions.ts'
import { runErrorSchema } from './runs.ts'

export const verifyLevelSchema = z.enum(['quick', 'data', 'full']).openapi('VerifyLevel', {
  description:
    'quick: sizes, tables and every reference; data: every stored byte hashed as well; full: every chunk opened and hashed',
})

export const verifyBody = z
  .object({
    level: verifyLevelSchema.default('quick'),
    quarantine: z.boolean().default(false).openapi({
      description: 'Notes in the repository what is proved damaged, so that the next backup stores it again',
    }),
    budgetBytes: byteCount
      .min(1)
      .optional()
      .openapi({ description: 'Levels data and full: bytes of packs to read at most, oldest last pass first' }),
    reason: z.string().max(500).default(''),
    tuning: tuningSchema.default({}),
  })
  .refine(({ level, budgetBytes }) => level !== 'quick' || budgetBytes === undefined, {
    message: 'a quick verify reads no packs: it has no budget',
    path: ['budgetBytes'],
  })
  .openapi('VerifyRequest')

export const verifyRunSchema = z
  .object({
    runId: z.string(),
    workflowId: z.string(),
    repositoryId,
    repositoryName: z.string(),
    level: verifyLevelSchema,
    quarantine: z.boolean(),
    budgetBytes: byteCount.nullable(),
    state: z.enum(['running', 'completed', 'failed', 'cancelled']),
    verdict: z.enum(['sound', 'damaged', 'unreadable']).nullable().openapi({
      description:
        'unreadable: nothing is proved damaged, and some or all of it could not be read; null while it runs, and if it was cancelled',
    }),
    startedMs: timeMs,
    endedMs: timeMs.nullable(),
    points: z.number().int(),
    packs: z.number().int(),
    packsResumed: z.number().int().openapi({ description: 'Of the packs: judged by an attempt that was cut off' }),
    chunks: z.number().int().openapi({ description: 'By the last attempt' }),
    bytes: byteCount.openapi({ description: 'Read by the last attempt' }),
    damages: z.number().int().openapi({ description: 'Objects that are proved damaged or gone' }),
    unreadable: z.number().int().openapi({ description: 'Objects that could not be read; nobody knows what they are' }),
    quarantined: z.number().int(),
    damagedPoints: z.number().int(),
    unreadablePoints: z.number().int(),
    mendedPoints: z.number().int().openapi({ description: 'Points that were damaged and are whole again' }),
    notes: z.array(z.string()).openapi({ description: 'What is no damage and should be known' }),
    notesLeft: z.number().int(),
    error: orNull(runErrorSchema),
  })
  .openapi('VerifyRun')
export const verifyRunPageSchema = pageOf(verifyRunSchema, 'VerifyRunPage')
export const verifyListQuery = pageQuery.extend({ repositoryId: repositoryId.optional() })

export const verifyFindingSchema = z
  .object({
    object: z.string(),
    pack: z.string().nullable(),
    found: z.string().openapi({ description: 'Level of the ladder that found it (repository format §12.1)' }),
    message: z.string(),
    proved: z.boolean().openapi({ description: 'false: it could not be read' }),
    affects: z
      .array(
        z.object({
          stem: z.string(),
          vm: z.string(),
          disk: z.string().nullable(),
          ranges: z.array(z.object({ start: byteCount, end: byteCount })),
        }),
      )
      .openapi({ description: 'Points, disks and the first byte ranges that need it and have no other home of it' }),
  })
  .openapi('VerifyFinding')
export const verifyFindingPageSchema = pageOf(verifyFindingSchema, 'VerifyFindingPage')
