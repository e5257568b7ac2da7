import { z } from '@hono/zod-openapi'
import { byteCount, orNull, repositoryId, site, timeMs } from './common.ts'
import { runErrorSchema } from './runs.ts'

export const ownBackupSchema = z
  .object({
    repository: z.object({ id: repositoryId, name: z.string() }),
    state: z.enum(['ok', 'none', 'old', 'failing']).openapi({
      description:
        'none: it holds no copy of the catalog; old: older than 26 hours; failing: there is one, the last try failed',
    }),
    madeMs: timeMs.nullable().openapi({ description: 'What the newest copy stands at' }),
    stem: z.string().nullable(),
    bytes: byteCount.nullable(),
    versions: z.number().int().nullable(),
    triedMs: timeMs.nullable(),
    error: orNull(runErrorSchema).openapi({ description: 'Of the last try' }),
  })
  .openapi('OwnBackup')

export const ownBackupsSchema = z.object({ items: z.array(ownBackupSchema) }).openapi('OwnBackups')

export const keepingSchema = z
  .object({
    kind: z.enum([
      'audit',
      'runs',
      'usage',
      'notifications',
      'disk-usage',
      'sweeps',
      'removed-points',
      'collections',
      'retention-audits',
      'verifications',
    ]),
    title: z.string(),
    months: z.number().int(),
    defaultMonths: z.number().int(),
    records: z.number().int().nullable().openapi({ description: 'null: this installation writes none of this kind' }),
    oldestMs: timeMs.nullable(),
  })
  .openapi('Keeping')

export const keepingListSchema = z.object({ items: z.array(keepingSchema) }).openapi('KeepingList')
export const keepingBody = z.strictObject({ months: z.number().int().min(1).max(240) }).openapi('SetKeeping')

export const moveHypervisorBody = z
  .object({
    address: z.string().min(1).max(1000).optional(),
    site: site.optional(),
    credentialRef: z
      .string()
      .max(1000)
      .regex(/^(|file:\/.+)$/, 'file:/path on the worker, or empty where none is needed')
      .optional(),
  })
  .openapi('MoveHypervisor')
