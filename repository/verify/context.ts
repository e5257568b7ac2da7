import type { Engine, StoredEngine } from '../engine.ts'
import type { GcState } from '../gcstate/index.ts'
import type { SegmentFile } from '../index-view/index.ts'
import type { KeyRing } from '../keys/index.ts'
import type { VerifyLevel } from '../types.ts'
import type { DamageLog } from './damage-log.ts'
import type { PackTocs } from './pack-tocs.ts'
import type { Quarantiner } from './quarantine.ts'
import type { Rereader } from './reread.ts'
import type { Troubles } from './troubles.ts'

/** What every step of a verify works with that looks at stored bytes only. */
export interface Context {
  readonly engine: StoredEngine
  /** undefined: no key is at hand, and what needs one is left out. */
  readonly ring: KeyRing | undefined
  readonly level: VerifyLevel
  readonly signal: AbortSignal
  readonly log: DamageLog
  readonly reread: Rereader
  readonly troubles: Troubles
  readonly tocs: PackTocs
  readonly quarantine: Quarantiner
  /** Own files over the index as it was when the verify began. */
  readonly segments: readonly SegmentFile[]
  /** undefined if it cannot be read: then nothing is excused by garbage collection. */
  readonly gc: GcState | undefined
  readonly totals: Totals
  /** One more of the steps that `total` counts is done. */
  readonly step: (what: string) => void
}

/** What steps need besides that look at what the bytes mean. */
export interface KeyedContext extends Context {
  readonly engine: Engine
}

export interface Totals {
  points: number
  packs: number
  packsResumed: number
  chunks: number
  bytes: number
}
