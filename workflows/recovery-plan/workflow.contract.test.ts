import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WorkflowUpdateFailedError, type WorkflowFailedError, type WorkflowHandle } from '@temporalio/client'
import { ApplicationFailure, CancelledFailure } from '@temporalio/common'
import { rehearsedMember, restoredMember } from '../../activities/testing/recovery.ts'
import { sampleRequester } from '../../activities/testing/samples.ts'
import { Scripted, untilCancelled } from '../../activities/testing/scripted.ts'
import { WorkflowBench, eventually } from '../../server/testing/workflows.ts'
import {
  abortRecoveryUpdate,
  approveStepUpdate,
  chooseTierUpdate,
  recoveryWorkflow,
  type RecoveryInput,
  type RecoveryResult,
} from './contract.ts'

let bench: WorkflowBench
beforeAll(async () => {
  bench = await WorkflowBench.start()
})
afterAll(async () => bench[Symbol.asyncDispose]())

const by = { user: 'ann', reason: 'looked at it' }
const rehearsal: RecoveryInput = {
  ...{ v: 1, planId: 'the-shop', planName: 'The shop', mode: 'rehearse', untilMs: null, withoutPeople: false },
  ...{ patienceMs: 60_000, requestedBy: sampleRequester },
}
const forReal: RecoveryInput = { ...rehearsal, mode: 'run' }
const restored: ConstructorParameters<typeof Scripted>[0] = {
  planMember: async ({ vmId, attempt }) => restoredMember(vmId, attempt),
}
/** The check of this VM fails, as often as that. */
const failing = (vmId: string, times: number): ConstructorParameters<typeof Scripted>[0] => {
  let left = times
  let asked = ''
  return {
    planMember: async ({ vmId: planned, attempt }) => {
      asked = planned
      return rehearsedMember(planned, attempt)
    },
    runGuestCheck: async ({ check: { title } }) => {
      const passed = asked !== vmId || left-- <= 0
      const detail = passed ? 'exit 0' : 'exit 1, expected 0'
      return { title, passed, exit: passed ? 0 : 1, out: '', err: '', count: null, detail }
    },
  }
}
const waitsFor = (steps: Scripted, id: string) =>
  eventually(`the wait ${id}`, () => steps.inputs('noteTier').some(({ change }) => change.waitsFor?.id === id))
const approve = async (handle: WorkflowHandle, steps: Scripted): Promise<void> => {
  await waitsFor(steps, 'before-0')
  await handle.executeUpdate(approveStepUpdate, { args: [{ ...by, tier: 'app', wait: 'before-0' }] })
}
const resultOf = (handle: WorkflowHandle) => handle.result() as Promise<RecoveryResult>
const failureOf = async (handle: WorkflowHandle): Promise<ApplicationFailure> => {
  const thrown: unknown = await handle.result().catch((error: unknown) => error)
  return (thrown as WorkflowFailedError).cause as ApplicationFailure
}
const run = <T>(steps: Scripted, input: RecoveryInput, watch: (handle: WorkflowHandle) => Promise<T>) =>
  bench.run(recoveryWorkflow, input, steps.activities, watch)
const closed = (steps: Scripted) => steps.inputs('closeRecovery')[0]

describe('a rehearsal', () => {
  it('brings tiers back in order, waits for the person in between, and removes all at its end', async () => {
    const steps = new Scripted()
    const { value } = await run(steps, rehearsal, async (handle) => {
      await waitsFor(steps, 'before-0')
      // The first tier stands, and nothing of the second was begun.
      expect(steps.inputs('planMember').map(({ vmId }) => vmId)).toEqual(['db-01'])
      expect(steps.names()).not.toContain('destroyTarget')
      await approve(handle, steps)
      return resultOf(handle)
    })
    expect(value).toMatchObject({ outcome: 'completed', vms: 3, residue: [] })
    expect(value.waitedMs).toBeGreaterThan(0)
    expect(steps.inputs('planMember').map(({ vmId }) => vmId)).toEqual(['db-01', 'app-01', 'web-01'])
    expect(steps.inputs('createTarget').every(({ place }) => place.isolated)).toBe(true)
    expect(new Set(steps.inputs('bootIsolated').map(({ network }) => network))).toEqual(new Set(['recovery-1']))
    const names = steps.names()
    // All stand before the first is removed; each verdict is attached to its point.
    expect(names.indexOf('destroyTarget')).toBeGreaterThan(names.lastIndexOf('runGuestCheck'))
    expect(names.filter((name) => name === 'destroyTarget')).toHaveLength(3)
    expect(steps.inputs('recordProof').map(({ result }) => result.verdict)).toEqual(['passed', 'passed', 'passed'])
    expect(closed(steps)).toMatchObject({ state: 'passed' })
    expect(
      steps
        .inputs('noteTier')
        .filter(({ change }) => change.state === 'done')
        .map(({ tier }) => tier),
    ).toEqual(['db', 'app', 'web'])
  })

  it('asks about a tier that does not come up, and tries its VMs anew when told to', async () => {
    const steps = new Scripted(failing('app-01', 1))
    const { value } = await run(steps, rehearsal, async (handle) => {
      await approve(handle, steps)
      await waitsFor(steps, 'choice-1')
      expect(steps.inputs('planMember').map(({ vmId }) => vmId)).not.toContain('web-01')
      const refused = (update: string, said: object) =>
        handle.executeUpdate(update, { args: [{ ...by, ...said }] }).catch((error: unknown) => error)
      const word = { tier: 'app', wait: 'choice-1' }
      expect(await refused(chooseTierUpdate, { ...word, choice: 'hand-over' })).toBeInstanceOf(
        WorkflowUpdateFailedError,
      )
      expect(await refused(chooseTierUpdate, { ...word, wait: 'choice-2', choice: 'retry' })).toBeInstanceOf(
        WorkflowUpdateFailedError,
      )
      expect(await refused(approveStepUpdate, word)).toBeInstanceOf(WorkflowUpdateFailedError)
      await handle.executeUpdate(chooseTierUpdate, { args: [{ ...by, ...word, choice: 'retry' }] })
      return resultOf(handle)
    })
    expect(value).toMatchObject({ outcome: 'completed', vms: 3 })
    expect(steps.inputs('planMember').map(({ vmId, attempt }) => `${vmId} ${attempt}`)).toEqual([
      'db-01 1',
      'app-01 1',
      'app-01 2',
      'web-01 1',
    ])
    expect(steps.inputs('recordProof').map(({ result }) => result.verdict)).toContain('failed')
    expect(steps.names().filter((name) => name === 'destroyTarget')).toHaveLength(4)
  })

  it('is ended while somebody wants another try: what stands is removed all the same', async () => {
    let letGo = () => {}
    const held = new Promise<void>((resolve) => (letGo = resolve))
    const steps = new Scripted({
      ...failing('app-01', 9),
      noteTier: async ({ change }) => {
        if (change.answer?.answer === 'retry') await held
      },
    })
    const { value } = await run(steps, rehearsal, async (handle) => {
      await approve(handle, steps)
      await waitsFor(steps, 'choice-1')
      const word = { ...by, tier: 'app', wait: 'choice-1', choice: 'retry' }
      await handle.executeUpdate(chooseTierUpdate, { args: [word] })
      await eventually('the note', () =>
        steps.inputs('noteTier').some(({ change }) => change.answer?.answer === 'retry'),
      )
      await handle.executeUpdate(abortRecoveryUpdate, { args: [{ ...by, end: 'clean-up' }] })
      letGo()
      return failureOf(handle)
    })
    expect(value.message).toContain('ended by ann')
    expect(closed(steps)).toMatchObject({ state: 'aborted' })
    expect(steps.names().filter((name) => name === 'destroyTarget')).toHaveLength(2)
  })

  it('brings back no more VMs at the same time than its plan says', async () => {
    const members = ['a-01', 'b-01', 'c-01']
    const steps = new Scripted({
      openRecovery: async () => ({ atOnce: 1, vms: 3, tiers: [{ key: 'all', after: [] }] }),
      beginTier: async () => ({ name: 'All', delayMs: 0, before: [], then: [], needs: 'checks', members }),
    })
    const { value } = await run(steps, rehearsal, resultOf)
    expect(value).toMatchObject({ outcome: 'completed', vms: 3 })
    const turns = steps.names().filter((name) => name === 'planMember' || name === 'noteMember')
    expect(turns).toEqual(members.flatMap(() => ['planMember', 'noteMember']))
  })

  it('goes on without a VM when told to, and is not green then', async () => {
    const steps = new Scripted(failing('app-01', 9))
    const { value } = await run(steps, rehearsal, async (handle) => {
      await approve(handle, steps)
      await waitsFor(steps, 'choice-1')
      const word = { ...by, tier: 'app', wait: 'choice-1', choice: 'continue' }
      await handle.executeUpdate(chooseTierUpdate, { args: [word] })
      return failureOf(handle)
    })
    expect(value).toMatchObject({ type: 'RecoveryIncomplete' })
    expect(value.message).toContain('2 of 3 VMs came back; without app-01 (orders are whole: exit 1, expected 0)')
    expect(closed(steps)).toMatchObject({ state: 'incomplete' })
    expect(steps.inputs('recordProof')).toHaveLength(3)
  })

  it('ends and cleans up when nobody answers in time', async () => {
    const steps = new Scripted()
    const { value } = await run(steps, { ...rehearsal, patienceMs: 300 }, failureOf)
    expect(value.message).toContain('nobody answered “Switch the name servers” within')
    expect(closed(steps)).toMatchObject({ state: 'aborted' })
    expect(steps.names().filter((name) => name === 'destroyTarget')).toHaveLength(1)
  })

  it('removes everything when it is cancelled, also what is half-made', async () => {
    const steps = new Scripted({ restoreDisk: (_input, call) => (call <= 2 ? disk(_input) : untilCancelled()) })
    const { value } = await run(steps, { ...rehearsal, withoutPeople: true }, async (handle) => {
      await approve(handle, steps)
      await eventually('the second VM', () => steps.inputs('restoreDisk').length >= 3)
      await handle.cancel()
      return failureOf(handle)
    })
    expect(value).toBeInstanceOf(CancelledFailure)
    expect(closed(steps)).toMatchObject({ state: 'cancelled' })
    expect(steps.names().filter((name) => name === 'destroyTarget')).toHaveLength(2)
  })

  it('removes its VMs by themselves when its run is terminated', async () => {
    // A drill of its own: it may close after the test.
    const steps = new Scripted({ planMember: async ({ attempt }) => rehearsedMember('left-01', attempt) })
    await run(steps, rehearsal, async (handle) => {
      await waitsFor(steps, 'before-0')
      await handle.terminate('by hand')
      await eventually('the removal', () => steps.names().includes('destroyTarget'))
      await eventually('the end of the drill', () =>
        steps.inputs('recordRunFinished').some(({ started }) => started.kind === 'drill'),
      )
    })
    expect(steps.inputs('recordRunFinished')).toMatchObject([{ outcome: 'cancelled', residue: [] }])
  })

  it('says what its drills have left behind', async () => {
    const left = { kind: 'volume', id: 'v1', error: 'busy', hint: 'later' }
    const steps = new Scripted({ closeRecovery: async () => ({ residue: [left] }) })
    const { value } = await run(steps, rehearsal, async (handle) => {
      await approve(handle, steps)
      return resultOf(handle)
    })
    expect(value).toMatchObject({ outcome: 'completed-with-residue', residue: [left] })
  })
})

describe('for real', () => {
  it('starts VMs on the networks of the plan, and gives none away before the last tier is done', async () => {
    const steps = new Scripted(restored)
    const { value } = await run(steps, forReal, async (handle) => {
      await approve(handle, steps)
      return resultOf(handle)
    })
    expect(value).toMatchObject({ outcome: 'completed', mode: 'run', vms: 3 })
    expect(steps.inputs('createTarget')[0]?.place).toMatchObject({ isolated: false, networks: { lan: 'dr-lan' } })
    const names = steps.names()
    expect(names.indexOf('handOverTarget')).toBeGreaterThan(names.lastIndexOf('runGuestCheck'))
    expect(names).not.toContain('destroyTarget')
    const kept = steps.inputs('noteMember').filter(({ change }) => change.state === 'kept')
    expect(kept).toHaveLength(3)
  })

  it('goes on when what it says cannot be written down', async () => {
    const cannot = async (): Promise<void> => {
      throw ApplicationFailure.nonRetryable('the catalog is damaged')
    }
    const steps = new Scripted({ ...restored, noteMember: cannot, noteTier: cannot })
    const { value } = await run(steps, forReal, async (handle) => {
      await approve(handle, steps)
      return resultOf(handle)
    })
    expect(value).toMatchObject({ outcome: 'completed', vms: 3 })
    expect(steps.names().filter((name) => name === 'handOverTarget')).toHaveLength(3)
  })

  it.each([
    ['hand-over', 1, 0],
    ['clean-up', 0, 1],
  ] as const)('ends by %s as the operator says', async (end, kept, removed) => {
    const steps = new Scripted(restored)
    const { value } = await run(steps, forReal, async (handle) => {
      await waitsFor(steps, 'before-0')
      await handle.executeUpdate(abortRecoveryUpdate, { args: [{ ...by, end }] })
      return failureOf(handle)
    })
    expect(value.message).toContain('1 of 3 VMs came back; ended by ann')
    expect(steps.names().filter((name) => name === 'handOverTarget')).toHaveLength(kept)
    expect(steps.names().filter((name) => name === 'destroyTarget')).toHaveLength(removed)
  })

  it('hands over what stands when it is cancelled: nobody loses a guest that works by a cancel', async () => {
    const steps = new Scripted(restored)
    await run(steps, forReal, async (handle) => {
      await waitsFor(steps, 'before-0')
      await handle.cancel()
      return failureOf(handle)
    })
    expect(closed(steps)).toMatchObject({ state: 'cancelled' })
    expect(steps.names()).toContain('handOverTarget')
    expect(steps.names()).not.toContain('destroyTarget')
  })
})

async function disk({ disk: key }: { readonly disk: string }) {
  return { disk: key as never, size: 1024, writtenBytes: 1024, bytesResumed: 0 }
}
