import type { SerializedError } from '../../base/index.ts'
import type { Endpoint, Finding, LooseImage, VmFacts } from '../../drivers/values.ts'
import type { NamesThere, RepositoryRef, VmTarget } from '../shared/contract.ts'

/**
 * Short workflows that look and change nothing but the catalog. The API starts them because it never touches a
 * hypervisor or a repository itself; it waits for the result (two minutes at most) and answers with it. What a look
 * finds wrong is a result, not a failed workflow: `error` says what could not be reached.
 */

// ── discoverEndpoint ──────────────────────────────────────────────────────────────────────────────────────
/** One look at an endpoint at a time: a second wish joins the first (USE_EXISTING). */
export function discoverWorkflowId(endpointId: string): string {
  return `discover/${endpointId}`
}
/** Separate from discovery, so that testing a connection never waits for a long listing. */
export function probeWorkflowId(endpointId: string): string {
  return `probe/${endpointId}`
}
export const discoverWorkflow = 'discoverEndpoint'

export interface DiscoverInput {
  readonly v: 1
  readonly endpoint: Endpoint
  readonly site: string
  /** 'probe': version, identity and capabilities only. 'discover': then all VMs too. */
  readonly mode: 'probe' | 'discover'
}

export interface DiscoverResult {
  readonly v: 1
  readonly version: string | null
  readonly identity: string | null
  /** Headline of the driver's evidence. */
  readonly evidence: 'verified' | 'simulator-verified' | 'spec-verified' | 'unverified' | null
  /** The driver's `Capabilities`, for showing. */
  readonly capabilities: { readonly [name: string]: unknown } | null
  readonly findings: readonly Finding[]
  readonly error: SerializedError | null
  /** Counts of `mode: 'discover'`; all 0 for a probe, and when `error` is set. */
  readonly found: number
  readonly added: number
  readonly changed: number
  /** No longer listed. Only a listing that came to its end says so: a VM is never gone because it could not be read. */
  readonly gone: number
}

/**
 * Pages keep histories small at any number of VMs: the site reads up to `discoverPageSize` VMs a time, the control
 * side records each page under the id of the listing (`catalog.vms.recordDiscovered`), and after the last one closes it
 * (`catalog.vms.closeListing`).
 */
export const discoverPageSize = 25
export interface DiscoverPage {
  readonly vms: readonly VmFacts[]
  /** Where the next page starts; null after the last. Opaque to the workflow. */
  readonly next: string | null
}

// ── testRepository ────────────────────────────────────────────────────────────────────────────────────────
export function testRepositoryWorkflowId(repositoryId: string): string {
  return `test-repository/${repositoryId}`
}
export const testRepositoryWorkflow = 'testRepository'

export interface TestRepositoryInput {
  readonly v: 1
  readonly repository: RepositoryRef
}

/** Who can open a repository and what it locks, without any secret in it. */
export interface RepositorySecurity {
  /** Newest generation of the key-encryption key. */
  readonly kekGen: number
  /** Two slots, one of them for recovery, and two key sets, of the newest generation. */
  readonly isComplete: boolean
  /** Objects with keys that are damaged. */
  readonly damaged: number
  /** 50 at most. */
  readonly slots: readonly {
    readonly id: string
    readonly role: string
    readonly type: string
    readonly label: string
    readonly createdMs: number
    readonly sound: boolean
    /** Of the newest generation. */
    readonly isCurrent: boolean
    /** Type `shamir`. */
    readonly threshold: number | null
    readonly shares: number | null
  }[]
  /** null: it locks nothing. */
  readonly lock: {
    readonly mode: 'governance' | 'compliance'
    readonly days: number
    readonly generationDays: number
  } | null
}

export interface TestRepositoryResult {
  readonly v: 1
  /** Set when it opens with its secret. */
  readonly repositoryUuid: string | null
  /** The probe of the store: writes, reads back, lists, deletes, measures. Null if it could not begin. */
  readonly probe: {
    readonly passed: boolean
    readonly checks: readonly { readonly name: string; readonly passed: boolean; readonly detail: string }[]
    readonly staleMs: number
    readonly skewMs: number
    /** Bytes per second. */
    readonly writeRate: number
    readonly readRate: number
  } | null
  /** Absent or null: it did not open, or its keys could not be listed. */
  readonly security?: RepositorySecurity | null
  readonly usage: {
    readonly points: number
    readonly series: number
    readonly packs: number
    readonly storedBytes: number
    readonly uniqueBytes: number
    readonly logicalBytes: number
    readonly capacityBytes: number | null
    readonly freeBytes: number | null
  } | null
  readonly error: SerializedError | null
}

// ── checkRestore ──────────────────────────────────────────────────────────────────────────────────────────
/** `request`: 32 hex digits chosen by the caller; checks of different people never share a run. */
export function checkRestoreWorkflowId(request: string): string {
  return `check-restore/${request}`
}
export const checkRestoreWorkflow = 'checkRestore'

export interface CheckRestoreInput extends NamesThere {
  readonly v: 1
  readonly repository: RepositoryRef
  readonly stem: string
  readonly target:
    | { readonly kind: 'new'; readonly endpoint: Endpoint; readonly site: string; readonly name: string }
    | { readonly kind: 'original'; readonly vm: VmTarget }
  /** As of a restore. */
  readonly disks?: readonly string[]
  readonly identity: 'new' | 'same'
  readonly powerOn: boolean
}

export interface CheckRestoreResult {
  readonly v: 1
  /** Of the target driver: space, name, networks, device model. `blocking` ones stop the restore. */
  readonly findings: readonly Finding[]
  /** What was looked at and found good, in words for people. */
  readonly passed: readonly { readonly title: string; readonly detail: string }[]
  /** Sum of disk sizes, and of what holds data (what will be written). */
  readonly logicalBytes: number
  readonly dataBytes: number | null
  readonly error: SerializedError | null
}

// ── lookAtImages ──────────────────────────────────────────────────────────────────────────────────────────
/** `request`: 32 hex digits chosen by the caller. */
export function lookAtImagesWorkflowId(request: string): string {
  return `images/${request}`
}
export const lookAtImagesWorkflow = 'lookAtImages'

export interface LookAtImagesInput {
  readonly v: 1
  readonly endpoint: Endpoint
  readonly site: string
  /** null: which images lie in the folder? Else these become the disks of a VM of that name. */
  readonly vm: { readonly name: string; readonly files: readonly string[] } | null
}

export interface LookAtImagesResult {
  readonly v: 1
  /** Empty where a VM was described. */
  readonly images: readonly LooseImage[]
  readonly error: SerializedError | null
}

// ── testSite ──────────────────────────────────────────────────────────────────────────────────────────────
export function testSiteWorkflowId(site: string): string {
  return `test-site/${site}`
}
export const testSiteWorkflow = 'testSite'

export interface TestSiteInput {
  readonly v: 1
  readonly site: string
  /** 200 at most of each. */
  readonly hypervisors: readonly { readonly name: string; readonly endpoint: Endpoint }[]
  readonly repositories: readonly RepositoryRef[]
}

/** One thing that the worker tried to reach. */
export interface Reach {
  readonly kind: 'server' | 'hypervisor' | 'repository'
  /** null: the server. */
  readonly id: string | null
  readonly name: string
  readonly place: string
  /** Milliseconds until the answer; of a repository: of one small read. null: there was none. */
  readonly latencyMs: number | null
  /** What was seen, for people; empty if there was no answer. */
  readonly detail: string
  readonly error: SerializedError | null
}

export interface TestSiteResult {
  readonly v: 1
  /** Identity of the worker that was asked; null: none answered. */
  readonly worker: string | null
  /** The server, the hypervisors, the repositories. */
  readonly checks: readonly Reach[]
  /** Why nothing was tried. */
  readonly error: SerializedError | null
}
