/**
 * The steps of a backup on a site: a driver's point is read, the repository writes it. Each may be called again after
 * any crash; what it made before is found by the point's id.
 */
import { HoldfastError } from '../../base/index.ts'
import { longestOpenMs } from '../../policy/index.ts'
import type { Site } from '../shared/deps.ts'
import { beating, operate } from '../shared/operation.ts'
import type { Place } from '../shared/operation.ts'
import { auditTracker } from './audit.ts'
import { commitBackup, findCommitted } from './commit.ts'
import { copyDisk } from './copy.ts'
import { shutDown, startAgain } from './power.ts'
import { preflight } from './preflight.ts'
import { dropMoveMarks } from '../shared/move-mark.ts'
import type { BackupActivities, RoundRef } from './types.ts'

export type * from './types.ts'

/**
 * Nothing is written while a run stands still until its window opens, for as long as a point may stay open: the session
 * counts as alive all the time, and for some hours in which copies queue. One that fails or is cancelled is ended at once.
 */
const leaseSec = (longestOpenMs + 5 * 3_600_000) / 1000

export function createBackupActivities(site: Site): BackupActivities {
  return {
    preflight: (input) => preflight(site, input),
    shutDown: (input) => operate(site, placeOf(input), (operation) => shutDown(operation, input)),
    startAgain: (input) => operate(site, placeOf(input), (operation) => startAgain(operation, input)),
    openPoint: (input) =>
      operate(site, placeOf(input), async ({ driver, ctx }) => {
        await site.standing.remember(input.endpoint)
        return driver.openPoint(ctx, input.vm, input.request)
      }),
    openSession: (input) =>
      beating(site, ({ signal }) =>
        site.repository(input.repository, async (repository) => {
          const { session, series, parentStem, point, parts } = input
          const spec = { session, series, parentStem, parts, snap: point.id, createdMs: Date.parse(point.createdAt) }
          const { installation: owner } = site.options
          await repository.openSession({ ...spec, owner, point: { ...point }, leaseSec }, signal)
        }),
      ),
    auditTracker: (input) => auditTracker(site, input),
    copyDisk: (input) => copyDisk(site, input),
    checkPoint: (input) =>
      operate(site, placeOf(input), async ({ driver, ctx }) => {
        const health = await driver.checkPoint(ctx, input.point)
        if (health.status === 'broken')
          throw new HoldfastError('PointBroken', `the point of ${input.vm.name} did not stay whole: ${health.why}`)
      }),
    commitBackup: (input) => commitBackup(site, input),
    findCommitted: (input) => findCommitted(site, input),
    releasePoint: (input) =>
      operate(site, placeOf(input), ({ driver, ctx }) => driver.commitPoint(ctx, input.point, input.stored)),
    endSession: (input) =>
      beating(site, () =>
        site.repository(input.repository, async (repository) => {
          const known = await repository.readSession(input.session)
          if (known !== undefined) await repository.endSession(input.session, input.outcome)
          dropMoveMarks(site.options.cacheDir, input.session)
        }),
      ),
    spotCheck: (input) =>
      beating(site, ({ signal }) =>
        site.repository(input.repository, (repository) => repository.spotCheck(input.stem, input.chunks, signal)),
      ),
    comparePoint: (input) =>
      beating(site, ({ signal }) =>
        site.repository(input.repository, (repository) => repository.compareWithPrevious(input.stem, signal)),
      ),
    ensureRunning: (input) => operate(site, placeOf(input), ({ driver, ctx }) => driver.ensureRunning(ctx, input.vm)),
    abortPoint: (input) =>
      operate(site, placeOf(input), ({ driver, ctx }) => driver.abortPoint(ctx, input.vm, input.point)),
  }
}

function placeOf({ endpoint, pointId, vm }: RoundRef): Place {
  return { endpoint, operation: pointId, vm }
}
