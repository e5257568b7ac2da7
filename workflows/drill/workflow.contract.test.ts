import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WorkflowUpdateFailedError } from '@temporalio/client'
import type { WorkflowFailedError, WorkflowHandle } from '@temporalio/client'
import { CancelledFailure } from '@temporalio/common'
import { HoldfastError } from '../../base/index.ts'
import { sampleEndpoint, sampleRepository, sampleRequester, sampleSite } from '../../activities/testing/samples.ts'
import { Scripted, parentId, untilCancelled } from '../../activities/testing/scripted.ts'
import { WorkflowBench, eventually } from '../../server/testing/workflows.ts'
import { pauseUpdate, resumeUpdate } from '../shared/contract.ts'
import { drillWorkflow } from './contract.ts'
import type { DrillInput, DrillResult } from './contract.ts'

let bench: WorkflowBench
beforeAll(async () => {
  bench = await WorkflowBench.start()
})
afterAll(async () => bench[Symbol.asyncDispose]())

const check = {
  title: 'orders are whole',
  path: '/usr/bin/check',
  args: [],
  timeoutMs: 1000,
  expectExit: 0,
  count: null,
}
const input: DrillInput = {
  v: 1,
  vmId: 'erp-db-01',
  vmName: 'erp-db-01',
  repository: sampleRepository,
  stem: `snap/${'1'.repeat(32)}/0000000000000000-${'f'.repeat(32)}`,
  endpoint: sampleEndpoint,
  site: sampleSite,
  checks: [check, { ...check, title: 'audit chain verifies' }],
  bootTimeoutMs: 60_000,
  requestedBy: sampleRequester,
  tuning: {},
}
const drill = (steps: Scripted, over: Partial<DrillInput> = {}) =>
  bench.run(drillWorkflow, { ...input, ...over }, steps.activities, (handle) => handle.result() as Promise<DrillResult>)

it('passes when the guest answers and every check does, and destroys before it writes the proof down', async () => {
  const steps = new Scripted()
  const { value } = await drill(steps)
  expect(value).toMatchObject({ verdict: 'passed', outcome: 'completed', screenshot: 'e'.repeat(64), residue: [] })
  expect(value.rtoSeconds).toBeGreaterThan(0)
  expect(steps.names('recordRunStarted', 'claimSlots', 'recordRunFinished')).toEqual([
    'planRestore',
    'createTarget',
    'restoreDisk',
    'restoreDisk',
    'bootIsolated',
    'waitForGuest',
    'runGuestCheck',
    'runGuestCheck',
    'takeScreenshot',
    'destroyTarget',
    'recordProof',
  ])
  expect(steps.inputs('createTarget')[0]?.place).toMatchObject({ isolated: true, identity: 'new' })
  const { stem } = input
  expect(steps.inputs('recordProof')[0]).toMatchObject({
    ...{ stem, result: { verdict: 'passed' }, requestedBy: sampleRequester, asked: input.checks },
    ...{ hypervisor: { id: sampleEndpoint.id, platform: 'qemu' }, outputs: [{}, {}] },
    disks: [{ key: 'virtio0' }, { key: 'virtio1' }],
  })
})

it('out of the repository it boots as an instant restore does, notes what that has read, and leaves nothing', async () => {
  const steps = new Scripted()
  const { value } = await drill(steps, { from: 'repository' })
  expect(value).toMatchObject({ verdict: 'passed', outcome: 'completed', residue: [] })
  expect(steps.names('recordRunStarted', 'claimSlots', 'recordRunFinished')).toEqual([
    'planRestore',
    'serveDisks',
    'bootInstant',
    'waitForGuest',
    'readsOfBoot',
    'runGuestCheck',
    'runGuestCheck',
    'takeScreenshot',
    'destroyTarget',
    'endServing',
    'recordProof',
  ])
  expect(steps.inputs('bootInstant')[0]?.place).toMatchObject({ isolated: true, identity: 'new' })
  expect(steps.inputs('waitForGuest')[0]?.vm).toMatchObject({ name: 'copy' })
  expect(steps.inputs('recordProof')[0]).toMatchObject({
    ...{ bootedFrom: 'repository', boot: { bytes: 3 * 2 ** 20 }, disks: [{ key: 'virtio0' }, { key: 'virtio1' }] },
  })
})

it('what a boot has read is of no account to its verdict, and of a silent guest nothing is noted', async () => {
  const lost = new Scripted({
    readsOfBoot: async () => {
      throw new HoldfastError('Unsupported', 'no')
    },
  })
  expect((await drill(lost, { from: 'repository' })).value.verdict).toBe('passed')
  expect(lost.inputs('recordProof')[0]?.boot).toBeNull()

  const silent = new Scripted({ waitForGuest: async () => ({ state: 'silent', waitedMs: 60_000 }) })
  expect((await drill(silent, { from: 'repository' })).value.verdict).toBe('failed')
  expect(silent.names()).not.toContain('readsOfBoot')
  expect(silent.names()).toEqual(expect.arrayContaining(['destroyTarget', 'endServing']))
})

it('fails when a check fails, with its words, and measures no time to recovery', async () => {
  const steps = new Scripted({
    runGuestCheck: async ({ check: { title } }) => ({
      title,
      passed: title !== check.title,
      exit: 1,
      out: '',
      err: '',
      count: null,
      detail: 'exit 1, expected 0',
    }),
  })
  const { value } = await drill(steps)
  expect(value).toMatchObject({ verdict: 'failed', why: 'orders are whole: exit 1, expected 0', rtoSeconds: null })
  expect(steps.names()).toContain('destroyTarget')
})

it('fails when the guest does not answer, and still takes the picture', async () => {
  const steps = new Scripted({ waitForGuest: async () => ({ state: 'silent', waitedMs: 60_000 }) })
  const { value } = await drill(steps)
  expect(value).toMatchObject({ verdict: 'failed', why: 'the guest did not answer within 60 s', bootSeconds: null })
  expect(steps.names()).not.toContain('runGuestCheck')
  expect(steps.names()).toContain('takeScreenshot')
})

it('fails when the point is damaged, is inconclusive when something else went wrong', async () => {
  const broken = (code: 'ChunkLost' | 'Unsupported') =>
    new Scripted({
      restoreDisk: async () => {
        throw new HoldfastError(code, 'it could not be written')
      },
    })
  expect((await drill(broken('ChunkLost'))).value.verdict).toBe('failed')
  const steps = broken('Unsupported')
  expect((await drill(steps)).value.verdict).toBe('inconclusive')
  expect(steps.names().slice(-3)).toEqual(['destroyTarget', 'recordProof', 'recordRunFinished'])
})

it('is inconclusive without checks, wherever the kernel comes from: nothing looked at the disks', async () => {
  const plan = (firmware: 'direct-kernel' | 'uefi') =>
    new Scripted({
      planRestore: async () => ({
        vmName: 'erp-db-01',
        platform: 'qemu',
        createdMs: 1,
        pointId: parentId,
        firmware,
        warnings: [],
        disks: [],
      }),
    })
  for (const firmware of ['direct-kernel', 'uefi'] as const) {
    const { value } = await drill(plan(firmware), { checks: [] })
    expect(value).toMatchObject({ verdict: 'inconclusive', rtoSeconds: null })
    expect(value.why).toContain('no check looked at what is on its disks')
  }
})

it('keeps what a check found when the next step breaks: it stays failed, with its evidence', async () => {
  const steps = new Scripted({
    runGuestCheck: async ({ check: { title } }, call) => {
      if (call > 1) throw new HoldfastError('Unsupported', 'the second check cannot be asked')
      return { title, passed: false, exit: 1, out: '', err: '', count: null, detail: 'exit 1, expected 0' }
    },
  })
  const { value } = await drill(steps)
  expect(value).toMatchObject({
    verdict: 'failed',
    why: 'orders are whole: exit 1, expected 0; the second check cannot be asked (Unsupported)',
    checks: [{ title: 'orders are whole', passed: false, detail: 'exit 1, expected 0' }],
    rtoSeconds: null,
  })
  expect(value.bootSeconds).not.toBeNull()
  expect(steps.inputs('recordProof')[0]?.result).toMatchObject({ verdict: 'failed', checks: [{ passed: false }] })
})

const completedSteps = async (handle: WorkflowHandle): Promise<number> =>
  (await handle.fetchHistory()).events?.filter((event) => event.activityTaskCompletedEventAttributes).length ?? 0

describe('a pause', () => {
  const by = { user: 'ann', reason: 'storage maintenance' }

  it('before the boot holds the drill there until it is resumed', async () => {
    const written = Promise.withResolvers<undefined>()
    const steps = new Scripted({
      restoreDisk: async ({ disk }) => {
        await written.promise
        return { disk, size: 1024, writtenBytes: 1024, bytesResumed: 0 }
      },
    })
    const { value } = await bench.run(drillWorkflow, input, steps.activities, async (handle) => {
      await eventually('the disks', () => steps.inputs('restoreDisk').length === 2)
      const before = await completedSteps(handle)
      await handle.executeUpdate(pauseUpdate, { args: [by] })
      written.resolve(undefined)
      await eventually('the written disks', async () => (await completedSteps(handle)) >= 2 + before)
      // Its answer comes after everything that the workflow does about the disks.
      await expect(handle.executeUpdate(pauseUpdate, { args: [by] })).rejects.toBeInstanceOf(WorkflowUpdateFailedError)
      expect(steps.names()).not.toContain('bootIsolated')
      await handle.executeUpdate(resumeUpdate, { args: [by] })
      return handle.result() as Promise<DrillResult>
    })
    expect(value.verdict).toBe('passed')
  })

  it('is refused with words once the VM is booted, and the drill goes on', async () => {
    const answer = Promise.withResolvers<undefined>()
    const steps = new Scripted({
      waitForGuest: async () => {
        await answer.promise
        return { state: 'up', waitedMs: 10 }
      },
    })
    const { value } = await bench.run(drillWorkflow, input, steps.activities, async (handle) => {
      await eventually('the wait', () => steps.inputs('waitForGuest').length === 1)
      const refused: unknown = await handle
        .executeUpdate(pauseUpdate, { args: [by] })
        .catch((thrown: unknown) => thrown)
      answer.resolve(undefined)
      expect((refused as WorkflowUpdateFailedError).cause?.message).toContain('cannot be paused')
      return handle.result() as Promise<DrillResult>
    })
    expect(value.verdict).toBe('passed')
  })
})

it('destroys the VM and writes no proof when it is cancelled', async () => {
  const steps = new Scripted({ waitForGuest: () => untilCancelled() })
  await bench.run(drillWorkflow, input, steps.activities, async (handle) => {
    await eventually('the wait', () => steps.inputs('waitForGuest').length === 1)
    await handle.cancel()
    const error: unknown = await handle.result().catch((thrown: unknown) => thrown)
    expect((error as WorkflowFailedError).cause).toBeInstanceOf(CancelledFailure)
  })
  expect(steps.names()).toContain('destroyTarget')
  expect(steps.names()).not.toContain('recordProof')
})

it('says what of the drill VM could not be removed', async () => {
  const steps = new Scripted({
    destroyTarget: async () => ({ residue: [{ kind: 'volume', id: 'v1', error: 'busy', hint: 'later' }] }),
  })
  const { value } = await drill(steps)
  expect(value).toMatchObject({ verdict: 'passed', outcome: 'completed-with-residue', residue: [{ id: 'v1' }] })
})
