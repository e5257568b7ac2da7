// drivers/facets.ts — present (not null) exactly when the capability record says so.

import type { OpContext, RangeWriter } from './driver.ts'
import type {
  Bytes,
  ChangeRef,
  DiskKey,
  DiskRef,
  Finding,
  Instant,
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
    | {
        readonly kind: 'replace'
        readonly vm: VmRef
        readonly safetyPoint: PointId | null
        /** Only the volumes of `disks` are exchanged; the machine and its other disks stay as they are. */
        readonly keepsRest?: boolean
      }
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
  /** Writes a file of the guest, by the guest's own absolute path, in bounded pieces; what was in it is gone. Its owner and
   *  mode are what the agent gives a new file. Other users of the agent come in between.
   *  again: yes, from the beginning. atomic: no, half of it may stay. permanent: GuestAgentDisabled, GuestRefused.
   *  closes: the file, if the agent answers. cancel: between two pieces. */
  writeFile(ctx: OpContext, vm: VmRef, path: string, content: AsyncIterable<Uint8Array>): Promise<void>
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

/** A state that is about to be written. */
export interface StandbySpec {
  /** Of the point that it is read from; names the state. */
  readonly state: PointId
  /** Name of the standby VM. */
  readonly name: string
  readonly vm: PortableVm
  readonly nativeConfigRef: string | null
  /** `base`: the state that the changes build on, which must be the head; null: the disk is written from its beginning. */
  readonly disks: readonly { readonly key: DiskKey; readonly size: Bytes; readonly base: PointId | null }[]
  /** Of the VM once it has taken over. */
  readonly networks: { readonly [from: string]: string | null }
}
/** The last state that came whole. */
export interface StandbyHead {
  readonly state: PointId
  /** Instant of the source that it shows. */
  readonly at: Instant
  /** What the next changes are asked since; null: nobody knows, the disk is read in full. */
  readonly disks: readonly { readonly key: DiskKey; readonly size: Bytes; readonly ref: ChangeRef | null }[]
  /** Volumes that lie on one another, of the disk that has most. */
  readonly links: number
}
export interface StandbyView {
  readonly vm: VmRef
  readonly power: PowerState
  /** `withdrawing`: its takeover is over and being undone, the next begin, takeOver or remove finishes that ·
   *  `removing`: its removal was begun, nothing starts it. */
  readonly role: 'follows' | 'taken-over' | 'withdrawing' | 'removing'
  readonly head: StandbyHead | null
  /** Somebody has written to its head, or taken it away: nothing may build on it, and it is no state of the source. */
  readonly isTouched: boolean
  readonly storedBytes: Bytes
}
export interface StandbyWriter extends RangeWriter {
  /** Identity of the volume that is written, for a resume. */
  readonly volume: string
}
export interface StandbyPublished {
  readonly head: StandbyHead
  readonly storedBytes: Bytes
}
/**
 * A VM that follows another one, found by the operation's key. It is off, carries our mark, and can be started at any
 * moment in the last state that came whole: a state is written beside it and becomes the head in one step.
 */
export interface StandbyTarget {
  /** null: there is none. again: yes. atomic: reads only. permanent: none. closes: nothing. cancel: at once. */
  inspect(ctx: OpContext): Promise<StandbyView | null>
  /** Makes the VM if there is none, and the volumes of a state; those of a state that was never finished go.
   *  again: yes, what was written to them stays. atomic: all, or the next call goes on. permanent: NameTaken,
   *  Unsupported, NotOurs (it has taken over), ChangeRefInvalid (its head is not the base).
   *  closes: publish, or the next begin. cancel: between objects. */
  begin(ctx: OpContext, spec: StandbySpec, native: readonly NativeConfig[] | null): Promise<StandbyView>
  /** again: yes, one writer per disk at a time. atomic: yes. permanent: NotOurs. closes: the caller. cancel: at once. */
  openWriter(ctx: OpContext, state: PointId, disk: DiskKey): Promise<StandbyWriter>
  /** The state is whole and durable: it is the head from now on.
   *  again: yes. atomic: yes. permanent: NotOurs (it has taken over, or the state is not the one begun). closes: nothing.
   *  cancel: before it. */
  publish(
    ctx: OpContext,
    state: PointId,
    at: Instant,
    refs: readonly { readonly disk: DiskKey; readonly ref: ChangeRef | null }[],
  ): Promise<StandbyPublished>
  /** Starts the VM from its head, with its networks; what its guest writes is kept apart from the head until it follows
   *  again. Our mark goes, so nothing of ours removes it. `operation` names the takeover.
   *  again: yes. atomic: no, withdraw undoes it. permanent: NotFound (no state came whole), ForeignState (touched),
   *  NotOurs (this operation was withdrawn or has ended, or another one has taken over).
   *  closes: release, adopt or withdraw. cancel: before the start. */
  takeOver(ctx: OpContext, operation: PointId): Promise<VmRef>
  /** Compensation of a takeover that was not finished: the VM is ended and what its guest wrote goes; it follows again.
   *  `operation` is refused from now on, also if it has not begun: an attempt of it that wakes later starts nothing.
   *  again: yes. atomic: no, the next call goes on. permanent: NotOurs (another takeover). closes: the takeover.
   *  cancel: ignored. */
  withdraw(ctx: OpContext, operation: PointId): Promise<void>
  /** A VM that had taken over, and is off, follows again: what it holds now is the head; none, if it was given other disks.
   *  again: yes. atomic: yes.
   *  permanent: NotFound. closes: the takeover. cancel: before it. */
  adopt(ctx: OpContext, state: PointId, at: Instant): Promise<StandbyView>
  /** A VM that had taken over is nobody's standby any more. again: yes. atomic: yes. permanent: none. closes: the
   *  standby. cancel: ignored. */
  release(ctx: OpContext): Promise<void>
  /** A new VM of the operation `ctx` on the head of `standby`, started where it reaches nothing; the standby goes on to
   *  follow. again: yes, find by opKey. atomic: no, endTest cleans up. permanent: NameTaken, NotFound, ForeignState,
   *  NotOurs (it has taken over).
   *  closes: endTest. cancel: before the start. */
  test(ctx: OpContext, standby: OpKey, name: string, net: IsolationSpec): Promise<TargetVm>
  /** Removes it with what its guest wrote. again: yes. atomic: per object. permanent: NotOurs. closes: this is the
   *  closing. cancel: ignored. */
  endTest(ctx: OpContext, standby: OpKey): Promise<{ readonly residue: readonly Residue[] }>
  /** Removes a standby that follows, with all its states. again: yes, also if there is none. atomic: per object.
   *  permanent: NotOurs (it has taken over), ForeignState (somebody has started it). closes: the standby. cancel:
   *  ignored. */
  remove(ctx: OpContext): Promise<{ readonly residue: readonly Residue[] }>
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
