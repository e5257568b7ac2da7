import type { z } from '@hono/zod-openapi'
import type { Catalog } from '../catalog/index.ts'
import { missedWords, timingOf } from '../policy/index.ts'
import type { attentionSchema } from './schemas/overview.ts'

type Attention = z.infer<typeof attentionSchema>

/** One that is noticed only when the next has begun is told all the same: so long it stands. */
const toldForMs = 10 * 60_000
/** Of a plan that nobody begins by the clock: whether its next start comes follows from nothing. */
const otherwiseMs = 86_400_000

/** Starts that did not come, the newest of each plan: until a later run has begun. */
export function missedStarts(catalog: Catalog, nowMs: number): Attention[] {
  return catalog.planStarts.newestMissed().flatMap(({ plan, dueMs, kind, noticedMs }): Attention[] => {
    const known = catalog.plans.find(plan)
    if (known === undefined || known.paused) return []
    const isOver = hasStartedSince(catalog, plan, nowMs)
      ? nowMs - noticedMs >= toldForMs
      : timingOf(known.schedule) === null && nowMs - dueMs >= otherwiseMs
    if (isOver) return []
    const why = missedWords[kind]
    return [
      {
        kind: 'missed-start',
        severity: 'attention',
        title: kind === 'missed' ? `${plan} did not start` : `${plan} was skipped`,
        detail:
          kind === 'missed'
            ? 'Nothing was there to start it, for longer than a start is made up for.'
            : `${why.charAt(0).toUpperCase()}${why.slice(1)}.`,
        sinceMs: dueMs,
        subject: { kind: 'plan', id: plan },
        action: { label: 'Run it now', command: `holdfast plans run ${plan}` },
      },
    ]
  })
}

/** Whether a run of the plan has begun since the last start that was known by then not to have come; yes where all of them came. */
export function hasStartedSince(catalog: Catalog, plan: string, byMs: number): boolean {
  const newest = catalog.planStarts.lastMissed(plan, byMs)
  return newest === undefined || (catalog.planRuns.latest(plan)?.openedMs ?? 0) >= newest.dueMs
}
