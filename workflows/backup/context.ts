import type {
  CommittedPoint,
  CopyDiskResult,
  PartRange,
  PreflightResult,
  RoundRef,
} from '../../activities/backup/types.ts'
import type { DiskKey, MustFullReason, PointId, PointInTime } from '../../drivers/values.ts'
import type { Compensations } from '../shared/compensation.ts'
import type { RunControl } from '../shared/control.ts'
import type { StepIds } from '../shared/steps.ts'
import type { BackupInput } from './contract.ts'
import type { RoundHistory } from './rounds.ts'
import type { ShutDown } from './stop.ts'

/** What every part of a round needs to know. */
export interface RoundContext {
  readonly input: BackupInput
  readonly control: RunControl
  readonly ids: StepIds
  readonly undo: Compensations
  readonly history: RoundHistory
  readonly pointId: PointId
  readonly session: string
}

/** How each disk was really copied; the audit may turn an incremental into a full. */
export type DiskModes = ReadonlyMap<
  DiskKey,
  { readonly mode: 'full' | 'incremental'; readonly why: MustFullReason | null }
>

export interface CommittedRound {
  readonly plan: PreflightResult
  readonly point: PointInTime
  readonly parts: readonly PartRange[]
  readonly modes: DiskModes
  readonly copies: readonly CopyDiskResult[]
  readonly committed: CommittedPoint
  /** null: the VM was not shut down for it. */
  readonly shutDown: ShutDown | null
}

export function roundRef({ input, pointId }: RoundContext): RoundRef {
  return { endpoint: input.vm.endpoint, vm: input.vm.ref, pointId }
}
