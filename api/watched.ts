import type { z } from '@hono/zod-openapi'
import { formatDuration } from '../base/index.ts'
import type { RepositoryView } from '../catalog/index.ts'
import { hasMoved, lookState } from '../policy/index.ts'
import type { ApiDeps } from './deps.ts'
import type { attentionSchema } from './schemas/overview.ts'

type Attention = z.infer<typeof attentionSchema>
type Deps = Pick<ApiDeps, 'catalog' | 'now'>

/** For so long it is told that points have vanished; the VMs concerned tell themselves what they lack. */
export const vanishedToldMs = 30 * 86_400_000

/** What the watchdog found: whether the rest of what is said here can be believed. */
export function watchTrouble(deps: Deps): Attention[] {
  return [...clockTrouble(deps), ...[...deps.catalog.repositories.all()].flatMap((row) => repositoryTrouble(deps, row))]
}

function clockTrouble({ catalog }: Deps): Attention[] {
  const clock = catalog.watches.clock()
  if (clock === undefined || clock.movedMs === null || !hasMoved(clock.driftMs)) return []
  const way = clock.driftMs < 0 ? 'back' : 'forward'
  return [
    {
      kind: 'clock',
      severity: 'failed',
      title: `The clock of the server moved ${way} by ${formatDuration(Math.abs(clock.driftMs))}`,
      detail:
        clock.driftMs < 0
          ? 'Ages are told by the time that has really passed. Points and schedules that follow the wrong clock are not when they say.'
          : 'Or the machine stood still for so long. Promises may look broken that are not, and schedules may have been missed.',
      sinceMs: clock.movedMs,
      subject: null,
      action: { label: 'Set the clock, and keep it by NTP', command: 'timedatectl status' },
    },
  ]
}

function repositoryTrouble({ catalog, now }: Deps, row: RepositoryView): Attention[] {
  const watch = catalog.watches.find(row.id)
  const { lookedMs = null, error = null, vanished = 0, vanishedMs = null } = watch ?? {}
  const { unreadable = 0, unreadableSinceMs = null, unreadableObject = null } = watch ?? {}
  const subject = { kind: 'repository', id: row.id } as const
  const state = lookState({ nowMs: now(), sinceMs: row.createdMs, lookedMs, error: error?.code ?? null })
  const found: Attention[] = []
  if (state === 'lost')
    found.push({
      kind: 'repository-lost',
      severity: 'failed',
      title: `${row.name} is not at its place any more`,
      detail: `${error?.message ?? ''}. None of its ${row.points} points can be had from there; what the lists say of them is of the last look.`,
      sinceMs: lookedMs,
      subject,
      action: { label: 'Test it', command: `holdfast repository test ${row.id}` },
    })
  if (state === 'blind')
    found.push({
      kind: 'repository-unseen',
      severity: 'unknown',
      title: lookedMs === null ? `Nobody has looked into ${row.name} yet` : `Nobody can tell what ${row.name} holds`,
      detail: `${error ? `${error.message}. ${error.hint}` : 'The watchdog of the server does not come to its end.'} Whether its points are there is not known.`,
      sinceMs: lookedMs,
      subject,
      action: { label: 'Test it', command: `holdfast repository test ${row.id}` },
    })
  // At a second look: what cannot be read once may be a store that was restarted.
  if (unreadable > 0 && unreadableSinceMs !== null && (lookedMs ?? 0) > unreadableSinceMs)
    found.push({
      kind: 'points-unreadable',
      severity: 'unknown',
      title: `The newest points of ${unreadable} ${unreadable === 1 ? 'VM' : 'VMs'} in ${row.name} cannot be read`,
      detail: `${unreadableObject ? `${unreadableObject.object}: ${unreadableObject.message}. ` : ''}They are listed, and whether they are whole is not known; the postures of these VMs go by what was known before.`,
      sinceMs: unreadableSinceMs,
      subject,
      action: { label: 'Verify it', command: `holdfast verify ${row.id}` },
    })
  if (vanished > 0 && vanishedMs !== null && now() - vanishedMs < vanishedToldMs)
    found.push({
      kind: 'points-vanished',
      severity: 'failed',
      title: `${vanished} ${vanished === 1 ? 'point has' : 'points have'} vanished from ${row.name}`,
      detail:
        'Nobody removed them by Holdfast. They count for nothing any more; whoever could delete them may delete the rest.',
      sinceMs: vanishedMs,
      subject,
      action: { label: 'See what is left', command: `holdfast verify ${row.id}` },
    })
  return found
}
