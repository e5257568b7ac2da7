import type { NewPoint } from '../../catalog/index.ts'
import type { Notice } from '../../notify/index.ts'

/** What really happened, written down beside the catalog: what the year is judged by. All times in Unix ms. */
export interface Diary {
  readonly starts: Start[]
  readonly planRuns: PlanRunEntry[]
  readonly backups: BackupEntry[]
  readonly points: PointEntry[]
  /** Points of the source that came to the mirror. */
  readonly copies: string[]
  /** Hands of an operator on a point; `untilMs`: null: it is held still. */
  readonly holds: { readonly snap: string; untilMs: number | null }[]
  /** That the hypervisor was asked, and whether it answered. */
  readonly probes: { readonly hypervisor: string; readonly atMs: number; readonly ok: boolean }[]
  /** Times at which a VM was seen first, and seen no more. */
  readonly seen: Map<string, { fromMs: number; untilMs: number | null }>
  readonly told: Told[]
  readonly sweeps: SweepEntry[]
}

export interface Start {
  readonly plan: string
  readonly dueMs: number
  readonly came: boolean
}

export interface PlanRunEntry {
  readonly plan: string
  readonly startedMs: number
  readonly openedMs: number
  endedMs: number | null
  ok: boolean
  /** By VM: from when to when it waited for its turn or was under way. */
  readonly turns: { readonly vm: string; readonly fromMs: number; untilMs: number | null }[]
}

export interface BackupEntry {
  readonly vm: string
  readonly startedMs: number
  endedMs: number | null
  ok: boolean
}

export interface PointEntry {
  readonly stem: string
  readonly vm: string
  readonly repository: string
  readonly plan: string | null
  readonly origin: NewPoint['origin']
  readonly createdMs: number
  /** When it was validated, and so counted. */
  readonly knownMs: number
}

export interface SweepEntry {
  readonly repository: string
  readonly fromMs: number
  /** When its plan was made: it waits for a repository that is away. */
  plannedMs: number
  untilMs: number
  removed: number
  spared: number
  end: 'completed' | 'declined'
  /** Whether a person was asked, and from when to when. */
  asked: { readonly fromMs: number; untilMs: number } | null
}

/** A notice that reached the channel. */
export interface Told {
  readonly atMs: number
  readonly notice: Notice
}

export function emptyDiary(): Diary {
  return {
    ...{ starts: [], planRuns: [], backups: [], points: [], copies: [], holds: [], probes: [], told: [], sweeps: [] },
    seen: new Map(),
  }
}
