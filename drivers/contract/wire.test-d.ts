/** Compile-time: every wire type survives JSON unchanged, i.e. `Wire<T>` equals `T`. Checked by `npm run types`. */
import type { Capabilities, DriverEvidence } from '../capabilities.ts'
import type { GuestCommand, IsolationSpec, NbdExport, TargetSpec, TargetVm } from '../facets.ts'
import type {
  ByteRange,
  ChangeRef,
  DiskPoint,
  DiskRef,
  DiskRequest,
  Endpoint,
  Extent,
  Finding,
  GuestHook,
  Locator,
  OwnedObject,
  OwnerMark,
  PointHealth,
  PointInTime,
  PointRequest,
  PortableVm,
  Residue,
  VmFacts,
  VmRef,
  Wire,
} from '../values.ts'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
type Survives<T> = Equal<Wire<T>, T>

export const wireTypes: {
  readonly Endpoint: Survives<Endpoint>
  readonly VmRef: Survives<VmRef>
  readonly DiskRef: Survives<DiskRef>
  readonly Finding: Survives<Finding>
  readonly OwnerMark: Survives<OwnerMark>
  readonly VmFacts: Survives<VmFacts>
  readonly ChangeRef: Survives<ChangeRef>
  readonly GuestHook: Survives<GuestHook>
  readonly DiskRequest: Survives<DiskRequest>
  readonly PointRequest: Survives<PointRequest>
  readonly Locator: Survives<Locator>
  readonly DiskPoint: Survives<DiskPoint>
  readonly PointInTime: Survives<PointInTime>
  readonly ByteRange: Survives<ByteRange>
  readonly Extent: Survives<Extent>
  readonly PointHealth: Survives<PointHealth>
  readonly Residue: Survives<Residue>
  readonly OwnedObject: Survives<OwnedObject>
  readonly PortableVm: Survives<PortableVm>
  readonly Capabilities: Survives<Capabilities>
  readonly DriverEvidence: Survives<DriverEvidence>
  readonly TargetSpec: Survives<TargetSpec>
  readonly TargetVm: Survives<TargetVm>
  readonly IsolationSpec: Survives<IsolationSpec>
  readonly GuestCommand: Survives<GuestCommand>
  readonly NbdExport: Survives<NbdExport>
} = {
  Endpoint: true,
  VmRef: true,
  DiskRef: true,
  Finding: true,
  OwnerMark: true,
  VmFacts: true,
  ChangeRef: true,
  GuestHook: true,
  DiskRequest: true,
  PointRequest: true,
  Locator: true,
  DiskPoint: true,
  PointInTime: true,
  ByteRange: true,
  Extent: true,
  PointHealth: true,
  Residue: true,
  OwnedObject: true,
  PortableVm: true,
  Capabilities: true,
  DriverEvidence: true,
  TargetSpec: true,
  TargetVm: true,
  IsolationSpec: true,
  GuestCommand: true,
  NbdExport: true,
}

/** The proof can fail: what JSON changes is told apart. */
export const changed: readonly Survives<
  { readonly at: Date } | { readonly raw: Uint8Array } | { readonly n: bigint }
>[] = [false]
