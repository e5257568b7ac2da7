import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WorkflowUpdateFailedError } from '@temporalio/client'
import type { WorkflowHandle } from '@temporalio/client'
import { HoldfastError } from '../../base/index.ts'
import { sampleRepository, sampleRequester } from '../../activities/testing/samples.ts'
import { Scripted, collected, sweepBatch, untilCancelled } from '../../activities/testing/scripted.ts'
import { WorkflowBench, eventually } from '../../server/testing/workflows.ts'
import { approveSweepUpdate, removePointWorkflow, sweepWorkflow } from './contract.ts'
import type { SweepInput, SweepResult } from './contract.ts'

let bench: WorkflowBench
beforeAll(async () => {
  bench = await WorkflowBench.start()
})
afterAll(async () => bench[Symbol.asyncDispose]())

const input: SweepInput = {
  v: 1,
  repository: sampleRepository,
  mode: 'sweep',
  approval: 'grace',
  graceMs: 0,
  approveWithinMs: 60_000,
  maxShare: 0.5,
  collect: 'auto',
  waits: 'usual',
  requestedBy: sampleRequester,
  tuning: {},
}
const plan = { digest: 'd1', points: 9, series: 2, going: 3, asking: 0, orphans: 0, worst: null }
const asking = { ...plan, asking: 1, worst: { vm: 'erp-db-01', going: 3, points: 4 } }
const ann = { user: 'ann', reason: 'looked at it' }

const sweep = (
  steps: Scripted,
  over: Partial<SweepInput> = {},
  drive: (handle: WorkflowHandle) => Promise<unknown> = async () => undefined,
) =>
  bench.run(sweepWorkflow, { ...input, ...over }, steps.activities, async (handle) => {
    await drive(handle)
    return handle.result() as Promise<SweepResult>
  })
const waiting = (steps: Scripted) => () =>
  eventually('the wait', () => steps.inputs('recordSweepState').some(({ state }) => state === 'waiting'))

it('plans, puts tombstones batch by batch, tidies, collects, and says what came of it', async () => {
  const steps = new Scripted()
  const { value } = await sweep(steps)
  expect(value).toMatchObject({ ended: 'completed', going: 3, removed: 3, refused: 0, spared: 0, left: 0, residue: [] })
  expect(value.collection).toMatchObject({ outcome: 'collected', deletedPacks: 2 })
  expect(steps.names('recordSweepState', 'recordRunStarted', 'recordRunFinished')).toEqual([
    'surveyRetention',
    'planSweep',
    'nextSweepBatch',
    'tombstonePoints',
    'nextSweepBatch',
    'tidyRepository',
    'prepareCollection',
    'collectGarbage',
    'recordCollection',
  ])
  expect(steps.inputs('recordRunFinished')[0]).toMatchObject({
    outcome: 'completed',
    summary: '3 of 9 points removed, 2.0 MiB freed',
    started: { kind: 'retention', vmId: null, vmName: 'main', repositoryId: 'main' },
  })
  expect(steps.inputs('recordSweepState').at(-1)).toMatchObject({ state: 'completed' })
})

it('changes nothing in a dry run', async () => {
  const steps = new Scripted()
  const { value } = await sweep(steps, { mode: 'plan', approval: 'required' })
  expect(value).toMatchObject({ ended: 'planned', going: 3, removed: 0, collection: null })
  expect(steps.names('recordRunStarted', 'recordRunFinished')).toEqual(['surveyRetention', 'planSweep'])
})

describe('a plan that takes much of a series', () => {
  it('waits for a person although there is no grace time, and takes only the plan that was seen', async () => {
    const steps = new Scripted({ planSweep: async () => asking })
    const { value } = await sweep(steps, {}, async (handle) => {
      await waiting(steps)()
      expect(steps.names()).not.toContain('tombstonePoints')
      const stale: unknown = await handle
        .executeUpdate(approveSweepUpdate, { args: [{ ...ann, digest: 'older' }] })
        .catch((thrown: unknown) => thrown)
      expect((stale as WorkflowUpdateFailedError).cause?.message).toContain('the plan has changed')
      await handle.executeUpdate(approveSweepUpdate, { args: [{ ...ann, digest: 'd1' }] })
    })
    expect(value).toMatchObject({ ended: 'completed', removed: 3 })
    expect(steps.inputs('recordSweepState').find(({ state }) => state === 'removing')).toMatchObject({
      approval: { user: 'ann', reason: 'looked at it' },
    })
    expect(steps.inputs('confirmSweep')).toMatchObject([{ isApproved: true }])
  })

  it('goes on without what it asked for when nobody answers in time, and collects', async () => {
    const steps = new Scripted({
      planSweep: async () => asking,
      confirmSweep: async () => ({ going: 2, spared: 1 }),
      nextSweepBatch: async (_input, call) => ({
        points: call === 1 ? sweepBatch.slice(0, 1) : [],
        spared: call === 1 ? 1 : 0,
      }),
    })
    const { value } = await sweep(steps, { approveWithinMs: 500 })
    expect(value).toMatchObject({ ended: 'completed', removed: 1, spared: 2, collection: { outcome: 'collected' } })
    expect(steps.inputs('recordSweepState')[0]).toMatchObject({ waits: { for: 'approval' } })
    expect(steps.inputs('confirmSweep')).toMatchObject([{ isApproved: false }])
  })

  it('removes nothing where each plan needs a person and nobody approves it in time', async () => {
    const steps = new Scripted({ planSweep: async () => asking })
    const { value } = await sweep(steps, { approval: 'required', approveWithinMs: 500 })
    expect(value).toMatchObject({ ended: 'declined', removed: 0, collection: null })
    expect(steps.names()).not.toContain('tombstonePoints')
    expect(steps.inputs('recordSweepState').at(-1)).toMatchObject({ state: 'declined' })
  })

  it('refuses an approval when nothing waits for one', async () => {
    const survey = Promise.withResolvers<undefined>()
    const steps = new Scripted({
      surveyRetention: async () => {
        await survey.promise
        return { blobs: [], points: 0, series: 0, held: 0, atMs: 1 }
      },
      planSweep: async () => ({ ...plan, going: 0 }),
    })
    const { value } = await sweep(steps, {}, async (handle) => {
      await eventually('the survey', () => steps.inputs('surveyRetention').length === 1)
      const early: unknown = await handle
        .executeUpdate(approveSweepUpdate, { args: [{ ...ann, digest: 'd1' }] })
        .catch((thrown: unknown) => thrown)
      survey.resolve(undefined)
      expect(early).toBeInstanceOf(WorkflowUpdateFailedError)
    })
    expect(value).toMatchObject({ ended: 'completed', going: 0, removed: 0 })
  })
})

it('goes on after the grace time by itself', async () => {
  const steps = new Scripted()
  const { value } = await sweep(steps, { graceMs: 300 })
  expect(value).toMatchObject({ ended: 'completed', removed: 3 })
  expect(steps.inputs('recordSweepState')[0]).toMatchObject({ state: 'waiting', waits: { for: 'grace' } })
  expect(steps.inputs('confirmSweep')).toMatchObject([{ isApproved: false, maxShare: 0.5 }])
})

it('is cancelled in its grace time: nothing goes, and the sweep is shown as cancelled', async () => {
  const steps = new Scripted()
  await bench.run(sweepWorkflow, { ...input, graceMs: 60_000 }, steps.activities, async (handle) => {
    await waiting(steps)()
    await handle.cancel()
    await expect(handle.result()).rejects.toThrow()
  })
  expect(steps.names()).not.toContain('tombstonePoints')
  expect(steps.inputs('recordSweepState').at(-1)).toMatchObject({ state: 'cancelled' })
})

it('counts what the repository refuses, and goes on with the others', async () => {
  const steps = new Scripted({
    tombstonePoints: async ({ points }) => ({ refused: points.slice(0, 1).map(({ stem }) => ({ stem, why: 'held' })) }),
  })
  const { value } = await sweep(steps)
  expect(value).toMatchObject({ removed: 2, refused: 1 })
  expect(steps.inputs('nextSweepBatch').at(-1)?.done).toEqual({
    points: sweepBatch,
    refused: [{ stem: sweepBatch[0]?.stem, why: 'held' }],
  })
})

it('does not collect where it is not worth it, nor where it was not wanted', async () => {
  const idle = new Scripted({ prepareCollection: async () => ({ why: null, known: null }) })
  expect((await sweep(idle)).value.collection).toBeNull()
  expect(idle.names()).not.toContain('collectGarbage')
  const never = new Scripted()
  expect((await sweep(never, { collect: 'never' })).value.collection).toBeNull()
  expect(never.names()).not.toContain('prepareCollection')
})

it('waits for a person when the repository needs one, and fails with its words when a step cannot go on', async () => {
  const steps = new Scripted({
    tidyRepository: async (_input, call) => {
      if (call === 1) throw new HoldfastError('RetentionRefused', 'the clocks of worker and store differ')
      return { abandoned: 0, removed: 0, forgotten: 0 }
    },
  })
  expect((await sweep(steps, { tuning: { reprobeMs: 200 } })).value.removed).toBe(3)
  const broken = new Scripted({
    planSweep: async () => {
      throw new HoldfastError('FormatError', 'a list of points is of another version')
    },
  })
  await bench.run(sweepWorkflow, input, broken.activities, async (handle) => {
    await expect(handle.result()).rejects.toThrow()
  })
  expect(broken.inputs('recordSweepState').at(-1)).toMatchObject({ state: 'failed' })
  expect(broken.inputs('recordRunFinished')[0]).toMatchObject({ outcome: 'failed' })
})

it('removes one point for a person after its series was read and judged, and nothing when a rule keeps it', async () => {
  const stem = sweepBatch[0]?.stem ?? ''
  const wish = { v: 1, repository: sampleRepository, stem, requestedBy: sampleRequester }
  const steps = new Scripted()
  await bench.run(removePointWorkflow, wish, steps.activities, (handle) => handle.result())
  expect(steps.names()).toEqual(['surveyRetention', 'judgePoint', 'removePoint', 'recordRemoval'])
  expect(steps.inputs('surveyRetention')[0]).toMatchObject({ series: stem.split('/')[1] })
  const kept = new Scripted({
    judgePoint: async () => {
      throw new HoldfastError('RetentionRefused', 'it stays: kept by daily')
    },
  })
  await bench.run(removePointWorkflow, wish, kept.activities, async (handle) => {
    await expect(handle.result()).rejects.toMatchObject({ cause: { message: 'it stays: kept by daily' } })
  })
  expect(kept.names()).toEqual(['surveyRetention', 'judgePoint'])
})

it('can be paused while it collects, and goes on', async () => {
  const steps = new Scripted({
    collectGarbage: async (_input, call) => (call === 1 ? untilCancelled() : collected),
  })
  const { value } = await sweep(steps, {}, async (handle) => {
    await eventually('the collection', () => steps.inputs('collectGarbage').length === 1)
    await handle.executeUpdate('pause', { args: [ann] })
    await handle.executeUpdate('resume', { args: [ann] })
  })
  expect(value.collection?.outcome).toBe('collected')
  expect(steps.inputs('collectGarbage')).toHaveLength(2)
})
