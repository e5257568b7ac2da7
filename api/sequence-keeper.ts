import { describeError, isHoldfastError } from '../base/index.ts'
import type { Catalog, EndedPlanRun } from '../catalog/index.ts'
import { isWithin, type MissedStartKind, type Plan } from '../policy/index.ts'
import { followingRunId } from '../workflows/plan/contract.ts'
import type { ApiDeps } from './deps.ts'
import { nextChange } from './plan-changes.ts'
import { followingRunOf } from './requests/plan.ts'
import { startOnce } from './requests/start.ts'

type KeeperDeps = Pick<ApiDeps, 'catalog' | 'orchestrator' | 'live' | 'now' | 'log'>

/**
 * Starts the plans that come after others. What follows from the runs that have ended is looked up in the catalog each
 * time: whoever was killed half-way has left nothing to repair, and no run is followed twice.
 */
export interface SequenceKeeper {
  /** Throws TemporalUnavailable: then what is due is started by a later look. */
  tick(): Promise<void>
  /** Until the signal: soon after the end of a run, and every minute. */
  run(signal: AbortSignal): Promise<void>
}

const everyMs = 60_000
/** A follower that could not be started is made up for so long, as a start by the clock is. */
const mostLateMs = 6 * 3_600_000
const mostAtOnce = 20
/** The next part of a long run begins at once. */
const partWithinMs = 3_600_000

export function sequenceKeeper(deps: KeeperDeps, paceMs = everyMs): SequenceKeeper {
  const { catalog, log } = deps
  const tick = async (): Promise<void> => {
    const failures: unknown[] = []
    for (const plan of catalog.plans.all()) {
      if (plan.paused || plan.schedule.kind !== 'after') continue
      // One that fails keeps no other from starting.
      await follow(deps, plan).catch((error: unknown) => failures.push(error))
    }
    if (failures.length > 0) throw failures[0]
  }
  return {
    tick,
    async run(signal) {
      let isAway = false
      while (!signal.aborted) {
        // Heard from here on: what ends during the look is looked at by the next one.
        const change = nextChange(catalog, signal, paceMs, ({ type }) => type === 'run' || type === 'policy')
        try {
          await tick()
          isAway = false
        } catch (error) {
          if (!isAway) log.warn({ error: describeError(error) }, 'plans that come after others could not be started')
          isAway = true
        }
        await change
      }
    },
  }
}

async function follow(deps: KeeperDeps, plan: Plan): Promise<void> {
  const { catalog, now } = deps
  const { name, schedule, changedMs } = plan
  if (schedule.kind !== 'after') return
  const sinceMs = watchedOf(deps, name) ?? changedMs
  for (const before of catalog.planRuns.endedSince(schedule.plan, sinceMs, mostAtOnce)) {
    const end = endOf(deps, before)
    if (end === 'goes-on') return
    // A repetition takes what was left over; all that follows has followed already.
    const kind = before.again === null ? await startAfter(deps, plan, before, end === 'well') : null
    // A clock that was ahead when it ended must not hide the ends that come.
    const watchedMs = Math.min(before.endedMs, now())
    catalog.planStarts.record(name, watchedMs, kind === null ? [] : [{ dueMs: before.endedMs, kind }])
    if (kind !== null) tellFollowers(catalog, name, [before.endedMs])
  }
}

/** Up to when the plan was looked at; a time that has not come yet was read from a clock that was ahead, and counts as now. */
export function watchedOf({ catalog, now }: Pick<KeeperDeps, 'catalog' | 'now'>, plan: string): number | null {
  const watchedMs = catalog.planStarts.watchedMs(plan)
  if (watchedMs === null || watchedMs <= now()) return watchedMs
  catalog.planStarts.record(plan, now(), [])
  return now()
}

/**
 * A long run has parts, and each of them ends: only the last one with nothing left to do, or not well. One whose next part
 * does not come has not ended well either.
 */
function endOf({ catalog, now }: KeeperDeps, { id, state, endedMs }: EndedPlanRun): 'well' | 'badly' | 'goes-on' {
  if (state !== 'completed' && state !== 'completed-with-residue') return 'badly'
  const { waiting, running, failed, cancelled } = catalog.planRuns.counts(id)
  if (waiting + running + failed + cancelled === 0) return 'well'
  const newest = catalog.runs.latest(id)
  const isOpen = newest !== undefined && newest.endedMs === null
  return isOpen || isWithin(endedMs, partWithinMs, now()) ? 'goes-on' : 'badly'
}

/** null: it is started. */
async function startAfter(
  deps: KeeperDeps,
  plan: Plan,
  before: EndedPlanRun,
  wentWell: boolean,
): Promise<MissedStartKind | null> {
  const { catalog, now } = deps
  const { name, schedule } = plan
  const workflowId = followingRunId(name, before.openedMs)
  if (catalog.runs.latest(workflowId) !== undefined) return null
  if (schedule.kind === 'after' && schedule.when === 'succeeded' && !wentWell) return 'after-failed'
  if (now() - before.endedMs > mostLateMs) return 'missed'
  if (catalog.runs.list({ limit: 1 }, { plan: name, state: 'open' }).items.length > 0) return 'skipped'
  try {
    const key = `sequence ${workflowId}`
    await startOnce(deps, followingRunOf(name, before), { key, request: key })
    return null
  } catch (error) {
    if (isHoldfastError(error) && error.code === 'AlreadyRunning') return null
    throw error
  }
}

/** Plans that come after one that did not run do not run either, and so on along the sequence. */
export function tellFollowers(catalog: Catalog, plan: string, dueMs: readonly number[]): void {
  if (dueMs.length === 0) return
  const told = new Set([plan])
  for (const name of told)
    for (const { name: follower, paused, schedule } of catalog.plans.all()) {
      if (paused || schedule.kind !== 'after' || schedule.plan !== name || told.has(follower)) continue
      told.add(follower)
      catalog.planStarts.tell(
        follower,
        dueMs.map((ms) => ({ dueMs: ms, kind: 'after-missed' })),
      )
    }
}
