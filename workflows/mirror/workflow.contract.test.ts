import { afterAll, beforeAll, expect, it } from 'vitest'
import type { WorkflowHandle } from '@temporalio/client'
import { HoldfastError } from '../../base/index.ts'
import { sampleRepository, sampleRequester } from '../../activities/testing/samples.ts'
import { Scripted, mirroredCopy, untilCancelled, wantedCopies } from '../../activities/testing/scripted.ts'
import { planFailure } from '../../server/testing/plans.ts'
import { WorkflowBench, eventually } from '../../server/testing/workflows.ts'
import { mirrorWorkflow } from './contract.ts'
import type { MirrorInput, MirrorResult } from './contract.ts'

let bench: WorkflowBench
beforeAll(async () => {
  bench = await WorkflowBench.start()
})
afterAll(async () => bench[Symbol.asyncDispose]())

const input: MirrorInput = {
  v: 1,
  source: sampleRepository,
  target: { ...sampleRepository, id: 'offsite', name: 'offsite', location: { kind: 's3', url: 's3://offsite' } },
  requestedBy: sampleRequester,
  tuning: { operatorWaitMs: 0 },
  part: 0,
}
const ann = { user: 'ann', reason: 'maintenance' }
const result = (handle: WorkflowHandle): Promise<MirrorResult> => handle.result() as Promise<MirrorResult>
async function mirror<T>(
  steps: Scripted,
  drive: (handle: WorkflowHandle) => Promise<T>,
  over: Partial<MirrorInput> = {},
): Promise<T> {
  return (await bench.run(mirrorWorkflow, { ...input, ...over }, steps.activities, drive)).value
}
const inHand = (steps: Scripted): number => steps.inputs('mirrorPoint').length

it('copies each point that is wanted, in its order, and writes down what is there before it takes more', async () => {
  const steps = new Scripted({
    mirrorPoint: async ({ copy }, call) => mirroredCopy(copy, call === 2 ? { outcome: 'there', storedBytes: 0 } : {}),
  })
  const value = await mirror(steps, result)
  expect(value).toMatchObject({ mirrored: 2, there: 1, removed: 0, bytesStored: 8 * 2 ** 20, more: false })
  expect(steps.names()).toEqual([
    ...['recordRunStarted', 'claimSlots', 'nextCopies', 'mirrorPoint', 'mirrorPoint', 'mirrorPoint', 'nextCopies'],
    'recordRunFinished',
  ])
  expect(steps.inputs('mirrorPoint').map(({ copy }) => copy)).toEqual(wantedCopies)
  const [first, second] = steps.inputs('nextCopies')
  expect(first).toMatchObject({ sourceId: 'main', targetId: 'offsite', done: [], wants: true })
  expect(second?.done.map(({ outcome }) => outcome)).toEqual(['mirrored', 'there', 'mirrored'])
  expect(steps.inputs('recordRunFinished')[0]).toMatchObject({
    outcome: 'completed',
    summary: '2 points copied, 8.0 MiB new there, 15.0 MiB read back; 1 there already',
    started: { kind: 'mirror', vmName: 'main to offsite', repositoryId: 'offsite' },
  })
})

it('goes on with the others when one point cannot be copied, and fails at its end with what that was', async () => {
  const steps = new Scripted({
    mirrorPoint: async ({ copy }, call) =>
      mirroredCopy(copy, call === 1 ? { outcome: 'failed', problem: 'chunk 7 is lost' } : {}),
  })
  expect(await mirror(steps, planFailure)).toMatchObject({
    type: 'MirrorIncomplete',
    message: '1 of 3 points could not be copied from main to offsite: erp-db-01 (chunk 7 is lost)',
  })
  expect(steps.inputs('nextCopies')[1]?.done).toHaveLength(3)
})

it('remembers in its next part what the one before came to, and fails at its end with what failed then', async () => {
  const before = { mirrored: 5, there: 1, removed: 0, bytesStored: 2 ** 20, bytesVerified: 2 ** 20 }
  const firstFailures = [{ vmName: 'web-01', problem: 'chunk 3 is lost' }]
  const part = { part: 1, before: { ...before, failed: 1, firstFailures } }
  expect(await mirror(new Scripted(), planFailure, part)).toMatchObject({
    type: 'MirrorIncomplete',
    message: '1 of 10 points could not be copied from main to offsite: web-01 (chunk 3 is lost)',
  })
  const steps = new Scripted()
  const whole = { part: 1, before: { ...before, failed: 0, firstFailures: [] } }
  expect(await mirror(steps, result, whole)).toMatchObject({ mirrored: 8, there: 1, failed: 0 })
  const [end] = steps.inputs('recordRunFinished')
  expect(end?.summary).toMatch(/^8 points copied, /)
  // Of this part alone: the other one is a run of its own.
  expect(end?.bytesStored).toBe(12 * 2 ** 20)
})

it('what is there counts when the run fails later, and the rest is given back with the reason', async () => {
  const steps = new Scripted({
    mirrorPoint: async ({ copy }, call) => {
      if (call === 2) throw new HoldfastError('StoreDenied', 'the store refuses to write packs')
      return mirroredCopy(copy)
    },
  })
  await mirror(steps, (handle) => expect(handle.result()).rejects.toThrow())
  expect(steps.inputs('nextCopies')[1]).toMatchObject({ wants: false, done: [{ pointId: wantedCopies[0]?.pointId }] })
  expect(steps.inputs('releaseCopies')).toMatchObject([{ problem: 'the store refuses to write packs' }])
})

it('waits while the store is away, and goes on with the point that it was at', async () => {
  const steps = new Scripted({
    mirrorPoint: async ({ copy }, call) => {
      if (call === 2) throw new HoldfastError('StoreDenied', 'the store refuses to list packs')
      return mirroredCopy(copy)
    },
  })
  const value = await mirror(steps, result, { tuning: { reprobeMs: 200 } })
  expect(value.mirrored).toBe(3)
  expect(steps.inputs('mirrorPoint').map(({ copy }) => copy.pointId.slice(0, 1))).toEqual(['a', 'b', 'b', 'c'])
})

it('is cancelled within seconds, and gives back what it has not copied as it was', async () => {
  const steps = new Scripted({
    mirrorPoint: ({ copy }, call) => (call === 2 ? untilCancelled() : Promise.resolve(mirroredCopy(copy))),
  })
  await mirror(steps, async (handle) => {
    await eventually('the second point', () => inHand(steps) === 2)
    const from = Date.now()
    await handle.cancel()
    await expect(handle.result()).rejects.toThrow()
    expect(Date.now() - from).toBeLessThan(10_000)
  })
  expect(steps.inputs('nextCopies')[1]).toMatchObject({ wants: false, done: [{ outcome: 'mirrored' }] })
  expect(steps.inputs('releaseCopies')).toMatchObject([{ problem: null }])
  expect(steps.inputs('recordRunFinished')[0]).toMatchObject({ outcome: 'cancelled' })
})

it('can be paused in the middle of a point, and goes on with it', async () => {
  const steps = new Scripted({
    mirrorPoint: ({ copy }, call) => (call === 1 ? untilCancelled() : Promise.resolve(mirroredCopy(copy))),
  })
  const value = await mirror(steps, async (handle) => {
    await eventually('the first point', () => inHand(steps) === 1)
    await handle.executeUpdate('pause', { args: [ann] })
    await handle.executeUpdate('resume', { args: [ann] })
    return result(handle)
  })
  expect(value.mirrored).toBe(3)
  expect(inHand(steps)).toBe(4)
})
