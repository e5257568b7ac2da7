import type { PendingStep, RunHistory } from '../runbook/types.ts'

/**
 * All that the API wants of the engine that runs workflows. Errors: TemporalUnavailable when it does not answer,
 * `undefined` only when it proves that something is absent.
 */
export interface RunHandle {
  readonly workflowId: string
  readonly runId: string
}

/** Rides on a workflow from its start: who asked, and enough to show the run without reading its input. */
export interface RunMemo {
  readonly v: 1
  readonly title: string
  readonly vmId: string | null
  readonly repositoryId: string | null
  readonly pointId: string | null
  readonly requestedBy: { readonly user: string; readonly reason: string }
  readonly idempotencyKey: string | null
}

export interface StartSpec {
  /** Name of the workflow function. */
  readonly workflow: string
  readonly workflowId: string
  readonly input: unknown
  /** ≤ 200 bytes, for people. */
  readonly summary: string
  readonly memo: RunMemo | null
  readonly search: { readonly vm?: string; readonly repository?: string; readonly site?: string }
  /** 1 (restores) to 5. */
  readonly priority: 1 | 2 | 3 | 4 | 5
  /** 'fail': AlreadyRunning with `data: RunHandle`. 'join': the run under way is the answer. */
  readonly whenRunning: 'fail' | 'join'
}

export type EngineStatus =
  | 'running'
  | 'completed'
  | 'failed'
  | 'cancelled'
  | 'terminated'
  | 'timed-out'
  | 'continued-as-new'

export interface RunListing extends RunHandle {
  readonly workflow: string
  readonly status: EngineStatus
  readonly startedMs: number
  readonly closedMs: number | null
  /** Null where nobody put one on it. */
  readonly memo: RunMemo | null
}

export interface RunDescription extends RunListing {
  readonly historyLength: number
  /** The run that started it; null: no run did. */
  readonly parent: RunHandle | null
  readonly pending: readonly PendingStep[]
}

export interface Poller {
  readonly identity: string
  readonly role: 'workflow' | 'activity'
  readonly lastSeenMs: number | null
}

export interface EngineInfo {
  readonly version: string
  readonly namespace: string
  readonly retentionMs: number | null
  readonly searchAttributes: readonly string[]
}

export interface Orchestrator {
  /** Starts on the control queue. Throws AlreadyRunning, TemporalUnavailable. */
  start(spec: StartSpec): Promise<RunHandle>
  /** Waits for the result; HypervisorTimeout after `timeoutMs` (the workflow goes on), else the workflow's own error. */
  result(run: RunHandle, timeoutMs: number): Promise<unknown>
  /** Without `runId`: the newest run of the workflow id. Undefined: the engine knows no such run. */
  describe(workflowId: string, runId?: string): Promise<RunDescription | undefined>
  /** The whole history, payloads as they are. Undefined: the engine no longer has it. */
  history(run: RunHandle): Promise<RunHistory | undefined>
  /** What a run was started with, out of its history (also an archived one). */
  inputOf(history: RunHistory): Promise<unknown>
  /** InvalidRequest with the workflow's words if its validator refuses; RunEnded if it has ended. */
  update(run: RunHandle, name: string, argument: unknown, updateId: string): Promise<void>
  /** RunEnded if it has ended. */
  signal(run: RunHandle, name: string, argument: unknown): Promise<void>
  /** RunEnded if it has ended. */
  cancel(run: RunHandle): Promise<void>
  /**
   * Ends the wait for the next attempt. Attempt numbers go on: they fence older attempts in the repository, so they
   * must never start again at one.
   */
  retryActivity(run: RunHandle, activityId: string): Promise<void>
  pollers(queue: string): Promise<readonly Poller[]>
  /** Runs of every kind that are running or closed after `closedSinceMs`, in no order. */
  listRuns(closedSinceMs: number, limit: number): AsyncIterable<RunListing>
  info(): Promise<EngineInfo>
}
