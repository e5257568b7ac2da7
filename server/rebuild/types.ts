import type { RepositoryLocation, UnlockSecret } from '../../repository/index.ts'
import type { Environment } from '../config.ts'

export interface RebuildOptions {
  readonly env?: Environment
  /** Every repository that can be reached; one is enough. */
  readonly locations: readonly RepositoryLocation[]
  /** Opens all of them. */
  readonly secret: UnlockSecret
  /** Whose catalog, where repositories hold those of several installations; 32 hex digits. */
  readonly installation?: string | undefined
  /** Says what would come back, and changes nothing. */
  readonly dryRun: boolean
  /** Compares the catalog that is there with the repositories, instead of bringing one back. */
  readonly reconcile: boolean
  readonly now: () => number
  readonly signal: AbortSignal
  readonly onProgress: (what: string) => void
}

/** A version of a catalog in a repository. */
export interface FoundCatalog {
  readonly location: RepositoryLocation
  readonly stem: string
  readonly installation: string
  readonly createdMs: number
}

export interface Reconciled {
  readonly repositoryId: string
  readonly location: RepositoryLocation
  /** Points that the catalog did not know. */
  readonly added: number
  /** Points that were thought gone and are there. */
  readonly back: number
  /** Points that the catalog knew and the repository no longer has. */
  readonly gone: number
  /** Points that cannot be read now: neither there nor gone. */
  readonly unreadable: number
  /** Points of programs or platforms that this version does not know. */
  readonly foreign: number
  /** Made for points whose VM or hypervisor nobody knew. */
  readonly newVms: number
  readonly newHypervisors: readonly string[]
}

/** Something that no backup holds. */
export interface MissingSecret {
  readonly kind: 'hypervisor' | 'repository' | 'channel'
  readonly id: string
  readonly ref: string
  /** Puts it back. */
  readonly command: string
}

export interface RebuildReport {
  readonly dryRun: boolean
  readonly home: string
  /** What came back; null: no repository holds a catalog, everything is from manifests alone. */
  readonly catalog: FoundCatalog | null
  /** Newer versions that could not be used, and why. */
  readonly skipped: readonly { readonly stem: string; readonly why: string }[]
  readonly installation: { readonly uuid: string; readonly name: string }
  readonly tables: readonly { readonly table: string; readonly rows: number }[]
  readonly reconciled: readonly Reconciled[]
  /** Repositories of the catalog that nobody looked at: what is said about their points is as old as the catalog. */
  readonly notLookedAt: readonly string[]
  readonly missing: readonly MissingSecret[]
  /** Hypervisors whose address only a person knows. */
  readonly withoutAddress: readonly string[]
  /** Sites beside `local` for whose workers there is no token: what opens doors is in no copy of a catalog. */
  readonly withoutToken: readonly string[]
  readonly tookMs: number
}
