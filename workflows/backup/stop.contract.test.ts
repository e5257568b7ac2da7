import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { WorkflowFailedError } from '@temporalio/client'
import { ApplicationFailure, CancelledFailure } from '@temporalio/common'
import { HoldfastError } from '../../base/index.ts'
import { sampleBackup, sampleRequester } from '../../activities/testing/samples.ts'
import { Scripted, untilCancelled } from '../../activities/testing/scripted.ts'
import { WorkflowBench, eventually } from '../../server/testing/workflows.ts'
import { backupWorkflow } from './contract.ts'
import type { BackupResult } from './contract.ts'

/** A VM that is shut down for its point: it runs again whatever happens, and is off for no longer than it must. */
let bench: WorkflowBench
beforeAll(async () => {
  bench = await WorkflowBench.start()
})
afterAll(async () => bench[Symbol.asyncDispose]())

type Script = ConstructorParameters<typeof Scripted>[0]
const backup = (script: Script, over: Parameters<typeof sampleBackup>[0] = {}) => {
  const steps = new Scripted(script)
  const input = sampleBackup({ stopBefore: true, tuning: { reprobeMs: 20, shutdownLimitMs: 4_000 }, ...over })
  const run = <T>(watch: (handle: Parameters<Parameters<WorkflowBench['run']>[3]>[0]) => Promise<T>) =>
    bench.run(backupWorkflow, input, steps.activities, watch)
  return { steps, run }
}
const failed = async (result: Promise<unknown>): Promise<unknown> => {
  const error: unknown = await result.catch((thrown: unknown) => thrown)
  const { cause } = error as WorkflowFailedError
  return cause instanceof ApplicationFailure ? cause.details?.[0] : cause
}
const power = [
  'readPower',
  'shutDown',
  'openPoint',
  'abortPoint',
  'ensureRunning',
  'startAgain',
  'copyDisk',
  'endSession',
]
const story = (steps: Scripted): string[] => steps.names().filter((name) => power.includes(name))

describe('a VM that is shut down for its point', () => {
  it('runs again before anything is read, and its point says why it was down', async () => {
    const { steps, run } = backup({}, { want: 'application', description: 'nightly', hooks: [] })
    const { value } = await run((handle) => handle.result() as Promise<BackupResult>)
    expect(story(steps).filter((name) => name !== 'copyDisk')).toEqual([
      'readPower',
      'shutDown',
      'openPoint',
      'startAgain',
      'endSession',
    ])
    expect(steps.names().indexOf('startAgain')).toBeLessThan(steps.names().indexOf('openSession'))
    expect(steps.inputs('preflight')[0]).toMatchObject({ want: 'crash', hooks: [], stopBefore: true })
    expect(steps.inputs('shutDown')[0]).toMatchObject({ limitMs: 4_000 })
    expect(steps.inputs('startAgain')[0]).toMatchObject({ watchMs: 0 })
    expect([steps.inputs('commitBackup')[0], steps.inputs('recordPoint')[0]]).toMatchObject([
      { description: 'nightly', atRest: 'shut-down' },
      { description: 'nightly', atRest: 'shut-down' },
    ])
    expect(value).toMatchObject({ outcome: 'completed', downMs: expect.any(Number) as number, residue: [] })
    expect(steps.inputs('recordRunFinished')[0]?.summary).toContain(', shut down for ')
  })

  it('that is off is left off', async () => {
    const { steps, run } = backup({ readPower: async () => ({ state: 'stopped' }) })
    const { value } = await run((handle) => handle.result() as Promise<BackupResult>)
    expect(steps.names()).not.toEqual(expect.arrayContaining(['shutDown']))
    expect(steps.names()).not.toEqual(expect.arrayContaining(['startAgain']))
    expect(value).not.toHaveProperty('downMs')
    expect(steps.inputs('commitBackup')[0]?.atRest).toBeNull()
  })

  it('and that somebody else has started is not told as shut down for it', async () => {
    const { steps, run } = backup({ startAgain: async () => ({ before: 'running', after: 'running' }) })
    const { value } = await run((handle) => handle.result() as Promise<BackupResult>)
    expect(value).not.toHaveProperty('downMs')
    expect(steps.inputs('recordPoint')[0]?.atRest).toBeNull()
  })

  it('is not asked anything where it is paused', async () => {
    const { steps, run } = backup({ readPower: async () => ({ state: 'paused' }) })
    const { value } = await run((handle) => failed(handle.result()))
    expect(value).toMatchObject({ code: 'ForeignState', message: expect.stringContaining('is paused') as string })
    expect(story(steps)).toEqual(['readPower', 'endSession'])
  })

  it('cannot be kept down by a pause', async () => {
    let go: () => void = () => undefined
    const held = new Promise<void>((resolve) => (go = resolve))
    const { steps, run } = backup({
      shutDown: async () => {
        await held
        return { after: 'stopped' }
      },
    })
    await run(async (handle) => {
      await eventually('the shutdown', () => steps.inputs('shutDown').length === 1)
      await expect(handle.executeUpdate('pause', { args: [sampleRequester] })).rejects.toThrow()
      go()
      return handle.result() as Promise<BackupResult>
    })
  })
})

describe('whatever goes wrong, the VM runs again', () => {
  it('when its point cannot be taken: after what was made of it is gone', async () => {
    const { steps, run } = backup(
      {
        openPoint: async () => {
          throw new HoldfastError('CapacityExhausted', 'no room for the scratch')
        },
      },
      { tuning: { reprobeMs: 20, operatorWaitMs: 50 } },
    )
    const { value } = await run((handle) => failed(handle.result()))
    expect(value).toMatchObject({ code: 'CapacityExhausted' })
    expect(story(steps).slice(-4)).toEqual(['ensureRunning', 'abortPoint', 'startAgain', 'endSession'])
    expect(steps.inputs('startAgain')).toMatchObject([{ watchMs: 0 }])
    expect(steps.inputs('recordRunFinished')[0]?.residue).toEqual([])
  })

  it('when the run is cancelled meanwhile', async () => {
    const { steps, run } = backup({ openPoint: () => untilCancelled() })
    const { value } = await run(async (handle) => {
      await eventually('the snapshot', () => steps.inputs('openPoint').length === 1)
      await handle.cancel()
      return failed(handle.result())
    })
    expect(value).toBeInstanceOf(CancelledFailure)
    expect(story(steps).slice(-4)).toEqual(['ensureRunning', 'abortPoint', 'startAgain', 'endSession'])
  })

  it('when the copy fails later, nobody touches its power any more', async () => {
    const { steps, run } = backup({
      checkPoint: async () => {
        throw new HoldfastError('Unsupported', 'no')
      },
    })
    await run((handle) => failed(handle.result()))
    expect(steps.inputs('startAgain')).toHaveLength(1)
    expect(story(steps).slice(-3)).toEqual(['ensureRunning', 'abortPoint', 'endSession'])
  })

  it('when its point broke: it is shut down once more for the new one, and started twice', async () => {
    const { steps, run } = backup({
      checkPoint: async (_input, call) => {
        if (call === 1) throw new HoldfastError('PointBroken', 'the scratch file failed')
      },
    })
    const { value } = await run((handle) => handle.result() as Promise<BackupResult>)
    expect(value.outcome).toBe('completed')
    expect([steps.inputs('shutDown').length, steps.inputs('startAgain').length]).toEqual([2, 2])
  })

  it('when the guest does not go down: no point, and it is watched, because it may still do as it was asked', async () => {
    const { steps, run } = backup({
      shutDown: async () => {
        throw new HoldfastError('GuestRefused', 'it did not shut down')
      },
      startAgain: async () => ({ before: 'running', after: 'running' }),
    })
    const { value } = await run((handle) => failed(handle.result()))
    expect(value).toMatchObject({ code: 'GuestRefused' })
    expect(story(steps)).toEqual(['readPower', 'shutDown', 'startAgain', 'endSession'])
    expect(steps.inputs('startAgain')).toMatchObject([{ watchMs: 4_000 }])
    expect(steps.inputs('recordRunFinished')[0]?.residue).toMatchObject([{ kind: 'late-shutdown' }])
  })

  it('when it goes down after all, it is started, and nothing is left to say', async () => {
    const { steps, run } = backup({
      shutDown: async () => {
        throw new HoldfastError('GuestRefused', 'it did not shut down')
      },
    })
    await run((handle) => failed(handle.result()))
    expect(steps.inputs('recordRunFinished')[0]?.residue).toEqual([])
  })
})

describe('a VM that cannot be started again', () => {
  it('is waited for while its point is kept, and said as waiting', async () => {
    const { steps, run } = backup({
      startAgain: async (_input, call) => {
        if (call < 3) throw new HoldfastError('GuestStuck', 'no memory for it')
        return { before: 'stopped', after: 'running' }
      },
    })
    const { value } = await run((handle) => handle.result() as Promise<BackupResult>)
    expect(value.outcome).toBe('completed')
    expect([steps.inputs('startAgain').length, steps.inputs('openPoint').length]).toEqual([3, 1])
  })

  it('fails the run, is tried some times more, and is left as residue by name', async () => {
    const { steps, run } = backup({
      startAgain: async () => {
        throw new HoldfastError('Unsupported', 'QEMU does not start')
      },
    })
    const { value } = await run((handle) => failed(handle.result()))
    expect(value).toMatchObject({ code: 'Unsupported' })
    expect(steps.inputs('startAgain')).toHaveLength(6)
    expect(steps.inputs('recordRunFinished')[0]?.residue).toMatchObject([
      { kind: 'stopped-vm', id: 'erp-db-01', hint: expect.stringContaining('start it by hand') as string },
    ])
    expect(steps.names()).not.toContain('copyDisk')
  })
})
