/**
 * Activities join what knows hypervisors with what knows repositories, and tell the control plane what came out. A
 * site's worker has the first kind and no catalog; the server has the second and touches no hypervisor.
 */
import { createCapacityActivities } from './capacity/index.ts'
import type { CapacityActivities } from './capacity/types.ts'
import { createBackupActivities } from './backup/index.ts'
import { createDrillActivities } from './drill/index.ts'
import { createFilesActivities } from './files/index.ts'
import type { FilesActivities } from './files/types.ts'
import { createHousekeepingActivities } from './housekeeping/index.ts'
import { createHousekeepingRecordActivities } from './housekeeping/record.ts'
import type { HousekeepingActivities, HousekeepingRecordActivities } from './housekeeping/types.ts'
import { createInstantActivities } from './instant/index.ts'
import { createInstantRecordActivities } from './instant/record.ts'
import type { InstantActivities, InstantRecordActivities } from './instant/types.ts'
import { createInventoryActivities } from './inventory/index.ts'
import type { BackupActivities } from './backup/types.ts'
import type { DrillActivities } from './drill/types.ts'
import type { InventoryActivities, InventoryRecordActivities } from './inventory/types.ts'
import { createInventoryRecordActivities } from './inventory/record.ts'
import { createPlanActivities } from './plan/index.ts'
import type { PlanActivities } from './plan/types.ts'
import { createRecordActivities } from './record/index.ts'
import type { RecordActivities } from './record/types.ts'
import type { Catalog } from '../catalog/index.ts'
import type { EvidenceSeal } from '../evidence/index.ts'
import { createMirrorActivities } from './mirror/index.ts'
import { createMirrorRecordActivities } from './mirror/record.ts'
import type { MirrorActivities, MirrorRecordActivities } from './mirror/types.ts'
import { createRetentionActivities } from './retention/index.ts'
import { createRetentionRecordActivities } from './retention/record.ts'
import type { BlobStore } from './retention/record.ts'
import type { RetentionActivities, RetentionRecordActivities } from './retention/types.ts'
import { createRecoveryActivities } from './recovery-plan/index.ts'
import type { RecoveryActivities } from './recovery-plan/types.ts'
import { createReplicationActivities } from './replication/index.ts'
import { createReplicationRecordActivities } from './replication/record.ts'
import type { ReplicationActivities, ReplicationRecordActivities } from './replication/types.ts'
import { createRestoreActivities } from './restore/index.ts'
import type { RestoreActivities } from './restore/types.ts'
import type { Site } from './shared/deps.ts'
import { atBoundary } from './shared/failures.ts'
import { createVerifyActivities } from './verify/index.ts'
import { createVerifyRecordActivities } from './verify/record.ts'
import type { VerifyActivities, VerifyRecordActivities } from './verify/types.ts'

export { Site } from './shared/deps.ts'
export type { EvidenceStore, Log, SiteOptions } from './shared/deps.ts'
export { Bandwidth } from './shared/bandwidth.ts'
export type { AskShares, Share } from './shared/bandwidth.ts'
export { Slots } from './shared/slots.ts'
export type { RecordActivities } from './record/types.ts'
export type { InventoryRecordActivities } from './inventory/types.ts'

export type { BlobStore } from './retention/record.ts'

export type SiteActivities = BackupActivities &
  RestoreActivities &
  DrillActivities &
  InstantActivities &
  FilesActivities &
  InventoryActivities &
  HousekeepingActivities &
  RetentionActivities &
  VerifyActivities &
  MirrorActivities &
  ReplicationActivities
export type ControlActivities = RecordActivities &
  InstantRecordActivities &
  InventoryRecordActivities &
  HousekeepingRecordActivities &
  CapacityActivities &
  PlanActivities &
  RetentionRecordActivities &
  VerifyRecordActivities &
  MirrorRecordActivities &
  RecoveryActivities &
  ReplicationRecordActivities

/**
 * For the control queue: the catalog has one writer, the process that owns it. `copies`: folder where copies of it wait
 * for a site to fetch them; `blobs`: where lists lie that are too long for a history; `seal`: what signs evidence.
 */
export function createControlActivities(
  catalog: Catalog,
  copies: string,
  blobs: BlobStore,
  seal: EvidenceSeal,
): ControlActivities {
  return atBoundary({
    ...createRecordActivities(catalog, seal),
    ...createInventoryRecordActivities(catalog),
    ...createInstantRecordActivities(catalog),
    ...createHousekeepingRecordActivities(catalog, copies),
    ...createCapacityActivities(catalog),
    ...createPlanActivities(catalog),
    ...createRetentionRecordActivities(catalog, blobs),
    ...createVerifyRecordActivities(catalog, blobs),
    ...createMirrorRecordActivities(catalog),
    ...createRecoveryActivities(catalog),
    ...createReplicationRecordActivities(catalog),
  })
}

/** For the queue of a site. */
export function createSiteActivities(site: Site): SiteActivities {
  return atBoundary({
    ...createBackupActivities(site),
    ...createRestoreActivities(site),
    ...createDrillActivities(site),
    ...createInstantActivities(site),
    ...createFilesActivities(site),
    ...createInventoryActivities(site),
    ...createHousekeepingActivities(site),
    ...createRetentionActivities(site),
    ...createVerifyActivities(site),
    ...createMirrorActivities(site),
    ...createReplicationActivities(site),
  })
}
