import type { z } from '@hono/zod-openapi'
import { formatDuration } from '../base/index.ts'
import { lagAllowedMs } from '../policy/index.ts'
import type { ApiDeps } from './deps.ts'
import type { attentionSchema } from './schemas/overview.ts'

type Attention = z.infer<typeof attentionSchema>

const shown = 50

/** Mirrors that are further behind than their plan allows, and copies that failed and are not told by that. */
export function mirrorTrouble({ catalog, now }: Pick<ApiDeps, 'catalog' | 'now'>): Attention[] {
  const late = catalog.mirrors.lags(shown).flatMap(({ plan, sourceId, targetId, targetName, behind, oldestMs }) => {
    const known = catalog.plans.find(plan)
    const lagMs = now() - oldestMs
    if (known === undefined || lagMs <= lagAllowedMs(known)) return []
    const points = `${behind} ${behind === 1 ? 'point is' : 'points are'} not there yet`
    const item: Attention = {
      kind: 'mirror-lag',
      severity: 'attention',
      title: `${targetName} is ${formatDuration(lagMs)} behind for ${plan}`,
      detail: `${points}, the oldest for longer than ${plan} takes to make the next.`,
      sinceMs: oldestMs + lagAllowedMs(known),
      subject: { kind: 'repository', id: targetId },
      action: { label: 'Copy now', command: `holdfast mirror ${sourceId} ${targetId}` },
    }
    return [{ pair: `${sourceId} ${targetId}`, item }]
  })
  const told = new Set(late.map(({ pair }) => pair))
  const failed = catalog.mirrors
    .states()
    .filter((one) => one.failed > 0 && !told.has(`${one.sourceId} ${one.targetId}`))
    .map((one): Attention => ({
      kind: 'copy-failed',
      severity: 'attention',
      title: `${one.failed} ${one.failed === 1 ? 'point' : 'points'} could not be copied to ${one.targetName}`,
      detail: `From ${one.sourceName}. It is tried again by itself; the page of each point says why it failed.`,
      sinceMs: one.oldestMs,
      subject: { kind: 'repository', id: one.targetId },
      action: { label: 'Try again now', command: `holdfast mirror ${one.sourceId} ${one.targetId}` },
    }))
  return [...late.map(({ item }) => item), ...failed]
}
