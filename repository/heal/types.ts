import type { Repository, Stem } from '../types.ts'

export interface HealOptions {
  /** Repositories to take from what is lost here, in order: mirrors of this one, with its identity key or their own. */
  readonly mirrors: readonly Repository[]
  /** false: says what would be done, and changes nothing. What a mirror has is read and checked all the same. */
  readonly apply: boolean
  readonly signal: AbortSignal
  readonly onProgress: (done: number, total: number, what: string) => void
}

/** What needs a blob that nobody has, or a damaged point. */
export interface HealLoss {
  readonly stem: Stem
  readonly vm: string
  /** null: a configuration. */
  readonly disk: string | null
  readonly start: number
  readonly end: number
}

export interface HealReport {
  readonly applied: boolean
  readonly points: number
  /** Distinct blobs that points refer to in a quarantined place. */
  readonly quarantined: number
  /** Of these: with another sound home here, which readers find by themselves. */
  readonly elsewhere: number
  /** Stored again, or in a dry run to be: from a place here that still gives them, or from a mirror. */
  readonly fromHere: number
  readonly fromMirror: number
  /** Which disks and ranges need a blob that nobody has. */
  readonly lost: readonly HealLoss[]
  /** Points whose manifest or validation is damaged: under which name they are there again, or why not. */
  readonly damagedPoints: readonly { readonly stem: Stem; readonly restoredAs: Stem | null; readonly problem: string }[]
}
