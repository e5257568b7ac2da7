import type { WorkflowHandle } from '@temporalio/client'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createPlanActivities } from '../../activities/plan/index.ts'
import { copied, untilCancelled } from '../../activities/testing/scripted.ts'
import type { Scripted } from '../../activities/testing/scripted.ts'
import { HoldfastError } from '../../base/index.ts'
import type { TestCatalog } from '../../catalog/testing.ts'
import type { WindowNow } from '../../policy/index.ts'
import { planFailure, planResult, planWorld, runPlan } from '../../server/testing/plans.ts'
import { WorkflowBench, eventually } from '../../server/testing/workflows.ts'
import { backupWorkflowId } from '../backup/contract.ts'
import { planChangedSignal } from '../shared/contract.ts'

let bench: WorkflowBench
beforeAll(async () => {
  bench = await WorkflowBench.start()
})
afterAll(async () => {
  await bench[Symbol.asyncDispose]()
})

const names = ['db-01', 'web-01', 'web-02']
const hourMs = 3_600_000
const open = (forMs: number, atMs = Date.now()): WindowNow => ({
  open: true,
  changesMs: atMs + forMs,
  until: null,
  atEnd: 'pause',
  releasesPoints: false,
})
const closed = (forMs: number, over: Partial<WindowNow> = {}): WindowNow => ({
  open: false,
  changesMs: Date.now() + forMs,
  until: 'Sun 22 Nov 22:00 (Europe/Berlin)',
  atEnd: 'pause',
  releasesPoints: false,
  ...over,
})

/** The plan's real steps, but for its window: `first` when the run begins, then what each look finds. */
function windows(world: TestCatalog, first: () => WindowNow, ...looks: readonly (() => WindowNow | null)[]) {
  const { openPlanRun } = createPlanActivities(world.catalog)
  return {
    openPlanRun: async (of: Parameters<typeof openPlanRun>[0]) => ({ ...(await openPlanRun(of)), window: first() }),
    heedWindow: async (_of: unknown, call: number) => (looks[call - 1] ?? (() => open(hourMs)))(),
  }
}

/** Copies stand until they are told to stop; from `go` on they end at once. */
function copies() {
  let going = false
  return {
    go: () => (going = true),
    copyDisk: async (of: Parameters<typeof copied>[0]) => (going ? copied(of) : untilCancelled()),
  }
}

const standsStill = (vm: string): Promise<unknown> =>
  eventually(`${vm} to stand still`, async () => {
    const { pendingActivities } = (await bench.client.getHandle(backupWorkflowId(vm)).describe()).raw
    return (pendingActivities ?? []).length === 0
  })
const copying = (steps: Scripted): Promise<unknown> =>
  eventually('both backups', () => steps.inputs('copyDisk').length >= 4)
async function waitsIn(handle: WorkflowHandle): Promise<string[]> {
  const { events } = await bench.history(handle.workflowId)
  return events.flatMap((event) => (event['timerStartedEventAttributes'] === undefined ? [] : [event.eventType]))
}

it('a window that ends stops backups where they are, begins none, and the next one goes on in the same points', async () => {
  using world = planWorld(names, { concurrency: 2 })
  const { go, copyDisk } = copies()
  const script = {
    ...windows(
      world,
      () => open(hourMs),
      () => closed(4_000),
      () => open(hourMs),
    ),
    copyDisk,
  }
  const { value, steps, rows } = await runPlan(bench, world, script, async (handle, of) => {
    await copying(of)
    // What the plan says has changed: its window ends now.
    await handle.signal(planChangedSignal)
    await Promise.all([standsStill('db-01'), standsStill('web-01')])
    expect(of.inputs('openPoint')).toHaveLength(2)
    expect(of.inputs('abortPoint')).toHaveLength(0)
    expect((await waitsIn(handle)).length).toBeGreaterThan(0)
    go()
    return planResult(handle)
  })
  expect(value.counts).toMatchObject({ completed: 3, failed: 0 })
  // One point of each VM, and no try but the first.
  expect(steps.inputs('openPoint')).toHaveLength(3)
  expect(rows.every(({ attempts }) => attempts === 1)).toBe(true)
  expect(steps.inputs('copyDisk').filter(({ attemptBase }) => attemptBase > 0)).toHaveLength(4)
})

it('one that stays closed for days gives the points back, and the next one begins with new ones', async () => {
  using world = planWorld(['db-01'], { concurrency: 1 })
  const { go, copyDisk } = copies()
  const script = {
    ...windows(
      world,
      () => open(hourMs),
      () => closed(4_000, { releasesPoints: true }),
      () => open(hourMs),
    ),
    copyDisk,
  }
  const { value, steps, rows } = await runPlan(bench, world, script, async (handle, of) => {
    await eventually('the copy', () => of.inputs('copyDisk').length === 2)
    await handle.signal(planChangedSignal)
    await eventually('the point to be given back', () => of.inputs('abortPoint').length === 1)
    expect(of.inputs('preflight')).toHaveLength(1)
    go()
    return planResult(handle)
  })
  expect(value.counts).toMatchObject({ completed: 1 })
  const points = steps.inputs('openPoint').map(({ pointId }) => pointId)
  expect(new Set(points).size).toBe(2)
  expect(rows).toMatchObject([{ state: 'completed', attempts: 1 }])
})

it('with atEnd: fail what is under way is cancelled with the reason, nothing more begins, and the run fails', async () => {
  using world = planWorld(names, { concurrency: 2 })
  const script = {
    ...windows(
      world,
      () => open(hourMs),
      () => closed(hourMs, { atEnd: 'fail' }),
    ),
    copyDisk: () => untilCancelled(),
  }
  const { value, outcome } = await runPlan(bench, world, script, async (handle, of) => {
    await copying(of)
    await handle.signal(planChangedSignal)
    return planFailure(handle)
  })
  expect(value).toMatchObject({ type: 'PlanIncomplete' })
  expect(outcome).toEqual(names.map((name) => [name, 'cancelled', 'its window has ended']))
  for (const vm of ['db-01', 'web-01'])
    expect(world.catalog.runs.latest(backupWorkflowId(vm))).toMatchObject({
      state: 'cancelled',
      summary: 'cancelled by plan nightly, nothing was left behind',
    })
})

it('a run that begins outside its window waits for it, whatever its end does, and goes on at once when somebody says so', async () => {
  using world = planWorld(names, { concurrency: 2 })
  const opensMs = Date.now() + hourMs
  const script = windows(world, () => closed(hourMs, { atEnd: 'fail', changesMs: opensMs }))
  const { value, steps } = await runPlan(bench, world, script, async (handle, of) => {
    await eventually('the wait', async () => (await waitsIn(handle)).length > 0)
    expect(of.inputs('nextPlanVm')).toHaveLength(0)
    await handle.executeUpdate('resume', { args: [{ user: 'ann', reason: 'before the move' }] })
    return planResult(handle)
  })
  expect(value.counts).toMatchObject({ completed: 3 })
  expect(steps.inputs('heedWindow')[0]).toMatchObject({ plan: 'nightly', goesOnUntilMs: opensMs })
})

it('a plan that has no window any more lets its run go on', async () => {
  using world = planWorld(names)
  const script = windows(
    world,
    () => closed(hourMs),
    () => null,
  )
  const { value } = await runPlan(bench, world, script, async (handle) => {
    await eventually('the wait', async () => (await waitsIn(handle)).length > 0)
    await handle.signal(planChangedSignal)
    return planResult(handle)
  })
  expect(value.counts).toMatchObject({ completed: 3 })
})

it('a window of which nobody can say whether it is open stays closed, says why, and opens when somebody can', async () => {
  using world = planWorld(names)
  const away = (): never => {
    throw new HoldfastError('NotFound', 'the run is not in the catalog')
  }
  const script = windows(
    world,
    () => closed(1_500),
    away,
    () => open(hourMs),
  )
  const { value, steps } = await runPlan(bench, world, script, async (handle) => {
    const result = await planResult(handle)
    const { events } = await handle.fetchHistory()
    const said = (events ?? []).map(({ userMetadata: meta }) => Buffer.from(meta?.summary?.data ?? []).toString())
    for (const until of ['Sun 22 Nov 22:00 (Europe/Berlin)', 'the plan can be looked up again'])
      expect(said).toContain(JSON.stringify(`outside its window until ${until}`))
    return result
  })
  expect(value.counts).toMatchObject({ completed: 3 })
  expect(steps.inputs('heedWindow').length).toBeGreaterThanOrEqual(2)
})
