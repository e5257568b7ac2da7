import { z } from '@hono/zod-openapi'
import { planName, timeMs } from './common.ts'
import { repositorySchema } from './repositories.ts'
import { runSchema } from './runs.ts'

export const attentionSchema = z
  .object({
    kind: z.enum([
      'failed',
      'run-failed',
      'point-damaged',
      'suspicious-change',
      'unexpected-full',
      'overdue',
      'late',
      'unprotected',
      'no-worker',
      'drill-overdue',
      'drill-failed',
      'filling',
      'repository-failed',
      'hypervisor-failed',
      'hypervisor-unlisted',
      'hypervisor-empty',
      'vms-gone',
      'residue',
      'waiting',
      'missed-start',
      'schedule',
      'without-slot',
      'retention-kept',
      'retention-vanished',
      'retention-overdue',
      'instant-forgotten',
      'own-backup',
      'mirror-lag',
      'replication-lag',
      'recovery-waiting',
      'recovery-lost',
      'rehearsal-overdue',
      'failed-over',
      'copy-failed',
      'copy-damaged',
      'copies-short',
      'engine',
      'repository-lost',
      'repository-unseen',
      'points-vanished',
      'points-unreadable',
      'clock',
      'channel-failing',
    ]),
    severity: z.enum(['failed', 'attention', 'unknown']),
    title: z.string().openapi({ example: 'web-01 has no point inside its RPO' }),
    detail: z.string(),
    sinceMs: timeMs.nullable(),
    subject: z
      .object({
        kind: z.enum([
          'vm',
          'run',
          'point',
          'repository',
          'hypervisor',
          'site',
          'drill',
          'plan',
          'category',
          'recovery-plan',
          'channel',
        ]),
        id: z.string(),
      })
      .nullable(),
    part: z.string().optional().openapi({
      description:
        'What of the subject it is about: the standby, of those that tell of one; the point that has waited longest, of copies that lag or failed',
    }),
    action: z
      .object({ label: z.string(), command: z.string().nullable() })
      .openapi({ description: 'What helps first, and the same as a command' }),
  })
  .openapi('Attention')

export const daySchema = z
  .object({
    day: z.string().openapi({ example: '2026-11-21', description: 'UTC' }),
    points: z.number().int(),
    failed: z.number().int(),
    cancelled: z.number().int(),
    drillsPassed: z.number().int(),
    drillsFailed: z.number().int(),
    newBytes: z.number().int(),
  })
  .openapi('Day')

export const upcomingSchema = z
  .object({
    atMs: timeMs.openapi({ description: 'Now, where it is due already' }),
    kind: z.enum(['plan', 'retention', 'verify', 'drill', 'rehearsal']),
    title: z.string().openapi({ example: 'critical-4h' }),
    detail: z.string().openapi({ description: 'How much; may be empty', example: '18 VMs' }),
    subject: z
      .object({ kind: z.enum(['plan', 'repository', 'vm', 'recovery-plan']), id: z.string() })
      .nullable()
      .openapi({ description: 'null: several' }),
    state: z.enum(['planned', 'held']).openapi({ description: 'held: it waits for a word of yours' }),
    goesOn: z.boolean().openapi({ description: 'Further starts of the same follow that are not listed' }),
  })
  .openapi('Upcoming')

export const planStripSchema = z
  .object({
    name: planName,
    words: z.string().openapi({ description: 'When it starts', example: 'every day at 02:30 (Europe/Paris)' }),
    paused: z.boolean(),
    vms: z.number().int().nullable().openapi({ description: 'That its newest run took; null: it never ran' }),
    nextMs: timeMs.nullable().openapi({ description: 'Its next start by the clock; null: none' }),
    days: z
      .array(
        z.object({
          day: z.string().openapi({ example: '2026-11-21', description: 'UTC' }),
          done: z.number().int().openapi({ description: 'VMs backed up, once for each start that took them' }),
          failed: z.number().int(),
          left: z.number().int().openapi({ description: 'Cancelled, skipped or never begun' }),
          open: z.number().int().openapi({ description: 'Waiting or under way' }),
          missed: z.number().int().openapi({ description: 'Starts that did not come' }),
        }),
      )
      .openapi({ description: 'Thirty, oldest first' }),
  })
  .openapi('PlanStrip')

export const overviewSchema = z
  .object({
    sentence: z.string().openapi({ example: 'All 214 VMs are inside their RPO.' }),
    lead: z.string().openapi({ description: 'One line under the sentence' }),
    leadVms: z
      .array(z.object({ id: z.string(), name: z.string() }))
      .openapi({ description: 'VMs that the lead names' }),
    state: z.enum(['ok', 'running', 'attention', 'failed', 'idle', 'unknown']),
    readMs: timeMs,
    lookedMs: timeMs.nullable().openapi({
      description:
        'Since then every repository was looked into: what is said of points was read from all of them. Null: into one of them nobody has looked yet, or there is none',
    }),
    engine: z.object({ up: z.boolean(), detail: z.string() }),
    counts: z.object({
      vms: z.number().int(),
      protected: z.number().int(),
      atRisk: z.number().int(),
      unprotected: z.number().int(),
      excluded: z.number().int(),
      proven: z.number().int().openapi({ description: 'VMs whose last drill passed' }),
      points: z.number().int(),
    }),
    needsYou: z.array(attentionSchema).openapi({ description: 'Most urgent first, 50 at most' }),
    needsYouTotal: z.number().int(),
    running: z.array(runSchema),
    recent: z.array(runSchema).openapi({ description: 'The last ten that ended' }),
    days: z.array(daySchema).openapi({ description: 'Thirty, oldest first' }),
    plans: z.array(planStripSchema).openapi({ description: 'What came of each plan, by name, 50 at most' }),
    plansTotal: z.number().int(),
    upcoming: z.array(upcomingSchema).openapi({
      description: 'What begins by itself in the next twelve hours, or waits for a word, soonest first, 40 at most',
    }),
    upcomingTotal: z.number().int(),
    repositories: z.array(repositorySchema),
    setup: z.object({
      repository: z.boolean(),
      hypervisor: z.boolean(),
      firstPoint: z.boolean(),
      firstProof: z.boolean(),
    }),
  })
  .openapi('Overview')
