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

const records = ['recordRunStarted', 'claimSlots', 'recordPoint', 'recordRunFinished'] as const

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

type Script = ConstructorParameters<typeof Scripted>[0]

/** One VM that refuses what a hypervisor refuses: no swap while it runs, no removal of what is not ours (any more). */
class TargetWorld {
  power: 'running' | 'stopped'
  disks: 'old' | 'new' = 'old'
  isMade = false
  isOurs = true
  readonly steps: Scripted

  constructor(how: {
    readonly power?: 'running' | 'stopped'
    readonly starts?: false | (() => Promise<never>)
    readonly losesAnswers?: number
    readonly steps?: Script
  }) {
    this.power = how.power ?? 'running'
    let losing = how.losesAnswers ?? 0
    let isFirstStart = true
    const off = (): void => {
      if (this.power === 'running') throw new HoldfastError('StillInUse', 'it runs', { retryAfter: 200 })
    }
    this.steps = new Scripted({
      readPower: async () => ({ state: this.power }),
      createTarget: async (input) => {
        this.isMade = true
        return new Scripted().activities.createTarget(input)
      },
      finalizeTarget: async ({ target }) => {
        off()
        this.disks = 'new'
        return target.vm
      },
      powerVm: async ({ want }) => {
        const before = this.power
        this.power = want === 'running' ? 'running' : 'stopped'
        if (want === 'stopped' && losing > 0) {
          losing -= 1
          throw new HoldfastError('WorkerShutdown', 'the worker was stopped')
        }
        if (want === 'running' && isFirstStart && how.starts !== undefined) {
          isFirstStart = false
          if (how.starts !== false) return how.starts()
          // As QEMU that runs, but whose monitor did not answer in time.
          throw new HoldfastError('GuestRefused', 'it does not start')
        }
        return { before, after: this.power }
      },
      handOverTarget: async () => {
        this.isOurs = false
      },
      revertTarget: async () => {
        off()
        this.disks = 'old'
      },
      destroyTarget: async ({ target }) => {
        const isSwappedIn = this.disks === 'new' && this.steps.inputs('revertTarget').length === 0
        const isReplacement = this.steps.inputs('createTarget')[0]?.place.place.kind === 'replace'
        if (target !== null && (!this.isOurs || (isReplacement && isSwappedIn)))
          throw new HoldfastError('NotOurs', 'it does not carry our mark')
        this.isMade = false
        return { residue: [] }
      },
      ...how.steps,
    })
  }
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
      'handOverTarget',
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

  it('removes the whole VM when it does not start, and leaves it when it cannot be handed over', async () => {
    const world = new TargetWorld({ starts: false, power: 'stopped' })
    const { value } = await bench.run(restoreWorkflow, asNew, world.steps.activities, (handle) =>
      failureOf(handle.result()),
    )
    expect(value.code).toBe('GuestRefused')
    expect(world.isMade).toBe(false)
    expect(world.steps.inputs('recordRunFinished')[0]?.residue).toEqual([])

    const kept = new TargetWorld({
      power: 'stopped',
      steps: {
        handOverTarget: async () => {
          throw new HoldfastError('Unsupported', 'no')
        },
      },
    })
    const { value: result } = await bench.run(
      restoreWorkflow,
      { ...asNew, powerOn: null },
      kept.steps.activities,
      (handle) => handle.result() as Promise<RestoreResult>,
    )
    expect(result).toMatchObject({ outcome: 'completed-with-residue', poweredOn: false, residue: [{ kind: 'mark' }] })
    expect(kept.isMade).toBe(true)
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
        await Promise.allSettled([untilCancelled()])
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

  it('puts single disks back and leaves the rest of the machine to itself', async () => {
    const steps = new Scripted()
    const input = { ...inPlace, disks: ['virtio1'] }
    await bench.run(restoreWorkflow, input, steps.activities, (handle) => handle.result() as Promise<RestoreResult>)
    for (const step of ['planRestore', 'createTarget'] as const)
      expect(steps.inputs(step)[0]?.place).toMatchObject({ disks: ['virtio1'], place: { keepsRest: true } })
    const whole = new Scripted()
    await bench.run(restoreWorkflow, inPlace, whole.activities, (handle) => handle.result() as Promise<RestoreResult>)
    expect(whole.inputs('createTarget')[0]?.place).not.toHaveProperty('disks')
    expect(whole.inputs('createTarget')[0]?.place.place).not.toHaveProperty('keepsRest')
  })

  it('puts the old disks back and starts the VM again when the new one does not start', async () => {
    const world = new TargetWorld({ starts: false })
    const { value } = await bench.run(restoreWorkflow, inPlace, world.steps.activities, (handle) =>
      failureOf(handle.result()),
    )
    expect(value.code).toBe('GuestRefused')
    expect(world.steps.names(...records).slice(-4)).toEqual(['powerVm', 'revertTarget', 'destroyTarget', 'powerVm'])
    expect(world).toMatchObject({ power: 'running', disks: 'old', isMade: false })
    expect(world.steps.inputs('recordRunFinished').at(-1)?.residue).toEqual([])
  })

  it('puts the old disks back when it is cancelled while the new ones start', async () => {
    const world = new TargetWorld({ starts: () => untilCancelled() })
    const { steps } = world
    await bench.run(restoreWorkflow, inPlace, steps.activities, async (handle) => {
      await eventually('the start', () => world.power === 'running' && world.disks === 'new')
      await handle.cancel()
      await expect(handle.result()).rejects.toBeInstanceOf(WorkflowFailedError)
    })
    expect(world).toMatchObject({ power: 'running', disks: 'old', isMade: false })
    expect(steps.inputs('recordRunFinished').at(-1)).toMatchObject({ outcome: 'cancelled', residue: [] })
  })

  it('starts the VM again that an unanswered power-off had stopped', async () => {
    const world = new TargetWorld({
      steps: {
        createTarget: async () => {
          throw new HoldfastError('Unsupported', 'no such machine type')
        },
      },
      // It was stopped, then the worker died: the next attempt finds it stopped.
      losesAnswers: 1,
    })
    await bench.run(restoreWorkflow, inPlace, world.steps.activities, (handle) => failureOf(handle.result()))
    expect(world.power).toBe('running')
  })

  it('does not start a VM that was off before', async () => {
    const world = new TargetWorld({
      power: 'stopped',
      steps: {
        powerVm: async () => {
          throw new HoldfastError('Unsupported', 'no such call')
        },
      },
    })
    const { value } = await bench.run(restoreWorkflow, inPlace, world.steps.activities, (handle) =>
      failureOf(handle.result()),
    )
    expect(value.code).toBe('Unsupported')
    expect(world.steps.inputs('powerVm').map(({ want }) => want)).toEqual(['stopped'])
  })

  it.each(['running', 'stopped'] as const)('leaves a VM %s that was, unless it was told otherwise', async (power) => {
    const left = new TargetWorld({ power })
    const result = (input: RestoreInput, world: TargetWorld) =>
      bench.run(restoreWorkflow, input, world.steps.activities, (handle) => handle.result() as Promise<RestoreResult>)
    const { value } = await result({ ...inPlace, powerOn: null }, left)
    expect([left.power, left.disks, value.poweredOn]).toEqual([power, 'new', power === 'running'])
    const told = new TargetWorld({ power })
    await result({ ...inPlace, powerOn: power === 'stopped' }, told)
    expect(told.power).toBe(power === 'stopped' ? 'running' : 'stopped')
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
