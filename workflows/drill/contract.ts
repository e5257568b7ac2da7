import type { GuestQuestion } from '../../policy/drill-checks.ts'
import type { Endpoint } from '../../drivers/values.ts'
import type { RepositoryRef, Requester, ResidueItem, Tuning } from '../shared/contract.ts'

/** `drill/<vm>/<time>`; time as `20261121t073352`, so that the id keeps to its character set. */
export function drillWorkflowId(vmId: string, time: string): string {
  return `drill/${vmId}/${time}`
}
export const drillWorkflow = 'restoreDrill'

/** A command run in the isolated guest, and what its answer must be. Runs of earlier versions lack what is optional. */
export type DrillCheck = Omit<GuestQuestion, Later> & Partial<Pick<GuestQuestion, Later>>
type Later = 'withinMs' | 'pattern' | 'prepares' | 'looksAtDisks'

export interface DrillInput {
  readonly v: 1
  readonly vmId: string
  readonly vmName: string
  readonly repository: RepositoryRef
  readonly stem: string
  /** Where to boot: an endpoint with an isolated network. */
  readonly endpoint: Endpoint
  readonly site: string
  /** In the order in which they are asked; those that prepare first. */
  readonly checks: readonly DrillCheck[]
  readonly bootTimeoutMs: number
  /** repository: it boots out of the repository, as an instant restore does. Absent: from disks that were restored. */
  readonly from?: 'repository'
  /** Of a recovery plan: the isolated network that its VMs share, as far as the platform can. It stands until it is released. */
  readonly member?: { readonly network: string }
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
  /** Of all that the guest gave, as hex; a verdict leaves them out, the proof has them. Absent in runs of earlier versions. */
  readonly outSha256?: string
  readonly errSha256?: string
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
