// drivers/driver.ts — the one interface between Holdfast and a hypervisor.
//
// Every comment answers five questions:
//   again      may it be called again with the same arguments, and what happens then?
//   atomic     can a crash in the middle leave half of it?
//   permanent  which error codes will not go away by retrying?
//   closes     who ends what it opened?
//   cancel     what does an abort of ctx.signal do?

import type { Capabilities } from './capabilities.ts'
import type { GuestAccess, InstantBoot, NativeReplication, RestoreTarget, StandbyTarget } from './facets.ts'
import type {
  Bytes,
  ByteRange,
  ChangeRef,
  DiskKey,
  DiskRef,
  Endpoint,
  Extent,
  Finding,
  Instant,
  Millis,
  MustFullReason,
  OpKey,
  OwnedObject,
  OwnerMark,
  PointHealth,
  PointInTime,
  PointRequest,
  PortableVm,
  PowerState,
  ReaderKind,
  Residue,
  VmFacts,
  VmRef,
  WriterKind,
} from './values.ts'

/** Handle, made by the activity for one attempt. */
export interface OpContext {
  readonly opKey: OpKey
  /** First six characters of our installation's id; whatever we list or delete must carry it. */
  readonly installation: string
  /** Aborts on cancel, deadline and worker shutdown; `signal.reason` tells which. Reaches sockets and children. */
  readonly signal: AbortSignal
  /** Forwards to the activity heartbeat. Call it on progress only, never from a timer. */
  readonly progress: (p: { readonly what: string; readonly disk?: DiskKey; readonly offset?: Bytes }) => void
  readonly now: () => Instant
  readonly log: { info(o: object, m: string): void; warn(o: object, m: string): void }
}

/** One connection set to one endpoint, cached per worker; methods run concurrently for different VMs. Re-login,
 *  redirect and reconnect happen inside, once; what still fails surfaces as a HoldfastError. */
export interface HypervisorDriver extends AsyncDisposable {
  readonly endpoint: Endpoint

  /** Version, identity, capabilities. Changes nothing.
   *  again: yes. atomic: reads only. permanent: AccessDenied, IdentityChanged, Unsupported. closes: nothing.
   *  cancel: rejects at once. */
  probe(ctx: OpContext): Promise<{
    version: string
    identity: string
    capabilities: Capabilities
    findings: readonly Finding[]
  }>

  /** All VMs, or those named. A VM that can't be read is yielded with a blocking finding, never left out.
   *  again: yes. atomic: no, a live listing. permanent: AccessDenied. closes: the caller by ending the iteration.
   *  cancel: between pages. */
  discover(ctx: OpContext, ids?: readonly string[]): AsyncIterable<VmFacts>

  /** Writes our owner mark, or returns the other owner's. `takeFrom`: the installation, by id or name, from which the VM
   *  is taken over on purpose; the mark of any other one stays.
   *  again: yes. atomic: compare-and-set where the platform has it, else write, wait, read back.
   *  permanent: AccessDenied. closes: nothing; the mark stays. cancel: before the write. */
  claim(ctx: OpContext, vm: VmRef, owner: OwnerMark, takeFrom?: string): Promise<{ owner: OwnerMark; ours: boolean }>

  /** Drives the VM to `want` and waits: 'stopped' asks the guest, 'off' pulls the plug. Returns the state before,
   *  so that a plan can go back to it. 'running' lets a guest run also whose process a point of the stopped VM holds
   *  open; the point stays whole.
   *  again: yes, a reached state is left alone. atomic: yes. permanent: GuestRefused, Unsupported, NotFound.
   *  closes: nothing. cancel: stops waiting, does not undo. */
  power(
    ctx: OpContext,
    vm: VmRef,
    want: 'running' | 'stopped' | 'off',
    limit: Millis,
  ): Promise<{ before: PowerState; after: PowerState }>

  /** Everything that would make `request` fail, go full or degrade: rights, scratch space, chain health, foreign
   *  snapshots, locks, agent. All of it at once. Changes nothing.
   *  again: yes. atomic: reads only. permanent: none, problems are findings. closes: nothing. cancel: at once. */
  preflight(
    ctx: OpContext,
    vm: VmRef,
    request: PointRequest,
  ): Promise<{
    findings: readonly Finding[]
    disks: readonly {
      readonly disk: DiskRef
      readonly mode: 'full' | 'incremental'
      readonly why: MustFullReason | null
    }[]
  }>

  /** Switches change tracking on where that is a setting.
   *  again: yes. atomic: per disk. permanent: AccessDenied, Unsupported (the disk goes full, the run goes on).
   *  closes: nothing; tracking stays on. cancel: between disks. */
  enableTracking(ctx: OpContext, vm: VmRef, disks: readonly DiskKey[]): Promise<{ changed: readonly DiskKey[] }>

  /** Hooks → freeze → snapshot or bitmap switch → thaw, one short critical section. First ends or adopts what an
   *  earlier round left, then creates. A disk whose reference is not valid is opened full, with the reason: that is
   *  no error.
   *  again: yes, at most one point carries the opKey: a complete one whose consistency the platform can tell is
   *  adopted, anything else of this opKey is undone and made anew. atomic: all disks or none; on a throw nothing of
   *  this round remains and the guest is thawed, or the error lists the residue. permanent: Unsupported, ForeignOwner,
   *  ForeignState, CapacityExhausted, NotFound, and QuiesceFailed if onQuiesceFailure is 'fail'.
   *  closes: commitPoint or abortPoint, always one of them. cancel: until the freeze starts; from there to the thaw
   *  the signal is ignored and freezeLimit bounds the time. */
  openPoint(ctx: OpContext, vm: VmRef, request: PointRequest): Promise<PointInTime>

  /** Thaws if frozen, resumes a guest that our scratch paused. The compensation registered before openPoint; needs
   *  nothing but the VM.
   *  again: yes, until it reports a running guest. atomic: yes. permanent: none (GuestStuck after its limit is an
   *  alarm and is retried). closes: nothing. cancel: ignored, 60 s per attempt. */
  ensureRunning(ctx: OpContext, vm: VmRef): Promise<{ wasFrozen: boolean; wasPaused: boolean }>

  /** Sees to it that every open point of ours is watched over where its scratch could stop a guest, also while nobody
   *  reads it: a point may stand open until a window opens again, longer than the process lives that opened it. Called
   *  when a worker starts and once a minute. `open`: points, ended ones whose leftovers wait included; `posted`: of
   *  these, the ones that nobody had watched.
   *  again: yes, what is watched is left alone. atomic: per point. permanent: AccessDenied. closes: nothing; a watch
   *  ends with its point. cancel: between VMs. */
  watchPoints(ctx: OpContext): Promise<{ open: number; posted: number }>

  /** What changed since `disk.since` inside `range`; for a full, every byte of it. Sorted, disjoint, inside the range,
   *  neighbours merged. Full: gap-free. Incremental: gaps are unchanged. Supersets are allowed, misses never.
   *  again: yes, same answer while the point is intact. atomic: reads only. permanent: PointBroken.
   *  closes: the caller by ending the iteration. cancel: at once. */
  changedExtents(
    ctx: OpContext,
    point: PointInTime,
    disk: DiskKey,
    range: ByteRange,
  ): Promise<
    | { readonly status: 'ok'; readonly extents: AsyncIterable<Extent> }
    | { readonly status: 'must-full'; readonly why: MustFullReason; readonly detail: string }
  >

  /** Opens the first working kind in `prefer` (default: the point's own).
   *  again: yes, several at once up to maxReadersPerVm. atomic: yes. permanent: PointBroken, Unsupported.
   *  closes: the caller, `await using`; never outlives the activity. cancel: at once. */
  openReader(ctx: OpContext, point: PointInTime, disk: DiskKey, prefer?: readonly ReaderKind[]): Promise<RangeReader>

  /** Configuration as of the point, native and portable.
   *  again: yes. atomic: reads only. permanent: NotFound. closes: the caller by ending the iteration.
   *  cancel: at once. */
  exportConfig(ctx: OpContext, point: PointInTime): Promise<ConfigExport>

  /** Asked after the last read and before the repository commit: was the point whole all the time? 'broken' aborts
   *  the round. Changes nothing.
   *  again: yes. atomic: reads only. permanent: none. closes: nothing. cancel: at once. */
  checkPoint(ctx: OpContext, point: PointInTime): Promise<PointHealth>

  /** Only after the repository has validated the point. Ends exports, makes `next` the current reference of the disks
   *  in `stored`, rolls the others back, drops snapshot, scratch and locks.
   *  again: yes, also after success. atomic: the reference switch, per disk; a crash in between costs a larger next
   *  delta, never a lost change. permanent: none, what can't be removed is residue. closes: this is the closing.
   *  cancel: ignored. */
  commitPoint(
    ctx: OpContext,
    point: PointInTime,
    stored: readonly DiskKey[],
  ): Promise<{
    /** References that only the commit could name (Hyper-V). Kept beside the point; losing them costs a full. */
    refs: readonly { readonly disk: DiskKey; readonly ref: ChangeRef }[]
    residue: readonly Residue[]
  }>

  /** Undoes a round at any stage from vm and opKey alone (`known` only saves time): thaw, exports, jobs, scratch,
   *  snapshot, locks, reference back to the state before.
   *  again: yes, also if nothing was ever created. atomic: the reference roll-back, per disk. permanent: none,
   *  residue. closes: this is the closing. cancel: ignored. */
  abortPoint(ctx: OpContext, vm: VmRef, known: PointInTime | null): Promise<{ residue: readonly Residue[] }>

  /** Everything on this endpoint that carries our installation's mark. Changes nothing.
   *  again: yes. atomic: no, a live listing. permanent: AccessDenied. closes: the caller. cancel: between pages. */
  listOwned(ctx: OpContext): AsyncIterable<OwnedObject>

  /** Removes one of them after re-reading its mark.
   *  again: yes, absent counts as removed. atomic: yes. permanent: NotOurs. closes: nothing. cancel: before it. */
  removeOwned(ctx: OpContext, object: OwnedObject): Promise<void>

  readonly target: RestoreTarget | null
  readonly guest: GuestAccess | null
  readonly instant: InstantBoot | null
  readonly standby: StandbyTarget | null
  readonly replication: NativeReplication | null
}

// ── handles ───────────────────────────────────────────────────────────────────────────────────────────────
export interface RangeReader extends AsyncDisposable {
  readonly kind: ReaderKind
  readonly size: Bytes
  readonly alignment: Bytes
  readonly preferred: Bytes
  readonly maxRequest: Bytes
  readonly maxInFlight: number
  /** Fills `into` completely or throws, never short; concurrent up to maxInFlight.
   *  again: yes. atomic: a failed read leaves `into` undefined. permanent: PointBroken, ProtocolMismatch.
   *  closes: nothing. cancel: rejects at once. */
  read(at: Bytes, into: Uint8Array, signal?: AbortSignal): Promise<void>
  /** Allocation map, sorted, gap-free over `range`; absent where the platform has none. A wrong answer may cost bytes,
   *  never content: 'zero' only if the source says that reads return zeros.
   *  again: yes. atomic: reads only. permanent: PointBroken. closes: the caller. cancel: at once. */
  map?(range: ByteRange): AsyncIterable<Extent>
}
export interface RangeWriter extends AsyncDisposable {
  readonly kind: WriterKind
  readonly size: Bytes
  readonly alignment: Bytes
  readonly maxInFlight: number
  readonly order: 'random' | 'ascending'
  /** True only if ranges never written are known to read as zeros; else zero runs must be written. */
  readonly startsZero: boolean
  /** again: yes, last write wins. atomic: no, sector at best. permanent: CapacityExhausted, NotOurs.
   *  closes: nothing. cancel: rejects at once, the range is undefined. */
  write(at: Bytes, data: Uint8Array, signal?: AbortSignal): Promise<void>
  /** Same contract as write; uses WRITE_ZEROES or TRIM where reads are then guaranteed zero. */
  zero(range: ByteRange, signal?: AbortSignal): Promise<void>
  /** Durable on the target when it returns. Disposing without it abandons the write; the volume stays for a retry.
   *  again: yes. atomic: yes. permanent: CapacityExhausted. closes: nothing. cancel: ignored. */
  finish(): Promise<void>
}
export interface ConfigExport {
  readonly portable: PortableVm
  /** Native files as the platform would want them back (domain XML, .vmx, .nvram, qemu config). */
  readonly native: AsyncIterable<{ readonly name: string; readonly mediaType: string; readonly bytes: Uint8Array }>
}
