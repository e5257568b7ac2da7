import type { Point } from '#lib/api/types.ts'

/** Where the wizard begins with this point; at once: it goes on to where the VM is to run, for all of it runs. */
export function restoreHref({ vmId, id }: Pick<Point, 'vmId' | 'id'>, to: 'ask' | 'instant' = 'ask'): string {
  const params = new URLSearchParams({ vm: vmId, point: id, ...(to === 'instant' && { to, at: 'destination' }) })
  return `/restore?${params.toString()}`
}

/** Why nothing can be brought back from it, in words; null: it can. */
export function whyNot({ validatedMs, damage }: Pick<Point, 'validatedMs' | 'damage'>): string | null {
  if (damage !== null && damage !== undefined) return 'It is damaged: choose another point.'
  return validatedMs === null ? 'It is not validated: choose another point.' : null
}
