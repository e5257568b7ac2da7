import { uuid4, workflowInfo } from '@temporalio/workflow'
import type { Original, RecoveryActivities } from '../../activities/recovery-plan/types.ts'
import type { RestoreActivities } from '../../activities/restore/types.ts'
import type { SeenOriginal } from '../../policy/originals.ts'
import { errorOf, workflowFailure } from '../shared/failures.ts'
import { controlSteps, siteSteps } from '../shared/options.ts'
import { hex32, type StepIds } from '../shared/steps.ts'
import type { RecoveryInput } from './contract.ts'

/** A site that is gone is not waited for. */
const limits = { scheduleToCloseTimeout: '1 minute', startToCloseTimeout: '20 seconds' } as const

/**
 * Looks at every VM of the plan where it lives, all at once. Throws RecoveryRefused, naming each of which a second one would
 * come to be and that nobody has accepted; what could not be seen is written down and refuses nothing.
 */
export async function lookAtOriginals(
  { beside = [] }: RecoveryInput,
  originals: readonly Original[],
  ids: StepIds,
): Promise<void> {
  const { admitRecovery } = controlSteps<RecoveryActivities>('quick')
  const seen = await Promise.all(originals.map(async (one) => ({ vmId: one.target.id, seen: await look(one, ids) })))
  const { problems } = await admitRecovery.executeWithOptions(
    ids.step('admit', 'Would a second one come to be of a VM that runs?'),
    [{ runId: workflowInfo().runId, seen, beside }],
  )
  if (problems.length > 0)
    throw workflowFailure('RecoveryRefused', `nothing is brought back: ${problems.join(' · ')}`, { data: { problems } })
}

async function look({ target: { ref, endpoint, site } }: Original, ids: StepIds): Promise<SeenOriginal> {
  const { readPower } = siteSteps<RestoreActivities>(site, 'hypervisor')
  try {
    return await readPower.executeWithOptions(
      { ...ids.step(`original:${ref.name}`, `Does ${ref.name} run where it lives?`), ...limits },
      [{ endpoint, operation: hex32(uuid4()), vm: ref }],
    )
  } catch (thrown) {
    const error = errorOf(thrown)
    if (error === undefined) throw thrown
    return error.code === 'NotFound' ? { state: 'gone' } : { state: 'unseen', why: error.message }
  }
}
