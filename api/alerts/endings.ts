import type { Catalog, CopyRow, IncidentRow } from '../../catalog/index.ts'
import { hasMoved, standingStill } from '../../policy/index.ts'
import { hasSucceededSince } from '../failed-runs.ts'
import { hasStartedSince } from '../missed-starts.ts'

type Ended = Pick<IncidentRow, 'kind' | 'subject' | 'part'>

/**
 * Why an incident is over although nothing has mended it: its VM has become worse, it is history, it was put up with. null:
 * it has recovered. Asked when it is no longer found.
 */
export function endedBy(catalog: Catalog, incident: Ended, nowMs: number): string | null {
  return reasons[incident.kind]?.(catalog, incident, nowMs) ?? null
}

/** Whose end is no news: it is told by what came of it, or not at all any more. */
const silent = new Set(['residue', 'points-vanished', 'vms-gone', 'missed-start', 'clock', 'run-failed'])

/** Whether whoever was told that it began is told that it is over. */
export function tellsItsEnd({ kind, endedBy: reason }: Pick<IncidentRow, 'kind' | 'endedBy'>): boolean {
  return reason === null || !silent.has(kind)
}

type Reason = (catalog: Catalog, incident: Ended, nowMs: number) => string | null

const reasons: { readonly [kind: string]: Reason | undefined } = {
  residue: () => 'it is a week old, and nobody has said that it was cleared away',
  'points-vanished': () => 'it is no longer told; what vanished is still not there',
  'vms-gone': () => 'it was told for a day; they are not listed again',
  // The next one that does not come is an incident of its own, and no reason to keep the end of this one to oneself.
  'missed-start': (catalog, { subject }, nowMs) =>
    subject !== null && hasStartedSince(catalog, subject.id, nowMs) ? null : 'no run of the plan has begun since',
  clock(catalog) {
    const { driftMs, movedMs } = catalog.watches.clock() ?? { driftMs: 0, movedMs: null }
    return movedMs === null && hasMoved(driftMs) ? 'it was told for a day; the clock was not set back' : null
  },
  'run-failed'(catalog, { subject }) {
    const run = subject === null ? undefined : catalog.runs.find(subject.id)
    if (run === undefined) return 'the run is no longer on record'
    return hasSucceededSince(catalog, run) ? null : 'it has not gone well since; it is history, or told otherwise'
  },
  // It has taken over, stands still for another one that has, or is none any more: it has not caught up.
  'replication-lag'(catalog, { part }) {
    const pair = catalog.replications.list().find(({ id }) => id === part)
    if (pair === undefined) return 'it is a standby no longer'
    return standingStill([pair, ...pair.siblings]) === null ? null : 'nothing follows since a standby has taken over'
  },
  'mirror-lag': notCopied,
  'copy-failed': notCopied,
}

/** That nobody waits for a point any more does not bring it there. */
function notCopied(catalog: Catalog, { subject, part }: Ended): string | null {
  if (subject === null || part === null) return null
  const copy = catalog.copies.find(part, subject.id)
  // What was removed there later had arrived.
  if (copy?.state === 'removed' || (copy?.state === 'done' && copy.validatedMs !== null)) return null
  return isWanted(copy)
    ? 'what waited is still not there: it may take longer now, or has no source any more'
    : 'what waited is not there, and nobody wants it there any more'
}

/** It waits, is being copied, or has failed. */
export function isWanted(copy: Pick<CopyRow, 'state'> | undefined): boolean {
  return copy !== undefined && copy.state !== 'done' && copy.state !== 'removed'
}
