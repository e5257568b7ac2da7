import { z } from '@hono/zod-openapi'
import { hypervisorId, orNull, platformSchema, repositoryId, site, timeMs } from './common.ts'
import { runErrorSchema, runSchema } from './runs.ts'
import { linkSchema } from './slots.ts'

export const siteCheckSchema = z
  .object({
    kind: z.enum(['server', 'hypervisor', 'repository']),
    id: z.string().nullable().openapi({ description: 'null: the server' }),
    name: z.string(),
    place: z.string().openapi({ description: 'Where it is, as the worker has it' }),
    latencyMs: z.number().nullable().openapi({
      description: 'Milliseconds until the answer; of a repository: of one small read. null: there was none',
    }),
    detail: z.string(),
    error: orNull(runErrorSchema),
  })
  .openapi('SiteCheck')

export const siteTestSchema = z
  .object({
    state: z.enum(['ok', 'failed']),
    testedMs: timeMs,
    worker: z.string().nullable().openapi({ description: 'Which of its workers was asked; null: none answered' }),
    checks: z.array(siteCheckSchema),
    error: orNull(runErrorSchema).openapi({ description: 'Why nothing was tried' }),
  })
  .openapi('SiteTest')

export const siteTokenSchema = z
  .object({
    id: z.string().openapi({ example: 'lyon-3f0a9c1b' }),
    createdMs: timeMs,
    expiresMs: timeMs.nullable().openapi({ description: 'null: never' }),
  })
  .openapi('SiteToken')
/** The only time that the token itself is said. */
export const newSiteTokenSchema = siteTokenSchema
  .extend({ token: z.string().openapi({ description: 'Said once; only its hash is kept' }) })
  .openapi('NewSiteToken')
export const newSiteTokenBody = z
  .strictObject({
    days: z
      .number()
      .int()
      .min(1)
      .max(3650)
      .nullable()
      .default(null)
      .openapi({ description: 'null: it does not run out' }),
  })
  .openapi('MakeSiteToken')
export const siteTokenParams = z.object({
  name: site.openapi({ param: { name: 'name', in: 'path' }, example: 'lyon' }),
  token: z
    .string()
    .max(80)
    .openapi({ param: { name: 'token', in: 'path' }, example: 'lyon-3f0a9c1b' }),
})

export const siteSecretBody = z
  .strictObject({
    credentialRef: z
      .string()
      .min(1)
      .max(1000)
      .openapi({ description: 'As a hypervisor or repository of the site names it' }),
  })
  .openapi('AskSiteSecret')
export const siteSecretSchema = z.object({ secret: z.string() }).openapi('SiteSecret')

export const siteWorkerSchema = z.object({ identity: z.string(), lastSeenMs: timeMs.nullable() }).openapi('SiteWorker')

export const siteSchema = z
  .object({
    name: site,
    description: z.string(),
    handsSecrets: z
      .boolean()
      .openapi({ description: 'Its workers may ask the server for secrets of its hypervisors and repositories' }),
    createdMs: timeMs,
    state: z.enum(['ok', 'silent', 'idle', 'unknown']).openapi({
      description:
        '`silent`: no worker is connected and it needs one. `idle`: it needs none. `unknown`: Temporal does not answer',
    }),
    workers: z.array(siteWorkerSchema),
    lastSeenMs: timeMs
      .nullable()
      .openapi({ description: 'When any worker was last seen there, as far as Temporal remembers' }),
    hypervisors: z.number().int(),
    repositories: z.number().int(),
    running: z.number().int().openapi({ description: 'Runs under way of its VMs or repositories' }),
    test: orNull(siteTestSchema).openapi({ description: 'The last one' }),
  })
  .openapi('Site')
export const sitesSchema = z.object({ items: z.array(siteSchema) }).openapi('Sites')

export const siteDetailSchema = siteSchema
  .extend({
    members: z.object({
      hypervisors: z.array(
        z.object({
          id: hypervisorId,
          name: z.string(),
          platform: platformSchema,
          place: z.string(),
          vms: z.number().int(),
        }),
      ),
      repositories: z.array(
        z.object({ id: repositoryId, name: z.string(), place: z.string(), points: z.number().int() }),
      ),
    }),
    runs: z.array(runSchema).openapi({ description: 'Under way, 50 at most' }),
    tokens: z
      .array(siteTokenSchema)
      .openapi({ description: 'With which its workers come to the server, the newest first' }),
    links: z.array(linkSchema).openapi({ description: 'Bandwidth limits that concern what it moves' }),
  })
  .openapi('SiteDetail')

export const siteBody = z
  .strictObject({
    description: z
      .string()
      .max(200)
      .regex(/^[^\p{Cc}]*$/u, 'no control characters')
      .optional(),
    handsSecrets: z.boolean().optional(),
  })
  .openapi('PutSite')
