import type { Category } from '#lib/api/types.ts'
import { formatPromise } from '#lib/format/index.ts'

/** There from the start: plans and VMs rely on them, so they are changed and never removed. */
export const fromTheStart: readonly string[] = ['critical', 'important', 'standard', 'ephemeral']

const rules = ['last', 'hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const

/** `30 daily, 12 weekly, everything of 2 d` */
export function keepWords(keep: Category['keep']): string {
  const counts = rules.flatMap((rule) => ((keep[rule] ?? 0) > 0 ? [`${keep[rule]} ${rule}`] : []))
  if (keep.withinMs !== undefined) counts.push(`everything of ${formatPromise(keep.withinMs)}`)
  return counts.length === 0 ? 'nothing' : counts.join(', ')
}

/** `2, 2 kinds of media, 1 off site, 1 immutable` */
export function copyWords(copies: Category['copies']): string {
  const { repositories, media = 1, offSite, immutable } = copies ?? { repositories: 1, offSite: 0, immutable: 0 }
  const kinds = media > 1 ? `${media} kinds of media` : ''
  const more = [kinds, offSite > 0 ? `${offSite} off site` : '', immutable > 0 ? `${immutable} immutable` : '']
  return [String(repositories), ...more.filter((text) => text !== '')].join(', ')
}

export function everyWords(everyMs: number | null | undefined): string {
  return everyMs == null ? 'on demand' : `every ${formatPromise(everyMs)}`
}
