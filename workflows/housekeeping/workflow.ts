import { CancellationScope, log, uuid4, workflowInfo } from '@temporalio/workflow'
import type { HousekeepingActivities, HousekeepingRecordActivities } from '../../activities/housekeeping/types.ts'
import { asFailure, errorOf } from '../shared/failures.ts'
import { controlSteps, siteSteps } from '../shared/options.ts'
import { StepIds, hex32 } from '../shared/steps.ts'
import type { MeasureInput, MeasureResult, OwnBackupInput, OwnBackupResult } from './contract.ts'

/** What a copy holds is old after an hour: then the next one is better than another try of this one. */
const within = { scheduleToCloseTimeout: '1 hour' } as const

/**
 * Copies the catalog, stores the copy in a repository, reads it back, and removes versions that no rule keeps. What
 * came out is written down, good or bad: an own backup that grows old is told.
 */
export async function backUpCatalog(input: OwnBackupInput): Promise<OwnBackupResult> {
  const ids = new StepIds()
  const { repository } = input
  const control = controlSteps<HousekeepingRecordActivities>('quick')
  const copying = controlSteps<HousekeepingRecordActivities>('copy')
  const site = siteSteps<HousekeepingActivities>(repository.site, 'commit')
  const repositoryId = repository.id
  // The id of the copy is that of the point which it becomes.
  const snap = hex32(uuid4())
  const session = hex32(uuid4())
  try {
    try {
      const copy = await copying.copyCatalog.executeWithOptions(ids.step('copy', 'Copy the catalog'), [{ snap }])
      const stored = await site.storeCatalog.executeWithOptions(
        { ...ids.step('store', `Store it in ${repository.name} and read it back`), ...within },
        [{ repository, snap, session, copy, run: workflowInfo().workflowId }],
      )
      const { stem } = stored
      const made = { repositoryId, stem, madeMs: copy.createdMs, coveredSeq: copy.coveredSeq, bytes: copy.bytes }
      let versions = stored.versions
      await control.recordOwnBackup.executeWithOptions(ids.step('record', 'Write down that it is there'), [
        { ...made, versions },
      ])
      const left = await sweep(input, ids)
      if (left !== null && left !== versions) {
        versions = left
        await control.recordOwnBackup.executeWithOptions(ids.step('record', 'Write down how many are left'), [
          { ...made, versions },
        ])
      }
      return { v: 1, stem, createdMs: copy.createdMs, bytes: copy.bytes, versions }
    } finally {
      await CancellationScope.nonCancellable(() =>
        control.dropCatalogCopy.executeWithOptions(ids.step('drop', 'Remove the copy'), [{ snap }]),
      )
    }
  } catch (thrown) {
    const error = errorOf(thrown)
    if (error !== undefined) {
      try {
        await control.recordOwnBackupFailure.executeWithOptions(ids.step('record-failure', 'Write down why not'), [
          { repositoryId, atMs: Date.now(), error },
        ])
      } catch (second) {
        log.error('the failure of an own backup could not be written down', { error: errorOf(second) })
      }
    }
    throw asFailure(thrown)
  }
}

/** Another measuring begins a day later, and takes the place of one that did not get through. */
const withinHours = { startToCloseTimeout: '20 hours', scheduleToCloseTimeout: '22 hours' } as const

/** What a repository holds and how much room is left, read from the repository itself; written down, good or bad. */
export async function measureRepository({ repository }: MeasureInput): Promise<MeasureResult> {
  const ids = new StepIds()
  const site = siteSteps<HousekeepingActivities>(repository.site, 'mover')
  const control = controlSteps<HousekeepingRecordActivities>('record')
  const repositoryId = repository.id
  try {
    const usage = await site.measureUsage.executeWithOptions(
      { ...ids.step('measure', `Measure ${repository.name}`), ...withinHours },
      [{ repository }],
    )
    const measuredMs = Date.now()
    await control.recordUsage.executeWithOptions(ids.step('record', 'Write down what it holds'), [
      { repositoryId, measuredMs, usage },
    ])
    return { v: 1, measuredMs, usage }
  } catch (thrown) {
    const error = errorOf(thrown)
    if (error !== undefined) {
      try {
        await control.recordUsageFailure.executeWithOptions(ids.step('record-failure', 'Write down why not'), [
          { repositoryId, atMs: Date.now(), error },
        ])
      } catch (second) {
        log.error('the failure of a measuring could not be written down', { error: errorOf(second) })
      }
    }
    throw asFailure(thrown)
  }
}

/** Old versions cost space, never a rebuild: that they could not be removed does not take the backup back. */
async function sweep({ repository }: OwnBackupInput, ids: StepIds): Promise<number | null> {
  const site = siteSteps<HousekeepingActivities>(repository.site, 'commit')
  try {
    const { versions } = await site.sweepCatalog.executeWithOptions(
      { ...ids.step('sweep', 'Remove versions that no rule keeps'), ...within },
      [{ repository }],
    )
    return versions
  } catch (thrown) {
    if (errorOf(thrown) === undefined) throw thrown
    log.warn('old versions of the catalog could not be removed', { error: errorOf(thrown) })
    return null
  }
}
