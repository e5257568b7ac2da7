import { Context } from '@temporalio/activity'
import { ApplicationFailure } from '@temporalio/common'
import type { WorkflowHandle } from '@temporalio/client'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createCapacityActivities } from '../activities/capacity/index.ts'
import { createRecordActivities } from '../activities/record/index.ts'
import {
  sampleBackup,
  sampleEndpoint,
  sampleRepository,
  sampleRequester,
  sampleSite,
  sampleTarget,
} from '../activities/testing/samples.ts'
import { AtWork, Scripted, copied, mirroredCopy, wantedCopies } from '../activities/testing/scripted.ts'
import { slotKeeper, temporalOrchestrator } from '../api/index.ts'
import { testCatalog } from '../catalog/testing.ts'
import type { TestCatalog } from '../catalog/testing.ts'
import { WorkflowBench, eventually } from '../server/testing/workflows.ts'
import { backupWorkflow, backupWorkflowId } from './backup/contract.ts'
import { mirrorWorkflow } from './mirror/contract.ts'
import { restoreWorkflow } from './restore/contract.ts'
import { controlQueue } from './shared/queues.ts'
import { testSeal } from '../evidence/testing.ts'

let bench: WorkflowBench
beforeAll(async () => {
  bench = await WorkflowBench.start()
})
afterAll(async () => {
  await bench[Symbol.asyncDispose]()
})

const vmOf = (n: number) => ({
  ...sampleTarget,
  id: `vm-${n}`,
  ref: { ...sampleTarget.ref, id: `vm-${n}`, name: `vm-${n}` },
})
const restore = {
  v: 1,
  requestId: 'urgent',
  repository: sampleRepository,
  stem: `snap/${'1'.repeat(32)}/0000000000000000-${'f'.repeat(32)}`,
  identity: 'new',
  powerOn: false,
  target: { kind: 'new', endpoint: sampleEndpoint, site: sampleSite, name: 'copy' },
  requestedBy: sampleRequester,
  tuning: {},
}

/** The control plane of a test: the real governor on a real catalog, everything else from a script. */
async function governed<T>(
  world: TestCatalog,
  script: ConstructorParameters<typeof Scripted>[0],
  drive: (
    start: (workflow: string, workflowId: string, input: unknown) => Promise<WorkflowHandle>,
    steps: Scripted,
  ) => Promise<T>,
): Promise<T> {
  const { catalog } = world
  const { recordRunFinished } = createRecordActivities(catalog, testSeal)
  const { claimSlots } = createCapacityActivities(catalog)
  const steps = new Scripted({ recordRunFinished, claimSlots, ...script })
  const stop = new AbortController()
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined }
  const keeping = slotKeeper({ catalog, orchestrator: temporalOrchestrator(bench.wholeClient), log }).run(stop.signal)
  try {
    return await bench.during(steps.activities, () =>
      drive(
        (workflow, workflowId, input) =>
          bench.client.start(workflow, { workflowId, taskQueue: controlQueue, args: [input] }),
        steps,
      ),
    )
  } finally {
    stop.abort()
    await keeping
  }
}

it('of fifty VMs due at once no more than two work on the host, and an urgent restore in the middle does not wait', async () => {
  using world = testCatalog()
  world.catalog.slots.setLimit(`host/${sampleEndpoint.id}`, 2)
  const copying = new AtWork()
  let restoreAskedMs = 0
  let restoreBegunMs = 0
  const script = {
    // For long enough that whoever did not wait for his slot would be seen.
    copyDisk: (input: Parameters<typeof copied>[0]) =>
      copying.during(async () => {
        await Context.current().sleep(50)
        return copied(input)
      }),
    planRestore: async () => {
      restoreBegunMs = Date.now()
      return new Scripted().activities.planRestore(null as never)
    },
  }
  const results = await governed(world, script, async (start) => {
    const all = await Promise.all(
      Array.from({ length: 50 }, (_, n) =>
        start(backupWorkflow, backupWorkflowId(`vm-${n}`), sampleBackup({ vm: vmOf(n) })),
      ),
    )
    const waiting = () => world.catalog.slots.list().filter(({ grantedMs }) => grantedMs === null).length
    await eventually('the queue in the middle', () => waiting() <= 30 && waiting() >= 10, 240_000)
    restoreAskedMs = Date.now()
    const urgent = await start(restoreWorkflow, 'restore/urgent', restore)
    await urgent.result()
    expect(waiting()).toBeGreaterThan(0)
    return Promise.all(all.map((handle) => handle.result() as Promise<{ outcome: string }>))
  })
  expect(results.map(({ outcome }) => outcome)).toEqual(Array.from({ length: 50 }, () => 'completed'))
  expect(copying.most).toBe(2)
  console.info(`an urgent restore began ${restoreBegunMs - restoreAskedMs} ms after it was asked for`)
  // Backups that were before it in line would have taken many times as long.
  expect(restoreBegunMs - restoreAskedMs).toBeLessThan(10_000)
  expect(world.catalog.slots.list()).toEqual([])
})

it('a run that is cancelled while it waits, and one that is terminated while it works, leave their slots to the next', async () => {
  using world = testCatalog()
  world.catalog.slots.setLimit(`host/${sampleEndpoint.id}`, 1)
  const script = {
    copyDisk: async (input: Parameters<typeof copied>[0]) => {
      if (Context.current().info.workflowExecution?.workflowId !== backupWorkflowId('vm-101')) return copied(input)
      for (;;) {
        Context.current().heartbeat()
        await Context.current().sleep(100)
      }
    },
  }
  await governed(world, script, async (start, steps) => {
    const working = await start(backupWorkflow, backupWorkflowId('vm-101'), sampleBackup({ vm: vmOf(101) }))
    await eventually('the work', () => steps.inputs('copyDisk').length > 0)
    const cancelled = await start(backupWorkflow, backupWorkflowId('vm-102'), sampleBackup({ vm: vmOf(102) }))
    await eventually('the wait', () => world.catalog.slots.list().length === 2)
    const last = await start(backupWorkflow, backupWorkflowId('vm-103'), sampleBackup({ vm: vmOf(103) }))
    await eventually('the second wait', () => world.catalog.slots.list().length === 3)
    await cancelled.cancel()
    await expect(cancelled.result()).rejects.toThrow()
    expect(world.catalog.slots.list()).toHaveLength(2)
    await working.terminate('as an operator in a hurry')
    // Past the lease, by the clock of the catalog: the engine is asked, and says that the run has ended.
    world.clock.ms += 600_000
    await expect(last.result()).resolves.toMatchObject({ outcome: 'completed' })
  })
  expect(world.catalog.slots.list()).toEqual([])
})

it('a backup that cannot ask for a slot goes on without one, and everybody who looks at it is told', async () => {
  using world = testCatalog()
  const script = {
    claimSlots: async () => {
      throw ApplicationFailure.nonRetryable('the catalog is away', 'Internal')
    },
  }
  await governed(world, script, async (start) => {
    const backup = await start(backupWorkflow, backupWorkflowId('vm-201'), sampleBackup({ vm: vmOf(201) }))
    await expect(backup.result()).resolves.toMatchObject({ outcome: 'completed' })
  })
  const { runs, total } = world.catalog.runs.withAttention(0, 9)
  expect(total).toBe(1)
  expect(runs[0]?.attention).toContain('could not be asked for ten minutes')
})

it('a mirror waits for room in both repositories, and holds up no backup while it has it', async () => {
  using world = testCatalog()
  world.catalog.slots.setLimit('repository/offsite', 1)
  const claims = () => world.catalog.slots.list().map(({ kind, grantedMs }) => [kind, grantedMs !== null])
  let goOn = false
  const script = {
    nextCopies: async ({ done }: { readonly done: readonly unknown[] }) => ({
      copies: done.length === 0 ? wantedCopies.slice(0, 1) : [],
    }),
    mirrorPoint: async (input: { readonly copy: Parameters<typeof mirroredCopy>[0] }) => {
      while (!goOn) {
        Context.current().heartbeat()
        await Context.current().sleep(50)
      }
      return mirroredCopy(input.copy)
    },
    copyDisk: async (input: Parameters<typeof copied>[0]) => copied(input),
  }
  const offsite = { ...sampleRepository, id: 'offsite', name: 'offsite' }
  const mirror = {
    ...{ v: 1, source: sampleRepository, target: offsite, part: 0, requestedBy: sampleRequester, tuning: {} },
  }
  await governed(world, script, async (start, steps) => {
    const first = await start(mirrorWorkflow, 'mirror/a', mirror)
    await eventually('the copy', () => steps.inputs('mirrorPoint').length > 0)
    expect(claims()).toEqual([['mirror', true]])
    const second = await start(mirrorWorkflow, 'mirror/b', mirror)
    await eventually('the wait', () => claims().length === 2)
    expect(claims()).toContainEqual(['mirror', false])
    const backup = await start(
      backupWorkflow,
      backupWorkflowId('vm-301'),
      sampleBackup({ vm: vmOf(301), repository: offsite }),
    )
    await expect(backup.result()).resolves.toMatchObject({ outcome: 'completed' })
    goOn = true
    await Promise.all([first.result(), second.result()])
  })
  expect(world.catalog.slots.list()).toEqual([])
})
