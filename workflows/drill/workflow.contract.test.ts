import { afterAll, beforeAll, expect, it } from 'vitest'
import type { WorkflowFailedError } from '@temporalio/client'
import { CancelledFailure } from '@temporalio/common'
import { HoldfastError } from '../../base/index.ts'
import { sampleEndpoint, sampleRepository, sampleRequester, sampleSite } from '../../activities/testing/samples.ts'
import { Scripted, untilCancelled } from '../../activities/testing/scripted.ts'
import { WorkflowBench, eventually } from '../../server/testing/workflows.ts'
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
  expect(steps.names('recordRunStarted', 'recordRunFinished')).toEqual([
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
  expect(steps.inputs('recordProof')[0]).toMatchObject({ pointId: 'f'.repeat(32), result: { verdict: 'passed' } })
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

it('is inconclusive without checks where the kernel does not come from the disks', async () => {
  const { value } = await drill(new Scripted(), { checks: [] })
  expect(value).toMatchObject({ verdict: 'inconclusive', rtoSeconds: null })
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
