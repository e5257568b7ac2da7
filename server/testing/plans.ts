import { WorkflowFailedError } from '@temporalio/client'
import type { WorkflowHandle } from '@temporalio/client'
import { createCapacityActivities } from '../../activities/capacity/index.ts'
import { createPlanActivities } from '../../activities/plan/index.ts'
import { createRecordActivities } from '../../activities/record/index.ts'
import { sampleRequester, sampleSite } from '../../activities/testing/samples.ts'
import { Scripted } from '../../activities/testing/scripted.ts'
import type { PlanRunVmRow } from '../../catalog/index.ts'
import { aVm, testCatalog } from '../../catalog/testing.ts'
import type { TestCatalog } from '../../catalog/testing.ts'
import { planDefaults } from '../../policy/index.ts'
import type { PlanSpec } from '../../policy/index.ts'
import { planWorkflow, planWorkflowId } from '../../workflows/plan/contract.ts'
import type { PlanRunInput, PlanRunResult } from '../../workflows/plan/contract.ts'
import { controlQueue } from '../../workflows/shared/queues.ts'
import type { WorkflowBench } from './workflows.ts'
import { testSeal } from '../../evidence/testing.ts'

/** A catalog with these VMs, and the plan `nightly` that takes those with the tag `lab`. */
export function planWorld(vms: readonly string[], over: Partial<PlanSpec> = {}): TestCatalog {
  const world = testCatalog()
  const { catalog } = world
  const lab = { name: 'lab', platform: 'qemu', address: '/srv/lab', site: sampleSite, credentialRef: '' } as const
  catalog.endpoints.add({ ...lab, options: { scope: 'scope-1' } })
  const listed = vms.map((name) => aVm(name))
  catalog.vms.recordDiscovered('lab', 'listing-1', listed)
  const location = { kind: 'posix', path: '/srv/repository' } as const
  catalog.repositories.add({ name: 'main', site: sampleSite, location, credentialRef: 'file:/srv/secrets/main' })
  const targets = [{ repository: 'main', copy: 'backup', keep: null }] as const
  const where = [{ field: 'tag', is: ['lab'] }] as const
  catalog.plans.put({ ...planDefaults, name: 'nightly', where, targets, retryAfterMs: 0, ...over }, 0)
  return world
}

const input: PlanRunInput = {
  v: 1,
  plan: 'nightly',
  trigger: 'schedule',
  again: null,
  requestedBy: sampleRequester,
  part: 0,
}

export interface PlanOutcome<T> {
  readonly value: T
  readonly steps: Scripted
  readonly workflowId: string
  readonly rows: readonly PlanRunVmRow[]
  /** Name, state and detail of each VM. */
  readonly outcome: readonly (readonly [string, PlanRunVmRow['state'], string])[]
}

let runs = 0
/** A run of the plan with the real catalog and the real steps of the plan; what touches sites is from a script. */
export async function runPlan<T>(
  bench: WorkflowBench,
  { catalog }: TestCatalog,
  script: ConstructorParameters<typeof Scripted>[0],
  drive: (handle: WorkflowHandle, steps: Scripted) => Promise<T>,
  over: Partial<PlanRunInput> = {},
): Promise<PlanOutcome<T>> {
  const { recordRunStarted, recordRunFinished } = createRecordActivities(catalog, testSeal)
  const real = { recordRunStarted, recordRunFinished, ...createPlanActivities(catalog) }
  const steps = new Scripted({ ...real, ...createCapacityActivities(catalog), ...script })
  const workflowId = planWorkflowId('nightly', Date.UTC(2026, 10, 21, 0, 0, (runs += 1)))
  const value = await bench.during(steps.activities, async () => {
    const args = [{ ...input, ...over }]
    const handle = await bench.client.start(planWorkflow, { workflowId, taskQueue: controlQueue, args })
    return drive(handle, steps)
  })
  const rows = catalog.planRuns.vms(workflowId, { limit: 200 }).items
  return {
    value,
    steps,
    workflowId,
    rows,
    outcome: rows.map(({ vmName, state, detail }) => [vmName, state, detail] as const),
  }
}

export const planResult = (handle: WorkflowHandle): Promise<PlanRunResult> => handle.result() as Promise<PlanRunResult>

/** What a run that fails has failed with. */
export async function planFailure(handle: WorkflowHandle): Promise<unknown> {
  const error: unknown = await handle.result().catch((thrown: unknown) => thrown)
  if (!(error instanceof WorkflowFailedError)) throw new Error('the run has not failed', { cause: error })
  return error.cause
}
