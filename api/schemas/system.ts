import { z } from '@hono/zod-openapi'
import { timeMs } from './common.ts'

export const healthSchema = z
  .object({
    status: z.enum(['ok', 'degraded']),
    version: z.string(),
    engine: z.enum(['up', 'down']).openapi({ description: 'Whether Temporal answers' }),
    nowMs: timeMs,
  })
  .openapi('Health')

export const sessionBody = z.object({ token: z.string().min(1).max(500) }).openapi('NewSession')
export const sessionSchema = z
  .object({
    user: z.string(),
    role: z.enum(['admin', 'worker']),
    site: z.string().nullable().openapi({ description: 'Of a worker’s token: the only site that it is for' }),
    via: z.enum(['token', 'session']),
    expiresMs: timeMs.nullable(),
    installation: z.object({ id: z.string(), name: z.string() }),
    version: z.string(),
    engineUi: z
      .string()
      .nullable()
      .openapi({ description: 'Address of Temporal’s own pages, where they are switched on' }),
  })
  .openapi('Session')

export const queueSchema = z
  .object({
    queue: z.string().openapi({ example: 'holdfast.site.local' }),
    site: z.string().nullable().openapi({ description: 'null: the control queue' }),
    state: z.enum(['ok', 'silent', 'unknown']).openapi({ description: 'silent: no worker is connected' }),
    lastSeenMs: timeMs.nullable(),
    workers: z.array(
      z.object({ identity: z.string(), lastSeenMs: timeMs.nullable(), role: z.enum(['workflow', 'activity']) }),
    ),
  })
  .openapi('Queue')
export const workersSchema = z.object({ queues: z.array(queueSchema) }).openapi('Workers')

export const doctorSchema = z
  .object({
    state: z.enum(['ok', 'attention', 'failed']),
    checkedMs: timeMs,
    checks: z.array(
      z.object({
        id: z.string(),
        title: z.string(),
        state: z.enum(['ok', 'attention', 'failed', 'unknown']),
        detail: z.string(),
        hint: z.string().nullable(),
      }),
    ),
  })
  .openapi('Doctor')

/**
 * One line of the event stream. `run` carries the row as `/runs` shows it; every other type says what to read again.
 * `resync`: events were lost between `Last-Event-ID` and now, read everything again.
 */
export const streamEventSchema = z
  .object({
    type: z.enum([
      'run',
      'point',
      'drill',
      'vm',
      'hypervisor',
      'repository',
      'workers',
      'policy',
      'own-backup',
      'settings',
      'slots',
      'sweep',
      'verify',
      'watch',
      'instant',
      'replication',
      'recovery',
      'audit',
      'alert',
      'resync',
      'ping',
    ]),
    id: z.string().nullable(),
    ms: timeMs,
    data: z.unknown().openapi({ description: 'Run for `run`, else null' }),
  })
  .openapi('StreamEvent')
