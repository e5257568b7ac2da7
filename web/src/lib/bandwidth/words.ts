import type { Link } from '#lib/api/types.ts'
import { formatRate } from '#lib/format/index.ts'

export type Limit = Link['backup'][number]

export function linkName({ hypervisorId, repositoryId }: Pick<Link, 'hypervisorId' | 'repositoryId'>): string {
  return `${hypervisorId ?? 'All hypervisors'} ↔ ${repositoryId ?? 'all repositories'}`
}

/** `20 MiB/s, 08:00–18:00 on mon, tue` */
export function limitWords({ bytesPerSecond, start, end, days }: Limit): string {
  const hours = start === end ? '' : `, ${start}–${end}`
  return `${formatRate(bytesPerSecond)}${hours}${days === undefined ? '' : ` on ${days.join(', ')}`}`
}
