import { HoldfastError } from '../../base/index.ts'
import type { PendingStep, RunHistory } from '../../runbook/types.ts'
import type {
  EngineInfo,
  EngineStatus,
  Orchestrator,
  Poller,
  RunDescription,
  RunHandle,
  RunListing,
  RunMemo,
  StartSpec,
} from '../orchestrator.ts'

/**
 * An engine in memory with the rules that Temporal documents: one open run per workflow id, updates refused by a
 * validator, ended runs that take no wishes. Faults are put in by hand: it can be away, before or after it acted.
 */
export interface FakeRun {
  readonly workflowId: string
  readonly runId: string
  readonly workflow: string
  readonly input: unknown
  readonly memo: RunMemo | null
  readonly startedMs: number
  readonly parent: RunHandle | null
  status: EngineStatus
  closedMs: number | null
  pending: PendingStep[]
  events: RunHistory['events'][number][]
  /** What was done to it, in order. */
  readonly wishes: {
    readonly kind: 'update' | 'signal' | 'cancel' | 'retry'
    readonly name: string
    readonly argument: unknown
  }[]
  /** Message of the validator that refuses updates; null: they are taken. */
  refuses: string | null
}

export class FakeOrchestrator implements Orchestrator {
  readonly runs: FakeRun[] = []
  readonly started: StartSpec[] = []
  /** Answers of short workflows by workflow name; a function may throw. */
  readonly answers = new Map<string, (input: unknown) => unknown>()
  readonly pollersByQueue = new Map<string, Poller[]>()
  /** True: nothing is reached. 'after-start': a start happens, but its answer is lost. */
  away: boolean | 'after-start' = false
  /** How often histories were read whole. */
  historyReads = 0
  attributes: readonly string[] = []
  retentionMs: number | null = 30 * 86_400_000
  #nextRun = 1
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  #reach(): void {
    if (this.away === true) throw new HoldfastError('TemporalUnavailable', 'Temporal does not answer (fake)')
  }

  runOf({
    workflowId,
    runId,
  }: {
    readonly workflowId: string
    readonly runId?: string | undefined
  }): FakeRun | undefined {
    return this.runs.findLast((run) => run.workflowId === workflowId && (runId === undefined || run.runId === runId))
  }

  #open(handle: RunHandle): FakeRun {
    this.#reach()
    const run = this.runOf(handle)
    if (!run || run.status !== 'running') throw new HoldfastError('RunEnded', `${handle.workflowId} has ended`)
    return run
  }

  async start(spec: StartSpec): Promise<RunHandle> {
    this.#reach()
    const open = this.runs.find((run) => run.workflowId === spec.workflowId && run.status === 'running')
    if (open && spec.whenRunning === 'join') return open
    if (open) {
      throw new HoldfastError('AlreadyRunning', `${spec.workflowId} is under way already`, {
        data: { workflowId: open.workflowId, runId: open.runId },
      })
    }
    this.started.push(spec)
    const run = this.put({ workflowId: spec.workflowId, workflow: spec.workflow, input: spec.input, memo: spec.memo })
    if (this.away === 'after-start') throw new HoldfastError('TemporalUnavailable', 'the answer was lost (fake)')
    return { workflowId: run.workflowId, runId: run.runId }
  }

  /** A run that is simply there, as if a schedule had started it. */
  put(run: Pick<FakeRun, 'workflowId' | 'workflow'> & Partial<FakeRun>): FakeRun {
    const runId = run.runId ?? `00000000-0000-4000-8000-${String(this.#nextRun++).padStart(12, '0')}`
    const whole: FakeRun = {
      input: {},
      memo: null,
      startedMs: this.#now(),
      parent: null,
      status: 'running',
      closedMs: null,
      pending: [],
      wishes: [],
      refuses: null,
      events: [
        event(1, 'WORKFLOW_EXECUTION_STARTED', this.#now(), {
          workflowExecutionStartedEventAttributes: { input: run.input ?? {} },
        }),
      ],
      ...run,
      runId,
    }
    this.runs.push(whole)
    return whole
  }

  /** Ends a run the way the engine tells it. */
  end(run: FakeRun, status: Exclude<EngineStatus, 'running'>): void {
    run.status = status
    run.closedMs = this.#now()
    run.pending = []
    const word = {
      completed: 'COMPLETED',
      failed: 'FAILED',
      cancelled: 'CANCELED',
      terminated: 'TERMINATED',
      'timed-out': 'TIMED_OUT',
      'continued-as-new': 'CONTINUED_AS_NEW',
    }[status]
    run.events.push(event(run.events.length + 1, `WORKFLOW_EXECUTION_${word}`, this.#now(), {}))
  }

  async result(handle: RunHandle, timeoutMs: number): Promise<unknown> {
    this.#reach()
    const run = this.runOf(handle)
    const answer = run && this.answers.get(run.workflow)
    if (!run || !answer)
      throw new HoldfastError('HypervisorTimeout', `${handle.workflowId} has not answered within ${timeoutMs / 1000} s`)
    const result = answer(run.input)
    this.end(run, 'completed')
    return result
  }

  async describe(workflowId: string, runId?: string): Promise<RunDescription | undefined> {
    this.#reach()
    const run = this.runOf({ workflowId, runId })
    return run && { ...listing(run), historyLength: run.events.length, parent: run.parent, pending: [...run.pending] }
  }

  async history(handle: RunHandle): Promise<RunHistory | undefined> {
    this.#reach()
    this.historyReads += 1
    const run = this.runOf(handle)
    return run && { events: [...run.events] }
  }

  async inputOf(history: RunHistory): Promise<unknown> {
    return (history.events[0]?.workflowExecutionStartedEventAttributes as { input: unknown }).input
  }

  async update(handle: RunHandle, name: string, argument: unknown): Promise<void> {
    const run = this.#open(handle)
    if (run.refuses !== null) throw new HoldfastError('InvalidRequest', run.refuses)
    run.wishes.push({ kind: 'update', name, argument })
  }

  async signal(handle: RunHandle, name: string, argument: unknown): Promise<void> {
    this.#open(handle).wishes.push({ kind: 'signal', name, argument })
  }

  async cancel(handle: RunHandle): Promise<void> {
    this.#open(handle).wishes.push({ kind: 'cancel', name: 'cancel', argument: null })
  }

  async retryActivity(handle: RunHandle, activityId: string): Promise<void> {
    this.#open(handle).wishes.push({ kind: 'retry', name: activityId, argument: null })
  }

  async pollers(queue: string): Promise<readonly Poller[]> {
    this.#reach()
    return this.pollersByQueue.get(queue) ?? []
  }

  async *listRuns(closedSinceMs: number, limit: number): AsyncIterable<RunListing> {
    this.#reach()
    const found = this.runs.filter((run) => run.closedMs === null || run.closedMs > closedSinceMs)
    for (const run of found.slice(0, limit)) if (/^(backup|restore|drill)\//.test(run.workflowId)) yield listing(run)
  }

  async info(): Promise<EngineInfo> {
    this.#reach()
    return { version: '1.99.0', namespace: 'default', retentionMs: this.retentionMs, searchAttributes: this.attributes }
  }
}

function listing(run: FakeRun): RunListing {
  const { workflowId, runId, workflow, status, startedMs, closedMs, memo } = run
  return { workflowId, runId, workflow, status, startedMs, closedMs, memo }
}

export function event(
  id: number,
  type: string,
  ms: number,
  attributes: { readonly [name: string]: unknown },
): RunHistory['events'][number] {
  return { eventId: String(id), eventTime: new Date(ms).toISOString(), eventType: `EVENT_TYPE_${type}`, ...attributes }
}
