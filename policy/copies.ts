import type { Copies } from './categories.ts'

/** What repositories are on, for counting those that do not fail together. */
export const mediaClasses = ['disk', 'share', 'object', 'removable'] as const
export type MediaClass = (typeof mediaClasses)[number]

/** Of a place nobody has said anything about: a bucket, or a directory of which nobody can tell more. */
export function usualMedia(location: { readonly kind: 'posix' | 's3' | 'azure' }): MediaClass {
  return location.kind === 'posix' ? 'disk' : 'object'
}

/** Ways in which a VM has less than its category promises (product P-321), the most basic first. */
export type CopyShortage = 'too-few-copies' | 'too-few-media' | 'not-off-site' | 'not-immutable'

/** `has`: of its newest point, counted over repositories. Each shortage that there is. */
export function copyShortages(has: Copies, wants: Copies): CopyShortage[] {
  const found: CopyShortage[] = []
  if (has.repositories < wants.repositories) found.push('too-few-copies')
  if (has.media < wants.media) found.push('too-few-media')
  if (has.offSite < wants.offSite) found.push('not-off-site')
  if (has.immutable < wants.immutable) found.push('not-immutable')
  return found
}
