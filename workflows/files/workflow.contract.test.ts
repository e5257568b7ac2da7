import { afterAll, beforeAll, expect, it } from 'vitest'
import type { WorkflowHandle } from '@temporalio/client'
import { HoldfastError } from '../../base/index.ts'
import { sampleRepository, sampleRequester, sampleSite } from '../../activities/testing/samples.ts'
import { Scripted } from '../../activities/testing/scripted.ts'
import { WorkflowBench, eventually } from '../../server/testing/workflows.ts'
import { endFilesUpdate, filesWorkflow } from './contract.ts'
import type { FilesInput, FilesResult } from './contract.ts'

const records = ['recordRunStarted', 'recordRunFinished'] as const

let bench: WorkflowBench
beforeAll(async () => {
  bench = await WorkflowBench.start()
})
afterAll(async () => bench[Symbol.asyncDispose]())

const input: FilesInput = {
  v: 1,
  requestId: 'a'.repeat(32),
  repository: sampleRepository,
  stem: `snap/${'1'.repeat(32)}/0000000000000000-${'f'.repeat(32)}`,
  vmId: 'erp-db-01',
  vmName: 'erp-db-01',
  site: sampleSite,
  disks: null,
  idleMs: 60_000,
  requestedBy: sampleRequester,
  tuning: { moverHeartbeatMs: 4_000, reprobeMs: 200 },
}

const end = (handle: WorkflowHandle): Promise<unknown> =>
  handle.executeUpdate(endFilesUpdate, { args: [sampleRequester] })
const isOpen = (steps: Scripted): Promise<unknown> =>
  eventually('the opening', () => steps.inputs('openFiles').length > 0)
const result = (handle: WorkflowHandle): Promise<FilesResult> => handle.result() as Promise<FilesResult>

it('opens the point under the id of its request, and closes it when nobody asks any more', async () => {
  const steps = new Scripted({ openFiles: async () => undefined })
  const { value } = await bench.run(filesWorkflow, input, steps.activities, result)
  expect(steps.names(...records)).toEqual(['prepareFiles', 'openFiles', 'closeFiles'])
  expect(steps.inputs('openFiles')[0]).toMatchObject({ session: input.requestId, disks: null, idleMs: 60_000 })
  expect(value).toMatchObject({ outcome: 'completed', end: 'idle', residue: [] })
  expect(steps.inputs('recordRunStarted')[0]).toMatchObject({ kind: 'files', stem: input.stem })
})

it('makes no micro-VM ready for whoever wants whole disks', async () => {
  const steps = new Scripted({ openFiles: async () => undefined })
  await bench.run(filesWorkflow, { ...input, view: 'disks' }, steps.activities, result)
  expect(steps.names(...records)).toEqual(['openFiles', 'closeFiles'])
  expect(steps.inputs('openFiles')[0]).toMatchObject({ view: 'disks' })
})

it('closes it when somebody says so, once', async () => {
  const steps = new Scripted()
  const { value } = await bench.run(filesWorkflow, input, steps.activities, async (handle) => {
    await isOpen(steps)
    await end(handle)
    return result(handle)
  })
  expect(steps.names(...records).at(-1)).toBe('closeFiles')
  expect(value).toMatchObject({ end: 'asked', outcome: 'completed' })
})

it('closes it when it is cancelled, and when it cannot be opened', async () => {
  const cancelled = new Scripted()
  await bench.run(filesWorkflow, input, cancelled.activities, async (handle) => {
    await isOpen(cancelled)
    await handle.cancel()
    await expect(result(handle)).rejects.toThrow()
  })
  expect(cancelled.names(...records).at(-1)).toBe('closeFiles')
  expect(cancelled.inputs('recordRunFinished')[0]).toMatchObject({ outcome: 'cancelled' })

  const failing = new Scripted({
    openFiles: async () => {
      throw new HoldfastError('Unsupported', 'its micro-VM broke 3 times')
    },
  })
  await bench.run(filesWorkflow, input, failing.activities, async (handle) => {
    await expect(result(handle)).rejects.toThrow()
  })
  expect(failing.names(...records)).toEqual(['prepareFiles', 'openFiles', 'closeFiles'])
})

it('opens it again when its worker is gone', async () => {
  const steps = new Scripted({
    openFiles: async (_input, call) => {
      if (call === 1) throw new HoldfastError('WorkerShutdown', 'the worker stops')
    },
  })
  const { value } = await bench.run(filesWorkflow, input, steps.activities, result)
  expect(steps.inputs('openFiles').length).toBe(2)
  expect(value).toMatchObject({ end: 'idle' })
})
