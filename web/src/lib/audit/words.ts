import type { AuditEntry } from '#lib/api/types.ts'

export const actionWords: Record<AuditEntry['action'], string> = {
  'read-file': 'Took a file',
  'read-archive': 'Took an archive',
  'read-disk': 'Took a disk',
  'write-to-guest': 'Put into the guest',
  'rotate-key': 'New signing key',
}

/** What it was about, in one line; `more`: places that it leaves out. */
export function whatOf({ action, subject, detail }: AuditEntry): { readonly text: string; readonly more: number } {
  if (action === 'rotate-key') return { text: subject ?? '', more: 0 }
  if (detail.disk !== undefined) return { text: `${detail.disk} as ${detail.format ?? 'raw'}`, more: 0 }
  const [first = '', ...rest] = detail.paths ?? []
  return { text: `${detail.volume ?? ''}:${first}`, more: rest.length }
}
