import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WorkflowFailedError } from '@temporalio/client'
import { ApplicationFailure } from '@temporalio/common'
import { HoldfastError } from '../../base/index.ts'
import type { SerializedError } from '../../base/index.ts'
import {
  sampleEndpoint,
  sampleRepository,
  sampleRequester,
  sampleSite,
  sampleTarget,
} from '../../activities/testing/samples.ts'
import { Scripted, untilCancelled } from '../../activities/testing/scripted.ts'
import { WorkflowBench, eventually } from '../../server/testing/workflows.ts'
import { restoreWorkflow } from './contract.ts'
import type { RestoreInput, RestoreResult } from './contract.ts'

const records = ['recordRunStarted', 'recordPoint', 'recordRunFinished'] as const

let bench: WorkflowBench
beforeAll(async () => {
  bench = await WorkflowBench.start()
})
afterAll(async () => bench[Symbol.asyncDispose]())

const stem = `snap/${'1'.repeat(32)}/0000000000000000-${'f'.repeat(32)}`
const asNew: RestoreInput = {
  v: 1,
  requestId: 'r1',
  repository: sampleRepository,
  stem,
  target: { kind: 'new', endpoint: sampleEndpoint, site: sampleSite, name: 'erp-db-01-copy' },
  identity: 'new',
  powerOn: true,
  requestedBy: sampleRequester,
  tuning: { moverHeartbeatMs: 4_000 },
}
const inPlace: RestoreInput = {
  ...asNew,
  target: { kind: 'original', vm: sampleTarget, confirmName: sampleTarget.ref.name },
  identity: 'same',
}

async function failureOf(result: Promise<unknown>): Promise<SerializedError> {
  const error = await result.then(
    () => expect.unreachable('the run should have failed'),
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(WorkflowFailedError)
  expect((error as WorkflowFailedError).cause).toBeInstanceOf(ApplicationFailure)
  return ((error as WorkflowFailedError).cause as ApplicationFailure).details?.[0] as SerializedError
}

describe('a restore as a new VM', () => {
  it('checks, makes, writes, puts together and starts, in this order', async () => {
    const steps = new Scripted()
    const { value } = await bench.run(
      restoreWorkflow,
      asNew,
      steps.activities,
      (handle) => handle.result() as Promise<RestoreResult>,
    )
    expect(steps.names(...records)).toEqual([
      'planRestore',
      'createTarget',
      'restoreDisk',
      'restoreDisk',
      'finalizeTarget',
      'powerVm',
    ])
    expect(value).toMatchObject({ outcome: 'completed', poweredOn: true, safetyPoint: null })
    expect(value.disks).toHaveLength(2)
    expect(new Set(steps.inputs('createTarget').map(({ operation }) => operation)).size).toBe(1)
  })

  it('removes what it made when a disk cannot be written', async () => {
    const steps = new Scripted({
      restoreDisk: async ({ disk }) => {
        if (disk === 'virtio1') throw new HoldfastError('ChunkLost', 'chunk 3 of virtio1 is damaged')
        return untilCancelled()
      },
    })
    const { value } = await bench.run(restoreWorkflow, asNew, steps.activities, (handle) => failureOf(handle.result()))
    expect(value.code).toBe('ChunkLost')
    expect(steps.names(...records).slice(-1)).toEqual(['destroyTarget'])
    expect(steps.inputs('destroyTarget')[0]?.target?.vm.name).toBe('copy')
  })

  it('removes by the operation key what an unanswered creation may have made', async () => {
    const steps = new Scripted({
      createTarget: async () => {
        throw new HoldfastError('Unsupported', 'no such machine type')
      },
    })
    await bench.run(restoreWorkflow, asNew, steps.activities, (handle) => failureOf(handle.result()))
    expect(steps.inputs('destroyTarget').map(({ target }) => target)).toEqual([null])
  })

  it('goes on after a pause where the mover had made the disk durable', async () => {
    let going = true
    const durable = {
      v: 1,
      disk: 'virtio0',
      start: 0,
      end: 2 ** 31,
      stage: 'moving',
      offset: 600,
      durableOffset: 512,
      bytesRead: 1,
      bytesStored: 1,
      chunksNew: 0,
      bytesResumed: 0,
      bytesReadAgain: 0,
      bottleneck: null,
      rate: null,
      quietMs: 0,
      volume: 'volume-virtio0',
      stem,
    }
    const { CancelledFailure } = await import('@temporalio/common')
    const steps = new Scripted({
      restoreDisk: async (input) => {
        if (!going || input.disk !== 'virtio0') return new Scripted().activities.restoreDisk(input)
        await untilCancelled().catch(() => null)
        throw new CancelledFailure('CANCELLED', [durable])
      },
    })
    await bench.run(restoreWorkflow, asNew, steps.activities, async (handle) => {
      await eventually('the copy', () => steps.inputs('restoreDisk').length === 2)
      await handle.executeUpdate('pause', { args: [sampleRequester] })
      going = false
      await handle.executeUpdate('resume', { args: [sampleRequester] })
      return handle.result() as Promise<RestoreResult>
    })
    const starts = steps.inputs('restoreDisk').filter(({ disk }) => disk === 'virtio0')
    expect(starts.map(({ resume }) => resume)).toEqual([
      null,
      { disk: 'virtio0', volume: 'volume-virtio0', stem, offset: 512 },
    ])
    expect(steps.inputs('createTarget')).toHaveLength(1)
  })
})

describe('a restore in the original place', () => {
  it('is refused without the name of the VM, and nothing is touched', async () => {
    const steps = new Scripted()
    const input = { ...inPlace, target: { ...inPlace.target, confirmName: 'another' } }
    const { value } = await bench.run(restoreWorkflow, input, steps.activities, (handle) => failureOf(handle.result()))
    expect(value.code).toBe('InvalidRequest')
    expect(steps.names(...records)).toEqual([])
  })

  it('takes a safety point of its own before the VM is shut down and its disks are swapped', async () => {
    const steps = new Scripted()
    const { value } = await bench.run(
      restoreWorkflow,
      inPlace,
      steps.activities,
      (handle) => handle.result() as Promise<RestoreResult>,
    )
    const names = steps.names(...records)
    expect(names.indexOf('commitBackup')).toBeGreaterThan(-1)
    expect(names.indexOf('commitBackup')).toBeLessThan(names.indexOf('powerVm'))
    expect(steps.inputs('commitBackup')[0]?.origin).toBe('safety')
    expect(value.safetyPoint).toBe(steps.inputs('openPoint')[0]?.pointId)
    expect(steps.inputs('createTarget')[0]?.place.place).toMatchObject({
      kind: 'replace',
      safetyPoint: value.safetyPoint,
    })
    expect(names).not.toContain('revertTarget')
  })

  it('puts the old disks back and starts the VM again when the new one does not start', async () => {
    const steps = new Scripted({
      powerVm: async ({ want }, call) => {
        if (want === 'running' && call === 2) throw new HoldfastError('GuestRefused', 'it does not start')
        return { before: 'running', after: want === 'running' ? 'running' : 'stopped' }
      },
    })
    const { value } = await bench.run(restoreWorkflow, inPlace, steps.activities, (handle) =>
      failureOf(handle.result()),
    )
    expect(value.code).toBe('GuestRefused')
    expect(steps.names(...records).slice(-3)).toEqual(['revertTarget', 'destroyTarget', 'powerVm'])
  })

  it('does nothing when the safety point cannot be taken', async () => {
    const steps = new Scripted({
      commitBackup: async () => {
        throw new HoldfastError('CommitRefused', 'tombstoned')
      },
    })
    const { value } = await bench.run(restoreWorkflow, inPlace, steps.activities, (handle) =>
      failureOf(handle.result()),
    )
    expect(value.code).toBe('CommitRefused')
    expect(steps.names()).not.toContain('powerVm')
    expect(steps.names()).not.toContain('createTarget')
  })

  it('is refused while a backup of the VM is under way', async () => {
    const steps = new Scripted({ copyDisk: () => untilCancelled() })
    const { value } = await bench.run(restoreWorkflow, inPlace, steps.activities, async (handle) => {
      const backup = await bench.client.start('backupVm', {
        workflowId: 'backup/other-vm',
        taskQueue: 'holdfast.control',
        args: [{ ...(await import('../../activities/testing/samples.ts')).sampleBackup() }],
      })
      void handle
      await eventually('the backup', () => steps.inputs('copyDisk').length > 0)
      const second = await bench.client.start(restoreWorkflow, {
        workflowId: 'restore/busy',
        taskQueue: 'holdfast.control',
        args: [
          {
            ...inPlace,
            target: { kind: 'original', vm: { ...sampleTarget, id: 'other-vm' }, confirmName: sampleTarget.ref.name },
          },
        ],
      })
      const error = await failureOf(second.result())
      await backup.cancel()
      await handle.cancel()
      await Promise.allSettled([backup.result(), handle.result()])
      return error
    })
    expect(value.code).toBe('AlreadyRunning')
  })
})
