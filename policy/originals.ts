import { formatDuration } from '../base/index.ts'
import type { ReplicationState } from './replication.ts'

/** What was seen of a VM where it lives. `gone`: it is not there any more · `unseen`: nobody could look, `why`. */
export type SeenOriginal =
  | { readonly state: 'running' | 'stopped' | 'paused' | 'suspended' | 'io-error' | 'unknown' | 'gone' }
  | { readonly state: 'unseen'; readonly why: string }

/** Where a VM is, or may be, before a recovery plan makes another one of it. Times in Unix ms. */
export interface OriginalFacts {
  /** Name of the hypervisor on which it lives. */
  readonly where: string
  readonly seen: SeenOriginal
  readonly standbys: readonly {
    readonly name: string
    readonly endpointName: string
    readonly state: ReplicationState
    /** Instant that it holds; null: none. */
    readonly headMs: number | null
  }[]
  /** VMs that run from its points. */
  readonly instants: readonly { readonly name: string; readonly endpointName: string }[]
  /** When the point was taken that it would come back from; null: there is none. */
  readonly pointMs: number | null
  /** Somebody wants it as it was at a time: what is newer is not wanted. */
  readonly isOfThePast: boolean
}

/**
 * Why nobody brings a VM back without having been told, all of it, in words: it runs, a copy of it runs or may, or a standby
 * is nearer to what was lost. What nobody could see is no reason: a site that is gone answers nothing.
 */
export function originalProblems({ where, seen, standbys, instants, pointMs, isOfThePast }: OriginalFacts): string[] {
  const problems: string[] = []
  if (seen.state !== 'stopped' && seen.state !== 'gone' && seen.state !== 'unseen' && seen.state !== 'unknown')
    problems.push(`it is ${seen.state} on ${where}`)
  for (const { name, endpointName, state, headMs } of standbys) {
    if (state === 'failed-over') problems.push(`its standby ${name} on ${endpointName} has taken over`)
    else if (state === 'failing-over' || state === 'failing-back')
      problems.push(`its standby ${name} on ${endpointName} runs or may run`)
    else if (!isOfThePast && headMs !== null && headMs > (pointMs ?? 0)) {
      const newer = pointMs === null ? 'is there' : `is ${formatDuration(headMs - pointMs)} newer than its point`
      problems.push(`its standby ${name} on ${endpointName} ${newer}`)
    }
  }
  for (const { name, endpointName } of instants) problems.push(`${name} on ${endpointName} runs from a point of it`)
  return problems
}

/** For the report. */
export function originalWords({ where, seen }: Pick<OriginalFacts, 'where' | 'seen'>): string {
  switch (seen.state) {
    case 'stopped':
      return `its original on ${where} was off`
    case 'gone':
      return `its original is not on ${where} any more`
    case 'unseen':
      return `nobody knows whether its original on ${where} runs: ${seen.why}`
    case 'unknown':
      return `nobody knows whether its original on ${where} runs`
    default:
      return `its original on ${where} was ${seen.state}`
  }
}
