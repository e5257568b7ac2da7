import { createServer, type AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { Context } from '@temporalio/activity'
import { Client, Connection } from '@temporalio/client'
import { NativeConnection, Worker } from '@temporalio/worker'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isHoldfastError } from '../base/index.ts'
import { prepareNamespace } from '../server/index.ts'
import { eventually, WorkflowBench } from '../server/testing/workflows.ts'
import { controlQueue } from '../workflows/shared/queues.ts'
import { isClosed } from './archive.ts'
import type { Orchestrator, RunHandle, RunMemo, StartSpec } from './orchestrator.ts'
import { temporalOrchestrator } from './temporal-orchestrator.ts'

let bench: WorkflowBench
let engine: Orchestrator
let worker: Worker
let native: NativeConnection
let running: Promise<void>

beforeAll(async () => {
  bench = await WorkflowBench.start()
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined }
  const { connection } = bench.wholeClient
  await prepareNamespace({ connection, namespace: 'default', log, signal: AbortSignal.timeout(60_000) })
  engine = temporalOrchestrator(bench.wholeClient)
  native = await NativeConnection.connect({ address: bench.address })
  worker = await Worker.create({
    connection: native,
    taskQueue: controlQueue,
    workflowsPath: fileURLToPath(new URL('testing/orchestrator-workflows.ts', import.meta.url)),
    activities: {
      step: async () => {
        const { attempt } = Context.current().info
        Context.current().heartbeat({ attempt, offset: 4096 })
        if (attempt < 3) throw new Error(`attempt ${attempt} was not enough`)
        return { attempt }
      },
    },
  })
  running = worker.run()
})
afterAll(async () => {
  worker.shutdown()
  await running
  await native.close()
  await bench[Symbol.asyncDispose]()
})

const memo: RunMemo = {
  v: 1,
  title: 'Backup of web-01',
  vmId: 'web-01',
  repositoryId: 'main',
  pointId: null,
  requestedBy: { user: 'operator', reason: 'test' },
  idempotencyKey: 'key-12345678',
}
let count = 0
function spec(mode: string, over: Partial<StartSpec> = {}): StartSpec {
  return {
    workflow: 'backupVm',
    workflowId: `backup/vm-${(count += 1)}`,
    input: { mode },
    summary: 'Backup of web-01',
    memo,
    search: { vm: 'web-01', repository: 'main', site: 'local' },
    priority: 3,
    whenRunning: 'fail',
    ...over,
  }
}
const codeOf = async (act: Promise<unknown>): Promise<string> =>
  act.then(
    () => 'none',
    (error: unknown) => (isHoldfastError(error) ? error.code : String(error)),
  )

describe('starting', () => {
  test('a run carries its memo and input, and is listed while it runs and after', async () => {
    const run = await engine.start(spec('return'))
    expect(await engine.result(run, 20_000)).toEqual({ told: { mode: 'return' } })
    const described = await engine.describe(run.workflowId, run.runId)
    expect(described).toMatchObject({
      ...run,
      workflow: 'backupVm',
      status: 'completed',
      memo,
      pending: [],
      closedMs: expect.any(Number) as number,
    })
    const history = await engine.history(run)
    expect(history && isClosed(history)).toBe(true)
    expect(history?.events.length).toBe(described?.historyLength)
    expect(history && (await engine.inputOf(history))).toEqual({ mode: 'return' })
    await eventually('the listing', async () => {
      for await (const one of engine.listRuns(Date.now() - 60_000, 100)) if (one.runId === run.runId) return one.memo
      return undefined
    })
  })

  test('a second one of the same id is refused with the run that is under way, or joins it', async () => {
    const first = spec('wait')
    const run = await engine.start(first)
    await expect(engine.start(first)).rejects.toMatchObject({ code: 'AlreadyRunning', data: run })
    expect(await engine.start({ ...first, whenRunning: 'join' })).toEqual(run)
    await engine.cancel(run)
    await engine.result(run, 20_000)
    const second = await engine.start(spec('return', { workflowId: first.workflowId }))
    expect(second.runId).not.toBe(run.runId)
  })

  test('what a workflow fails with is told in its own words', async () => {
    const run = await engine.start(spec('fail'))
    await expect(engine.result(run, 20_000)).rejects.toMatchObject({
      code: 'StoreFull',
      message: 'the repository is full',
      hint: 'Make space.',
    })
  })

  test('an answer that does not come is a timeout, and the run goes on', async () => {
    const run = await engine.start(spec('wait'))
    expect(await codeOf(engine.result(run, 300))).toBe('HypervisorTimeout')
    expect((await engine.describe(run.workflowId))?.status).toBe('running')
    await engine.cancel(run)
  })
})

describe('wishes', () => {
  test('updates and notes arrive before the cancel, and a refused update says why', async () => {
    const run = await engine.start(spec('wait'))
    await engine.update(run, 'pause', { user: 'operator' }, 'update-1')
    await engine.update(run, 'pause', { user: 'operator' }, 'update-1')
    await expect(engine.update(run, 'pause', { user: 'nobody' }, 'update-2')).rejects.toMatchObject({
      code: 'InvalidRequest',
      message: 'nobody may not pause',
      hint: 'Be somebody.',
    })
    await engine.signal(run, 'cancelNote', { user: 'on-call' })
    await engine.cancel(run)
    expect(await engine.result(run, 20_000)).toEqual({ cancelledAfter: [{ user: 'operator' }, { user: 'on-call' }] })
  })

  test('an ended run takes none', async () => {
    const run = await engine.start(spec('return'))
    await engine.result(run, 20_000)
    expect(await codeOf(engine.update(run, 'pause', { user: 'x' }, 'u'))).toBe('RunEnded')
    expect(await codeOf(engine.signal(run, 'cancelNote', { user: 'x' }))).toBe('RunEnded')
    expect(await codeOf(engine.cancel(run))).toBe('RunEnded')
  })

  test('the wait for the next attempt ends at once, and attempt numbers go on', async () => {
    const run = await engine.start(spec('retry'))
    const waiting = (attempt: number): Promise<unknown> =>
      eventually(`attempt ${attempt} to wait`, async () =>
        (await engine.describe(run.workflowId))?.pending.find(
          (one) => one.attempt === attempt && one.state === 'scheduled',
        ),
      )
    const first = await waiting(2)
    expect(first).toMatchObject({
      activityType: 'step',
      maximumAttempts: 5,
      heartbeat: { attempt: 1, offset: 4096 },
      worker: expect.any(String) as string,
      lastFailure: { message: 'attempt 1 was not enough' },
    })
    expect((first as { nextAttemptMs: number }).nextAttemptMs - Date.now()).toBeGreaterThan(3_000_000)
    await engine.retryActivity(run, (first as { activityId: string }).activityId)
    await waiting(3)
    await engine.retryActivity(run, (first as { activityId: string }).activityId)
    expect(await engine.result(run, 20_000)).toEqual({ attempt: 3 })
    expect(await codeOf(engine.retryActivity(run, '1'))).toBe('NotFound')
  })
})

describe('knowing', () => {
  const nothing: RunHandle = { workflowId: 'backup/never', runId: '00000000-0000-4000-8000-000000000000' }

  test('proved absent is an answer, unreachable is an error', async () => {
    expect(await engine.describe('backup/never')).toBeUndefined()
    expect(await engine.describe(nothing.workflowId, nothing.runId)).toBeUndefined()
    expect(await engine.history(nothing)).toBeUndefined()
    const connection = Connection.lazy({ address: '127.0.0.1:1', connectTimeout: '500 ms' })
    const away = temporalOrchestrator(new Client({ connection }), 1_000)
    expect(await codeOf(away.describe('backup/never'))).toBe('TemporalUnavailable')
    expect(await codeOf(away.history(nothing))).toBe('TemporalUnavailable')
    expect(await codeOf(away.start(spec('return')))).toBe('TemporalUnavailable')
    expect(await codeOf(away.pollers(controlQueue))).toBe('TemporalUnavailable')
    expect(await codeOf(away.info())).toBe('TemporalUnavailable')
    // Not closed: the client's own retries would still reach for it. It ends with the process.
  })

  test('an engine that takes the question and never answers keeps nobody waiting', async () => {
    const silent = createServer()
    await new Promise<void>((resolve) => void silent.listen(0, '127.0.0.1', resolve))
    const { port } = silent.address() as AddressInfo
    const connection = Connection.lazy({ address: `127.0.0.1:${port}`, connectTimeout: '500 ms' })
    const away = temporalOrchestrator(new Client({ connection }), 1_000)
    const listed = async (): Promise<void> => {
      for await (const one of away.listRuns(0, 10)) throw new Error(one.runId)
    }
    expect(await codeOf(listed())).toBe('TemporalUnavailable')
    silent.close()
  })

  test('pollers are seen with their role, and a queue that nobody polls has none', async () => {
    const pollers = await eventually('pollers', async () => {
      const found = await engine.pollers(controlQueue)
      return new Set(found.map((poller) => poller.role)).size === 2 ? found : undefined
    })
    expect(pollers[0]).toMatchObject({
      identity: expect.stringContaining('@') as string,
      lastSeenMs: expect.any(Number) as number,
    })
    expect(await engine.pollers('holdfast.site.nowhere')).toEqual([])
  })

  test('the server says its version, retention and search attributes', async () => {
    expect(await engine.info()).toMatchObject({
      version: expect.stringMatching(/^\d/) as string,
      namespace: 'default',
      retentionMs: 30 * 86_400_000,
      searchAttributes: expect.arrayContaining(['HoldfastVm', 'HoldfastSite']) as string[],
    })
  })
})
