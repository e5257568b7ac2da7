import { z } from '@hono/zod-openapi'
import { channelKinds } from '../../catalog/index.ts'
import { digestCadences } from '../../policy/index.ts'
import { orNull, pageOf, pageQuery, slug, timeMs } from './common.ts'
import { runErrorSchema } from './runs.ts'

export const channelName = slug.max(48).openapi({ example: 'on-call' })
const severity = z.enum(['critical', 'warning'])
const timeOfDay = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'a time of day: HH:MM')

export const incidentSchema = z
  .object({
    id: z.number().int(),
    kind: z.string().openapi({ description: 'As in `needsYou` of the overview' }),
    severity,
    title: z.string(),
    detail: z.string(),
    command: z.string().nullable().openapi({ description: 'What helps first' }),
    subject: z.object({ kind: z.string(), id: z.string() }).nullable(),
    part: z.string().nullable().openapi({ description: 'As in `needsYou` of the overview' }),
    tags: z.array(z.string()).openapi({ description: 'Of the VM that it concerns; empty: it concerns everybody' }),
    openedMs: timeMs,
    seenMs: timeMs,
    recoveredMs: timeMs.nullable().openapi({ description: 'When it was over; null: it is open' }),
    endedBy: z
      .string()
      .nullable()
      .openapi({ description: 'Why it is over although nothing has mended it; null: it has recovered, or is open' }),
  })
  .openapi('Incident')
export const incidentPageSchema = pageOf(incidentSchema, 'IncidentPage')
export const incidentListQuery = pageQuery.extend({ state: z.enum(['open', 'recovered']).optional() })

export const routeSchema = z.strictObject({
  severity: severity.default('warning').openapi({ description: 'critical: nothing less' }),
  tags: z.array(z.string().min(1).max(120)).max(50).default([]).openapi({
    description: 'Only VMs with one of these tags or of this category, and what concerns no VM; empty: all',
  }),
  quiet: z
    .object({ start: timeOfDay, end: timeOfDay })
    .nullable()
    .default(null)
    .openapi({ description: 'Hours in which only what is critical is sent; the rest waits' }),
  digestAt: timeOfDay.nullable().default(null).openapi({ description: 'When a summary of the day is sent' }),
  digestEvery: z
    .enum(digestCadences)
    .default('day')
    .openapi({ description: 'Every day, on Mondays with the week, or on the first with the month' }),
  timeZone: z.string().max(64).default('UTC'),
})

const mailAddress = z.email().max(254)
export const mailSchema = z
  .strictObject({
    from: mailAddress,
    to: z.array(mailAddress).min(1).max(20),
    user: z.string().min(1).max(200).nullable().default(null).openapi({ description: 'Who logs in; null: nobody' }),
    tls: z
      .enum(['required', 'none'])
      .default('required')
      .openapi({ description: 'none: in clear, for a relay on the same machine that wants no password' }),
  })
  .openapi('MailRoute')

export const channelBody = z
  .strictObject({
    kind: z.enum(channelKinds),
    url: z
      .url({ protocol: /^(https?|smtps?)$/ })
      .max(2000)
      .nullable()
      .default(null)
      .openapi({
        description:
          'Of webhook, ntfy (with the topic) and mail (smtp://host:587, which must offer STARTTLS, or smtps://host:465); of telegram a Bot API server of one’s own, default https://api.telegram.org. Of the others the address is in the secret',
      }),
    chat: z.string().min(1).max(100).nullable().default(null).openapi({ description: 'Of telegram' }),
    mail: mailSchema.nullable().default(null).openapi({ description: 'Of mail' }),
    credentialRef: z
      .string()
      .max(1000)
      .regex(/^(|file:\/.+)$/, 'file:/path on the server, or empty where none is needed')
      .default('')
      .openapi({
        description:
          'slack, teams, discord, dead-man: the whole address; telegram: the bot’s token; webhook, ntfy: a bearer token; mail: the password',
      }),
    allowPrivate: z.boolean().default(false).openapi({ description: 'May be at a private or loopback address' }),
    enabled: z.boolean().default(true),
    route: routeSchema.default(() => routeSchema.parse({})),
  })
  .openapi('ChannelSpec')

export const channelSchema = z
  .object({
    name: channelName,
    kind: z.enum(channelKinds),
    url: z.string().nullable(),
    chat: z.string().nullable(),
    mail: orNull(mailSchema),
    credentialRef: z.string(),
    allowPrivate: z.boolean(),
    enabled: z.boolean(),
    route: z.object({
      severity,
      tags: z.array(z.string()),
      quiet: z.object({ start: z.string(), end: z.string() }).nullable(),
      digestAt: z.string().nullable(),
      digestEvery: z.enum(digestCadences).optional(),
      timeZone: z.string(),
    }),
    createdMs: timeMs,
    changedMs: timeMs,
    failing: orNull(z.object({ sinceMs: timeMs, error: orNull(runErrorSchema) })).openapi({
      description: 'It takes nothing: since when, and what it said last',
    }),
  })
  .openapi('Channel')
export const channelListSchema = z.object({ items: z.array(channelSchema) }).openapi('ChannelList')

export const deliverySchema = z
  .object({
    id: z.number().int(),
    channel: z.string(),
    type: z.enum(['alert', 'digest', 'test']),
    title: z.string(),
    state: z.enum(['waiting', 'sent', 'failed']),
    attempts: z.number().int(),
    createdMs: timeMs,
    nextMs: timeMs.nullable().openapi({ description: 'When it is tried again' }),
    endedMs: timeMs.nullable(),
    error: orNull(runErrorSchema),
  })
  .openapi('Delivery')
export const deliveryPageSchema = pageOf(deliverySchema, 'DeliveryPage')
export const deliveryListQuery = pageQuery.extend({ channel: channelName.optional() })
