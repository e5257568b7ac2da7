import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Hono } from 'hono'
import { HoldfastError } from '../../base/index.ts'
import { furnish, testCatalog, type TestCatalog } from '../../catalog/testing.ts'
import { drawPrivateKey, evidenceKey, signingKey } from '../../evidence/index.ts'
import type { FileGateway } from '../../files/types.ts'
import type { Message } from '../../notify/index.ts'
import type { Runbook } from '../../runbook/types.ts'
import { controlQueue, siteQueue } from '../../workflows/shared/queues.ts'
import { createApp } from '../app.ts'
import type { ApiEnv } from '../auth.ts'
import type { ApiDeps, ToRunbook } from '../deps.ts'
import { liveRuns } from '../live.ts'
import type { Poller } from '../orchestrator.ts'
import { hashOf } from '../secrets.ts'
import { nothingLooked, type ScheduleState } from '../schedule-state.ts'
import type { StreamPace } from '../stream.ts'
import { FakeOrchestrator } from './fake-orchestrator.ts'

export const adminToken = 'holdfast_admin-token-of-the-tests'
export const workerToken = 'holdfast_worker-token-of-the-tests'
export const own = 'http://holdfast.test'

/** An API in memory: real app, real catalog, fake engine. */
export interface Bench extends Disposable {
  readonly app: Hono<ApiEnv>
  readonly deps: ApiDeps
  readonly engine: FakeOrchestrator
  readonly catalog: TestCatalog['catalog']
  readonly clock: { ms: number }
  readonly home: string
  /** What the doctor is told of schedules. */
  readonly schedules: { state: ScheduleState }
  /** What went to channels. */
  readonly sent: readonly Message[]
  /** What the log was told. */
  readonly logged: readonly { readonly data: object; readonly message: string }[]
  /** A request with the administrator's token; `json` is sent as the body. */
  call(method: string, path: string, json?: unknown, headers?: Record<string, string>): Promise<Response>
  get<T>(path: string): Promise<T>
}

export interface BenchOptions {
  readonly vms?: readonly string[]
  readonly empty?: boolean
  readonly webDir?: string
  readonly streamPace?: StreamPace
  readonly toRunbook?: ToRunbook
  readonly files?: FileGateway
}

const nothingOpen: FileGateway = {
  sandbox: () => Promise.resolve({ user: 'nobody', isApart: true, whyNot: null }),
  ask: () => Promise.reject(notOpen()),
  stream: () => Promise.reject(notOpen()),
}
function notOpen(): HoldfastError {
  return new HoldfastError('NoWorker', 'the point is not open on this machine now')
}

export function bench(options: BenchOptions = {}): Bench {
  const { catalog, clock } = testCatalog()
  if (!options.empty) furnish(catalog, options.vms)
  catalog.access.putToken({ id: 'admin', name: 'operator', hash: hashOf(adminToken), role: 'admin' })
  catalog.access.putToken({ id: 'worker', name: 'worker-local', hash: hashOf(workerToken), role: 'worker' })
  const now = (): number => clock.ms
  const engine = new FakeOrchestrator(now)
  for (const queue of [controlQueue, siteQueue('local')]) {
    // Goes on asking, however far a test moves the clock.
    const worker: Poller = {
      identity: 'worker-1',
      role: 'activity',
      get lastSeenMs() {
        return clock.ms
      },
    }
    engine.pollersByQueue.set(queue, [worker])
  }
  const home = mkdtempSync(join(tmpdir(), 'holdfast-api-'))
  const logged: { data: object; message: string }[] = []
  const keep = (data: object, message: string): void => void logged.push({ data, message })
  const log = { info: keep, warn: keep, error: keep }
  const toRunbook = options.toRunbook ?? plainRunbook
  const sent: Message[] = []
  const schedules: Bench['schedules'] = { state: nothingLooked }
  const live = liveRuns({ catalog, orchestrator: engine, toRunbook, now, log })
  const deps: ApiDeps = {
    catalog,
    orchestrator: engine,
    toRunbook,
    live,
    schedules: () => schedules.state,
    sender: {
      async send(_, message) {
        sent.push(message)
      },
      async ping() {},
    },
    secret: async (credentialRef) => `what ${credentialRef} stands for`,
    files: options.files ?? nothingOpen,
    now,
    log,
    version: '0.1.0-test',
    async rotateEvidenceKey() {
      const key = evidenceKey(signingKey(drawPrivateKey(), 'a test').publicKey)
      catalog.evidence.useKey(key)
      return key
    },
    evidenceDir: join(home, 'evidence'),
    copiesDir: join(home, 'catalog-copies'),
    home,
    webDir: options.webDir ?? null,
    origins: [],
    byItself: { sweeps: 'daily', drills: 'always' },
    engineUi: null,
  }
  const app = createApp(deps, options.streamPace ? { streamPace: options.streamPace } : {})
  const call: Bench['call'] = async (method, path, json, headers = {}) =>
    app.request(`${own}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${adminToken}`,
        ...(json !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(json !== undefined && { body: JSON.stringify(json) }),
    })
  return {
    app,
    deps,
    engine,
    catalog,
    clock,
    home,
    schedules,
    sent,
    logged,
    call,
    async get<T>(path: string) {
      const response = await call('GET', path)
      if (response.status !== 200) throw new Error(`${path}: ${response.status} ${await response.text()}`)
      return (await response.json()) as T
    },
    [Symbol.dispose]() {
      catalog.close()
      rmSync(home, { recursive: true, force: true })
    },
  }
}

/** A runbook with the least that the API reads: its state follows the last event. The real one has tests of its own. */
export const plainRunbook: ToRunbook = (history, pending, facts): Runbook => {
  const last = history.events.at(-1)
  const state = /COMPLETED$/.test(last?.eventType ?? '')
    ? 'completed'
    : /CANCELED$/.test(last?.eventType ?? '')
      ? 'cancelled'
      : /EXECUTION_FAILED$/.test(last?.eventType ?? '')
        ? 'failed'
        : 'running'
  const heartbeat = pending[0]?.heartbeat as Runbook['progress'] | undefined
  return {
    v: 1,
    workflowId: 'workflow',
    runId: 'run',
    kind: 'backup',
    title: 'Backup',
    sentence: `${history.events.length} events`,
    state,
    verdict: null,
    startedMs: Date.parse(history.events[0]?.eventTime ?? ''),
    endedMs: state === 'running' ? null : Date.parse(last?.eventTime ?? ''),
    resumedTimes: 0,
    progress: heartbeat ?? null,
    phases: [],
    notes: [],
    error:
      state === 'failed'
        ? {
            code: 'StoreFull',
            message: 'the repository is full',
            hint: 'Make space.',
            retry: 'operator',
            docs: 'errors.md#storefull',
            causes: [],
          }
        : null,
    residue: [],
    actions: [],
    eventCount: history.events.length,
    facts,
  }
}
