import { afterAll, beforeAll, expect, it } from 'vitest'
import type { WorkflowHandle } from '@temporalio/client'
import { HoldfastError } from '../../base/index.ts'
import { sampleRepository, sampleRequester } from '../../activities/testing/samples.ts'
import { Scripted, checkedSummary, untilCancelled } from '../../activities/testing/scripted.ts'
import { WorkflowBench, eventually } from '../../server/testing/workflows.ts'
import { verifyWorkflow } from './contract.ts'
import type { VerifyInput, VerifyResult } from './contract.ts'

let bench: WorkflowBench
beforeAll(async () => {
  bench = await WorkflowBench.start()
})
afterAll(async () => bench[Symbol.asyncDispose]())

const input: VerifyInput = {
  v: 1,
  repository: sampleRepository,
  level: 'full',
  quarantine: false,
  budgetBytes: null,
  requestedBy: sampleRequester,
  tuning: {},
}
const ann = { user: 'ann', reason: 'maintenance' }

const verify = (
  steps: Scripted,
  over: Partial<VerifyInput> = {},
  drive: (handle: WorkflowHandle) => Promise<unknown> = async () => undefined,
) =>
  bench.run(verifyWorkflow, { ...input, ...over }, steps.activities, async (handle) => {
    await drive(handle)
    return handle.result() as Promise<VerifyResult>
  })

it('opens, checks by the clock of the worker that opened, and writes down what was found', async () => {
  const steps = new Scripted()
  const { value } = await verify(steps)
  expect(value).toMatchObject({ verdict: 'sound', points: 9, packs: 12, damages: 0, damagedPoints: 0, residue: [] })
  expect(steps.names()).toEqual([
    'recordRunStarted',
    'claimSlots',
    'recordVerifyStarted',
    'beginVerify',
    'checkRepository',
    'recordFindings',
    'recordRunFinished',
  ])
  expect(steps.inputs('checkRepository')[0]).toMatchObject({
    level: 'full',
    quarantine: false,
    budgetBytes: null,
    sinceMs: Date.UTC(2026, 10, 21, 2, 0, 4),
  })
  expect(steps.inputs('recordFindings')[0]).toMatchObject({ summary: checkedSummary })
  expect(steps.inputs('recordRunFinished')[0]).toMatchObject({
    outcome: 'completed',
    summary: '9 points and 12 packs are sound, 12.0 MiB read',
    started: { kind: 'verify', vmId: null, vmName: 'main', repositoryId: 'main' },
  })
})

it('completes when it finds damage: that is a result', async () => {
  const steps = new Scripted({
    checkRepository: async () => ({ ...checkedSummary, damages: 1, unreadable: 2, quarantined: 1 }),
    recordFindings: async () => ({ damagedPoints: 3, unreadablePoints: 1, mendedPoints: 0 }),
  })
  const { value } = await verify(steps, { quarantine: true })
  expect(value).toMatchObject({ verdict: 'damaged', damages: 1, unreadable: 2, quarantined: 1, damagedPoints: 3 })
  expect(steps.inputs('recordRunFinished')[0]).toMatchObject({
    outcome: 'completed',
    summary: '1 object damaged, 3 points of 9 lose something by it; 2 other objects could not be read; 1 quarantined',
  })
})

it('calls what could not be read unreadable, and nothing damaged', async () => {
  const steps = new Scripted({ checkRepository: async () => ({ ...checkedSummary, unreadable: 1 }) })
  const { value } = await verify(steps)
  expect(value).toMatchObject({ verdict: 'unreadable', damages: 0, damagedPoints: 0 })
  expect(steps.inputs('recordRunFinished')[0]).toMatchObject({
    summary: 'nothing is proved damaged, and 1 object could not be read',
  })
})

it('waits while the store is away, and goes on by the clock of its first beginning', async () => {
  const steps = new Scripted({
    checkRepository: async (_input, call) => {
      if (call === 1) throw new HoldfastError('StoreDenied', 'the store refuses to list packs')
      return checkedSummary
    },
    beginVerify: async (_input, call) => ({ atMs: call, points: 9 }),
  })
  const { value } = await verify(steps, { tuning: { reprobeMs: 200 } })
  expect(value.verdict).toBe('sound')
  expect(steps.inputs('checkRepository').map(({ sinceMs }) => sinceMs)).toEqual([1, 1])
})

it('can be paused, and goes on by the clock of its first beginning', async () => {
  const steps = new Scripted({
    checkRepository: async (_input, call) => (call === 1 ? untilCancelled() : checkedSummary),
    beginVerify: async (_input, call) => ({ atMs: call, points: 9 }),
  })
  await verify(steps, {}, async (handle) => {
    await eventually('the check', () => steps.inputs('checkRepository').length === 1)
    await handle.executeUpdate('pause', { args: [ann] })
    await handle.executeUpdate('resume', { args: [ann] })
  })
  expect(steps.inputs('checkRepository').map(({ sinceMs }) => sinceMs)).toEqual([1, 1])
})

it('is cancelled within seconds, and says of nothing that it is sound or damaged', async () => {
  const steps = new Scripted({ checkRepository: () => untilCancelled() })
  await bench.run(verifyWorkflow, input, steps.activities, async (handle) => {
    await eventually('the check', () => steps.inputs('checkRepository').length === 1)
    const from = Date.now()
    await handle.cancel()
    await expect(handle.result()).rejects.toThrow()
    expect(Date.now() - from).toBeLessThan(10_000)
  })
  expect(steps.names()).not.toContain('recordFindings')
  expect(steps.inputs('recordVerifyEnd')).toMatchObject([{ state: 'cancelled', error: null }])
  expect(steps.inputs('recordRunFinished')[0]).toMatchObject({ outcome: 'cancelled' })
})

it('fails with its reason when the repository does not open, and writes that down', async () => {
  const steps = new Scripted({
    beginVerify: async () => {
      throw new HoldfastError('WrongSecret', 'no slot accepts the passphrase')
    },
  })
  await bench.run(verifyWorkflow, { ...input, tuning: { operatorWaitMs: 0 } }, steps.activities, async (handle) => {
    await expect(handle.result()).rejects.toThrow()
  })
  expect(steps.inputs('recordVerifyEnd')).toMatchObject([{ state: 'failed', error: { code: 'WrongSecret' } }])
  expect(steps.names()).not.toContain('checkRepository')
})
