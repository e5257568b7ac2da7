import { z } from '@hono/zod-openapi'
import { planName, repositoryId } from './common.ts'
import { drillChecksSchema } from './drill-checks.ts'

/**
 * The shapes of categories, plans and overrides: for requests and answers, and, with durations and sizes in words, for
 * the policy file. The types are those of `policy/`, and a test has the compiler prove that both say the same. What
 * no shape can say is in `policy/validate.ts`, which reports every problem at once.
 */
const minute = 60_000
const day = 86_400_000
const mostYears = 10 * 366 * day
const most = 100

const period = z.number().int().min(minute).max(mostYears)
const count = z.number().int().min(0).max(most)
const byHand = z.number().int().min(1).max(most)
const text = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[^\p{Cc}]+$/u, 'no control characters')
const timeOfDay = z
  .string()
  .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'a time is HH:MM')
  .openapi({ example: '02:30' })
const bootTimeoutMs = z
  .number()
  .int()
  .min(1000)
  .max(3_600_000)
  .openapi({ description: 'How long a guest may take in a drill until its agent answers' })
const weekday = z.enum(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'])
const days = z.array(weekday).min(1).max(7)

export const quiesceSchema = z.enum(['required', 'preferred', 'none'])

export const keepSchema = z
  .strictObject({
    last: count.optional().openapi({ description: 'The newest so many' }),
    hourly: count.optional().openapi({ description: 'The newest of each of so many hours in which there is one' }),
    daily: count.optional(),
    weekly: count.optional().openapi({ description: 'ISO weeks' }),
    monthly: count.optional(),
    yearly: count.optional(),
    withinMs: period.optional().openapi({ description: 'Everything younger' }),
    manual: byHand.optional().openapi({ description: `Points that somebody made by hand; default ${most}` }),
    publish: byHand.optional().openapi({ description: 'Points made for a publication; default 2' }),
    safety: byHand.optional().openapi({ description: 'Points made before a restore; default all' }),
  })
  .openapi('Keep')

export const copiesSchema = z
  .strictObject({
    repositories: z.number().int().min(1).max(9).openapi({ description: 'Repositories that hold each point' }),
    media: z
      .number()
      .int()
      .min(1)
      .max(4)
      .default(1)
      .openapi({ description: 'Kinds of media that these are on; what the VM itself runs on is not counted' }),
    offSite: z.number().int().min(0).max(9).openapi({ description: 'Of these where the VM does not run' }),
    immutable: z
      .number()
      .int()
      .min(0)
      .max(9)
      .openapi({ description: 'Of these where it cannot be deleted for a time' }),
  })
  .openapi('Copies')

export const categoryBody = z
  .strictObject({
    description: z.string().max(500).default(''),
    everyMs: period
      .nullable()
      .default(null)
      .openapi({ description: 'How often it wants to be backed up; null: on demand' }),
    keep: keepSchema,
    copies: copiesSchema.default({ repositories: 1, media: 1, offSite: 0, immutable: 0 }),
    rpoMs: period,
    rtoMs: period.nullable().default(null),
    quiesce: quiesceSchema,
    drillEveryMs: period.nullable().default(null).openapi({ description: 'Not proven for so long: due for a drill' }),
    exerciseEveryMs: period.nullable().default(null).openapi({ description: 'The same for a full exercise' }),
    drill: z
      .strictObject({
        checks: drillChecksSchema
          .optional()
          .openapi({ description: 'Asked of each of its VMs that has no checks of its own' }),
        bootTimeoutMs: bootTimeoutMs.optional(),
      })
      .optional()
      .openapi({ description: 'What drills do with its VMs, where these say nothing themselves' }),
  })
  .openapi('CategorySpec')

const diskRule = z
  .strictObject({
    label: text.optional().openapi({ description: 'Pattern: * any characters, ? one' }),
    key: text.optional().openapi({ description: 'Bus address' }),
    minBytes: z.number().int().min(0).optional(),
    maxBytes: z.number().int().min(0).optional(),
  })
  .refine((rule) => Object.values(rule).some((value) => value !== undefined), 'say which disks')
  .openapi('DiskRule')

export const diskSelectionSchema = z
  .strictObject({
    roles: z.enum(['all', 'data']).default('all').openapi({ description: 'data: without the disk it boots from' }),
    include: z.array(diskRule).max(64).default([]).openapi({ description: 'Empty: all' }),
    exclude: z.array(diskRule).max(64).default([]),
    honourNobak: z.boolean().default(true).openapi({ description: '[NOBAK] in a label leaves the disk out' }),
  })
  .openapi('DiskSelection')

export const vmOverrideSchema = z
  .strictObject({
    rpoMs: period.optional(),
    rtoMs: period.optional(),
    quiesce: quiesceSchema.optional(),
    keep: keepSchema.optional(),
    drillEveryMs: period.optional(),
    bootTimeoutMs: bootTimeoutMs.optional(),
    fullEveryMs: period.optional(),
    disks: diskSelectionSchema.optional(),
  })
  .openapi('VmOverride')

const values = z.array(text).min(1).max(200)
const selectorRule = z
  .strictObject({
    field: z.enum(['name', 'tag', 'category', 'power', 'hypervisor', 'site']),
    is: values.optional().openapi({ description: 'One of them' }),
    isNot: values.optional().openapi({ description: 'None of them' }),
  })
  .refine(({ is, isNot }) => is !== undefined || isNot !== undefined, 'say what it is, or what it is not')
  .openapi('SelectorRule')

const scheduleSchema = z
  .discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('every'),
      everyMs: period,
      offsetMs: z.number().int().min(0).max(mostYears).optional(),
    }),
    z.strictObject({
      kind: z.literal('calendar'),
      at: z.array(timeOfDay).min(1).max(48),
      days: days.optional(),
      monthDays: z.array(z.number().int().min(1).max(31)).min(1).max(31).optional(),
      months: z.array(z.number().int().min(1).max(12)).min(1).max(12).optional(),
    }),
    z.strictObject({ kind: z.literal('cron'), cron: text.openapi({ example: '30 2 * * 1-5' }) }),
    z.strictObject({
      kind: z.literal('after'),
      plan: planName,
      when: z
        .enum(['ended', 'succeeded'])
        .optional()
        .openapi({ description: 'Whatever came of the run before, which is the default, or only if it went well' }),
    }),
    z.strictObject({ kind: z.literal('manual') }),
  ])
  .openapi('Schedule')

const hours = { start: timeOfDay, end: timeOfDay, days: days.optional() }

/** The smallest that is on counts; outside the hours of all of them there is none. */
export const bandwidthLimits = z
  .array(z.strictObject({ bytesPerSecond: z.number().int().min(65_536).max(1e12), ...hours }))
  .max(16)

export const planBody = z
  .strictObject({
    description: z.string().max(500).default(''),
    paused: z.boolean().default(false),
    where: z.array(selectorRule).max(32).openapi({ description: 'All must hold; none: every VM' }),
    timeZone: text.default('UTC').openapi({ description: 'IANA name', example: 'Europe/Paris' }),
    schedule: scheduleSchema.default({ kind: 'manual' }),
    window: z
      .strictObject({ ...hours, atEnd: z.enum(['pause', 'fail']).default('pause') })
      .nullable()
      .default(null),
    targets: z
      .array(
        z.strictObject({
          repository: repositoryId,
          copy: z.enum(['backup', 'mirror']).default('backup'),
          keep: keepSchema.nullable().default(null).openapi({ description: 'null: by the category of each VM' }),
        }),
      )
      .min(1)
      .max(9),
    mode: z.enum(['incremental', 'full']).default('incremental'),
    fullEveryMs: period
      .nullable()
      .default(null)
      .openapi({ description: 'So long after the last full one the next is full again' }),
    quiesce: quiesceSchema.nullable().default(null).openapi({ description: 'null: by the category of each VM' }),
    consistency: z.enum(['filesystem', 'application']).default('filesystem').openapi({
      description:
        'application: only with all hooks before the freeze gone well; `quiesce` says whether a point is made otherwise',
    }),
    hooks: z
      .array(
        z.strictObject({
          when: z.enum(['before-freeze', 'after-thaw']),
          path: z.string().min(1).max(500),
          args: z.array(z.string().max(2000)).max(32).default([]),
          timeoutMs: z.number().int().min(100).max(3_600_000).default(60_000),
          onFailure: z.enum(['fail', 'warn']).default('fail'),
        }),
      )
      .max(16)
      .default([]),
    disks: diskSelectionSchema.default({ roles: 'all', include: [], exclude: [], honourNobak: true }),
    compressionLevel: z.number().int().min(1).max(19).default(1),
    concurrency: z.number().int().min(1).max(100).default(4),
    retries: z
      .number()
      .int()
      .min(0)
      .max(5)
      .default(1)
      .openapi({ description: 'How often a VM whose backup failed is tried again in the same run' }),
    retryAfterMs: z.number().int().min(0).max(86_400_000).default(600_000),
    bandwidth: bandwidthLimits.default([]),
    priority: z.number().int().min(1).max(5).default(3),
    stopBefore: z.boolean().default(false).openapi({
      description: 'Each VM is shut down cleanly for its point and started again; one that is off stays off',
    }),
  })
  .openapi('PlanSpec')
