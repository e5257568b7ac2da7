import type { CategoryName, KeepRules, PostureState } from '../policy/index.ts'

/** Values that the catalog keeps as JSON. Structural twins of what drivers, workflows and the runbook say. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json }

export interface ErrorNote {
  readonly code: string
  readonly message: string
  readonly hint: string
  readonly docs: string
}

export interface FindingNote {
  readonly code: string
  readonly severity: 'info' | 'warning' | 'blocking'
  readonly disk: string | null
  readonly message: string
  readonly hint: string
}

export interface ProbeRecord {
  readonly testedMs: number
  readonly version: string | null
  readonly identity: string | null
  readonly evidence: 'verified' | 'simulator-verified' | 'spec-verified' | 'unverified' | null
  readonly capabilities: { readonly [name: string]: unknown } | null
  readonly findings: readonly FindingNote[]
  readonly error: ErrorNote | null
}

/** One thing that a worker of a site tried to reach. */
export interface SiteCheck {
  readonly kind: 'server' | 'hypervisor' | 'repository'
  /** null: the server. */
  readonly id: string | null
  readonly name: string
  /** Where it is, as the worker has it. */
  readonly place: string
  /** Until the answer; null: there was none. Of a repository: of one small read. */
  readonly latencyMs: number | null
  readonly detail: string
  readonly error: ErrorNote | null
}

/** What a worker of a site could reach. */
export interface SiteTestRecord {
  readonly testedMs: number
  /** Which of them was asked; null: none answered. */
  readonly worker: string | null
  readonly checks: readonly SiteCheck[]
  /** Why there was no answer at all. */
  readonly error: ErrorNote | null
}

/** `except`: hosts that are not reached through it, each as `host` or `.domain`. */
export interface SiteProxyRecord {
  readonly url: string
  readonly except: readonly string[]
}

/** What is called so at one site, and at the site `to` so. A network that becomes null is not connected there. */
export interface SiteMapRecord {
  readonly to: string
  readonly networks: readonly { readonly from: string; readonly to: string | null }[]
  /** `from` `*`: any that no other line names. */
  readonly storages: readonly { readonly from: string; readonly to: string }[]
}

export interface VmDisk {
  readonly key: string
  readonly label: string
  readonly size: number
  readonly format: string
  readonly role: 'data' | 'boot' | 'efi' | 'tpm'
  readonly skip: string | null
  /** Absent: the platform names none. */
  readonly datastore?: string
}

/** In runs of MiB: the first, and how many. */
export type BootListDisks = readonly {
  readonly key: string
  readonly runs: readonly (readonly [first: number, count: number])[]
}[]
/** Of which drill it is, and how much. */
export interface BootListNote {
  readonly drillId: string
  readonly recordedMs: number
  readonly bytes: number
}

export interface DrillCheckResult {
  readonly title: string
  readonly passed: boolean
  readonly exit: number | null
  readonly out: string
  readonly err: string
  readonly count: number | null
  readonly detail: string
}

export interface PointDisk {
  readonly disk: string
  readonly label: string
  readonly size: number
  readonly mode: 'full' | 'incremental'
  readonly why: string
  readonly readBytes: number
  readonly newBytes: number
  readonly bytesResumed: number
  readonly attempts: number
}

/** Who can open a repository, and what it locks; see `RepositorySecurity` of the workflow that looks. */
interface RepositorySecurityRecord {
  readonly kekGen: number
  readonly isComplete: boolean
  readonly damaged: number
  readonly slots: readonly {
    readonly id: string
    readonly role: string
    readonly type: string
    readonly label: string
    readonly createdMs: number
    readonly sound: boolean
    readonly isCurrent: boolean
    readonly threshold: number | null
    readonly shares: number | null
  }[]
  readonly lock: {
    readonly mode: 'governance' | 'compliance'
    readonly days: number
    readonly generationDays: number
  } | null
}

export interface RepositoryTestRecord {
  readonly testedMs: number
  readonly repositoryUuid: string | null
  readonly passed: boolean
  readonly checks: readonly { readonly name: string; readonly passed: boolean; readonly detail: string }[]
  readonly writeRate: number | null
  readonly readRate: number | null
  readonly staleMs: number | null
  readonly skewMs: number | null
  /** Absent: of a test that did not look. */
  readonly security?: RepositorySecurityRecord | null
  readonly error: ErrorNote | null
}

export interface UsageRecord {
  readonly measuredMs: number
  readonly points: number
  readonly series: number
  readonly packs: number
  readonly storedBytes: number
  readonly uniqueBytes: number
  readonly logicalBytes: number
  readonly capacityBytes: number | null
  readonly freeBytes: number | null
}

export interface ProgressRecord {
  readonly bytesDone: number
  readonly bytesTotal: number
  readonly bytesRead: number
  readonly bytesStored: number
  readonly bytesResumed: number
  readonly durableOffset: number
  readonly rate: number | null
  readonly secondsLeft: number | null
  readonly bottleneck: 'source' | 'mover' | 'repository' | 'target' | null
  readonly seenMs: number
}

export interface ResidueNote {
  readonly kind: string
  readonly id: string
  readonly error: string
  readonly hint: string
}

/** `planned`: a dry run, or nothing was to go. `declined`: nobody approved it in time. */
export type SweepState =
  | 'planned'
  | 'waiting'
  | 'removing'
  | 'collecting'
  | 'completed'
  | 'declined'
  | 'cancelled'
  | 'failed'
/** `spared`: it was to go, and a later look keeps it. `refused`: the repository does not let it go. */
export type SweptState = 'stays' | 'going' | 'removed' | 'refused' | 'spared'
export interface SweepApproval {
  readonly user: string
  readonly reason: string
  readonly ms: number
}
export type HoldType = 'pin' | 'legal' | 'unknown'
export type StoredRules = KeepRules

/** `removed`: it was there, and retention or a person has removed it. */
/** An object of a repository that could not be read, and why. */
export interface UnreadableObject {
  readonly object: string
  readonly message: string
}

export type CopyState = 'pending' | 'in-progress' | 'done' | 'failed' | 'removed'

export type VerifyRunState = 'running' | 'completed' | 'failed' | 'cancelled'
/** One damage that a verify found, or one object that it could not read (`proved` false). */
export interface VerifyFinding {
  readonly object: string
  readonly pack: string | null
  /** Level of the ladder that found it. */
  readonly found: string
  readonly message: string
  readonly proved: boolean
  /** Points, disks and byte ranges that need it; the ranges may be cut short. */
  readonly affects: readonly {
    readonly stem: string
    readonly vm: string
    readonly disk: string | null
    readonly ranges: readonly { readonly start: number; readonly end: number }[]
  }[]
}

/** What a collection found and freed, in packs and bytes. */
export interface CollectionRecord {
  readonly outcome: 'collected' | 'nothing' | 'stopped' | 'dry-run'
  readonly roots: number
  readonly listed: PackCount
  readonly live: PackCount
  readonly condemned: PackCount
  readonly reprieved: PackCount
  readonly deleted: PackCount
  readonly copied: PackCount
  readonly waiting: PackCount
  readonly young: PackCount
  readonly unknown: PackCount
  readonly notes: readonly string[]
  readonly durationMs: number
}

export interface PackCount {
  readonly packs: number
  readonly bytes: number
}

export const channelKinds = ['webhook', 'slack', 'teams', 'discord', 'ntfy', 'telegram', 'mail', 'dead-man'] as const
export type ChannelKind = (typeof channelKinds)[number]
/** Of a channel of kind mail: who is told, by whom, and how. */
export interface MailRoute {
  readonly from: string
  readonly to: readonly string[]
  readonly user: string | null
  readonly tls: 'required' | 'none'
}

export const platforms = ['qemu', 'libvirt', 'proxmox', 'xcpng', 'vsphere', 'hyperv', 'ahv', 'azure', 'image'] as const
export type Platform = (typeof platforms)[number]
/** Those that have a driver here; the others are names that a catalog from elsewhere may hold. */
export const supportedPlatforms = ['qemu', 'image'] as const satisfies readonly Platform[]
/** Why a point was made. */
export const pointOrigins = ['manual', 'scheduled', 'publish', 'safety'] as const
export type PowerState = 'running' | 'stopped' | 'paused' | 'suspended' | 'io-error' | 'unknown'
/** Of a VM that did not run when its disks were cut: shut down for the point, or off anyway. */
export type AtRest = 'shut-down' | 'off'
export type Consistency = 'crash' | 'filesystem' | 'application'
export type RunKind =
  | 'backup'
  | 'restore'
  | 'drill'
  | 'retention'
  | 'plan'
  | 'verify'
  | 'instant'
  | 'mirror'
  | 'files'
  | 'replication'
  | 'failover'
  | 'recovery'
export type RunState =
  | 'running'
  | 'paused'
  | 'waiting'
  | 'completed'
  | 'completed-with-residue'
  | 'failed'
  | 'cancelled'
  | 'terminated'
/** A standby VM as its hypervisor names it. */
export interface StandbyRef {
  readonly platform: Platform
  readonly endpoint: string
  readonly scope: string
  readonly id: string
  readonly name: string
}
/** `running`: from the repository, waiting for a word about it. */
export type InstantState = 'starting' | 'running' | 'migrating' | 'migrated' | 'discarded' | 'failed'
export type Verdict = 'passed' | 'failed' | 'inconclusive'
/** `passed`: every VM of every tier was what its tier waits for. `incomplete`: it came to its end without some. */
export type RecoveryRunState = 'running' | 'passed' | 'incomplete' | 'aborted' | 'failed' | 'cancelled'
/** `continued`: somebody went on although it is not what it waits for. `skipped`: the run ended before it. */
export type TierState = 'pending' | 'delayed' | 'running' | 'waiting' | 'done' | 'continued' | 'failed' | 'skipped'
/**
 * `ready`: it is what its tier waits for. `short`: it was made, and is not. `kept`: given away; `kept-short`: given away
 * although it is not. `lost`: it was what its tier waits for, and somebody has ended its run. `removed`: nothing of it is
 * left; `left`: something is. `skipped`: the run ended before it.
 */
export type MemberState =
  | 'pending'
  | 'recovering'
  | 'ready'
  | 'short'
  | 'failed'
  | 'lost'
  | 'kept'
  | 'kept-short'
  | 'removed'
  | 'left'
  | 'skipped'
export interface MemberRecord {
  readonly vmId: string
  readonly vmName: string
  /** Of the VM that is made; null: not chosen yet. */
  readonly name: string | null
  /** Chosen when the run begins, and kept by retention until it ends; null: there was none. */
  readonly pointId: string | null
  /** Of the drill or restore that brings it back: of the last attempt. */
  readonly workflowId: string | null
  readonly attempts: number
  readonly state: MemberState
  readonly verdict: Verdict | null
  readonly why: string
  readonly restoreSeconds: number | null
  readonly bootSeconds: number | null
  /** From the start of its restore to checks that have passed. */
  readonly rtoSeconds: number | null
  /** Of one that was removed or handed over: it had been what its tier waits for. */
  readonly wasBack?: boolean
  /** Where its original was when the run began, in words; absent: nobody has looked. */
  readonly original?: string
  /** What its drills or restores could not remove. */
  readonly residue?: readonly ResidueNote[]
}
/** What a tier waits for a person for: a step to be done, or a word about VMs that did not come up. */
export interface TierWait {
  /** Names it in the answer: `before-0`, `then-1`, `choice-2`. */
  readonly id: string
  readonly kind: 'step' | 'choice'
  readonly title: string
  readonly detail: string
  readonly sinceMs: number
}
export interface TierAnswer {
  readonly id: string
  readonly title: string
  /** `done`, or what was chosen. */
  readonly answer: string
  readonly user: string
  readonly reason: string
  readonly ms: number
}
export interface TierRecord {
  readonly key: string
  readonly name: string
  readonly state: TierState
  /** When the tiers before it were done. */
  readonly startedMs: number | null
  readonly endedMs: number | null
  /** Of that: for people. */
  readonly waitedMs: number
  /** When that was; those of several tiers may overlap. Absent in runs of earlier versions. */
  readonly waits?: readonly { readonly sinceMs: number; readonly endedMs: number }[]
  /** Promised from the start of the run; null: nothing. */
  readonly rtoMs: number | null
  readonly waitsFor: TierWait | null
  readonly answers: readonly TierAnswer[]
  readonly members: readonly MemberRecord[]
}
/** `read-…`: content of a guest left a point; `write-to-guest`: into the guest that runs. */
export type AuditAction = 'read-file' | 'read-archive' | 'read-disk' | 'write-to-guest' | 'rotate-key'
export interface AuditDetail {
  readonly volume?: string
  /** As they were asked for; a folder stands for all that is in it. */
  readonly paths?: readonly string[]
  readonly disk?: string
  readonly format?: string
  /** Of a part of a file; bytes. */
  readonly range?: { readonly start: number; readonly end: number | null }
}

export type EventType =
  | 'run'
  | 'point'
  | 'drill'
  | 'vm'
  | 'hypervisor'
  | 'repository'
  | 'workers'
  | 'policy'
  | 'own-backup'
  | 'settings'
  | 'slots'
  | 'sweep'
  | 'verify'
  | 'watch'
  | 'instant'
  | 'alert'
  | 'replication'
  | 'recovery'
  | 'audit'
export type { CategoryName, PostureState }
