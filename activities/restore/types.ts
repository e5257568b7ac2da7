/**
 * The steps of a restore. The target is found by the operation key on every retry, so nothing is made twice; writing a
 * disk goes on at the last offset that was made durable on the target.
 */
import type { DiskKey, Endpoint, Finding, PointId, PowerState, Residue, VmRef } from '../../drivers/values.ts'
import type { TargetVm } from '../../drivers/facets.ts'
import type { NamesThere, RepositoryRef } from '../../workflows/shared/contract.ts'

export type { TargetVm }

/** `operation`: 32 hex digits chosen by the workflow; every remote object of the restore is found by it. */
export interface TargetRef {
  readonly endpoint: Endpoint
  readonly operation: string
}

export interface RestorePlace extends NamesThere {
  readonly place:
    | { readonly kind: 'new'; readonly name: string }
    | {
        readonly kind: 'replace'
        readonly vm: VmRef
        readonly safetyPoint: PointId
        readonly keepsRest?: boolean
      }
  /** Only these disks of the point; none: its configuration alone. Absent: all. */
  readonly disks?: readonly string[]
  readonly identity: 'new' | 'same'
  /** No network of production is attached, whatever the VM had (drills). */
  readonly isolated: boolean
}

export interface PlanRestoreInput extends TargetRef {
  readonly repository: RepositoryRef
  readonly stem: string
  readonly place: RestorePlace
}
export interface RestorePlan {
  readonly vmName: string
  readonly platform: string
  readonly createdMs: number
  readonly pointId: PointId
  readonly firmware: string
  readonly disks: readonly {
    readonly key: DiskKey
    readonly label: string
    readonly size: number
    /** Of the content, as the manifest has it (hex); absent in runs of earlier versions. */
    readonly imageRoot?: string
  }[]
  readonly warnings: readonly Finding[]
}

export interface CreateTargetInput extends TargetRef {
  readonly repository: RepositoryRef
  readonly stem: string
  readonly place: RestorePlace
}

export interface RestoreDiskInput extends TargetRef {
  readonly repository: RepositoryRef
  readonly stem: string
  readonly target: TargetVm
  readonly disk: DiskKey
  /** What an earlier start of this step had made durable, verified before it is used. */
  readonly resume: RestoreResume | null
  /** Starts before this one times `attemptsPerStart`; absent in runs of earlier versions. */
  readonly attemptBase?: number
  readonly stallTimeoutMs: number
}
/** Everything before `offset` is durable on `volume`, written from `stem`. */
export interface RestoreResume {
  readonly disk: DiskKey
  readonly volume: string
  readonly stem: string
  readonly offset: number
}
export interface RestoreDiskResult {
  readonly disk: DiskKey
  readonly size: number
  /** Data bytes written by the last attempt; holes are not written. */
  readonly writtenBytes: number
  readonly bytesResumed: number
  /** Data bytes that attempts before had written as well; null: one of them ran where nobody can look. Absent in runs of
   *  earlier versions. */
  readonly bytesWrittenAgain?: number | null
}

export interface RestoreActivities {
  /** Reads the point, resolves the configuration, asks the target about space, name and device model. */
  readonly planRestore: (input: PlanRestoreInput) => Promise<RestorePlan>
  /** Powered off and isolated; found by the operation key if it is there already. */
  readonly createTarget: (input: CreateTargetInput) => Promise<TargetVm>
  readonly restoreDisk: (input: RestoreDiskInput) => Promise<RestoreDiskResult>
  readonly finalizeTarget: (input: TargetRef & { readonly target: TargetVm }) => Promise<VmRef>
  /** Reads only: what a restore returns to is fixed before anything is changed. */
  readonly readPower: (input: TargetRef & { readonly vm: VmRef }) => Promise<{ readonly state: PowerState }>
  readonly powerVm: (
    input: TargetRef & { readonly vm: VmRef; readonly want: 'running' | 'stopped' | 'off'; readonly limitMs: number },
  ) => Promise<{ readonly before: PowerState; readonly after: PowerState }>
  /** The restore has ended well: our mark goes, and nothing of ours removes the VM any more. */
  readonly handOverTarget: (input: TargetRef & { readonly target: TargetVm }) => Promise<void>
  /** Compensation of a swap in the original place: the old volumes come back. */
  readonly revertTarget: (input: TargetRef & { readonly target: TargetVm }) => Promise<void>
  /** Compensation: removes what carries our mark and this operation, nothing else. `target` may be unknown: then it is
   *  looked for by the operation key. */
  readonly destroyTarget: (
    input: TargetRef & { readonly target: TargetVm | null },
  ) => Promise<{ readonly residue: readonly Residue[] }>
}
