import {
  WorkflowExecutionAlreadyStartedError,
  type Client,
  type WorkflowExecutionInfo,
  type WorkflowHandle,
} from '@temporalio/client'
import { defineSearchAttributeKey, TypedSearchAttributes } from '@temporalio/common'
import { decodeFromPayloadsAtIndex } from '@temporalio/common/lib/internal-non-workflow/index.js'
import { historyToJSON, JSONToPayload } from '@temporalio/common/lib/proto-utils.js'
import { optionalTsToMs } from '@temporalio/common/lib/time.js'
import { HoldfastError } from '../base/index.ts'
import type { RunHistory } from '../runbook/types.ts'
import { backupWorkflow } from '../workflows/backup/contract.ts'
import { drillWorkflow } from '../workflows/drill/contract.ts'
import { planWorkflow } from '../workflows/plan/contract.ts'
import { sweepWorkflow } from '../workflows/retention/contract.ts'
import { verifyWorkflow } from '../workflows/verify/contract.ts'
import { restoreWorkflow } from '../workflows/restore/contract.ts'
import { searchAttributes } from '../workflows/shared/contract.ts'
import { controlQueue } from '../workflows/shared/queues.ts'
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
} from './orchestrator.ts'
import { engineError, isAbsent, isPreconditionFailure } from './temporal/errors.ts'
import { parentOf } from './temporal/parent.ts'
import { pendingStep } from './temporal/pending.ts'

/** Longest wait for one answer of the engine; a request of a person never hangs on it. */
const answerWithinMs = 10_000
const memoKey = 'holdfast'
/** `temporal.api.enums.v1.TaskQueueType` */
const taskQueueTypes = { workflow: 1, activity: 2 } as const

const statuses: { readonly [name: string]: EngineStatus } = {
  COMPLETED: 'completed',
  FAILED: 'failed',
  CANCELLED: 'cancelled',
  TERMINATED: 'terminated',
  TIMED_OUT: 'timed-out',
  CONTINUED_AS_NEW: 'continued-as-new',
}
const keys = {
  vm: defineSearchAttributeKey(searchAttributes.vm, 'KEYWORD'),
  repository: defineSearchAttributeKey(searchAttributes.repository, 'KEYWORD'),
  site: defineSearchAttributeKey(searchAttributes.site, 'KEYWORD'),
}

/** The engine is Temporal. `client` stays the caller's: who connected closes. `withinMs`: longest wait for one answer. */
export function temporalOrchestrator(client: Client, withinMs = answerWithinMs): Orchestrator {
  return new TemporalOrchestrator(client, withinMs)
}

class TemporalOrchestrator implements Orchestrator {
  readonly #client: Client
  readonly #withinMs: number

  constructor(client: Client, withinMs: number) {
    this.#client = client
    this.#withinMs = withinMs
  }

  /** Every call has a deadline and throws in our own terms. */
  async #ask<T>(what: string, call: () => Promise<T>): Promise<T> {
    try {
      return await this.#client.connection.withDeadline(Date.now() + this.#withinMs, call)
    } catch (error) {
      throw engineError(error, what)
    }
  }

  #handle({ workflowId, runId }: RunHandle): WorkflowHandle {
    return this.#client.workflow.getHandle(workflowId, runId)
  }

  async start(spec: StartSpec): Promise<RunHandle> {
    const pairs = (['vm', 'repository', 'site'] as const).flatMap((name) => {
      const value = spec.search[name]
      return value === undefined ? [] : [{ key: keys[name], value }]
    })
    try {
      const handle = await this.#client.connection.withDeadline(Date.now() + this.#withinMs, () =>
        this.#client.workflow.start(spec.workflow, {
          taskQueue: controlQueue,
          workflowId: spec.workflowId,
          args: [spec.input],
          workflowIdConflictPolicy: spec.whenRunning === 'join' ? 'USE_EXISTING' : 'FAIL',
          workflowIdReusePolicy: 'ALLOW_DUPLICATE',
          staticSummary: spec.summary,
          priority: { priorityKey: spec.priority },
          typedSearchAttributes: new TypedSearchAttributes(pairs),
          ...(spec.memo && { memo: { [memoKey]: spec.memo } }),
        }),
      )
      return { workflowId: spec.workflowId, runId: handle.firstExecutionRunId }
    } catch (error) {
      if (error instanceof WorkflowExecutionAlreadyStartedError)
        throw await this.#alreadyRunning(spec.workflowId, error)
      throw engineError(error, `start ${spec.workflowId}`)
    }
  }

  async #alreadyRunning(workflowId: string, cause: unknown): Promise<HoldfastError> {
    const running = await this.describe(workflowId)
    return new HoldfastError('AlreadyRunning', `${running?.memo?.title ?? workflowId} is under way already`, {
      cause,
      data: { workflowId, ...(running && { runId: running.runId }) },
      hint: `Watch it with \`holdfast run watch ${workflowId}\`, or cancel it first.`,
    })
  }

  async result(run: RunHandle, timeoutMs: number): Promise<unknown> {
    const until = Date.now() + timeoutMs
    try {
      return await this.#client.connection.withDeadline(until, () => this.#handle(run).result())
    } catch (error) {
      const wrapped = engineError(error, `wait for ${run.workflowId}`)
      if (wrapped.code === 'TemporalUnavailable' && Date.now() >= until) {
        throw new HoldfastError(
          'HypervisorTimeout',
          `${run.workflowId} has not answered within ${Math.round(timeoutMs / 1000)} s`,
          { cause: error },
        )
      }
      throw wrapped
    }
  }

  async describe(workflowId: string, runId?: string): Promise<RunDescription | undefined> {
    try {
      const found = await this.#client.connection.withDeadline(Date.now() + this.#withinMs, () =>
        this.#client.workflow.getHandle(workflowId, runId).describe(),
      )
      const pending = await Promise.all(
        (found.raw.pendingActivities ?? []).map((info) => pendingStep(this.#client, info)),
      )
      return { ...listingOf(found), historyLength: found.historyLength, parent: parentOf(found), pending }
    } catch (error) {
      if (isAbsent(error)) return undefined
      throw engineError(error, `describe ${workflowId}`)
    }
  }

  async history(run: RunHandle): Promise<RunHistory | undefined> {
    try {
      const history = await this.#client.connection.withDeadline(Date.now() + this.#withinMs, () =>
        this.#handle(run).fetchHistory(),
      )
      return JSON.parse(historyToJSON(history)) as RunHistory
    } catch (error) {
      if (isAbsent(error)) return undefined
      throw engineError(error, `read the history of ${run.workflowId}`)
    }
  }

  async inputOf(history: RunHistory): Promise<unknown> {
    const attributes = history.events[0]?.workflowExecutionStartedEventAttributes as
      | { input?: { payloads?: object[] } }
      | undefined
    const payloads = (attributes?.input?.payloads ?? []).map((payload) => JSONToPayload(payload))
    return payloads.length === 0
      ? undefined
      : decodeFromPayloadsAtIndex(this.#client.options.loadedDataConverter, 0, payloads)
  }

  async update(run: RunHandle, name: string, argument: unknown, updateId: string): Promise<void> {
    await this.#act(run, `${name} ${run.workflowId}`, () =>
      this.#handle(run).executeUpdate(name, { args: [argument], updateId }),
    )
  }

  async signal(run: RunHandle, name: string, argument: unknown): Promise<void> {
    await this.#act(run, `signal ${run.workflowId}`, () => this.#handle(run).signal(name, argument))
  }

  async cancel(run: RunHandle): Promise<void> {
    // Temporal takes the cancel of an ended run and does nothing: the person would wait for what never comes.
    const described = await this.describe(run.workflowId, run.runId)
    if (described?.status !== 'running') throw new HoldfastError('RunEnded', `${run.workflowId} has ended`)
    await this.#act(run, `cancel ${run.workflowId}`, () => this.#handle(run).cancel())
  }

  async #act(run: RunHandle, what: string, call: () => Promise<unknown>): Promise<void> {
    try {
      await this.#client.connection.withDeadline(Date.now() + this.#withinMs, call)
    } catch (error) {
      if (isAbsent(error)) throw new HoldfastError('RunEnded', `${run.workflowId} has ended`, { cause: error })
      throw engineError(error, what)
    }
  }

  async retryActivity(run: RunHandle, activityId: string): Promise<void> {
    const { workflowService } = this.#client
    const request = {
      namespace: this.#client.options.namespace,
      execution: run,
      identity: this.#client.options.identity,
      id: activityId,
    }
    // Pause and unpause: documented to schedule a waiting activity at once without touching its attempt number, which a
    // reset would put back to one. Unpausing is repeated: a step must not stay paused because we were interrupted.
    await this.#ask(`try ${activityId} again`, async () => {
      try {
        await workflowService.pauseActivity({ ...request, reason: 'retry now' })
      } catch (error) {
        if (!isPreconditionFailure(error) && !isAbsent(error)) throw error
        throw new HoldfastError('NotFound', `the step ${activityId} no longer waits`, { cause: error })
      }
    })
    for (let tries = 1; ; tries += 1) {
      try {
        await this.#ask(`try ${activityId} again`, () => workflowService.unpauseActivity(request))
        return
      } catch (error) {
        if (tries >= 5) throw error
      }
    }
  }

  async pollers(queue: string): Promise<readonly Poller[]> {
    const of = async (role: Poller['role']): Promise<Poller[]> => {
      const { pollers } = await this.#client.workflowService.describeTaskQueue({
        namespace: this.#client.options.namespace,
        taskQueue: { name: queue },
        taskQueueType: taskQueueTypes[role],
      })
      return (pollers ?? []).map((poller) => ({
        identity: poller.identity ?? '',
        role,
        lastSeenMs: optionalTsToMs(poller.lastAccessTime) ?? null,
      }))
    }
    return this.#ask(`describe queue ${queue}`, async () =>
      (await Promise.all([of('workflow'), of('activity')])).flat(),
    )
  }

  async *listRuns(closedSinceMs: number, limit: number): AsyncIterable<RunListing> {
    const workflows = [backupWorkflow, restoreWorkflow, drillWorkflow, sweepWorkflow, planWorkflow, verifyWorkflow]
    const types = workflows.map((name) => `'${name}'`).join(', ')
    const query = `WorkflowType IN (${types}) AND (ExecutionStatus = 'Running' OR CloseTime > '${new Date(closedSinceMs).toISOString()}')`
    const found = this.#client.workflow.list({ query, pageSize: Math.min(limit, 100) })[Symbol.asyncIterator]()
    for (let seen = 0; seen < limit; seen += 1) {
      // Whichever of them asks for the next page: each has a deadline of its own.
      const next = await this.#ask('list runs', () => found.next())
      if (next.done === true) return
      yield listingOf(next.value)
    }
  }

  async info(): Promise<EngineInfo> {
    const { namespace } = this.#client.options
    return this.#ask('look at the server', async () => {
      const [system, described, attributes] = await Promise.all([
        this.#client.workflowService.getSystemInfo({}),
        this.#client.workflowService.describeNamespace({ namespace }),
        this.#client.connection.operatorService.listSearchAttributes({ namespace }),
      ])
      return {
        version: system.serverVersion ?? 'unknown',
        namespace,
        retentionMs: durationMs(described.config?.workflowExecutionRetentionTtl),
        searchAttributes: Object.keys(attributes.customAttributes ?? {}),
      }
    })
  }
}

/** `seconds` is a Long, which says its digits. */
function durationMs(duration: { readonly seconds?: { toString(): string } | null } | null | undefined): number | null {
  return duration?.seconds ? Number(duration.seconds.toString()) * 1000 : null
}

function listingOf(
  found: Pick<WorkflowExecutionInfo, 'workflowId' | 'runId' | 'type' | 'status' | 'startTime' | 'closeTime' | 'memo'>,
): RunListing {
  return {
    workflowId: found.workflowId,
    runId: found.runId,
    workflow: found.type,
    status: statuses[found.status.name] ?? 'running',
    startedMs: found.startTime.getTime(),
    closedMs: found.closeTime?.getTime() ?? null,
    memo: memoOf(found.memo?.[memoKey]),
  }
}

function memoOf(value: unknown): RunMemo | null {
  return typeof value === 'object' && value !== null && 'v' in value && value.v === 1 ? (value as RunMemo) : null
}
