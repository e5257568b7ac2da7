// drivers/facets.ts — present (not null) exactly when the capability record says so.

import type { OpContext, RangeWriter } from './driver.ts'
import type {
  Bytes,
  DiskKey,
  DiskRef,
  Finding,
  Millis,
  OpKey,
  PointId,
  PortableVm,
  PowerState,
  Residue,
  VmRef,
} from './values.ts'

export interface TargetSpec {
  readonly place:
    | { readonly kind: 'new'; readonly name: string; readonly host: string | null; readonly folder: string | null }
    | { readonly kind: 'replace'; readonly vm: VmRef; readonly safetyPoint: PointId }
  readonly vm: PortableVm
  /** Repository reference of the native configuration, used only on the platform it came from. */
  readonly nativeConfigRef: string | null
  readonly disks: readonly { readonly key: DiskKey; readonly storage: string; readonly thin: boolean }[]
  readonly identity: 'new' | 'same'
  readonly networks: { readonly [from: string]: string | null }
}
export interface TargetVm {
  readonly vm: VmRef
  readonly opKey: OpKey
  readonly disks: readonly DiskRef[]
  readonly replaced: VmRef | null
}
/** One native part of `ConfigExport`, as it came from the platform (a direct-kernel guest has several, rulings 16). */
export interface NativeConfig {
  readonly name: string
  readonly bytes: Uint8Array
}
export interface IsolationSpec {
  readonly kind: 'none' | 'no-uplink' | 'restricted'
  readonly name: string
}

export interface RestoreTarget {
  /** Space, name, networks, device model, driver hints. Changes nothing.
   *  again: yes. atomic: reads only. permanent: none, findings. closes: nothing. cancel: at once. */
  check(ctx: OpContext, spec: TargetSpec): Promise<{ findings: readonly Finding[] }>
  /** Powered off, no NIC connected, each volume tagged. 'replace' makes new volumes beside the old ones.
   *  again: yes, find by opKey, then create. atomic: all, or the error lists residue.
   *  permanent: CapacityExhausted, NameTaken, Unsupported. closes: finalize or destroy. cancel: between objects. */
  create(ctx: OpContext, spec: TargetSpec, native: readonly NativeConfig[] | null): Promise<TargetVm>
  /** again: yes, one writer per disk at a time. atomic: yes. permanent: NotOurs. closes: the caller. cancel: at once. */
  openWriter(ctx: OpContext, target: TargetVm, disk: DiskKey): Promise<RangeWriter>
  /** Attaches volumes and networks, still powered off and still ours; 'replace' swaps them in one reconfiguration and
   *  keeps the old ones, tagged. again: yes. atomic: yes for 'replace'. permanent: NotOurs. closes: nothing.
   *  cancel: before it. */
  finalize(ctx: OpContext, target: TargetVm): Promise<VmRef>
  /** After `finalize`, and after the VM was started if it is to run: our mark goes, and from now on nothing of ours
   *  removes the VM. again: yes. atomic: yes. permanent: NotOurs. closes: the restore. cancel: ignored. */
  handOver(ctx: OpContext, target: TargetVm): Promise<void>
  /** 'replace' only: puts the old volumes back; the VM must be off. again: yes. atomic: yes. permanent: NotFound.
   *  closes: nothing. cancel: ignored. */
  revert(ctx: OpContext, target: TargetVm): Promise<void>
  /** Removes VM and volumes that carry our mark, running or not, refuses anything else. again: yes. atomic: per object.
   *  permanent: NotOurs. closes: this is the closing. cancel: ignored. */
  destroy(ctx: OpContext, target: TargetVm): Promise<{ residue: readonly Residue[] }>
  /** Starts on a network that reaches nothing of production; makes that network if needed, tagged.
   *  again: yes. atomic: no, destroy cleans up. permanent: CapacityExhausted. closes: destroy. cancel: at once. */
  bootIsolated(ctx: OpContext, vm: VmRef, net: IsolationSpec): Promise<{ address: string | null }>
}

export interface GuestAccess {
  /** again: yes. atomic: reads only. permanent: none, absence is an answer. closes: nothing. cancel: at once. */
  ping(ctx: OpContext, vm: VmRef): Promise<'up' | 'absent' | 'silent'>
  /** again: only if `cmd.idempotent`; otherwise a lost answer is 'unknown', not a retry. atomic: no.
   *  permanent: GuestAgentDisabled. closes: nothing. cancel: kills the guest process where the platform can.
   *  Outputs are cut at 64 KiB each. */
  run(
    ctx: OpContext,
    vm: VmRef,
    cmd: GuestCommand,
  ): Promise<{ exit: number; out: string; err: string; truncated: boolean }>
  /** again: yes. atomic: reads only. permanent: Unsupported. closes: nothing. cancel: at once. */
  screenshot(ctx: OpContext, vm: VmRef): Promise<{ mediaType: 'image/png'; bytes: Uint8Array } | null>
}
export interface GuestCommand {
  readonly path: string
  readonly args: readonly string[]
  readonly timeout: Millis
  readonly idempotent: boolean
  readonly credentialRef: string | null
}

/** A disk served by us over NBD. `tlsRef` names a credential. */
export interface NbdExport {
  readonly transport: 'unix' | 'tcp'
  readonly address: string
  readonly name: string
  readonly size: Bytes
  readonly tlsRef: string | null
}
/** What an instant VM does at this moment; bytes since it was started, and what its overlays take up. */
export interface InstantState {
  readonly power: PowerState
  readonly readBytes: Bytes
  readonly writtenBytes: Bytes
  readonly overlayBytes: Bytes
}
export interface InstantBoot {
  /** A VM whose disks are overlays on our exports, started; on loss it reconnects for `reconnect`, then stops on error.
   *  `net` null: its networks as in the spec. again: yes, find by opKey. atomic: no, destroy cleans up.
   *  permanent: CapacityExhausted, NameTaken, Unsupported, SizeMismatch. closes: migrate and target.handOver, or
   *  target.destroy. cancel: at once. */
  boot(
    ctx: OpContext,
    spec: TargetSpec,
    native: readonly NativeConfig[] | null,
    exports: { readonly [disk: string]: NbdExport },
    net: IsolationSpec | null,
    reconnect: Millis,
  ): Promise<TargetVm>
  /** Copies what is served into the VM's own volumes, while it runs or not, until no disk needs our export. It carries our
   *  mark until target.handOver.
   *  again: yes, adopts the copy that runs, or goes on where it ended. atomic: per disk. permanent: NotOurs.
   *  closes: nothing. cancel: at once; a copy that was begun goes on by itself, the VM keeps running. */
  migrate(ctx: OpContext, target: TargetVm): Promise<VmRef>
  /** Looks at the VM, and lets it run again if it stopped because our export was away.
   *  again: yes. atomic: yes. permanent: NotFound, NotOurs. closes: nothing. cancel: at once. */
  attend(ctx: OpContext, target: TargetVm): Promise<InstantState>
}

export interface NativeReplication {
  /** again: yes, find by opKey. atomic: no, remove cleans up. permanent: Unsupported, AccessDenied. closes: remove.
   *  cancel: stops waiting. */
  start(ctx: OpContext, vm: VmRef, site: string): Promise<{ replica: string }>
  /** again: yes. atomic: reads only. permanent: NotFound. closes: nothing. cancel: at once. */
  status(
    ctx: OpContext,
    replica: string,
  ): Promise<{ state: 'copying' | 'ready' | 'failed'; percent: number | null; detail: string }>
  /** again: yes. atomic: no, destroy cleans up. permanent: NotFound. closes: target.destroy. cancel: stops waiting. */
  activate(ctx: OpContext, replica: string, net: IsolationSpec | null): Promise<VmRef>
  /** again: yes. atomic: per object. permanent: NotOurs. closes: this is the closing. cancel: ignored. */
  remove(ctx: OpContext, replica: string): Promise<{ residue: readonly Residue[] }>
}
