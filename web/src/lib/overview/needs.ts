import type { Attention, Incident } from '#lib/api/types.ts'

type Subject = NonNullable<Attention['subject']>['kind']

const hrefs: Record<Subject, ((id: string) => string) | null> = {
  vm: (id) => `/vms/${id}`,
  run: (id) => `/runs/${encodeURIComponent(id)}`,
  point: (id) => `/points/${id}`,
  repository: (id) => `/repositories/${id}`,
  drill: (id) => `/drills?drill=${encodeURIComponent(id)}`,
  plan: (id) => `/plans/${id}`,
  category: (id) => `/categories/${id}`,
  'recovery-plan': (id) => `/recovery/${id}`,
  hypervisor: null,
  site: (id) => `/sites/${id}`,
  channel: (id) => `/notifications?channel=${encodeURIComponent(id)}`,
}

/** Where the thing is; null where it has no page, or is of a kind that this page does not know yet. */
export function attentionHref({
  kind,
  subject,
}: {
  readonly kind?: string
  readonly subject: Incident['subject']
}): string | null {
  // Also of a plan that the catalog does not know, and that has no page.
  if (kind === 'schedule') return '/schedules'
  if (subject === null || !(subject.kind in hrefs)) return null
  return hrefs[subject.kind as Subject]?.(subject.id) ?? null
}

/** A posture says its age in its own sentence; of everything else it is worth knowing since when. */
export function tellsSince(item: Attention): boolean {
  return item.subject?.kind !== 'vm'
}

/** Whether what helps first is a backup that this page can start. */
export function startsBackup(item: Attention): boolean {
  return item.subject?.kind === 'vm' && /^back up/i.test(item.action.label)
}
