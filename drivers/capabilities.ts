// drivers/capabilities.ts — what a driver can do at one endpoint, and how well that is known. Wire values.

import type { HypervisorDriver } from './driver.ts'
import type { Bytes, Consistency, Endpoint, Platform, ReaderKind, WriterKind } from './values.ts'

export interface Capabilities {
  readonly changeTracking: 'none' | 'extents' | 'export-only'
  readonly trackingNeedsEnable: boolean
  /** Granularity of the tracker; null: varies or unknown. Never rely on alignment to it. */
  readonly trackingGranularity: Bytes | null
  /** What the tracker outlives; 'unknown' is treated as 'no'. */
  readonly trackingSurvives: {
    readonly [e in 'guest-reboot' | 'power-off' | 'host-crash' | 'live-migration' | 'storage-migration']:
      | 'yes'
      | 'no'
      | 'unknown'
  }
  readonly sizeChangeBreaksTracking: boolean
  /** 'retained-snapshot': the platform keeps one snapshot between runs; its cost is shown to the operator. */
  readonly referenceCost: 'none' | 'retained-snapshot'
  readonly consistency: readonly Consistency[]
  readonly multiDiskAtomic: 'yes' | 'with-freeze' | 'no'
  readonly readable: 'all' | 'changed-in-incremental'
  readonly allocationMap: 'map' | 'tracker' | 'zero-detect'
  readonly readers: readonly ReaderKind[]
  readonly writers: readonly WriterKind[]
  readonly maxReadersPerVm: number
  /** Shared by everything on that host, ours or not; feeds the capacity governor. */
  readonly maxReadersPerHost: number | null
  /** One backup of any product at a time per VM. */
  readonly exclusive: boolean
  /** `power` asks a guest to shut down, and starts its VM also while a point of it is open, without harm to that. */
  readonly cleanStop: boolean
  readonly restore: boolean
  readonly guestCommand: 'agent' | 'tools' | 'run-command' | 'direct' | 'none'
  readonly screenshot: boolean
  readonly instant: boolean
  readonly standby: boolean
  readonly nativeReplication: boolean
  readonly notes: readonly string[]
}

export type StatusWord = 'verified' | 'simulator-verified' | 'spec-verified' | 'unverified'
export interface DriverEvidence {
  /** The weakest word among control, tracking, read and restore. */
  readonly headline: StatusWord
  readonly areas: {
    readonly [a in 'control' | 'tracking' | 'read' | 'restore' | 'guest']: {
      readonly word: StatusWord
      readonly against: string
    }
  }
}
export interface DriverModule {
  readonly platform: Platform
  readonly evidence: DriverEvidence
  /** Secrets are resolved here, in the worker, and stay inside the returned object. */
  open(endpoint: Endpoint, secret: (credentialRef: string) => Promise<string>): Promise<HypervisorDriver>
}
