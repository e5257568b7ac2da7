import type { Catalog } from '../../catalog/index.ts'
import type { ResidueItem } from '../../workflows/shared/contract.ts'
import type { MemberEnd } from './types.ts'

/**
 * What a drill or a restore has left behind, as it said itself: of one that was cancelled or has failed its own row knows.
 * One that was terminated said nothing, which is not the same as nothing.
 */
export function leftBy(
  catalog: Catalog,
  { workflowId, residue }: Pick<MemberEnd, 'workflowId' | 'residue'>,
): readonly ResidueItem[] {
  if (residue !== null) return residue
  const run = catalog.runs.latest(workflowId)
  if (run !== undefined && run.endedMs !== null && run.state !== 'terminated') return run.residue
  const error = run?.state === 'terminated' ? 'it was terminated' : 'it said nothing of its end'
  const hint = 'Look on the hypervisor for the VM and disks that it has made, and remove them by hand.'
  return [{ kind: 'run', id: workflowId, error, hint }]
}

/** `volume v1 (busy)`, and how many more there are. */
export function leftWords(items: readonly ResidueItem[]): string {
  const named = items.slice(0, 3).map(({ kind, id, error }) => `${kind} ${id} (${error})`)
  const more = items.length > named.length ? ` and ${items.length - named.length} more` : ''
  return `left behind: ${named.join(', ')}${more}`
}
