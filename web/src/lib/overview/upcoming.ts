import type { Upcoming } from '#lib/api/types.ts'
import type { IconName } from '#lib/icons/index.ts'

export const upcomingIcons: Record<Upcoming['kind'], IconName> = {
  plan: 'plans',
  retention: 'clock',
  verify: 'search',
  drill: 'drills',
  rehearsal: 'restore',
}

/** Where one changes it, or sees why it waits. */
export function upcomingHref({ kind, subject }: Pick<Upcoming, 'kind' | 'subject'>): string {
  if (subject === null) return '/drills?view=next'
  const id = encodeURIComponent(subject.id)
  if (kind === 'retention') return `/retention?repository=${id}`
  const pages = { plan: 'plans', repository: 'repositories', vm: 'vms', 'recovery-plan': 'recovery' } as const
  return `/${pages[subject.kind]}/${id}`
}
