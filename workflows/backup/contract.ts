import type { Consistency } from '../../drivers/values.ts'
import type { BandwidthLimit, DiskSelection, PlanHook } from '../../policy/index.ts'
import type { RepositoryRef, Requester, ResidueItem, Tuning, VmTarget } from '../shared/contract.ts'

/** `backup/<vm>`: the id is the lock; a plan, a person and the CLI can never run two at once. */
export function backupWorkflowId(vmId: string): string {
  return `backup/${vmId}`
}
export const backupWorkflow = 'backupVm'

export interface BackupInput {
  readonly v: 1
  readonly vm: VmTarget
  readonly repository: RepositoryRef
  readonly origin: 'manual' | 'scheduled' | 'publish' | 'safety'
  readonly name: string | null
  readonly description: string | null
  /** 'auto' chooses incremental per disk where the change reference is provably valid. */
  readonly mode: 'auto' | 'full'
  readonly want: Consistency
  readonly onQuiesceFailure: 'degrade' | 'fail'
  readonly compressionLevel: number
  /** Name of the plan whose policy this follows; absent or null: none. */
  readonly plan?: string | null
  /** How fast all backups of that plan may be together; absent: they are not limited. */
  readonly bandwidth?: { readonly limits: readonly BandwidthLimit[]; readonly timeZone: string }
  /** Absent: every disk but those whose label says [NOBAK]. */
  readonly disks?: DiskSelection
  /** The VM is shut down cleanly for its point and started again; absent: it is not. One that is off stays off. */
  readonly stopBefore?: boolean
  /** Run in the guest around the freeze. */
  readonly hooks?: readonly PlanHook[]
  /** A disk whose last full read is so old is read in full; absent or null: never for its age. */
  readonly fullEveryMs?: number | null
  /** The installation, by id or name, that gives the VM up; absent: the mark of any other one refuses. */
  readonly takeOverFrom?: string
  /** Of its slot: 1 first … 5 last. Default 3. */
  readonly priority?: number
  /** Category of the VM: written into the point, so that it keeps ageing by it wherever it is read. */
  readonly retentionClass?: string
  readonly requestedBy: Requester
  readonly tuning: Tuning
}

export interface BackupDiskResult {
  readonly disk: string
  readonly label: string
  readonly size: number
  readonly mode: 'full' | 'incremental'
  /** Why it was read in full; `''` if incremental. */
  readonly why: string
  readonly readBytes: number
  readonly newBytes: number
  readonly bytesResumed: number
  /** Source bytes that a killed attempt had read and that were read once more (rulings 8); null: unknown of a part. */
  readonly bytesReadAgain: number | null
  readonly attempts: number
}

export interface BackupResult {
  readonly v: 1
  readonly outcome: 'completed' | 'completed-with-residue'
  readonly pointId: string
  readonly stem: string
  readonly createdMs: number
  readonly consistency: Consistency
  readonly freezeDurationMs: number | null
  /** How long the VM was down for it; absent: it was not shut down. */
  readonly downMs?: number
  readonly disks: readonly BackupDiskResult[]
  readonly spotCheckedChunks: number
  readonly residue: readonly ResidueItem[]
}
