// drivers/values.ts — wire values: plain JSON, safe in histories, catalog and manifests.

import type { Brand, Bytes, Instant, Millis } from '../base/index.ts'

export type { Bytes, Instant, Millis } from '../base/index.ts'

export type EndpointId = Brand<string, 'EndpointId'>
/** UUID chosen by the workflow before anything is created, so that every retry finds what an earlier one made. */
export type PointId = Brand<string, 'PointId'>
/** Whose change reference this is: one VM × one plan or chain. Two trackers on one VM never share a bitmap (rulings 5). */
export type TrackerId = Brand<string, 'TrackerId'>
/** `hf-<installation:6>-<13>`, characters [a-z2-7-], 23 long. Carried by every remote object of one operation. */
export type OpKey = Brand<string, 'OpKey'>
/** Stable place of a disk in its VM: bus address (`virtio0`, `scsi0:1`, `2000`), not its volume. */
export type DiskKey = Brand<string, 'DiskKey'>
/** Opaque to everyone but the driver that made it. No secret. Point: ≤ 1 KiB, disk: ≤ 400 B. */
export type Locator = { readonly [key: string]: string | number | boolean | null }

export type Platform = 'qemu' | 'libvirt' | 'proxmox' | 'xcpng' | 'vsphere' | 'hyperv' | 'ahv' | 'azure' | 'image'
export type Consistency = 'crash' | 'filesystem' | 'application'
export type PowerState = 'running' | 'stopped' | 'paused' | 'suspended' | 'io-error' | 'unknown'
export type ReaderKind =
  | 'nbd'
  | 'nbd-tls'
  | 'http-range'
  | 'http-stream'
  | 'vddk'
  | 'sftp'
  | 'nfs'
  | 'iscsi'
  | 'attach'
  | 'sas'
export type WriterKind = 'nbd' | 'http-range' | 'http-stream' | 'vddk' | 'sftp' | 'iscsi' | 'xapi-chunked' | 'put-page'

export interface Endpoint {
  readonly id: EndpointId
  readonly platform: Platform
  readonly address: string
  readonly credentialRef: string
  /** Pinned at first contact: SHA-256 of the TLS certificate, or the SSH host key. */
  readonly identity: string | null
  readonly options: { readonly [name: string]: string | number | boolean }
}
export interface VmRef {
  readonly platform: Platform
  readonly endpoint: EndpointId
  /** Pool, cluster, host or subscription as the platform states it; for `qemu` and `image` a UUID kept in the
   *  endpoint's options (rulings 6). */
  readonly scope: string
  /** The platform's own stable id (UUID, moref, vmid@cluster, ARM id). `name` is for people and may change. */
  readonly id: string
  readonly name: string
}
export type SkipReason =
  | 'excluded-by-plan'
  | 'nobak-label'
  | 'shared'
  | 'passthrough'
  | 'independent'
  | 'encrypted-by-platform'
  | 'read-only-media'
  | 'unsupported-backend'
export interface DiskRef {
  readonly key: DiskKey
  readonly label: string
  /** Identity of the volume behind the key; another value means another disk. */
  readonly volume: string
  readonly size: Bytes
  readonly sectorSize: 512 | 4096
  readonly format: 'raw' | 'qcow2' | 'vmdk' | 'vhd' | 'vhdx' | 'block' | 'page-blob' | 'other'
  readonly role: 'data' | 'boot' | 'efi' | 'tpm'
  /** Of facts: the storage that it lies on, as slots name it; absent: the platform names none. */
  readonly datastore?: string
  /** Why this disk can't be in a point; shown, never a silent omission. */
  readonly skip: SkipReason | null
}
/** A problem or remark with its remedy. */
export interface Finding {
  readonly code: string
  readonly severity: 'info' | 'warning' | 'blocking'
  readonly disk: DiskKey | null
  readonly message: string
  readonly hint: string
}
/** Which Holdfast installation protects this VM; kept where the platform keeps notes. */
export interface OwnerMark {
  readonly installation: string
  readonly name: string
  readonly since: Instant
}
/** An image in the folder of an endpoint of the platform `image`. */
export interface LooseImage {
  /** Its name in the folder. */
  readonly file: string
  readonly format: 'raw' | 'qcow2' | 'vmdk' | 'vhdx' | 'vhd' | null
  /** Of the file, which for a raw one is the disk. */
  readonly bytes: number
  /** Whose disk it is already. */
  readonly vm: string | null
  /** Why it cannot be imported as it is; null: it can. */
  readonly problem: string | null
}
export interface VmFacts {
  readonly vm: VmRef
  readonly power: PowerState
  readonly tags: readonly string[]
  readonly disks: readonly DiskRef[]
  readonly guest: { readonly agent: 'running' | 'absent' | 'unknown'; readonly os: string | null }
  readonly foreignSnapshots: number
  readonly owner: OwnerMark | null
  readonly findings: readonly Finding[]
}

// ── change references and points ──────────────────────────────────────────────────────────────────────────
export interface ChangeRef {
  readonly kind:
    | 'qemu-bitmap'
    | 'pve-bitmap'
    | 'xapi-cbt'
    | 'vmware-cbt'
    | 'hyperv-rct'
    | 'ahv-snapshot'
    | 'azure-snapshot'
  /** The point whose content this reference stands for; must be the parent that the repository will use. */
  readonly point: PointId
  readonly tracker: TrackerId
  readonly token: string
  /** Generation of the tracker (changeId uuid, VHDX identifier, uniqueId, …). Differs ⇒ full. */
  readonly epoch: string
  readonly volume: string
  readonly size: Bytes
}
export type MustFullReason =
  | 'no-parent'
  | 'tracking-unsupported'
  | 'tracking-off'
  | 'tracking-just-enabled'
  | 'reference-missing'
  | 'reference-inconsistent'
  | 'reference-inactive'
  | 'reference-of-another-point'
  | 'epoch-changed'
  | 'size-changed'
  | 'volume-changed'
  | 'foreign-snapshot'
  | 'reverted'
  | 'known-bad-build'
  | 'previous-round-uncertain'
  | 'extent-query-failed'
  | 'audit-mismatch'
  | 'parent-damaged'
  | 'full-interval'
  | 'asked-by-operator'
export interface GuestHook {
  readonly when: 'before-freeze' | 'after-thaw'
  readonly path: string
  readonly args: readonly string[]
  readonly timeout: Millis
  readonly onFailure: 'fail' | 'warn'
}
export interface DiskRequest {
  readonly disk: DiskKey
  /** From the parent point's manifest, or what `commitPoint` returned for it; null ⇒ full. */
  readonly since: ChangeRef | null
  /** Set ⇒ full for this reason, even if `since` would do. */
  readonly full: MustFullReason | null
}
export interface PointRequest {
  readonly pointId: PointId
  readonly tracker: TrackerId
  readonly want: Consistency
  readonly onQuiesceFailure: 'degrade' | 'fail'
  /** Upper bound of the frozen window; the driver thaws when it passes, whatever else happens. */
  readonly freezeLimit: Millis
  /** Asks for readable 'all' on incremental disks too, so that the tracker can be audited; may cost scratch space. */
  readonly audit: boolean
  readonly disks: readonly DiskRequest[]
  readonly hooks: readonly GuestHook[]
}
export interface DiskPoint {
  readonly disk: DiskRef
  readonly mode: 'full' | 'incremental'
  readonly why: MustFullReason | null
  readonly since: ChangeRef | null
  /** Becomes the current reference in `commitPoint`; stored in the manifest. null: nothing to build on, or named
   *  only by `commitPoint`. */
  readonly next: ChangeRef | null
  /** 'changed': only the changed extents can be read; the rest comes from the parent point. */
  readonly readable: 'all' | 'changed'
  readonly reader: ReaderKind
  readonly locator: Locator
}
export interface PointInTime {
  readonly v: 1
  readonly id: PointId
  readonly opKey: OpKey
  readonly tracker: TrackerId
  readonly vm: VmRef
  readonly createdAt: Instant
  readonly consistency: Consistency
  readonly quiesce: {
    readonly freezeDurationMs: Millis | null
    readonly degraded: string | null
    /** The VM was switched off when its disks were cut: there was nothing to freeze. Absent: it was not, or nobody knows. */
    readonly isOff?: boolean
  }
  /** Whether all disks stand at one instant. */
  readonly atomic: boolean
  readonly disks: readonly DiskPoint[]
  /** After this instant the platform drops the point by itself; null = it stays until ended. */
  readonly expiresAt: Instant | null
  readonly locator: Locator
}
export interface ByteRange {
  readonly start: Bytes
  readonly end: Bytes
}
/** `zero`: the content of the range is zeros and must be recorded as such. */
export interface Extent {
  readonly offset: Bytes
  readonly length: Bytes
  readonly kind: 'data' | 'zero'
}
export type PointHealth = { readonly status: 'intact' } | { readonly status: 'broken'; readonly why: string }

export type OwnedKind =
  | 'snapshot'
  | 'bitmap'
  | 'checkpoint'
  | 'reference-point'
  | 'block-job'
  | 'export'
  | 'scratch'
  | 'lock'
  | 'lease'
  | 'access-grant'
  | 'vm'
  | 'volume'
  | 'network'
  | 'replica'
  | 'process'
  | 'frozen-guest'
  | 'paused-guest'
/** What an ending could not undo. The run lists it and the orphan sweep owns it. */
export interface Residue {
  readonly kind: OwnedKind
  readonly id: string
  readonly error: string
  readonly hint: string
}
export interface OwnedObject {
  readonly kind: OwnedKind
  readonly id: string
  readonly opKey: OpKey
  readonly vm: VmRef | null
  readonly createdAt: Instant | null
  readonly size: Bytes | null
}

/** The hypervisor-neutral description that cross-platform restore builds from. */
export interface PortableVm {
  readonly v: 1
  readonly name: string
  readonly vcpus: number
  readonly memory: Bytes
  readonly firmware: 'bios' | 'uefi' | 'uefi-secure' | 'direct-kernel'
  readonly tpm: boolean
  readonly clock: 'utc' | 'localtime'
  readonly disks: readonly {
    readonly key: DiskKey
    readonly size: Bytes
    readonly sectorSize: 512 | 4096
    readonly bus: 'virtio' | 'scsi' | 'sata' | 'ide' | 'nvme'
    readonly bootOrder: number | null
    /** What the platform calls the place that it lay on; absent where it has no names for such. */
    readonly storage?: string
  }[]
  readonly nics: readonly {
    readonly mac: string
    readonly model: string
    readonly network: string
    readonly vlan: number | null
  }[]
  readonly guest: { readonly family: 'linux' | 'windows' | 'other'; readonly hint: string | null }
}

/** Compile-time proof that a type survives JSON: `Wire<T>` equals `T`. */
export type Wire<T> = T extends string | number | boolean | null
  ? T
  : T extends bigint | symbol | Uint8Array | Date | ((...a: never[]) => unknown)
    ? never
    : T extends object
      ? { [K in keyof T]: Wire<T[K]> }
      : never
