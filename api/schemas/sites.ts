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

/** A host, or a domain with a dot in front. */
const exceptSchema = z
  .string()
  .max(253)
  .regex(/^\.?[a-z0-9]([a-z0-9.:-]*[a-z0-9])?$/i, 'a host, or a domain as .example.org')
export const siteProxySchema = z
  .strictObject({
    url: z
      .string()
      .max(500)
      .refine(isProxy, 'an address as http://host:port, without a name and password')
      .openapi({ example: 'http://proxy.lyon.example.org:3128' }),
    except: z
      .array(exceptSchema)
      .max(50)
      .default([])
      .openapi({ description: 'Hosts of stores that are not reached through it: as they are, or `.domain`' }),
  })
  .openapi('SiteProxy')
function isProxy(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) return false
  return url.username === '' && url.password === '' && url.search === '' && url.hash === '' && url.pathname === '/'
}

const mappedName = z.string().min(1).max(200)
const networkMap = z.strictObject({ from: mappedName, to: mappedName.nullable() })
const storageMap = z.strictObject({ from: mappedName, to: mappedName })
const unique = (lines: readonly { readonly from: string }[]): boolean =>
  new Set(lines.map(({ from }) => from)).size === lines.length
const twice = 'a name is there twice'
export const siteMapBody = z
  .strictObject({
    networks: z
      .array(networkMap)
      .max(200)
      .refine(unique, twice)
      .default([])
      .openapi({ description: 'null: not connected there. What is not named keeps its name' }),
    storages: z
      .array(storageMap)
      .max(200)
      .refine(unique, twice)
      .default([])
      .openapi({ description: '`from` `*`: any that no other line names. Else the platform there chooses' }),
  })
  .openapi('PutSiteMap')
export const siteMapSchema = z
  .object({ to: site, networks: z.array(networkMap), storages: z.array(storageMap) })
  .openapi('SiteMap')
export const siteMapParams = z.object({
  name: site.openapi({ param: { name: 'name', in: 'path' }, example: 'lyon' }),
  to: site.openapi({ param: { name: 'to', in: 'path' }, example: 'paris' }),
})
export const siteSettingsSchema = z.object({ proxy: orNull(siteProxySchema) }).openapi('SiteSettings')

export const siteWorkerSchema = z.object({ identity: z.string(), lastSeenMs: timeMs.nullable() }).openapi('SiteWorker')

export const siteSchema = z
  .object({
    name: site,
    description: z.string(),
    handsSecrets: z
      .boolean()
      .openapi({ description: 'Its workers may ask the server for secrets of its hypervisors and repositories' }),
    proxy: orNull(siteProxySchema).openapi({
      description: 'Through which its workers reach object stores; null: as their environment says',
    }),
    maps: z.array(siteMapSchema).openapi({
      description: 'What its networks and storages are called at other sites; restores and replication there use it',
    }),
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
    proxy: orNull(siteProxySchema).optional(),
  })
  .openapi('PutSite')
