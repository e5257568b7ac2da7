/**
 * Records the corpus: real runs on a real Temporal server with scripted steps, one file per case. Run it when a
 * workflow changes on purpose: `node tests/histories/record.ts`; what changed shows in the diff.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { CancelledFailure, Context, heartbeat } from '@temporalio/activity'
import type { WorkflowHandle } from '@temporalio/client'
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js'
import { GiB, HoldfastError, MiB } from '../../base/index.ts'
import { sampleBackup, sampleEndpoint, sampleRepository, sampleRequester, sampleSite, sampleTarget } from '../../activities/testing/samples.ts'
import { restoredMember } from '../../activities/testing/recovery.ts'
import { Scripted, checkedSummary, copied, mirroredCopy, standbyView, untilCancelled } from '../../activities/testing/scripted.ts'
import { pendingStep } from '../../api/temporal/pending.ts'
import type { PendingStep, RunHistory } from '../../runbook/index.ts'
import { WorkflowBench, eventually } from '../../server/testing/workflows.ts'
import type { MoveDetails } from '../../workflows/shared/heartbeat.ts'

const here = dirname(fileURLToPath(import.meta.url))

/** Until the workflow has ended, which in these scenarios is a failure. */
async function ended(handle: WorkflowHandle): Promise<void> {
  await Promise.allSettled([handle.result()])
}

export interface CorpusCase {
  readonly history: RunHistory
  readonly pending: readonly PendingStep[]
  readonly nowMs: number
}

type Script = ConstructorParameters<typeof Scripted>[0]
interface Scenario {
  readonly workflow: string
  readonly input: unknown
  readonly script: Script
  /** Drives the run to where it is recorded. */
  readonly drive?: (handle: WorkflowHandle, steps: Scripted) => Promise<unknown>
}

const stem = `snap/${'1'.repeat(32)}/0000000000000000-${'f'.repeat(32)}`
const restore = {
  v: 1, requestId: 'r1', repository: sampleRepository, stem, identity: 'new', powerOn: true,
  target: { kind: 'new', endpoint: sampleEndpoint, site: sampleSite, name: 'erp-db-01-copy' },
  requestedBy: sampleRequester, tuning: { moverHeartbeatMs: 4_000 },
}
const check = { title: 'orders are whole', path: '/usr/bin/check', args: [], timeoutMs: 1000, expectExit: 0, count: { expected: 1000, tolerance: 0.005 } }
const drill = {
  v: 1, vmId: 'erp-db-01', vmName: 'erp-db-01', repository: sampleRepository, stem, endpoint: sampleEndpoint, site: sampleSite,
  checks: [check], bootTimeoutMs: 60_000, requestedBy: sampleRequester, tuning: {},
}

const sweep = {
  v: 1, repository: sampleRepository, mode: 'sweep', approval: 'grace', graceMs: 0, approveWithinMs: 60_000, maxShare: 0.5,
  collect: 'auto', waits: 'usual', requestedBy: sampleRequester, tuning: {},
}

const recovery = {
  v: 1, planId: 'the-shop', planName: 'The shop', mode: 'rehearse', untilMs: null, withoutPeople: false, patienceMs: 86_400_000,
  requestedBy: sampleRequester,
}
/** Of the first tier, in both attempts. */
const oneCheckFails: Script = {
  runGuestCheck: async ({ check: { title } }, call) => ({ title, passed: call > 2, exit: call > 2 ? 0 : 1, out: '', err: '', count: null, detail: call > 2 ? 'exit 0' : 'exit 1, expected 0' }),
}

const plan = { v: 1, plan: 'nightly', trigger: 'schedule', again: null, part: 0, requestedBy: { user: 'plan nightly', reason: 'by its schedule' } }
const planned = (position: number, name: string) => {
  const vm = { ...sampleTarget, id: name, ref: { ...sampleTarget.ref, name } }
  return { position, workflowId: `backup/${name}`, vmName: name, attempt: 1, input: sampleBackup({ vm, plan: 'nightly', origin: 'scheduled' }) }
}
/** Three VMs, one after the other. */
const threeVms: Script = {
  openPlanRun: async () => ({ vms: 3, concurrency: 1 }),
  nextPlanVm: async ({ turn, wants }) => {
    const name = ['db-01', 'web-01', 'web-02'][turn]
    return { next: wants && name !== undefined ? planned(turn, name) : null, againMs: null }
  },
}

const verify = { v: 1, repository: sampleRepository, level: 'full', quarantine: true, budgetBytes: null, requestedBy: sampleRequester, tuning: {} }

const mirror = {
  v: 1, source: sampleRepository, target: { ...sampleRepository, id: 'offsite', name: 'offsite', location: { kind: 's3', url: 's3://offsite' } },
  requestedBy: { user: 'holdfast', reason: 'copies are wanted there' }, tuning: {}, part: 0,
}

const pair = { id: '7'.repeat(32), source: sampleTarget, endpoint: { ...sampleEndpoint, address: '/paris' }, site: sampleSite, name: 'erp-db-01-standby' }
const cycle = { v: 1, pair, requestedBy: { user: 'holdfast', reason: 'the standby follows' }, tuning: {}, full: false }
/** A source that is shut down, and then is off. */
const runsUntilAsked: NonNullable<Script>['readPower'] = async (_input, call) => ({ state: call === 1 ? 'running' : 'stopped' })
const move = { v: 1, pair, requestedBy: sampleRequester, tuning: { operatorWaitMs: 0 } }

async function beatUntilStopped(what: string): Promise<never> {
  const context = Context.current()
  const beat = setInterval(() => context.heartbeat({ v: 1, what, quietMs: 0 }), 200)
  try {
    return await context.cancelled
  } finally {
    clearInterval(beat)
  }
}

function moving(disk: string, over: Partial<MoveDetails> = {}): MoveDetails {
  return {
    v: 1, disk, start: 0, end: 2 * GiB, stage: 'moving', offset: 900 * MiB, durableOffset: 880 * MiB, bytesRead: 900 * MiB,
    bytesStored: 300 * MiB, chunksNew: 300, bytesResumed: 0, bytesReadAgain: 0, bottleneck: 'source', rate: 120 * MiB, quietMs: 0, ...over,
  }
}

async function beatUntilCancelled(details: MoveDetails): Promise<never> {
  const context = Context.current()
  const beat = setInterval(() => context.heartbeat(details), 200)
  try {
    return await context.cancelled
  } catch {
    // As a mover does: it says good-bye with where it stood.
    throw new CancelledFailure('CANCELLED', [details])
  } finally {
    clearInterval(beat)
  }
}

/** One word, then none for longer than the heartbeat timeout. */
async function silent(over: Partial<MoveDetails> = {}): Promise<never> {
  heartbeat(moving('virtio0', over))
  await sleep(3_000)
  throw new HoldfastError('Internal', 'nobody listens any more')
}

const scenarios: { readonly [name: string]: Scenario } = {
  'backup-completed': { workflow: 'backupVm', input: sampleBackup(), script: {} },
  'backup-shut-down': { workflow: 'backupVm', input: sampleBackup({ stopBefore: true }), script: {} },
  'backup-resumed': {
    workflow: 'backupVm',
    input: sampleBackup({ tuning: { moverHeartbeatMs: 1_000 } }),
    script: {
      copyDisk: async (input) => {
        if (input.range.disk === 'virtio1') return copied(input)
        // As a killed worker: no more word of this attempt.
        if (Context.current().info.attempt === 1) return silent()
        return copied(input, { bytesResumed: 880 * MiB, bytesReadAgain: 20 * MiB })
      },
    },
  },
  'backup-running': {
    workflow: 'backupVm',
    input: sampleBackup(),
    script: { copyDisk: (input) => (input.range.disk === 'virtio1' ? Promise.resolve(copied(input)) : beatUntilCancelled(moving('virtio0'))) },
    drive: (handle) => heartbeatSeen(handle),
  },
  'backup-retrying': {
    workflow: 'backupVm',
    input: sampleBackup(),
    script: {
      copyDisk: async (input) => {
        if (input.range.disk === 'virtio1') return copied(input)
        throw new HoldfastError('NetworkFailure', 'the NBD server at lab closed the connection')
      },
    },
    drive: (handle) => eventually('the retry', async () => (await handle.describe()).raw.pendingActivities?.some(({ attempt }) => (attempt ?? 0) >= 2)),
  },
  'backup-waiting-full': {
    workflow: 'backupVm',
    input: sampleBackup(),
    script: {
      copyDisk: async (input) => {
        if (input.range.disk === 'virtio1') return copied(input)
        throw new HoldfastError('StoreFull', 'the repository main has no space left')
      },
    },
    drive: (handle) => eventually('the wait', async () => (await historyTypes(handle)).includes('EVENT_TYPE_TIMER_STARTED')),
  },
  'backup-paused': {
    workflow: 'backupVm',
    input: sampleBackup(),
    script: { copyDisk: (input) => beatUntilCancelled(moving(input.range.disk, { end: input.range.nPages * GiB })) },
    drive: async (handle, steps) => {
      await eventually('both copies', () => steps.inputs('copyDisk').length === 2)
      await handle.executeUpdate('pause', { args: [{ user: 'ann', reason: 'maintenance of the storage' }] })
      await eventually('the stop', async () => (await historyTypes(handle)).filter((type) => type === 'EVENT_TYPE_ACTIVITY_TASK_CANCELED').length === 2)
    },
  },
  'backup-no-worker': { workflow: 'backupVm', input: sampleBackup({ vm: { ...sampleTarget, site: 'nowhere' } }), script: {}, drive: (handle) => eventually('the step', async () => (await handle.describe()).raw.pendingActivities?.length === 1) },
  'backup-cancelled': {
    workflow: 'backupVm',
    input: sampleBackup(),
    script: { copyDisk: () => untilCancelled() },
    drive: async (handle, steps) => {
      await eventually('both copies', () => steps.inputs('copyDisk').length === 2)
      await handle.signal('cancelNote', { user: 'ann', reason: 'wrong VM' })
      await handle.cancel()
      await ended(handle)
    },
  },
  'backup-failed-with-residue': {
    workflow: 'backupVm',
    input: sampleBackup(),
    script: {
      openSession: async () => { throw new HoldfastError('SessionInvalid', 'the session belongs to another snapshot') },
      abortPoint: async () => { throw new HoldfastError('Unsupported', 'the snapshot is held by another tool') },
    },
    drive: ended,
  },
  'backup-point-broke': {
    workflow: 'backupVm',
    input: sampleBackup(),
    script: { checkPoint: async (_input, call) => { if (call === 1) throw new HoldfastError('PointBroken', 'the scratch file is full') } },
  },
  'restore-completed': { workflow: 'restoreVm', input: restore, script: {} },
  'restore-resumed': {
    workflow: 'restoreVm',
    input: { ...restore, tuning: { moverHeartbeatMs: 1_000 } },
    script: {
      restoreDisk: async ({ disk }) => {
        if (disk === 'virtio0' && Context.current().info.attempt === 1) return silent({ bottleneck: null })
        const again = disk === 'virtio0' ? { bytesResumed: 880 * MiB, bytesWrittenAgain: 20 * MiB } : { bytesResumed: 0, bytesWrittenAgain: 0 }
        return { disk, size: 2 * GiB, writtenBytes: GiB, ...again }
      },
    },
  },
  'restore-in-place-reverted': {
    workflow: 'restoreVm',
    input: { ...restore, identity: 'same', target: { kind: 'original', vm: sampleTarget, confirmName: sampleTarget.ref.name } },
    script: {
      powerVm: async ({ want }, call) => {
        if (want === 'running' && call === 2) throw new HoldfastError('GuestRefused', 'it does not start')
        return { before: 'running', after: want === 'running' ? 'running' : 'stopped' }
      },
    },
    drive: ended,
  },
  'restore-files': {
    workflow: 'restoreFiles',
    input: {
      v: 1, requestId: 'f1', session: 'a'.repeat(32), volume: 'd0p2', paths: ['/etc/hosts', '/srv/www'], place: { kind: 'beside' },
      vm: sampleTarget, repository: sampleRepository, stem, requestedBy: sampleRequester, tuning: {},
    },
    script: {},
  },
  'drill-passed': { workflow: 'restoreDrill', input: drill, script: {} },
  'drill-from-repository': { workflow: 'restoreDrill', input: { ...drill, from: 'repository' }, script: {} },
  // Its VM goes, its disks are served no more, and its point is let go.
  'drill-from-repository-cancelled': {
    workflow: 'restoreDrill',
    input: { ...drill, from: 'repository' },
    script: { waitForGuest: () => untilCancelled() },
    drive: async (handle, steps) => {
      await eventually('the wait for its guest', () => steps.inputs('waitForGuest').length > 0)
      await handle.signal('cancelNote', { user: 'ann', reason: 'the wrong point' })
      await handle.cancel()
      await ended(handle)
    },
  },
  'drill-failed': {
    workflow: 'restoreDrill',
    input: drill,
    script: { runGuestCheck: async ({ check: { title } }) => ({ title, passed: false, exit: 0, out: '990', err: '', count: 990, detail: 'counted 990, expected 1000 ± 0.5 %' }) },
  },
  'drill-silent': {
    workflow: 'restoreDrill',
    input: drill,
    script: { waitForGuest: async () => ({ state: 'silent', waitedMs: 60_000 }) },
  },
  'plan-completed': {
    workflow: 'planRun',
    input: plan,
    script: { ...threeVms, closePlanRun: async () => ({ counts: { completed: 3, failed: 0, cancelled: 0, skipped: 0 }, troubles: [] }) },
  },
  'plan-failed': {
    workflow: 'planRun',
    input: plan,
    script: {
      ...threeVms,
      checkPoint: async ({ vm }) => { if (vm.name === 'db-01') throw new HoldfastError('Unsupported', 'its disks are passed through') },
      closePlanRun: async () => ({
        counts: { completed: 2, failed: 1, cancelled: 0, skipped: 0 },
        troubles: [{ vm: 'db-01', state: 'failed', why: 'its disks are passed through' }],
      }),
    },
    drive: ended,
  },
  'plan-paused': {
    workflow: 'planRun',
    input: plan,
    script: { ...threeVms, copyDisk: (input) => beatUntilCancelled(moving(input.range.disk, { end: input.range.nPages * GiB })) },
    drive: async (handle, steps) => {
      await eventually('both copies', () => steps.inputs('copyDisk').length === 2)
      await handle.executeUpdate('pause', { args: [{ user: 'ann', reason: 'maintenance of the storage' }] })
      await eventually('the word to the backup', async () => (await historyTypes(handle)).includes('EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED'))
    },
  },
  'plan-outside-window': {
    workflow: 'planRun',
    input: plan,
    script: {
      ...threeVms,
      openPlanRun: async () => ({ vms: 3, concurrency: 1, window: { open: true, changesMs: Date.now() + 1_000, until: null, atEnd: 'pause', releasesPoints: false } }),
      heedWindow: async () => ({ open: false, changesMs: Date.now() + 16 * 3_600_000, until: 'Sat 21 Nov 22:00 (Europe/Paris)', atEnd: 'pause', releasesPoints: false }),
      copyDisk: (input) => beatUntilCancelled(moving(input.range.disk, { end: input.range.nPages * GiB })),
    },
    drive: (handle) => eventually('the word to the backup', async () => (await historyTypes(handle)).includes('EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED')),
  },
  'retention-completed': { workflow: 'retentionSweep', input: sweep, script: {} },
  'retention-waiting-approval': {
    workflow: 'retentionSweep',
    input: sweep,
    script: { planSweep: async () => ({ digest: '3f8a0c1d2e4b5a69', points: 9, series: 2, going: 5, asking: 1, orphans: 0, worst: { vm: 'erp-db-01', going: 5, points: 6 } }) },
    drive: (handle) => eventually('the wait', async () => (await historyTypes(handle)).includes('EVENT_TYPE_TIMER_STARTED')),
  },
  'retention-approved': {
    workflow: 'retentionSweep',
    input: { ...sweep, approval: 'required' },
    script: { tombstonePoints: async ({ points }) => ({ refused: points.slice(0, 1).map(({ stem: held }) => ({ stem: held, why: 'held' })) }) },
    drive: async (handle) => {
      await eventually('the wait', async () => (await historyTypes(handle)).includes('EVENT_TYPE_TIMER_STARTED'))
      await handle.executeUpdate('approveSweep', { args: [{ user: 'ann', reason: 'looked at it', digest: 'd1' }] })
      await ended(handle)
    },
  },
  'retention-declined': { workflow: 'retentionSweep', input: { ...sweep, approval: 'required', approveWithinMs: 500 }, script: {} },
  'verify-sound': { workflow: 'verifyRepository', input: { ...verify, quarantine: false }, script: { checkRepository: async () => ({ ...checkedSummary, packsResumed: 5 }) } },
  'verify-damaged': {
    workflow: 'verifyRepository',
    input: verify,
    script: {
      checkRepository: async () => ({ ...checkedSummary, damages: 1, unreadable: 1, quarantined: 1 }),
      recordFindings: async () => ({ damagedPoints: 3, unreadablePoints: 1, mendedPoints: 1 }),
    },
  },
  'verify-running': {
    workflow: 'verifyRepository',
    input: { ...verify, level: 'data', quarantine: false, budgetBytes: 500 * GiB },
    script: { checkRepository: () => beatUntilStopped('4 of 21 packs and points: pack/3f/3f8a0c1d') },
    drive: (handle) => heartbeatSeen(handle),
  },
  'verify-away': {
    workflow: 'verifyRepository',
    input: { ...verify, tuning: { operatorWaitMs: 0 } },
    script: { checkRepository: async () => { throw new HoldfastError('StoreDenied', 'the store refuses to list pack/') } },
    drive: ended,
  },
  'backup-without-slot': {
    workflow: 'backupVm',
    input: sampleBackup(),
    script: {
      claimSlots: async () => {
        throw new HoldfastError('InvalidRequest', 'the governor cannot be asked')
      },
    },
  },
  'verify-with-slots': { workflow: 'verifyRepository', input: { ...verify, quarantine: false }, script: { checkRepository: async () => checkedSummary } },
  'mirror-with-slots': { workflow: 'mirrorRepository', input: mirror, script: {} },
  'mirror-completed': { workflow: 'mirrorRepository', input: mirror, script: {} },
  'mirror-incomplete': {
    workflow: 'mirrorRepository',
    input: mirror,
    script: { mirrorPoint: async ({ copy }, call) => mirroredCopy(copy, call === 2 ? { outcome: 'failed', problem: 'chunk 7 is lost at its source' } : {}) },
    drive: ended,
  },
  'mirror-running': {
    workflow: 'mirrorRepository',
    input: mirror,
    script: { mirrorPoint: ({ copy }, call) => (call === 1 ? Promise.resolve(mirroredCopy(copy)) : beatUntilStopped('looking at what both have')) },
    drive: (handle) => heartbeatSeen(handle),
  },
  'replication-completed': { workflow: 'replicateVm', input: cycle, script: {} },
  'replication-running': {
    workflow: 'replicateVm',
    input: cycle,
    script: { replicateDisk: ({ disk }, call) => (call === 1 ? Promise.resolve({ disk, writtenBytes: 4 * MiB, bytesResumed: 0 }) : beatUntilCancelled(moving(disk))) },
    drive: (handle) => heartbeatSeen(handle),
  },
  'failover-planned': { workflow: 'failOver', input: { ...move, move: 'planned' }, script: { readPower: runsUntilAsked } },
  'failover-unplanned': {
    workflow: 'failOver',
    input: { ...move, move: 'unplanned' },
    script: { fenceSource: async () => { throw new HoldfastError('AccessDenied', 'cannot list the VMs in /lyon') } },
  },
  'failover-withdrawn': {
    workflow: 'failOver',
    input: { ...move, move: 'planned' },
    script: { readPower: runsUntilAsked, takeOver: async () => { throw new HoldfastError('CapacityExhausted', 'no memory is left on paris') } },
    drive: ended,
  },
  'failover-back': { workflow: 'failOver', input: { ...move, move: 'failback' }, script: { inspectStandby: async () => ({ ...standbyView, role: 'taken-over' }), readPower: async (_input, call) => ({ state: call === 2 ? 'running' : 'stopped' }) } },
  'failover-test': { workflow: 'testFailover', input: { ...move, holdMs: 0, limitMs: 60_000 }, script: {} },
  'recovery-passed': {
    workflow: 'recoveryPlan',
    input: recovery,
    script: {},
    drive: async (handle, steps) => {
      await answered(handle, steps, 'before-0', 'approveStep', { tier: 'app' })
      await ended(handle)
    },
  },
  // With its points held in their repository; of the others, which are older, the catalog alone keeps them.
  'recovery-held': {
    workflow: 'recoveryPlan',
    input: recovery,
    script: {},
    drive: async (handle, steps) => {
      await answered(handle, steps, 'before-0', 'approveStep', { tier: 'app' })
      await ended(handle)
    },
  },
  // The same, since each time that it is asked is a step that says what it met.
  'recovery-repository-silent': {
    workflow: 'recoveryPlan',
    input: recovery,
    script: { holdPoints: async () => { throw new HoldfastError('StoreUnavailable', 'the repository main does not answer') } },
    drive: async (handle, steps) => {
      await eventually('a failure', () => steps.inputs('holdPoints').length > 1)
      await answered(handle, steps, 'before-0', 'approveStep', { tier: 'app' })
      await ended(handle)
    },
  },
  // Its repository does not answer: what is not held by then is not waited for.
  'recovery-repository-away': {
    workflow: 'recoveryPlan',
    input: recovery,
    script: { holdPoints: async () => { throw new HoldfastError('StoreUnavailable', 'the repository main does not answer') } },
    drive: async (handle, steps) => {
      await answered(handle, steps, 'before-0', 'approveStep', { tier: 'app' })
      await ended(handle)
    },
  },
  'recovery-waiting-approval': { workflow: 'recoveryPlan', input: { ...recovery, mode: 'run' }, script: { planMember: async ({ vmId, attempt }) => restoredMember(vmId, attempt) }, drive: (handle, steps) => waited(handle, steps, 'before-0') },
  'recovery-continued': {
    workflow: 'recoveryPlan',
    input: recovery,
    script: oneCheckFails,
    drive: async (handle, steps) => {
      await answered(handle, steps, 'choice-1', 'chooseTier', { tier: 'db', choice: 'retry' })
      await answered(handle, steps, 'choice-2', 'chooseTier', { tier: 'db', choice: 'continue' })
      await answered(handle, steps, 'before-0', 'approveStep', { tier: 'app' })
      await ended(handle)
    },
  },
  // The last of them: its drill is left under way.
  'recovery-tier-failed': {
    workflow: 'recoveryPlan',
    input: recovery,
    script: oneCheckFails,
    drive: (handle, steps) => waited(handle, steps, 'choice-1'),
  },
  'recovery-refused': {
    workflow: 'recoveryPlan',
    input: { ...recovery, mode: 'run' },
    script: {
      openRecovery: async () => ({ atOnce: 2, vms: 1, tiers: [{ key: 'db', after: [] }], originals: [{ target: sampleTarget }] }),
      admitRecovery: async () => ({ problems: ['erp-db-01: it is running on lab'] }),
    },
    drive: ended,
  },
  'drill-inconclusive': { workflow: 'restoreDrill', input: { ...drill, checks: [] }, script: {} },
}

/** Until the run waits for a person, and its timer stands in the history. */
async function waited(handle: WorkflowHandle, steps: Scripted, id: string): Promise<void> {
  await eventually(`the wait ${id}`, () => steps.inputs('noteTier').some(({ change }) => change.waitsFor?.id === id))
  await eventually('its timer', async () => {
    const types = await historyTypes(handle)
    return types.lastIndexOf('EVENT_TYPE_TIMER_STARTED') > Math.max(types.lastIndexOf('EVENT_TYPE_ACTIVITY_TASK_COMPLETED'), types.lastIndexOf('EVENT_TYPE_TIMER_CANCELED'))
  })
}

async function answered(handle: WorkflowHandle, steps: Scripted, wait: string, update: string, word: object): Promise<void> {
  await waited(handle, steps, wait)
  await handle.executeUpdate(update, { args: [{ user: 'ann', reason: 'looked at it', wait, ...word }] })
}

async function historyTypes(handle: WorkflowHandle): Promise<string[]> {
  const history = JSON.parse(historyToJSON(await handle.fetchHistory())) as RunHistory
  return history.events.map(({ eventType }) => eventType)
}

function heartbeatSeen(handle: WorkflowHandle): Promise<unknown> {
  return eventually('a heartbeat', async () => (await handle.describe()).raw.pendingActivities?.some(({ heartbeatDetails }) => heartbeatDetails))
}

/** Nothing of the machine that recorded it: stack traces name its folders, identities its host. */
function withoutMachine(name: string, value: unknown): unknown {
  if (name === 'stackTrace') return undefined
  return name === 'identity' || name === 'worker' ? value && 'worker-1' : value
}

async function recordAll(only: readonly string[]): Promise<void> {
  mkdirSync(here, { recursive: true })
  await using bench = await WorkflowBench.start()
  for (const [name, { workflow, input, script, drive }] of Object.entries(scenarios)) {
    if (only.length > 0 && !only.includes(name)) continue
    const steps = new Scripted(script)
    const prefix = { backupVm: 'backup', restoreVm: 'restore', restoreDrill: 'drill', retentionSweep: 'retention', planRun: 'plan', verifyRepository: 'verify', mirrorRepository: 'mirror', replicateVm: 'replication', failOver: 'failover', testFailover: 'failover', recoveryPlan: 'recovery' }[workflow] ?? workflow
    const id = `${prefix}/${name}`
    await bench.run(workflow, input, steps.activities, async (handle) => {
      await (drive ?? ((it: WorkflowHandle) => it.result()))(handle, steps)
      const described = await handle.describe()
      const pending = await Promise.all((described.raw.pendingActivities ?? []).map((info) => pendingStep(bench.wholeClient, info)))
      const corpus: CorpusCase = { history: await bench.history(id), pending, nowMs: Date.now() }
      writeFileSync(join(here, `${name}.json`), `${JSON.stringify(corpus, withoutMachine, 1)}\n`)
      console.log(name, corpus.history.events.length, 'events')
      if (described.status.name === 'RUNNING') await handle.terminate('recorded')
    }, id)
  }
}

await recordAll(process.argv.slice(2))
process.exit(0)
