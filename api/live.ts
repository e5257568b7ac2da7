import { describeError, HoldfastError } from '../base/index.ts'
import type { RunObservation, RunView } from '../catalog/index.ts'
import { isWithin } from '../policy/index.ts'
import type { RunHistory, Runbook } from '../runbook/types.ts'
import { archiveHistory, isClosed, readHistory } from './archive.ts'
import type { ApiDeps, LiveRuns } from './deps.ts'
import { factsOf, readPollers, type Pollers } from './facts.ts'
import { kindOf } from '../runbook/kinds.ts'
import type { RunDescription, RunListing } from './orchestrator.ts'

type LiveDeps = Pick<ApiDeps, 'catalog' | 'orchestrator' | 'toRunbook' | 'now' | 'log'>

export interface Pace {
  readonly listeningMs: number
  readonly quietMs: number
  /** How often the engine is asked for runs that nobody told us about. */
  readonly adoptEveryMs: number
}
const usualPace: Pace = { listeningMs: 1_000, quietMs: 5_000, adoptEveryMs: 15_000 }
/** Runs that ended while no server was there are found for so long. */
const adoptClosedWithinMs = 7 * 86_400_000
const pollersFreshMs = 3_000

export function liveRuns(deps: LiveDeps, pace: Pace = usualPace): LiveRuns {
  return new Live(deps, pace)
}

class Live implements LiveRuns {
  readonly #deps: LiveDeps
  readonly #pace: Pace
  /** Histories of open runs by run id: read again only when they have grown. */
  readonly #histories = new Map<string, { length: number; history: RunHistory }>()
  /** Ended runs whose history the engine has proved not to have any more. */
  readonly #lost = new Set<string>()
  #pollers: { readMs: number; pollers: Pollers } | undefined
  #adoptedMs = Number.NEGATIVE_INFINITY
  #engineDown = false
  #ticking: Promise<void> | undefined
  #wake: (() => void) | undefined

  constructor(deps: LiveDeps, pace: Pace) {
    this.#deps = deps
    this.#pace = pace
  }

  nudge(): void {
    this.#wake?.()
  }

  tick(): Promise<void> {
    this.#ticking ??= this.#watchedLook().finally(() => (this.#ticking = undefined))
    return this.#ticking
  }

  async run(signal: AbortSignal): Promise<void> {
    const stop = (): void => this.#wake?.()
    signal.addEventListener('abort', stop)
    try {
      while (!signal.aborted) {
        // What fails was said by the look itself, and the next one comes soon.
        await Promise.allSettled([this.tick()])
        const { listeningMs, quietMs } = this.#pace
        if (!signal.aborted) await this.#sleep(this.#deps.catalog.events.listeners() > 0 ? listeningMs : quietMs)
      }
    } finally {
      signal.removeEventListener('abort', stop)
    }
  }

  /** An engine that is away is said once, and once when it is back: to the log, and to every open page. */
  async #watchedLook(): Promise<void> {
    const { catalog, log } = this.#deps
    try {
      await this.#look()
      if (!this.#engineDown) return
      this.#engineDown = false
      log.info({}, 'the engine answers again')
      catalog.events.publish('workers', null)
    } catch (error) {
      if (!this.#engineDown) {
        this.#engineDown = true
        log.warn({ error: describeError(error) }, 'runs cannot be followed')
        catalog.events.publish('workers', null)
      }
      throw error
    }
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer)
        this.#wake = undefined
        resolve()
      }
      const timer = setTimeout(done, ms)
      this.#wake = done
    })
  }

  async #look(): Promise<void> {
    const { catalog } = this.#deps
    await this.#adopt()
    await this.#freshPollers(this.#pace.adoptEveryMs)
    const open = catalog.runs.open()
    const failures = await eachOf(open, 4, (run) => this.#follow(run))
    for (const runId of this.#histories.keys())
      if (!open.some((run) => run.runId === runId)) this.#histories.delete(runId)
    const missing = catalog.histories.missing(20, (runId) => this.#lost.has(runId))
    failures.push(...(await eachOf(missing, 2, (run) => this.#keep(run))))
    if (failures.length > 0) throw failures[0]
  }

  /** Runs that a schedule, a parent or an earlier server started. */
  async #adopt(): Promise<void> {
    const { catalog, orchestrator, now } = this.#deps
    if (isWithin(this.#adoptedMs, this.#pace.adoptEveryMs, now())) return
    for await (const listing of orchestrator.listRuns(now() - adoptClosedWithinMs, 500)) {
      if (!catalog.runs.find(listing.runId)) adoptRun(this.#deps, listing)
    }
    this.#adoptedMs = now()
  }

  async #follow(run: RunView): Promise<void> {
    const described = await this.#deps.orchestrator.describe(run.workflowId, run.runId)
    if (!described) return this.#forget(run)
    const history = await this.#historyOf(described)
    if (!history) return this.#forget(run)
    const facts = factsOf(this.#deps, run, await this.#freshPollers())
    this.#observe(run.runId, this.#deps.toRunbook(history, described.pending, facts))
    if (isClosed(history)) await archiveHistory(this.#deps, run, history)
  }

  /** An ended run: its history goes to the archive, and the row gets its last word. */
  async #keep({ runId }: { readonly runId: string }): Promise<void> {
    const { catalog, orchestrator } = this.#deps
    const run = catalog.runs.find(runId)
    if (!run) return
    const history = await orchestrator.history(run)
    if (!history) {
      this.#lost.add(runId)
      return
    }
    if (!isClosed(history)) return
    const facts = factsOf(this.#deps, run, await this.#freshPollers())
    this.#observe(run.runId, this.#deps.toRunbook(history, [], facts))
    await archiveHistory(this.#deps, run, history)
  }

  /** The engine has proved that it does not know an open run: it was lost with the engine's state. */
  #forget({ runId }: RunView): void {
    if (this.#deps.catalog.runs.find(runId)?.endedMs !== null) return
    this.#deps.catalog.runs.observe(runId, {
      state: 'terminated',
      endedMs: this.#deps.now(),
      error: {
        code: 'NotFound',
        message: 'the engine no longer knows this run',
        hint: 'Its state was lost with the engine’s. Start it again; points that were validated are not concerned.',
        docs: 'errors.md#notfound',
      },
    })
  }

  /**
   * Looks at the row again in the turn in which it is written: while the engine was asked, the run itself may have
   * written down its end, which an older history does not know.
   */
  #observe(runId: string, book: Runbook): void {
    const { runs } = this.#deps.catalog
    const run = runs.find(runId)
    if (!run || (run.endedMs !== null && book.endedMs === null)) return
    runs.observe(runId, observationOf(run, book))
  }

  async #historyOf(described: RunDescription): Promise<RunHistory | undefined> {
    const known = this.#histories.get(described.runId)
    if (known?.length === described.historyLength) return known.history
    const history = await this.#deps.orchestrator.history(described)
    if (history) this.#histories.set(described.runId, { length: history.events.length, history })
    return history
  }

  /** Not older than `withinMs`. A worker that came or went changes what waits: pages read again. */
  async #freshPollers(withinMs = pollersFreshMs): Promise<Pollers> {
    const { catalog, now } = this.#deps
    const known = this.#pollers
    if (known && isWithin(known.readMs, withinMs + 1, now())) return known.pollers
    const pollers = await readPollers(this.#deps)
    const before = this.#pollers
    this.#pollers = { readMs: now(), pollers }
    if (before && countsOf(before.pollers) !== countsOf(pollers)) catalog.events.publish('workers', null)
    return pollers
  }

  async runbook(run: RunView): Promise<Runbook> {
    const { catalog, orchestrator, toRunbook } = this.#deps
    const archived = catalog.histories.has(run.runId)
    const described = archived ? undefined : await orchestrator.describe(run.workflowId, run.runId)
    const history = await readHistory(this.#deps, run)
    if (!history) {
      throw new HoldfastError('NotFound', `the history of ${run.workflowId} is gone`, {
        hint: 'The engine forgot it before it was archived; what the catalog knows is on the run itself.',
      })
    }
    const pollers = archived ? {} : await this.#freshPollers()
    return toRunbook(history, described?.pending ?? [], factsOf(this.#deps, run, pollers))
  }
}

function countsOf(pollers: Pollers): string {
  return JSON.stringify(Object.entries(pollers).map(([queue, { count }]) => [queue, count]))
}

/**
 * What the runbook says, for the row of the run. Figures that the run itself wrote down at its end are kept: they count
 * what the last heartbeat did not see.
 */
export function observationOf(run: RunView, book: Runbook): RunObservation {
  const { error, progress } = book
  const hasFigures = run.endedMs !== null && (run.bytesRead ?? 0) > 0
  return {
    state: book.state,
    endedMs: run.endedMs ?? book.endedMs,
    resumedTimes: book.resumedTimes,
    progress: progress ?? run.progress,
    bytesRead: hasFigures ? run.bytesRead : (progress?.bytesRead ?? run.bytesRead),
    bytesStored: hasFigures ? run.bytesStored : (progress?.bytesStored ?? run.bytesStored),
    error: error && { code: error.code, message: error.message, hint: error.hint, docs: error.docs },
    residue: book.residue,
  }
}

/** Writes down a run that this server did not start. */
export function adoptRun({ catalog }: Pick<ApiDeps, 'catalog'>, listing: RunListing): RunView | undefined {
  const kind = kindOf(listing.workflowId)
  if (!kind) return undefined
  const { memo } = listing
  const subject = listing.workflowId.split('/')[1] ?? null
  const isOfVm = kind === 'backup' || kind === 'drill'
  const vmId = memo?.vmId ?? (isOfVm ? subject : null)
  // A mirror is of the repository that it fills.
  const into = kind === 'mirror' ? (listing.workflowId.split('/')[2] ?? null) : null
  const ofRepository = kind === 'retention' || kind === 'verify' ? subject : into
  const repositoryId = memo?.repositoryId ?? ofRepository
  const name =
    ofRepository === null
      ? (vmId !== null && catalog.vms.find(vmId)?.name) || (vmId ?? 'a VM')
      : (catalog.repositories.find(ofRepository)?.name ?? ofRepository)
  const verbs = {
    backup: 'Backup',
    restore: 'Restore',
    drill: 'Drill',
    retention: 'Retention',
    verify: 'Verify',
    instant: 'Instant restore',
    mirror: 'Mirror',
    files: 'Files',
    replication: 'Replication',
    failover: 'Failover',
    recovery: 'Recovery plan',
  } as const
  const title = kind === 'plan' ? `Plan ${subject ?? ''}` : `${verbs[kind]} of ${name}`
  catalog.runs.started({
    workflowId: listing.workflowId,
    runId: listing.runId,
    kind,
    title: memo?.title ?? title,
    vmId,
    repositoryId,
    pointId: memo?.pointId ?? null,
    startedMs: listing.startedMs,
    requestedUser: memo?.requestedBy.user ?? 'holdfast',
    requestedReason: memo?.requestedBy.reason ?? '',
    idempotencyKey: memo?.idempotencyKey ?? null,
  })
  return catalog.runs.find(listing.runId)
}

/** `work` for each, `width` at a time. Goes on after a failure and returns all of them. */
async function eachOf<T>(items: readonly T[], width: number, work: (item: T) => Promise<void>): Promise<unknown[]> {
  const queue = [...items]
  const failures: unknown[] = []
  const lane = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
      await work(item).catch((error: unknown) => void failures.push(error))
    }
  }
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, lane))
  return failures
}
