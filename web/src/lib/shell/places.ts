import type { IconName } from '#lib/icons/index.ts'

/** A place in the rail; `counts` names the number beside it. */
export interface Place {
  readonly href: string
  readonly label: string
  readonly icon: IconName
  readonly counts?: 'needs' | 'vms' | 'running' | 'news'
  /** Begins a new group. */
  readonly gap?: true
}

/** Only what exists. */
export const places: readonly Place[] = [
  { href: '/', label: 'Overview', icon: 'overview', counts: 'needs' },
  { href: '/vms', label: 'VMs', icon: 'vms', counts: 'vms' },
  { href: '/runs', label: 'Runs', icon: 'runs', counts: 'running' },
  { href: '/restore', label: 'Restore', icon: 'restore', gap: true },
  { href: '/drills', label: 'Drills', icon: 'drills' },
  { href: '/recovery', label: 'Recovery plans', icon: 'net' },
  { href: '/replication', label: 'Replication', icon: 'replication' },
  { href: '/plans', label: 'Plans', icon: 'plans', gap: true },
  { href: '/repositories', label: 'Repositories', icon: 'repos' },
  { href: '/capacity', label: 'Capacity', icon: 'disk' },
  { href: '/retention', label: 'Retention', icon: 'clock' },
  { href: '/sites', label: 'Sites', icon: 'sites', gap: true },
  { href: '/notifications', label: 'Notifications', icon: 'bell', counts: 'news' },
  { href: '/audit', label: 'Audit', icon: 'file' },
  { href: '/settings', label: 'Settings and doctor', icon: 'settings' },
]

/** Points belong to their VM, slots to what runs, categories and schedules to plans. */
const homes: readonly (readonly [string, string])[] = [
  ['/points', '/vms'],
  ['/slots', '/runs'],
  ['/categories', '/plans'],
  ['/schedules', '/plans'],
]

export function isCurrent(place: Place, pathname: string): boolean {
  const at = homes.find(([from]) => pathname.startsWith(from))?.[1] ?? pathname
  return place.href === '/' ? at === '/' : at === place.href || at.startsWith(`${place.href}/`)
}
