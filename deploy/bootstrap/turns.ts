/**
 * Suites that show once more, in another variant, at another place or end to end, what suites of every run show already,
 * be it in parts. Together they take three times as long as all the others, so each run of `npm test` takes one turn, drawn
 * at its start; twelve turns, about as long each, take all, and so does `npm run test:all`. A suite that is asked for by name
 * runs always.
 */
export const turns: readonly (readonly string[])[] = [
  [
    // The same suite as the filter's, with backup jobs in its place: QEMU older than 7.2, and raw disks.
    'drivers/qemu/job.contract.test.ts',
    'api/schedule-keeper.contract.test.ts',
    'tests/chaos/verify.test.ts',
  ],
  [
    // The same suite as of `qemu`, on images.
    'drivers/image/suite.contract.test.ts',
    // The rescue reader reads every golden repository in each run.
    'repository/golden/compacted.contract.test.ts',
    'tests/chaos/replication.test.ts',
  ],
  [
    'cli/repo/s3.contract.test.ts',
    'server/engine-away.contract.test.ts',
    'tests/chaos/mirror.test.ts',
    // Two boots of a guest; that it is started again whatever happens is in the suite of the workflow, in every run.
    'drivers/qemu/stopped.contract.test.ts',
  ],
  [
    // The lab itself; every suite with a guest stands on it.
    'lab/lab.contract.test.ts',
    'workflows/mirror/copies.contract.test.ts',
    'tests/chaos/instant.test.ts',
  ],
  [
    'tests/contract/drill-defects.test.ts',
    'files/hostile.contract.test.ts',
    'repository/golden/rotated.contract.test.ts',
    'tests/chaos/files.test.ts',
  ],
  [
    // Of its tests, what every backup of a guest shows: the main suite is the filter's.
    'drivers/qemu/guest.contract.test.ts',
    'workflows/plan/parts.contract.test.ts',
    'tests/chaos/plan.test.ts',
  ],
  [
    'drivers/image/image.contract.test.ts',
    'repository/object-store.contract.test.ts',
    'activities/files/guest.contract.test.ts',
    // What it joins (sites, proxies, mirrors, media) has tests of its own in every run.
    'tests/e2e/two-sites.test.ts',
    'tests/chaos/own-backup.test.ts',
  ],
  [
    'files/layouts.contract.test.ts',
    'activities/backup/bandwidth.contract.test.ts',
    'drivers/qemu/standby/standby.contract.test.ts',
    'tests/chaos/put-back.test.ts',
  ],
  [
    'workflows/capacity.contract.test.ts',
    'workflows/capacity-kill.contract.test.ts',
    'workflows/replication/workflow.contract.test.ts',
    // That a scratch device that is full hurts no guest is in the filter's suite, too.
    'drivers/qemu/full.contract.test.ts',
    'tests/chaos/full-repository.test.ts',
  ],
  [
    'repository/store/azure.contract.test.ts',
    'server/rebuild/rebuild.contract.test.ts',
    'lab/oracle.contract.test.ts',
    'repository/golden/mirrored.contract.test.ts',
    'workflows/secrets.contract.test.ts',
    'tests/chaos/recovery-plan.test.ts',
  ],
  [
    'workflows/plan/kill.contract.test.ts',
    'workflows/plan/window.contract.test.ts',
    'cli/repo/export.contract.test.ts',
    // What it joins has tests of its own in every run.
    'tests/year/year.contract.test.ts',
    'deploy/bootstrap/demo.contract.test.ts',
    'tests/e2e/own-recovery.test.ts',
    'tests/chaos/sweep.test.ts',
  ],
  [
    'deploy/prometheus/prometheus.contract.test.ts',
    'tests/contract/suspicious-change.test.ts',
    'workflows/housekeeping/workflow.contract.test.ts',
    'workflows/recovery-plan/workflow.contract.test.ts',
    'workflows/verify/damage.contract.test.ts',
    'activities/files/images.contract.test.ts',
    'lab/freeze.contract.test.ts',
    'tests/e2e/site.test.ts',
    'tests/e2e/retention.test.ts',
  ],
]

/** The suites that are left to other turns: `turn` counts from 1, as people are told; without one, none are. */
export function outOfTurn(turn: string | undefined): readonly string[] {
  if (turn === undefined) return []
  if (turns[Number(turn) - 1] === undefined)
    throw new Error(`HOLDFAST_TURN=${turn} is none of 1 to ${turns.length}; leave it away to have one drawn`)
  return turns.filter((_, at) => at !== Number(turn) - 1).flat()
}
