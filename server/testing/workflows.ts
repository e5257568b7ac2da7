import { TestWorkflowEnvironment } from '@temporalio/testing'
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker'
import type { Client, WorkflowHandle, WorkflowClient } from '@temporalio/client'
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js'
import type { Log, SiteActivities, ControlActivities } from '../../activities/index.ts'
import { sampleSite } from '../../activities/testing/samples.ts'
import type { RunHistory } from '../../runbook/types.ts'
import { controlQueue, siteQueue } from '../../workflows/shared/queues.ts'
import { workflowBundle } from '../bundle.ts'
import { findTemporalCli } from '../temporal-cli.ts'
import { cacheFolder } from '../../appliance/index.ts'

const silent: Log = { info: () => undefined, warn: () => undefined, error: () => undefined }

/** A real Temporal server for one test file, with the real workflows on it. */
export class WorkflowBench implements AsyncDisposable {
  readonly client: WorkflowClient
  readonly wholeClient: Client
  readonly address: string
  readonly #environment: TestWorkflowEnvironment
  /** The bundle of the workflows. */
  readonly codePath: string
  #runs = 0
  /** Runs the workflows of all tests: it takes long to make one, and it keeps nothing of a test. Ended by the function. */
  #workflows: Promise<() => Promise<void>> | undefined

  private constructor(environment: TestWorkflowEnvironment, codePath: string) {
    this.#environment = environment
    this.codePath = codePath
    this.client = environment.client.workflow
    this.wholeClient = environment.client
    this.address = environment.address
  }

  /** `settings`: dynamic configuration of the server, as `name=value`. */
  static async start(settings: readonly string[] = []): Promise<WorkflowBench> {
    Runtime.install({
      logger: new DefaultLogger('ERROR'),
      telemetryOptions: { logging: { filter: { core: 'ERROR', other: 'ERROR' } } },
    })
    const { path } = await findTemporalCli({ env: process.env, cacheDir: cacheFolder() })
    const { codePath } = await workflowBundle(cacheFolder(), silent)
    const environment = await TestWorkflowEnvironment.createLocal({
      server: {
        executable: { type: 'existing-path', path },
        ui: false,
        log: { level: 'error', format: 'json' },
        extraArgs: settings.flatMap((setting) => ['--dynamic-config-value', setting]),
      },
    })
    return new WorkflowBench(environment, codePath)
  }

  /** Starts a workflow under workers with these activities, and lets `watch` drive it to its end. */
  async run<T>(
    workflow: string,
    input: unknown,
    activities: SiteActivities & ControlActivities,
    watch: (handle: WorkflowHandle) => Promise<T>,
    workflowId = `${workflow}/${(this.#runs += 1)}`,
  ): Promise<{ readonly value: T; readonly history: RunHistory; readonly workflowId: string }> {
    const value = await this.during(activities, async () => {
      const handle = await this.client.start(workflow, { workflowId, taskQueue: controlQueue, args: [input] })
      return watch(handle)
    })
    const history = await this.history(workflowId)
    return { value, history, workflowId }
  }

  /** Workers of both queues, as long as `work` takes; from then on somebody runs workflows. */
  async during<T>(activities: SiteActivities & ControlActivities, work: () => Promise<T>): Promise<T> {
    this.#workflows ??= this.#runWorkflows()
    await this.#workflows
    const control = await Worker.create({ ...this.#worker(activities), taskQueue: controlQueue })
    return control.runUntil(this.atSite(activities, work))
  }

  async #runWorkflows(): Promise<() => Promise<void>> {
    const worker = await Worker.create({
      connection: this.#environment.nativeConnection,
      taskQueue: controlQueue,
      workflowBundle: { codePath: this.codePath },
    })
    const ended = worker.run()
    return async () => {
      worker.shutdown()
      await ended
    }
  }

  /** A worker of the site alone, as long as `work` takes: whoever runs the workflows is another process. */
  async atSite<T>(activities: SiteActivities & ControlActivities, work: () => Promise<T>): Promise<T> {
    const site = await Worker.create({ ...this.#worker(activities), taskQueue: siteQueue(sampleSite) })
    return site.runUntil(work)
  }

  #worker(activities: SiteActivities & ControlActivities) {
    return {
      connection: this.#environment.nativeConnection,
      activities,
      maxHeartbeatThrottleInterval: '500 ms',
      defaultHeartbeatThrottleInterval: '500 ms',
    } as const
  }

  async history(workflowId: string): Promise<RunHistory> {
    const history = await this.client.getHandle(workflowId).fetchHistory()
    return JSON.parse(historyToJSON(history)) as RunHistory
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await (
      await this.#workflows
    )?.()
    await this.#environment.teardown()
  }
}

/** Polls a condition; fails with its description when the deadline passes. */
export async function eventually<T>(
  what: string,
  probe: () => T | Promise<T>,
  withinMs = 60_000,
): Promise<NonNullable<T>> {
  const deadline = Date.now() + withinMs
  for (;;) {
    const value = await probe()
    if (value !== undefined && value !== null && value !== false) return value
    if (Date.now() > deadline) throw new Error(`${what} did not come within ${withinMs} ms`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
