import { z } from '@hono/zod-openapi'
import { byteCount, orNull, pointId, timeMs } from './common.ts'

/** What a list says of the change before a point. */
export const changeSchema = z
  .object({
    state: z.enum(['first', 'usual', 'suspicious', 'expected', 'attack', 'unknown']).openapi({
      description:
        'first: nothing to compare with; suspicious: flagged, and nobody has looked; expected, attack: what a person said of it; unknown: it could not be compared',
    }),
    score: z.number().int().min(0).max(100).openapi({ description: 'From 50 on it is flagged' }),
  })
  .openapi('Change')

export const changeDetailSchema = changeSchema
  .extend({
    sentence: z.string().openapi({ example: '2.7 GiB that could be compressed no longer can' }),
    sign: z.enum(['encrypted', 'overwritten', 'emptied']).nullable(),
    beforeId: pointId.nullable(),
    beforeMs: timeMs.nullable(),
    measuredMs: timeMs,
    problem: z.string().nullable().openapi({ description: 'Why it could not be compared' }),
    heldBytes: byteCount.nullable(),
    rewrittenBytes: byteCount.nullable(),
    addedBytes: byteCount.nullable(),
    removedBytes: byteCount.nullable(),
    turnedBytes: byteCount.nullable().openapi({
      description: 'Could be compressed before, and hardly can now: in place, or as much of each elsewhere',
    }),
    usualBytes: byteCount
      .nullable()
      .openapi({ description: 'What this VM does not exceed by itself; null: too few points' }),
    storedShareBefore: z
      .number()
      .nullable()
      .openapi({ description: 'What compression left of the rewritten places before; 0 … 1' }),
    storedShare: z.number().nullable().openapi({ description: 'The same, now' }),
    knownShare: z
      .number()
      .nullable()
      .openapi({ description: 'Of what changed, what the repository had already; 0 … 1' }),
    lastCleanId: pointId.nullable().openapi({ description: 'The newest point before it that nothing speaks against' }),
    lastCleanMs: timeMs.nullable(),
    review: orNull(
      z
        .object({ verdict: z.enum(['expected', 'attack']), by: z.string(), reason: z.string(), ms: timeMs })
        .openapi('ChangeReview'),
    ),
  })
  .openapi('ChangeDetail')

export const changeReviewBody = z
  .object({
    verdict: z.enum(['expected', 'attack']).openapi({
      description: 'expected: it was meant, and its like is not flagged again; attack: it never counts as usual',
    }),
    reason: z.string().min(1).max(500),
  })
  .openapi('ChangeReviewRequest')
