import type { ActivityOptions } from '@temporalio/workflow'
import type { RetentionActivities, RetentionRecordActivities } from '../../activities/retention/types.ts'
import { asFailure } from '../shared/failures.ts'
import { controlSteps, siteSteps } from '../shared/options.ts'
import { StepIds } from '../shared/steps.ts'
import type { KeepPointInput, RemovePointInput } from './contract.ts'

/** Somebody waits for the answer. */
const whileSomebodyWaits: ActivityOptions = {
  scheduleToStartTimeout: '20 seconds',
  startToCloseTimeout: '90 seconds',
  scheduleToCloseTimeout: '100 seconds',
  retry: { initialInterval: '1 second', maximumAttempts: 3 },
}

/** Places a hold on a point, or ends some. What the repository confirmed is true whether or not it can be written down. */
export async function keepPoint(input: KeepPointInput): Promise<{ readonly holds: readonly string[] }> {
  const ids = new StepIds()
  const { repository, stem, act, requestedBy } = input
  const site = siteSteps<RetentionActivities>(repository.site, 'hypervisor')
  const records = controlSteps<RetentionRecordActivities>('quick')
  try {
    if (act.kind === 'release') {
      const options = { ...ids.step('release', `End ${act.holds.length} holds`), ...whileSomebodyWaits }
      await site.releaseHolds.executeWithOptions(options, [{ repository, holds: act.holds }])
      await records.recordRelease.executeWithOptions(ids.step('record-release', 'Write it down'), [
        { holds: act.holds },
      ])
      return { holds: act.holds }
    }
    const { type } = act
    const { user: actor, reason } = requestedBy
    // Not repeated: a second attempt would place a second hold. One too many keeps too much, and is listed.
    const options = { ...ids.step('hold', 'Place the hold'), ...whileSomebodyWaits, retry: { maximumAttempts: 1 } }
    const { hold } = await site.holdPoint.executeWithOptions(options, [{ repository, stem, type, actor, reason }])
    await records.recordHold.executeWithOptions(ids.step('record-hold', 'Write it down'), [
      { repositoryId: repository.id, stem, hold, type, actor, reason, atMs: Date.now() },
    ])
    return { holds: [hold] }
  } catch (thrown) {
    throw asFailure(thrown)
  }
}

/** Puts a tombstone on one point that no rule and no guard keeps. */
export async function removePoint(input: RemovePointInput): Promise<null> {
  const ids = new StepIds()
  const { repository, stem, requestedBy } = input
  const site = siteSteps<RetentionActivities>(repository.site, 'hypervisor')
  const records = controlSteps<RetentionRecordActivities>('quick')
  const actor = requestedBy.user
  try {
    const series = stem.split('/')[1] ?? ''
    const look = { ...ids.step('survey', 'Read the points of the VM'), ...whileSomebodyWaits }
    const survey = await site.surveyRetention.executeWithOptions(look, [{ repository, series }])
    const judge = ids.step('judge', 'Does a rule keep the point?')
    await records.judgePoint.executeWithOptions(judge, [{ repositoryId: repository.id, stem, survey }])
    const options = { ...ids.step('remove', 'Put a tombstone on the point'), ...whileSomebodyWaits }
    await site.removePoint.executeWithOptions(options, [{ repository, stem, actor }])
    const why = requestedBy.reason === '' ? 'removed by hand' : `removed by hand: ${requestedBy.reason}`
    await records.recordRemoval.executeWithOptions(ids.step('record-removal', 'Write it down'), [
      { repositoryId: repository.id, stem, by: actor, why, atMs: Date.now() },
    ])
    return null
  } catch (thrown) {
    throw asFailure(thrown)
  }
}
