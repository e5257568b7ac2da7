import type { Endpoint } from '../../drivers/values.ts'
import type { RepositoryRef, Requester, ResidueItem, Tuning } from '../shared/contract.ts'

/** `drill/<vm>/<time>`; time as `20261121t073352`, so that the id keeps to its character set. */
export function drillWorkflowId(vmId: string, time: string): string {
  return `drill/${vmId}/${time}`
}
export const drillWorkflow = 'restoreDrill'

/** A command run in the isolated guest. `count` extracts the first integer of the output and compares it. */
export interface DrillCheck {
  readonly title: string
  readonly path: string
  readonly args: readonly string[]
  readonly timeoutMs: number
  readonly expectExit: number
  readonly count: { readonly expected: number; readonly tolerance: number } | null
}

export interface DrillInput {
  readonly v: 1
  readonly vmId: string
  readonly vmName: string
  readonly repository: RepositoryRef
  readonly stem: string
  /** Where to boot: an endpoint with an isolated network. */
  readonly endpoint: Endpoint
  readonly site: string
  readonly checks: readonly DrillCheck[]
  readonly bootTimeoutMs: number
  readonly requestedBy: Requester
  readonly tuning: Tuning
}

export interface DrillCheckResult {
  readonly title: string
  readonly passed: boolean
  readonly exit: number | null
  readonly out: string
  readonly err: string
  readonly count: number | null
  readonly detail: string
}

export interface DrillResult {
  readonly v: 1
  readonly outcome: 'completed' | 'completed-with-residue'
  readonly verdict: 'passed' | 'failed' | 'inconclusive'
  readonly why: string
  /** From the start of the restore to a guest whose checks have passed. */
  readonly rtoSeconds: number | null
  readonly restoreSeconds: number
  readonly bootSeconds: number | null
  readonly checks: readonly DrillCheckResult[]
  /** Key of the evidence blob in the catalog's evidence store. */
  readonly screenshot: string | null
  readonly residue: readonly ResidueItem[]
}
