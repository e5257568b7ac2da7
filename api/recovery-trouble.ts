import type { z } from '@hono/zod-openapi'
import { formatDuration, shellWord } from '../base/index.ts'
import { rehearsalDueMs } from '../policy/index.ts'
import type { ApiDeps } from './deps.ts'
import type { attentionSchema } from './schemas/overview.ts'

type Attention = z.infer<typeof attentionSchema>

/** Tiers that wait for a person, and plans that were not rehearsed in time. */
export function recoveryTrouble({ catalog, now }: Pick<ApiDeps, 'catalog' | 'now'>): Attention[] {
  const { recoveryPlans, recoveryRuns } = catalog
  const waiting = recoveryRuns.openRuns().flatMap(({ runId, planName, tiers }): Attention[] =>
    tiers.flatMap(({ key, name, waitsFor }): Attention[] =>
      waitsFor === null
        ? []
        : [
            {
              kind: 'recovery-waiting',
              severity: waitsFor.kind === 'choice' ? 'failed' : 'attention',
              title: `${planName} waits for you: ${name}: ${waitsFor.title}`,
              detail: waitsFor.detail,
              sinceMs: waitsFor.sinceMs,
              subject: { kind: 'run', id: runId },
              action:
                waitsFor.kind === 'step'
                  ? { label: 'Say that it is done', command: command('approve', runId, key, waitsFor.id) }
                  : { label: 'Say what becomes of it', command: `${command('choose', runId, key, waitsFor.id)} retry` },
            },
          ],
    ),
  )
  const overdue = recoveryPlans.list().flatMap((plan): Attention[] => {
    const { id, name, rehearseEveryMs, createdMs } = plan
    const passed = recoveryRuns.newest(id, { mode: 'rehearse', state: 'passed', definition: plan })
    const passedMs = passed?.endedMs ?? null
    const dueMs = rehearsalDueMs({ everyMs: rehearseEveryMs, passedMs, createdMs })
    if (dueMs === null || dueMs >= now() || rehearseEveryMs === null) return []
    const last =
      passedMs === null
        ? 'As it is now it never was.'
        : `The last one that passed was ${formatDuration(now() - passedMs)} ago.`
    return [
      {
        kind: 'rehearsal-overdue',
        severity: 'attention',
        title: `${name} was not rehearsed in time`,
        detail: `It is to be rehearsed every ${formatDuration(rehearseEveryMs)}. ${last}`,
        sinceMs: dueMs,
        subject: { kind: 'recovery-plan', id },
        action: { label: 'Rehearse it', command: `holdfast recovery-plan rehearse ${shellWord(id)}` },
      },
    ]
  })
  return [...waiting, ...overdue]
}

function command(verb: string, runId: string, tier: string, wait: string): string {
  return `holdfast recovery-plan ${verb} ${shellWord(runId)} ${shellWord(tier)} ${shellWord(wait)}`
}
