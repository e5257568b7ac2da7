import type { z } from '@hono/zod-openapi'
import { formatDuration, shellWord } from '../base/index.ts'
import type { ApiDeps } from './deps.ts'
import { rehearsalsOf } from './rehearsals.ts'
import type { attentionSchema } from './schemas/overview.ts'

type Attention = z.infer<typeof attentionSchema>

/** Tiers that wait for a person, VMs that are gone although their tier is done, and plans that were not rehearsed in time. */
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
    const { id, name, rehearseEveryMs } = plan
    const { passed, dueMs } = rehearsalsOf(catalog, plan)
    const passedMs = passed?.endedMs ?? null
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
  const lost = recoveryRuns.openRuns().flatMap(({ runId, planName, tiers, mode }): Attention[] =>
    tiers.flatMap(({ name, members }): Attention[] =>
      members.flatMap(({ vmName, state, why, workflowId }): Attention[] =>
        state !== 'lost'
          ? []
          : [
              {
                kind: 'recovery-lost',
                severity: 'failed',
                title: `${vmName} of ${planName} is gone again`,
                detail: `It was back in the tier ${name}: ${why}. What comes after it may need it; ${mode === 'run' ? 'restore it by itself' : 'the rehearsal ends as incomplete'}.`,
                sinceMs: (workflowId === null ? undefined : catalog.runs.latest(workflowId)?.endedMs) ?? null,
                subject: { kind: 'run', id: runId },
                action: { label: 'See the run', command: `holdfast recovery-plan report ${shellWord(runId)}` },
              },
            ],
      ),
    ),
  )
  return [...waiting, ...lost, ...overdue]
}

function command(verb: string, runId: string, tier: string, wait: string): string {
  return `holdfast recovery-plan ${verb} ${shellWord(runId)} ${shellWord(tier)} ${shellWord(wait)}`
}
