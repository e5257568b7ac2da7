import { GiB, bytes, instant, millis } from '../../base/index.ts'
import type {
  DiskKey,
  DiskPoint,
  DiskRef,
  Endpoint,
  EndpointId,
  OpKey,
  PointId,
  PointInTime,
  TrackerId,
  VmRef,
} from '../../drivers/values.ts'
import type { BackupInput } from '../../workflows/backup/contract.ts'
import type { RepositoryRef, Requester, VmTarget } from '../../workflows/shared/contract.ts'

/** Material for tests: one VM with two disks, one endpoint, one repository. */
export const sampleSite = 'test'

export const sampleEndpoint: Endpoint = {
  id: 'lab' as EndpointId,
  platform: 'qemu',
  address: '/srv/lab',
  credentialRef: '',
  identity: null,
  options: { scope: '0d6f3a52-2f5a-4f43-9d2f-5d1f6f2d9c11' },
}

export const sampleVm: VmRef = {
  platform: 'qemu',
  endpoint: sampleEndpoint.id,
  scope: '0d6f3a52-2f5a-4f43-9d2f-5d1f6f2d9c11',
  id: '7b1c2f5e-5a58-4e49-9a3c-0d2a6a1f4b10',
  name: 'erp-db-01',
}

export const sampleTarget: VmTarget = { id: 'erp-db-01', ref: sampleVm, endpoint: sampleEndpoint, site: sampleSite }

export const sampleRepository: RepositoryRef = {
  id: 'main',
  name: 'main',
  site: sampleSite,
  location: { kind: 'posix', path: '/srv/repository' },
  credentialRef: 'file:/srv/secrets/main',
}

export const sampleRequester: Requester = { user: 'operator', reason: 'test' }

export function sampleDisk(key: string, size: number): DiskRef {
  return {
    key: key as DiskKey,
    label: key === 'virtio0' ? 'system' : 'data',
    volume: `volume-${key}`,
    size: bytes(size),
    sectorSize: 512,
    format: 'qcow2',
    role: key === 'virtio0' ? 'boot' : 'data',
    skip: null,
  }
}

export const sampleDisks: readonly DiskRef[] = [sampleDisk('virtio0', 2 * GiB), sampleDisk('virtio1', GiB)]

export function samplePoint(pointId: PointId, disks: readonly DiskPoint[]): PointInTime {
  return {
    v: 1,
    id: pointId,
    opKey: 'hf-abcdef-abcdefghijklm' as OpKey,
    tracker: 'a'.repeat(32) as TrackerId,
    vm: sampleVm,
    createdAt: instant(Date.UTC(2026, 10, 21, 2, 0, 4)),
    consistency: 'filesystem',
    quiesce: { freezeDurationMs: millis(126), degraded: null },
    atomic: true,
    disks,
    expiresAt: null,
    locator: {},
  }
}

export function sampleBackup(over: Partial<BackupInput> = {}): BackupInput {
  return {
    v: 1,
    vm: sampleTarget,
    repository: sampleRepository,
    origin: 'manual',
    name: null,
    description: null,
    mode: 'auto',
    want: 'filesystem',
    onQuiesceFailure: 'degrade',
    compressionLevel: 1,
    requestedBy: sampleRequester,
    tuning: { moverHeartbeatMs: 4_000, reprobeMs: 60_000 },
    ...over,
  }
}
