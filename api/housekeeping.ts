import { setTimeout as sleep } from 'node:timers/promises'
import { describeError } from '../base/index.ts'
import type { MirrorPair, OwnBackupView } from '../catalog/index.ts'
import {
  isMeasuringDue,
  isMirrorDue,
  isOwnBackupDue,
  isScrubDue,
  isSweepDue,
  isWithin,
  ownBackupPace,
  type OwnBackupPace,
} from '../policy/index.ts'
import {
  measureWorkflow,
  measureWorkflowId,
  ownBackupWorkflow,
  ownBackupWorkflowId,
  type MeasureInput,
  type OwnBackupInput,
} from '../workflows/housekeeping/contract.ts'
import type { ApiDeps } from './deps.ts'
import { discoveryKeeper } from './discovery-keeper.ts'
import { drillKeeper, type DrillPace } from './drill-keeper.ts'
import { holdKeeper } from './hold-keeper.ts'
import { auditRetention, isAuditDue } from './retention-audit.ts'
import { startDueCycles } from './replication-keeper.ts'
import type { RunHandle } from './orchestrator.ts'
import { planMirror } from './requests/mirror.ts'
import { planRetention } from './requests/retention.ts'
import { startOnce } from './requests/start.ts'
import { repositoryRefOf } from './requests/targets.ts'
import { planVerify } from './requests/verify.ts'
import { mirrorBody } from './schemas/mirrors.ts'
import { sweepBody } from './schemas/retention.ts'
import { verifyBody } from './schemas/verify.ts'

type Deps = Pick<ApiDeps, 'catalog' | 'orchestrator' | 'live' | 'now' | 'log'>

/** At standbys. */
const usualLookMs = 5_000
/** Everything but standbys has time: it is looked at every twenty seconds. */
const looksPerTick = 4
const purgeEveryMs = 86_400_000

export interface HousekeepingOptions {
  readonly pace?: OwnBackupPace
  /** 'by-hand': nobody sweeps a repository but who asks for it. Default: 'daily'. */
  readonly sweeps?: 'daily' | 'by-hand'
  readonly drills?: DrillPace
  /** Between two listings of the VMs of a hypervisor; null, the default: only who asks. */
  readonly discoverEveryMs?: number | null
  /** Between two looks at standbys; at the rest after four of them. */
  readonly lookEveryMs?: number
}

/**
 * Looks whether the catalog is to be written into a repository, whether a repository is to be measured or swept, whether copies are
 * wanted in another repository, whether a standby is to be brought on, whether a VM is to be drilled, whether copies of held
 * points lack a hold, whether a VM was left out long enough, whether the VMs of a hypervisor are to be listed, whether what a repository keeps is to be compared with its policies, whether the run of a recovery plan was lost, and once a day at records that are older than they are kept.
 * What is due follows from the catalog alone, so nothing is lost with this process.
 */
export interface Housekeeping {
  tick(): Promise<void>
  /** Until the signal. */
  run(signal: AbortSignal): Promise<void>
}

export function housekeeping(
  deps: Deps,
  {
    pace = ownBackupPace,
    sweeps = 'daily',
    drills = 'always',
    discoverEveryMs = null,
    lookEveryMs = usualLookMs,
  }: HousekeepingOptions = {},
): Housekeeping {
  const { catalog, now, log } = deps
  const keeper = drillKeeper(deps, drills)
  const holds = holdKeeper(deps)
  const discovery = discoveryKeeper(deps, discoverEveryMs)
  let purgedMs = Number.NEGATIVE_INFINITY
  /** One thing that cannot be done keeps none of the others waiting. */
  const guarded = async (what: string, of: object, work: () => unknown): Promise<void> => {
    try {
      await work()
    } catch (error) {
      log.warn({ ...of, error: describeError(error) }, what)
    }
  }
  const startDue = async (row: OwnBackupView): Promise<void> => {
    if (isDue(deps, row, pace)) await startOwnBackup(deps, row.repositoryId)
  }
  const auditDue = async (repositoryId: string): Promise<void> => {
    if (!isAuditDue(catalog, repositoryId, now())) return
    await auditRetention(catalog, repositoryId, { nowMs: now(), sweepsAreDue: sweeps === 'daily' })
  }
  const rest = async (): Promise<void> => {
    await guarded('lost runs of recovery plans could not be closed', {}, () => catalog.recoveryRuns.closeLost())
    await guarded('VMs could not be protected again', {}, () => {
      const back = catalog.vms.endExclusions()
      if (back.length > 0)
        log.info({ vms: back.map(({ id }) => id) }, 'VMs that were left out until now are protected again')
    })
    for (const row of catalog.own.backups()) {
      const { repositoryId: repository } = row
      const of = { repository }
      await guarded('the catalog could not be backed up', of, () => startDue(row))
      await guarded('the measuring could not be started', of, () => startDueMeasuring(deps, repository))
      await guarded('the scrub could not be started', of, () => startDueScrub(deps, repository))
      if (sweeps === 'daily')
        await guarded('the retention sweep could not be started', of, () => startDueSweep(deps, repository))
      await guarded('the retention could not be audited', of, () => auditDue(repository))
      await guarded('the usage of workloads could not be written down', of, () =>
        catalog.workloadUsage.look(repository),
      )
    }
    await guarded('damaged copies could not be wanted again', {}, () => catalog.mirrors.wantBack())
    // What is on its way on media is not sent over the line as well.
    const isExpected = catalog.shipments.underWay(now())
    for (const pair of catalog.mirrors.due(now()))
      if (!isExpected(pair)) await guarded('the mirror could not be started', pair, () => startDueMirror(deps, pair))
    await discovery.tick()
    await keeper.tick()
    await holds.tick()
    if (isWithin(purgedMs, purgeEveryMs, now())) return
    const gone = await catalog.keeping.purge()
    purgedMs = now()
    if (Object.values(gone).some((count) => count > 0))
      log.info({ gone }, 'records older than they are kept were removed')
  }
  return {
    async tick() {
      await startDueCycles(deps)
      await rest()
    },
    async run(signal) {
      const again = async (everyMs: number, work: () => Promise<void>): Promise<void> => {
        while (!signal.aborted) {
          await work().catch((error: unknown) => log.error({ error: describeError(error) }, 'housekeeping failed'))
          // Ends early with the signal, which is no error here: the loop looks at it.
          await Promise.allSettled([sleep(everyMs, undefined, { signal })])
        }
      }
      // Standbys are promised within minutes: nothing else here may hold them up, however long it takes.
      await Promise.all([again(lookEveryMs, () => startDueCycles(deps)), again(lookEveryMs * looksPerTick, rest)])
    },
  }
}

function isDue({ catalog, now }: Deps, row: OwnBackupView, pace: OwnBackupPace): boolean {
  const changes = catalog.own.changesSince(row.coveredSeq ?? 0)
  const facts = {
    nowMs: now(),
    madeMs: row.madeMs,
    triedMs: row.triedMs,
    hasFailed: row.error !== null,
    // Earlier than anybody knows is as early as it can be: steady changes must not put it off for ever.
    firstChangeMs: changes && (changes.firstMs ?? row.madeMs ?? 0),
    lastChangeMs: changes?.lastMs ?? null,
  }
  return isOwnBackupDue(facts, pace)
}

/**
 * With what is set for the repository. Until a person has approved one of it each asks: nothing goes by itself by policies
 * that nobody has seen at work (ADR 0612).
 */
async function startDueSweep(deps: Deps, repositoryId: string): Promise<void> {
  const { catalog, now } = deps
  const asks = catalog.sweeps.wasApproved(repositoryId) ? {} : { approval: 'required' }
  const plan = planRetention(catalog, repositoryId, sweepBody.parse({ ...asks, reason: 'once a day' }), 'holdfast')
  const run = catalog.runs.latest(plan.workflowId)
  if (run !== undefined && run.endedMs === null) return
  const lastMs = catalog.sweeps.lastSweptMs(repositoryId) ?? catalog.repositories.get(repositoryId).createdMs
  if (!isSweepDue({ nowMs: now(), lastMs, triedMs: run?.startedMs ?? null })) return
  await startOnce(deps, plan, { key: undefined, request: '' })
}

/** Once a day, by whoever works at its site; what it found, or why it found nothing, it writes down itself. */
async function startDueMeasuring({ catalog, orchestrator, now }: Deps, repositoryId: string): Promise<void> {
  const repository = catalog.repositories.get(repositoryId)
  const { createdMs, usage, measureTriedMs: triedMs, site } = repository
  if (!isMeasuringDue({ nowMs: now(), createdMs, measuredMs: usage?.measuredMs ?? null, triedMs })) return
  catalog.repositories.recordMeasuring(repositoryId)
  const input: MeasureInput = { v: 1, repository: repositoryRefOf(repository) }
  await orchestrator.start({
    workflow: measureWorkflow,
    workflowId: measureWorkflowId(repositoryId),
    input,
    summary: `Measure ${repository.name}`,
    memo: null,
    search: { repository: repositoryId, site },
    priority: 4,
    whenRunning: 'join',
  })
}

/** The next part of a repository whose packs are read by and by: a verify with a budget, which quarantines what is damaged. */
async function startDueScrub(deps: Deps, repositoryId: string): Promise<void> {
  const { catalog, now } = deps
  const {
    level = null,
    budgetBytes = null,
    changedMs = null,
    countedMs = null,
  } = catalog.scrubs.find(repositoryId) ?? {}
  if (level === null || budgetBytes === null) return
  const wish = verifyBody.parse({ level, budgetBytes, quarantine: true, reason: 'a part of it every day' })
  const plan = planVerify(catalog, repositoryId, wish, 'holdfast')
  const run = catalog.runs.latest(plan.workflowId)
  if (run !== undefined && run.endedMs === null) return
  const triedMs = catalog.scrubs.lastMs(repositoryId)
  if (isScrubDue({ nowMs: now(), setMs: changedMs ?? 0, countedMs, triedMs }))
    await startOnce(deps, plan, { key: undefined, request: '' })
}

/** Copies that a plan wants, or that failed and have waited long enough (ADR 0711). */
async function startDueMirror(deps: Deps, pair: MirrorPair): Promise<void> {
  const { catalog, now } = deps
  const wish = mirrorBody.parse({ ...pair, reason: 'copies are wanted there' })
  const plan = planMirror(catalog, pair, wish, 'holdfast')
  const run = catalog.runs.latest(plan.workflowId)
  if (run !== undefined && run.endedMs === null) return
  const last =
    run === undefined || run.endedMs === null
      ? null
      : { state: run.state, endedMs: run.endedMs, tookNothing: !catalog.mirrors.wasInHand(pair, run.runId) }
  if (isMirrorDue({ nowMs: now(), last })) await startOnce(deps, plan, { key: undefined, request: '' })
}

/** Starts it, or joins the one under way. */
export async function startOwnBackup(
  { catalog, orchestrator }: Pick<ApiDeps, 'catalog' | 'orchestrator'>,
  repositoryId: string,
): Promise<RunHandle> {
  const repository = catalog.repositories.get(repositoryId)
  const input: OwnBackupInput = { v: 1, repository: repositoryRefOf(repository) }
  return orchestrator.start({
    workflow: ownBackupWorkflow,
    workflowId: ownBackupWorkflowId(repositoryId),
    input,
    summary: `Catalog into ${repository.name}`,
    memo: null,
    search: { repository: repositoryId, site: repository.site },
    priority: 3,
    whenRunning: 'join',
  })
}
