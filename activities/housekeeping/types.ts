/** The catalog on its way into a repository. */
import type { SerializedError } from '../../base/index.ts'
import type { RepositoryRef } from '../../workflows/shared/contract.ts'

/** A copy that waits in the control plane, under the id of the point that it becomes. */
export interface CopyRef {
  readonly createdMs: number
  readonly coveredSeq: number
  /** Number of the last migration in it. */
  readonly schema: number
  readonly bytes: number
  readonly sha256: string
}

export interface StoreCatalogInput {
  readonly repository: RepositoryRef
  readonly snap: string
  readonly session: string
  readonly copy: CopyRef
  /** Workflow id, for the manifest. */
  readonly run: string
}

/** What a repository says of itself. Bytes; null: its place tells no capacity. */
export interface UsageFacts {
  readonly points: number
  readonly series: number
  readonly packs: number
  readonly storedBytes: number
  readonly uniqueBytes: number
  readonly logicalBytes: number
  readonly capacityBytes: number | null
  readonly freeBytes: number | null
}

/** On the site. */
export interface HousekeepingActivities {
  /** Publishes the copy and reads it back; the same point on every retry. */
  readonly storeCatalog: (input: StoreCatalogInput) => Promise<{ readonly stem: string; readonly versions: number }>
  /** Lists packs and opens the pages of all points. Again: yes, from the beginning. */
  readonly measureUsage: (input: { readonly repository: RepositoryRef }) => Promise<UsageFacts>
  /** Puts tombstones on versions that no rule keeps. */
  readonly sweepCatalog: (input: {
    readonly repository: RepositoryRef
  }) => Promise<{ readonly versions: number; readonly removed: number }>
}

/** In the control plane. */
export interface HousekeepingRecordActivities {
  readonly recordUsage: (measured: {
    readonly repositoryId: string
    readonly measuredMs: number
    readonly usage: UsageFacts
  }) => Promise<void>
  readonly recordUsageFailure: (failed: {
    readonly repositoryId: string
    readonly atMs: number
    readonly error: SerializedError
  }) => Promise<void>
  /** A consistent copy for the site to fetch. */
  readonly copyCatalog: (input: { readonly snap: string }) => Promise<CopyRef>
  readonly dropCatalogCopy: (input: { readonly snap: string }) => Promise<void>
  readonly recordOwnBackup: (made: {
    readonly repositoryId: string
    readonly stem: string
    readonly madeMs: number
    readonly coveredSeq: number
    readonly bytes: number
    readonly versions: number
  }) => Promise<void>
  readonly recordOwnBackupFailure: (failed: {
    readonly repositoryId: string
    readonly atMs: number
    readonly error: SerializedError
  }) => Promise<void>
}
