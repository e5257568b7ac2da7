import { afterAll, beforeAll, expect, it } from 'vitest'
import type { WorkflowHandle } from '@temporalio/client'
import { HoldfastError } from '../../base/index.ts'
import { sampleRepository, sampleRequester, sampleSite, sampleTarget } from '../../activities/testing/samples.ts'
import { Scripted, untilCancelled } from '../../activities/testing/scripted.ts'
import { WorkflowBench, eventually } from '../../server/testing/workflows.ts'
import { endFilesUpdate, filesWorkflow, restoreFilesWorkflow } from './contract.ts'
import type { FilesInput, FilesResult, RestoreFilesInput } from './contract.ts'

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

const intoGuest: RestoreFilesInput = {
  ...{
    v: 1,
    requestId: 'f1',
    session: 'a'.repeat(32),
    volume: 'd0p2',
    paths: ['/etc/hosts'],
    place: { kind: 'beside' },
  },
  ...{ vm: sampleTarget, repository: sampleRepository, stem: input.stem, requestedBy: sampleRequester },
  tuning: { moverHeartbeatMs: 4_000, reprobeMs: 200 },
}

it('asks the guest before it writes, and removes nothing of what is whole', async () => {
  const steps = new Scripted()
  const { value } = await bench.run(restoreFilesWorkflow, intoGuest, steps.activities, result)
  expect(steps.names(...records)).toEqual(['planFilesRestore', 'restoreFilesToGuest'])
  expect(value).toMatchObject({ outcome: 'completed', files: 1, residue: [] })
  expect(steps.inputs('recordRunStarted')[0]).toMatchObject({ kind: 'restore', vmId: sampleTarget.id })
  expect(steps.inputs('recordRunFinished')[0]?.summary).toContain('1 file (5 B)')
})

it('removes what is not whole when it is cancelled or fails, under the names of this run', async () => {
  const cancelled = new Scripted({ restoreFilesToGuest: () => untilCancelled() })
  await bench.run(restoreFilesWorkflow, intoGuest, cancelled.activities, async (handle) => {
    await eventually('the writing', () => cancelled.inputs('restoreFilesToGuest').length > 0)
    await handle.cancel()
    await expect(handle.result()).rejects.toThrow()
  })
  const [plan] = cancelled.inputs('planFilesRestore')
  expect(cancelled.inputs('dropStagedFiles')).toMatchObject([{ operation: plan?.operation, staged: ['/.holdfast-0'] }])
  const failed = new Scripted({
    restoreFilesToGuest: async () => {
      throw new HoldfastError('InvalidRequest', 'somebody was faster')
    },
  })
  await bench.run(restoreFilesWorkflow, intoGuest, failed.activities, async (handle) => {
    await expect(handle.result()).rejects.toThrow()
  })
  expect(failed.names(...records).at(-1)).toBe('dropStagedFiles')
})

it('touches nothing where the guest has no place for it, and tells what a guest that went away was left with', async () => {
  const refused = new Scripted({
    planFilesRestore: async () => {
      throw new HoldfastError('InvalidRequest', 'it is there')
    },
  })
  await bench.run(restoreFilesWorkflow, intoGuest, refused.activities, async (handle) => {
    await expect(handle.result()).rejects.toThrow()
  })
  expect(refused.names(...records)).toEqual(['planFilesRestore'])
  const gone = new Scripted({
    restoreFilesToGuest: async () => {
      throw new HoldfastError('NotFound', 'it does not run')
    },
    dropStagedFiles: async () => {
      throw new HoldfastError('NotFound', 'it does not run')
    },
  })
  await bench.run(restoreFilesWorkflow, intoGuest, gone.activities, async (handle) => {
    await expect(handle.result()).rejects.toThrow()
  })
  expect(gone.inputs('recordRunFinished').at(-1)?.residue).toMatchObject([
    { kind: 'partial-files', hint: expect.stringContaining('.holdfast-0') as string },
  ])
})
