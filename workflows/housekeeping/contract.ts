import type { UsageFacts } from '../../activities/housekeeping/types.ts'
import type { RepositoryRef } from '../shared/contract.ts'

/**
 * Holdfast keeps its own memory: the catalog is written into every repository, as a recovery point without disks
 * (format §3.2). One workflow per repository, so that one that is away keeps no other waiting.
 */
export const ownBackupWorkflow = 'backUpCatalog'

/** A second wish joins the one under way. */
export function ownBackupWorkflowId(repositoryId: string): string {
  return `housekeeping/own-backup/${repositoryId}`
}

export interface OwnBackupInput {
  readonly v: 1
  readonly repository: RepositoryRef
}

export interface OwnBackupResult {
  readonly v: 1
  readonly stem: string
  /** When the copy was taken. */
  readonly createdMs: number
  readonly bytes: number
  /** Versions that the repository holds now. */
  readonly versions: number
}

/**
 * Every repository is measured once a day, by itself: forecasts and alerts that rest on a figure that nobody asked for in
 * weeks rest on nothing. A workflow of its own, because a large repository takes hours.
 */
export const measureWorkflow = 'measureRepository'

/** A second wish joins the one under way. */
export function measureWorkflowId(repositoryId: string): string {
  return `housekeeping/measure/${repositoryId}`
}

export interface MeasureInput {
  readonly v: 1
  readonly repository: RepositoryRef
}

export interface MeasureResult {
  readonly v: 1
  readonly measuredMs: number
  readonly usage: UsageFacts
}
