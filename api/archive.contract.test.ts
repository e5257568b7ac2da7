import { TestWorkflowEnvironment } from '@temporalio/testing'
import { expect, test } from 'vitest'
import { sampleBackup } from '../activities/testing/samples.ts'
import { Scripted } from '../activities/testing/scripted.ts'
import { HoldfastError } from '../base/index.ts'
import { toRunbook } from '../runbook/index.ts'
import { findTemporalCli } from '../server/index.ts'
import { WorkflowBench, eventually } from '../server/testing/workflows.ts'
import { backupWorkflow } from '../workflows/backup/contract.ts'
import { createApp } from './app.ts'
import type { ApiDeps } from './deps.ts'
import { liveRuns } from './live.ts'
import { temporalOrchestrator } from './temporal-orchestrator.ts'
import { adminToken, bench as apiBench, own } from './testing/bench.ts'
import { cacheFolder } from '../appliance/index.ts'

/** Pages say when they were made. */
const nowMs = Date.now()

/** The API over this engine, on a catalog that outlives it. */
function over(base: ApiDeps, client: WorkflowBench['wholeClient']) {
  const orchestrator = temporalOrchestrator(client)
  const shared = { ...base, orchestrator, toRunbook, now: () => nowMs }
  const live = liveRuns(shared)
  const app = createApp({ ...shared, live })
  const get = async (path: string): Promise<{ readonly status: number; readonly body: unknown }> => {
    const response = await app.request(`${own}/api/v1${path}`, { headers: { authorization: `Bearer ${adminToken}` } })
    return { status: response.status, body: await response.json() }
  }
  return { live, get }
}

test('the pages of runs are the same after Temporal has lost everything', async () => {
  using world = apiBench({ vms: ['erp-db-01'] })
  const { catalog, deps } = world
  const runs: { readonly runId: string; readonly workflowId: string }[] = []
  const before = new Map<string, unknown>()
  {
    await using bench = await WorkflowBench.start()
    const run = async (scripted: Scripted, n: number): Promise<void> => {
      const workflowId = `backup/erp-db-01-${n}`
      const watch = async (handle: { result(): Promise<unknown> }): Promise<unknown> =>
        handle.result().catch((error: unknown) => error)
      await bench.run(backupWorkflow, sampleBackup(), scripted.activities, watch, workflowId)
      const { runId } = await bench.client.getHandle(workflowId).describe()
      catalog.runs.started({
        workflowId,
        runId,
        kind: 'backup',
        title: 'Backup of erp-db-01',
        vmId: 'erp-db-01',
        repositoryId: null,
        pointId: null,
        startedMs: Date.now(),
        requestedUser: 'operator',
        requestedReason: '',
        idempotencyKey: null,
      })
      runs.push({ runId, workflowId })
    }
    await run(new Scripted(), 1)
    const unfit = new HoldfastError('Unsupported', 'this disk is of another kind')
    await run(new Scripted({ copyDisk: async () => Promise.reject(unfit) }), 2)
    const { live, get } = over(deps, bench.wholeClient)
    await eventually('both histories in the archive', async () => {
      await live.tick()
      return runs.every(({ runId }) => catalog.histories.has(runId))
    })
    for (const { runId } of runs) {
      before.set(runId, [
        await get(`/runs/${runId}`),
        await get(`/runs/${runId}/runbook`),
        await get(`/runs/${runId}/events`),
      ])
    }
  }
  const { path } = await findTemporalCli({ env: process.env, cacheDir: cacheFolder() })
  const server = {
    executable: { type: 'existing-path', path },
    ui: false,
    log: { level: 'error', format: 'json' },
  } as const
  const empty = await TestWorkflowEnvironment.createLocal({ server })
  try {
    const { live, get } = over(deps, empty.client)
    await live.tick()
    for (const { runId, workflowId } of runs) {
      const after = [
        await get(`/runs/${runId}`),
        await get(`/runs/${runId}/runbook`),
        await get(`/runs/${runId}/events`),
      ]
      expect(after.map(({ status }) => status)).toEqual([200, 200, 200])
      expect(after).toEqual(before.get(runId))
      await expect(empty.client.workflow.getHandle(workflowId, runId).describe()).rejects.toThrow()
    }
  } finally {
    await empty.teardown()
  }
})
