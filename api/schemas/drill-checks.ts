import { z } from '@hono/zod-openapi'
import { keptTitle, titleKey } from '../../policy/index.ts'

const title = z.string().min(1).max(200)
const timeoutMs = z.number().int().min(100).max(3_600_000).default(60_000).openapi({ description: 'Of one attempt' })
const withinMs = z
  .number()
  .int()
  .min(0)
  .max(3_600_000)
  .default(0)
  .openapi({ description: 'Asked again until it is right, for so long; 0: once' })
const pattern = z
  .string()
  .min(1)
  .max(500)
  .refine(isExpression, 'is no regular expression')
  .nullable()
  .default(null)
  .openapi({ description: 'Regular expression that a line of the output must match' })

/** A command that a drill runs in the isolated guest. */
const commandCheckSchema = z
  .strictObject({
    kind: z.literal('command').default('command'),
    title,
    path: z.string().min(1).max(500),
    args: z.array(z.string().max(2000)).max(32).default([]),
    timeoutMs,
    withinMs,
    expectExit: z.number().int().default(0),
    pattern,
    count: z
      .object({
        expected: z
          .union([z.number(), z.literal('previous')])
          .openapi({ description: '`previous`: what the newest drill that passed has counted' }),
        tolerance: z.number().min(0).openapi({ description: 'Share: 0.005 is ±0.5 %' }),
      })
      .nullable()
      .default(null)
      .openapi({ description: 'Compares the first integer of the output' }),
    prepares: z
      .boolean()
      .default(false)
      .openapi({ description: 'Run first, to make the guest fit for isolation; unless it succeeds nothing is asked' }),
  })
  .openapi('DrillCommandCheck')

const portCheckSchema = z
  .strictObject({ kind: z.literal('port'), title, port: z.number().int().min(1).max(65_535), timeoutMs, withinMs })
  .openapi('DrillPortCheck')

const httpCheckSchema = z
  .strictObject({
    kind: z.literal('http'),
    title,
    url: z
      .url({ protocol: /^https?$/ })
      .max(1_000)
      .openapi({ example: 'http://127.0.0.1:8080/health' }),
    pattern,
    timeoutMs,
    withinMs,
  })
  .openapi('DrillHttpCheck')

/** What a drill asks of the guest; all of it is asked inside, by its agent. */
export const drillCheckSchema = z.union([commandCheckSchema, portCheckSchema, httpCheckSchema]).openapi('DrillCheck')

/** As they are kept; those of earlier versions get what they lack. */
export const keptChecksSchema = z.array(drillCheckSchema).max(32)

export const drillChecksSchema = keptChecksSchema.refine(
  (checks) => new Set(checks.map(({ title }) => titleKey(title))).size === checks.length,
  `two checks have one title (the first ${keptTitle} characters count)`,
)

function isExpression(text: string): boolean {
  try {
    new RegExp(text, 'm')
    return true
  } catch {
    return false
  }
}
