import { z } from '@hono/zod-openapi'
import { orNull, pageOf, planName, timeMs } from './common.ts'
import { missedStartSchema, planLastSchema } from './plans.ts'

const stateOfOne = z.enum(['as-wanted', 'waiting', 'wrong', 'taken', 'none', 'unknown']).openapi({
  description:
    'What the engine has, by the last look. waiting: the plan was changed since; wrong: could not be put right; taken: somebody else’s has its name, so the plan does not start; none: the plan does not start by the clock; unknown: nobody has looked yet',
})

export const scheduleSchema = z
  .object({
    plan: planName,
    revision: z.number().int().openapi({ description: 'Of the plan: send it back with a pause' }),
    words: z.string().openapi({ example: 'every day at 02:30 (Europe/Paris)' }),
    timeZone: z.string(),
    paused: z.boolean(),
    next: z
      .array(z.object({ atMs: timeMs, local: z.string(), utc: z.string(), note: z.string().nullable() }))
      .openapi({ description: 'The next three starts by the clock; none of a paused one' }),
    last: orNull(planLastSchema).openapi({ description: 'Its newest run' }),
    missed: z
      .array(missedStartSchema)
      .openapi({ description: 'Starts of the last week that did not come, newest first' }),
    engine: z.object({
      state: stateOfOne,
      why: z.string().nullable(),
      putRight: orNull(z.object({ what: z.enum(['changed', 'deleted']), atMs: timeMs })).openapi({
        description: 'It had been changed or deleted in the engine, and was made again as the plan says',
      }),
    }),
  })
  .openapi('PlanSchedule')

export const schedulePageSchema = pageOf(scheduleSchema, 'PlanSchedulePage')
  .extend({
    lookedMs: timeMs.nullable().openapi({ description: 'When the engine was compared with the plans' }),
    error: z.string().nullable().openapi({ description: 'Why the last look failed' }),
    unknown: z.array(z.string()).openapi({
      description: 'Of plans that the catalog has never known: the engine has a schedule for them, and starts them',
    }),
  })
  .openapi('PlanSchedules')
