import type { Client, ScheduleHandle } from '@temporalio/client'
import { ScheduleAlreadyRunning, ScheduleNotFoundError } from '@temporalio/client'
import { describeError, isHoldfastError } from '../base/index.ts'
import { missedStarts } from '../policy/index.ts'
import type { Plan } from '../policy/index.ts'
import { planScheduleId, scheduledPlanId, scheduledRunId } from '../workflows/plan/contract.ts'
import type { ApiDeps } from './deps.ts'
import { nextChange } from './plan-changes.ts'
import { nothingLooked, type PutRight, type ScheduleNotes, type ScheduleState } from './schedule-state.ts'
import { isAsWanted, isByClock, memoKey, tagOf, wish, type Tag } from './schedule-wish.ts'
import { tellFollowers, watchedOf } from './sequence-keeper.ts'
import { engineError } from './temporal/errors.ts'

type KeeperDeps = Pick<ApiDeps, 'catalog' | 'log' | 'now'> & { readonly client: Client }

/** Names of plans. */
export interface Reconciled {
  readonly created: readonly string[]
  readonly updated: readonly string[]
  readonly removed: readonly string[]
  /** Left as they are: somebody else's, or of a plan that the catalog has never known. */
  readonly left: readonly string[]
}

/**
 * The schedules of the engine are derived from the plans: what is missing is made, what differs is put right, what no plan
 * asks for goes. Changed or deleted by hand, a schedule comes back as its plan says. Everything follows from the catalog
 * and what the engine says, so that whoever was killed half-way has left nothing to repair. Starts that were due and did
 * not come are written down.
 */
export interface ScheduleKeeper {
  /** Throws TemporalUnavailable, and what the catalog throws: then nothing was removed. */
  reconcile(): Promise<Reconciled>
  /** Starts that did not come since the last look; nothing is judged while the engine was not reached. */
  watch(): void
  /** What the last look has found, for the doctor. */
  state(): ScheduleState
  /** Until the signal: soon after each change of a plan, and every minute. */
  run(signal: AbortSignal): Promise<void>
}

const everyMs = 60_000
const answerWithinMs = 10_000

export function scheduleKeeper(deps: KeeperDeps, paceMs = everyMs): ScheduleKeeper {
  const { log } = deps
  const keeper = new Keeper(deps)
  return {
    reconcile: () => keeper.reconcile(),
    watch: () => keeper.watch(),
    state: () => keeper.state,
    async run(signal) {
      let isAway = false
      let saidLeft = ''
      while (!signal.aborted) {
        // Heard from here on: what changes during the look is looked at by the next one.
        const change = nextChange(deps.catalog, signal, paceMs)
        try {
          const { left, ...done } = await keeper.reconcile()
          if (Object.values(done).some((names) => names.length > 0)) log.info(done, 'schedules follow the plans')
          if (left.length > 0 && left.join() !== saidLeft)
            log.warn({ schedules: left }, 'schedules that are not ours were left alone')
          saidLeft = left.join()
          isAway = false
        } catch (error) {
          if (!isAway) log.warn({ error: describeError(error) }, 'schedules could not be compared with the plans')
          isAway = true
        }
        try {
          keeper.watch()
        } catch (error) {
          log.error({ error: describeError(error) }, 'starts of plans could not be looked at')
        }
        await change
      }
    },
  }
}

class Keeper {
  state: ScheduleState = nothingLooked
  readonly #deps: KeeperDeps
  /** Since when every look has reached the engine; null: the last one has not. */
  #reachedSinceMs: number | null = null

  constructor(deps: KeeperDeps) {
    this.#deps = deps
  }

  async reconcile(): Promise<Reconciled> {
    const beganMs = this.#deps.now()
    const notes: ScheduleNotes = { wrong: [], taken: [], unknown: [] }
    try {
      const done = await this.#reconcile(notes)
      this.#reachedSinceMs ??= beganMs
      this.state = { ...notes, lookedMs: beganMs, error: null, putRight: this.#putRight(done, beganMs) }
      return done
    } catch (error) {
      // A plan that the engine does not take is no sign that it was away.
      if (isUnreachable(error)) this.#reachedSinceMs = null
      else this.#reachedSinceMs ??= beganMs
      // While nobody answers, what was found before stands.
      this.state = { ...(isUnreachable(error) ? this.state : { ...this.state, ...notes }), error: describeError(error) }
      throw error
    }
  }

  /** What was not as its plan says although nobody had changed that since the last look. */
  #putRight({ created, updated }: Reconciled, atMs: number): readonly PutRight[] {
    const { lookedMs, putRight } = this.state
    const { plans } = this.#deps.catalog
    const byHand = (plan: string): boolean => lookedMs !== null && (plans.find(plan)?.changedMs ?? Infinity) < lookedMs
    const found = [
      ...created.map((plan) => ({ plan, what: 'deleted', atMs }) as const),
      ...updated.map((plan) => ({ plan, what: 'changed', atMs }) as const),
    ].filter(({ plan }) => byHand(plan))
    const isThere = ({ plan }: PutRight): boolean => plans.find(plan) !== undefined
    return [...found, ...putRight.filter((old) => isThere(old) && !found.some(({ plan }) => plan === old.plan))]
  }

  async #reconcile(notes: ScheduleNotes): Promise<Reconciled> {
    const { catalog } = this.#deps
    const { uuid } = catalog.installation.get()
    const wanted = new Map(catalog.plans.all().flatMap((plan) => (isByClock(plan) ? [[plan.name, plan]] : [])))
    const { removed, left } = await this.#removeUnwanted(uuid, wanted)
    notes.unknown.push(...left)
    const done = { created: [] as string[], updated: [] as string[], removed, left }
    const failures: unknown[] = []
    for (const plan of wanted.values()) {
      // One that fails keeps no other from being right.
      try {
        const what = await this.#follow(uuid, plan)
        if (what !== null) done[what].push(plan.name)
        if (what === 'left') notes.taken.push(plan.name)
      } catch (error) {
        notes.wrong.push({ plan: plan.name, message: describeError(error) })
        failures.push(error)
      }
    }
    if (failures.length > 0) throw failures.find(isUnreachable) ?? failures[0]
    return done
  }

  /** Only what is marked as ours, and of a plan that is there and starts by itself no more, or was removed by somebody. */
  async #removeUnwanted(installation: string, wanted: ReadonlyMap<string, Plan>) {
    const { catalog, client } = this.#deps
    const removed: string[] = []
    const left: string[] = []
    const ours = await this.#ask('list schedules', async () => {
      const names: string[] = []
      for await (const { scheduleId, memo } of client.schedule.list({ pageSize: 200 })) {
        const tag = tagOf(memo)
        if (tag?.installation === installation && scheduleId === planScheduleId(tag.plan)) names.push(tag.plan)
      }
      return names
    })
    for (const name of ours.filter((plan) => !wanted.has(plan))) {
      // A catalog that has never heard of the plan proves nothing: it may be older than the schedule.
      if (catalog.plans.last(name) === undefined) {
        left.push(name)
        continue
      }
      await this.#ask(`remove the schedule of ${name}`, () => ifThere(this.#handle(name).delete()))
      removed.push(name)
    }
    return { removed, left }
  }

  async #follow(installation: string, plan: Plan): Promise<'created' | 'updated' | 'left' | null> {
    const { client } = this.#deps
    const scheduleId = planScheduleId(plan.name)
    const handle = this.#handle(plan.name)
    const described = await this.#ask(`look at ${scheduleId}`, () => ifThere(handle.describe()))
    if (described === undefined) {
      const tag: Tag = { v: 1, installation, plan: plan.name }
      const options = { scheduleId, ...wish(plan), memo: { [memoKey]: tag } }
      return this.#ask(`make ${scheduleId}`, async () => {
        try {
          await client.schedule.create(options)
          return 'created'
        } catch (error) {
          if (error instanceof ScheduleAlreadyRunning) return null
          throw error
        }
      })
    }
    if (tagOf(described.memo)?.installation !== installation) return 'left'
    if (isAsWanted(plan, described)) return null
    await this.#ask(`change ${scheduleId}`, () => ifThere(handle.update(() => wish(plan))))
    return 'updated'
  }

  watch(): void {
    const { catalog, now } = this.#deps
    const reachedSinceMs = this.#reachedSinceMs
    // What the engine has started meanwhile is not known.
    if (reachedSinceMs === null) return
    for (const plan of catalog.plans.all()) {
      if (plan.paused || !isByClock(plan)) continue
      const { name, schedule, timeZone, changedMs } = plan
      const seenMs = watchedOf(this.#deps, name)
      const { missed, watchedMs } = missedStarts({
        schedule,
        timeZone,
        sinceMs: seenMs ?? changedMs,
        nowMs: now(),
        reachedSinceMs,
        wasStarted: (dueMs) => {
          const id = scheduledRunId(name, dueMs)
          return catalog.planRuns.find(id) !== undefined || catalog.runs.latest(id) !== undefined
        },
        wasBusy: (dueMs) => catalog.planStarts.wasBusy(`${scheduledPlanId(name)}-`, dueMs),
      })
      if (missed.length > 0 || watchedMs !== seenMs) catalog.planStarts.record(name, watchedMs, missed)
      tellFollowers(
        catalog,
        name,
        missed.map(({ dueMs }) => dueMs),
      )
    }
  }

  #handle(plan: string): ScheduleHandle {
    return this.#deps.client.schedule.getHandle(planScheduleId(plan))
  }

  /** Every call has a deadline and throws in our own terms. */
  async #ask<T>(what: string, call: () => Promise<T>): Promise<T> {
    try {
      return await this.#deps.client.connection.withDeadline(Date.now() + answerWithinMs, call)
    } catch (error) {
      throw engineError(error, what)
    }
  }
}

const isUnreachable = (error: unknown): boolean => isHoldfastError(error) && error.code === 'TemporalUnavailable'

/** undefined: the engine has proved that there is none. */
async function ifThere<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return undefined
    throw error
  }
}
