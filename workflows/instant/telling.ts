/** What is told of an instant restore, to the list of them and to whoever reads what its run has left. */
import { isCancellation, log, workflowInfo } from '@temporalio/workflow'
import { HoldfastError } from '../../base/index.ts'
import type { SerializedError } from '../../base/index.ts'
import type { InstantRecordActivities, InstantState, ServedPoint } from '../../activities/instant/types.ts'
import type { Compensations } from '../shared/compensation.ts'
import type { RunControl } from '../shared/control.ts'
import { errorOf } from '../shared/failures.ts'
import { controlSteps } from '../shared/options.ts'
import type { StepIds } from '../shared/steps.ts'
import { servedPoint } from './boot.ts'
import type { InstantInput } from './contract.ts'
import type { EndWish } from './wish.ts'

export interface InstantContext {
  readonly input: InstantInput
  readonly control: RunControl
  readonly ids: StepIds
  readonly undo: Compensations
  readonly wish: EndWish
  readonly served: ServedPoint
}

/** From here on its VM and what it reads from are a person's, not the run's. */
export function leaveRunning({ input, served, undo }: InstantContext, thrown: unknown): void {
  undo.forget()
  undo.leave({
    ...{ kind: 'vm', id: served.operation, error: errorOf(thrown)?.message ?? 'unknown' },
    hint: `${input.name} may run on, and its point is served: see docs/runbooks/instant-restore.md, “If the run is lost”.`,
  })
}

/** What may be said of the VM once all was undone. */
export function discarded({ input, undo }: InstantContext): [InstantState, SerializedError | null] {
  const left = undo.residue.find(({ kind }) => kind !== servedPoint)
  if (left === undefined) return ['discarded', null]
  const message = `${input.name} could not be removed: ${left.error}`
  return ['failed', new HoldfastError('StillInUse', message, { hint: left.hint }).toJSON()]
}

/** A catalog that cannot be written is no reason to end what a guest runs on. */
export async function told(ctx: InstantContext, state: InstantState, error: SerializedError | null): Promise<void> {
  try {
    await note(ctx, state, error)
  } catch (thrown) {
    if (isCancellation(thrown)) throw thrown
    log.error('the state of an instant restore could not be written down', { state, error: errorOf(thrown) })
  }
}

export async function note({ ids }: InstantContext, state: InstantState, error: SerializedError | null): Promise<void> {
  const { recordInstantState } = controlSteps<InstantRecordActivities>('record')
  await recordInstantState.executeWithOptions(ids.step('record-state', `Write down: ${state}`), [
    { runId: workflowInfo().runId, state, error, atMs: Date.now() },
  ])
}
