import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WorkflowUpdateFailedError, type WorkflowFailedError, type WorkflowHandle } from '@temporalio/client'
import { ApplicationFailure, CancelledFailure } from '@temporalio/common'
import { rehearsedMember, restoredMember } from '../../activities/testing/recovery.ts'
import { sampleRepository, sampleRequester, sampleTarget } from '../../activities/testing/samples.ts'
import { Scripted, untilCancelled } from '../../activities/testing/scripted.ts'
import { HoldfastError } from '../../base/index.ts'
import { WorkflowBench, eventually } from '../../server/testing/workflows.ts'
import {
  abortRecoveryUpdate,
  approveStepUpdate,
  chooseTierUpdate,
  recoveryWorkflow,
  type RecoveryInput,
  type RecoveryResult,
} from './contract.ts'
import { releaseMemberSignal } from '../shared/contract.ts'

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
type Scheduled =
  | { readonly activityType?: { readonly name: string }; readonly scheduleToCloseTimeout?: string }
  | undefined
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

/** A run for real that is ended at the second tier, with what its first VM has come to. */
const endedAtApp = async (steps: Scripted, end: 'hand-over' | 'clean-up', before: () => Promise<unknown>) =>
  run(steps, forReal, async (handle) => {
    await waitsFor(steps, 'before-0')
    await before()
    await handle.executeUpdate(abortRecoveryUpdate, { args: [{ ...by, end }] })
    return failureOf(handle)
  })
const notes = (steps: Scripted, vmId: string) =>
  steps.inputs('noteMember').flatMap((one) => (one.vmId === vmId ? [one.change.state] : []))

describe('what is left, lost or off', () => {
  it('tells what each drill has left, and does not say that all were removed then', async () => {
    const steps = new Scripted({
      destroyTarget: async (_input, call) => {
        if (call === 2) throw ApplicationFailure.nonRetryable('the disk is busy')
        return { residue: [] }
      },
    })
    await run(steps, rehearsal, async (handle) => {
      await approve(handle, steps)
      return resultOf(handle)
    })
    const { ends = [], why, whyLeft } = closed(steps) ?? {}
    expect(ends.map(({ residue }) => residue?.length)).toContain(1)
    expect(ends.flatMap(({ residue }) => residue ?? [])).toMatchObject([{ error: 'the disk is busy' }])
    expect([why, whyLeft]).toEqual(['3 of 3 VMs came back, and were removed', '3 of 3 VMs came back'])
  })

  it('asks about what a restore that was undone has left before it calls its VM removed', async () => {
    const steps = new Scripted(restored)
    await endedAtApp(steps, 'clean-up', async () => undefined)
    const removed = steps.inputs('noteMember').find(({ change }) => change.state === 'removed')
    // Cancelled: what it has left is in its own row.
    expect(removed).toMatchObject({ vmId: 'db-01', end: { workflowId: 'restore/db-01-1', residue: null } })
    expect(closed(steps)?.ends).toMatchObject([{ tier: 'db', vmId: 'db-01', residue: null }])
  })

  const releaseByHand = async (steps: Scripted): Promise<void> => {
    await bench.client.getHandle('restore/db-01-1').signal(releaseMemberSignal, by)
    await eventually('its loss', () => notes(steps, 'db-01').includes('lost'))
  }

  it('says at once that a VM is lost whose tier is done, and that one which was given away is still there', async () => {
    const steps = new Scripted(restored)
    const { value } = await endedAtApp(steps, 'clean-up', () => releaseByHand(steps))
    expect(value.message).toContain('0 of 3 VMs came back')
    expect(steps.names()).not.toContain('destroyTarget')
    expect(closed(steps)?.ends).toMatchObject([
      { residue: [{ kind: 'vm', error: expect.stringContaining('handed over') as unknown }] },
    ])
  })

  it('hands over what was given away already', async () => {
    const steps = new Scripted(restored)
    await endedAtApp(steps, 'hand-over', () => releaseByHand(steps))
    expect(notes(steps, 'db-01').at(-1)).toBe('kept-short')
    expect(closed(steps)?.ends).toMatchObject([{ residue: [] }])
  })

  it('is incomplete when a VM is off at the hand-over', async () => {
    const steps = new Scripted({
      ...restored,
      readPower: async (_input, call) => ({ state: call === 1 ? 'stopped' : 'running' }),
    })
    const { value } = await run(steps, forReal, async (handle) => {
      await approve(handle, steps)
      return failureOf(handle)
    })
    expect(value.message).toMatch(/2 of 3 VMs came back; without .*it was off when it was handed over/)
    expect(steps.inputs('noteMember').filter(({ change }) => change.state === 'kept')).toHaveLength(2)
    expect(steps.names().filter((name) => name === 'handOverTarget')).toHaveLength(3)
  })

  it('keeps a VM that came to stand while the run was being ended', async () => {
    const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const
    const steps = new Scripted({
      ...restored,
      openRecovery: async () => ({ atOnce: 2, vms: 2, tiers: [{ key: 'all', after: [] }] }),
      beginTier: async () => ({
        ...{ name: 'All', delayMs: 0, before: [], then: [], needs: 'checks', members: ['a-01', 'b-01'] },
      }),
      runGuestCheck: async ({ check: { title } }, call) => {
        if (call === 2) await gates[0].promise
        return { title, passed: true, exit: 0, out: '', err: '', count: null, detail: 'exit 0' }
      },
      noteMember: async ({ change }) => (change.state === 'ready' ? gates[1].promise : undefined),
    })
    await run(steps, forReal, async (handle) => {
      await eventually(
        'the first',
        () => steps.inputs('noteMember').length === 1 && steps.inputs('runGuestCheck').length === 2,
      )
      await handle.executeUpdate(abortRecoveryUpdate, { args: [{ ...by, end: 'hand-over' }] })
      gates[0].resolve()
      await eventually('the second', async () => (await signalsOf(handle)) === 2)
      gates[1].resolve()
      return failureOf(handle)
    })
    expect(steps.names()).not.toContain('destroyTarget')
    expect(steps.names().filter((name) => name === 'handOverTarget')).toHaveLength(2)
  })
})

describe('the points that the VMs come back from', () => {
  const mirror = { ...sampleRepository, id: 'mirror', name: 'mirror' }

  it('are held in their repository before the first stands, a copy elsewhere as well, and let go after the end', async () => {
    const steps = new Scripted({
      planMember: async ({ vmId, attempt }) => {
        const planned = rehearsedMember(vmId, attempt)
        if (vmId !== 'web-01' || planned.workflow !== 'restoreDrill') return planned
        return { ...planned, input: { ...planned.input, repository: mirror } }
      },
    })
    await run(steps, rehearsal, async (handle) => {
      await approve(handle, steps)
      return resultOf(handle)
    })
    const { runId } = steps.inputs('openRecovery')[0] ?? { runId: '' }
    const actor = `recovery:${runId}`
    expect(steps.inputs('holdPoints')).toMatchObject([
      { repository: { id: sampleRepository.id }, stems: { length: 1 }, type: 'pin', actor },
      { repository: { id: 'mirror' }, stems: { length: 1 }, type: 'pin', actor },
    ])
    expect(steps.inputs('recordHolds').map(({ held }) => held.length)).toEqual([1, 1])
    const names = steps.names()
    expect(names.indexOf('releaseHoldsBy')).toBeGreaterThan(names.indexOf('closeRecovery'))
    expect(
      new Set(steps.inputs('releaseHoldsBy').map(({ repository, actor: whose }) => `${repository.id} ${whose}`)),
    ).toEqual(new Set([`${sampleRepository.id} ${actor}`, `mirror ${actor}`]))
    expect(names.filter((name) => name === 'recordRelease')).toHaveLength(2)
  })

  it('are let go when the run is cancelled, too', async () => {
    const steps = new Scripted()
    await run(steps, rehearsal, async (handle) => {
      await waitsFor(steps, 'before-0')
      await handle.cancel()
      return Promise.allSettled([resultOf(handle)])
    })
    expect(closed(steps)).toMatchObject({ state: 'cancelled' })
    expect(steps.names().slice(-3)).toContain('releaseHoldsBy')
  })

  it('end nothing when they cannot be held, nor when they cannot be let go', async () => {
    const away = async (): Promise<never> => {
      throw ApplicationFailure.nonRetryable('the repository is away')
    }
    const steps = new Scripted({ holdPoints: away, releaseHoldsBy: away })
    const { value } = await run(steps, rehearsal, async (handle) => {
      await approve(handle, steps)
      return resultOf(handle)
    })
    expect(value).toMatchObject({ outcome: 'completed', vms: 3, residue: [] })
    // Each VM asks once more.
    expect(steps.inputs('holdPoints').length).toBeGreaterThan(1)
    expect(steps.names()).not.toContain('recordHolds')
  })

  it('keep no run from its end while they are tried again and again, or stand in the middle', async () => {
    const again = async (): Promise<never> => {
      throw new HoldfastError('StoreUnavailable', 'the repository does not answer')
    }
    for (const holdPoints of [again, () => untilCancelled()]) {
      const steps = new Scripted({ holdPoints })
      const { history } = await run(steps, rehearsal, async (handle) => {
        await approve(handle, steps)
        await eventually('its outcome', () => closed(steps) !== undefined)
        await eventually('its end', async () => (await handle.describe()).status.name === 'COMPLETED', 20_000)
      })
      expect(steps.names().indexOf('releaseHoldsBy')).toBeGreaterThan(steps.names().indexOf('closeRecovery'))
      // What was met is in the history, whenever the run ends.
      const failures = history.events.map((event) => JSON.stringify(event['activityTaskFailedEventAttributes'] ?? ''))
      expect(failures.some((failure) => failure.includes('the repository does not answer'))).toBe(holdPoints === again)
      const letsGo = history.events.map((event) => event['activityTaskScheduledEventAttributes'] as Scheduled)
      const limits = letsGo.find((scheduled) => scheduled?.activityType?.name === 'releaseHoldsBy')
      expect(Number.parseInt(limits?.scheduleToCloseTimeout ?? '', 10)).toBeLessThanOrEqual(60)
    }
  })
})

describe('before a run for real', () => {
  const looked = (problems: readonly string[]): ConstructorParameters<typeof Scripted>[0] => ({
    ...restored,
    openRecovery: async () => ({
      ...{ atOnce: 2, vms: 1, tiers: [{ key: 'db', after: [] }] },
      originals: ['db-01', 'app-01', 'web-01'].map((id) => ({
        target: { ...sampleTarget, id, ref: { ...sampleTarget.ref, name: id } },
      })),
    }),
    readPower: async ({ vm }) => {
      if (vm.name === 'app-01') throw new HoldfastError('NotFound', 'it is not there')
      if (vm.name === 'web-01') throw ApplicationFailure.nonRetryable('the site is away')
      return { state: 'running' }
    },
    admitRecovery: async () => ({ problems }),
  })

  it('looks at all originals, and makes nothing when one of them is there', async () => {
    const steps = new Scripted(looked(['db-01: it runs', 'app-01: its standby runs']))
    const { value } = await run(steps, { ...forReal, beside: ['web-01'] }, failureOf)
    expect(value).toMatchObject({ type: 'RecoveryRefused' })
    expect(value.message).toContain('db-01: it runs · app-01: its standby runs')
    expect(steps.inputs('admitRecovery')).toMatchObject([
      {
        beside: ['web-01'],
        seen: [
          { vmId: 'db-01', seen: { state: 'running' } },
          { vmId: 'app-01', seen: { state: 'gone' } },
          { vmId: 'web-01', seen: { state: 'unseen', why: 'the site is away' } },
        ],
      },
    ])
    expect(steps.names()).not.toContain('createTarget')
    expect(closed(steps)).toMatchObject({ state: 'failed' })
  })

  it('goes on when all of that is accepted, and tells each VM so', async () => {
    const steps = new Scripted(looked([]))
    const { value } = await run(steps, { ...forReal, beside: ['db-01'] }, resultOf)
    expect(value).toMatchObject({ outcome: 'completed' })
    expect(steps.inputs('planMember')).toMatchObject([{ beside: ['db-01'] }])
  })
})

describe('a wait without end', () => {
  const patient: ConstructorParameters<typeof Scripted>[0] = {
    planMember: async ({ vmId, attempt }) => {
      const planned = restoredMember(vmId, attempt)
      if (planned.workflow !== 'restoreVm') return planned
      return {
        ...planned,
        input: { ...planned.input, member: { checks: [], bootTimeoutMs: 60_000, lookEveryMs: 100 } },
      }
    },
    beginTier: async ({ tier }) => ({
      ...{ name: tier, delayMs: 0, then: [], needs: 'start', members: [`${tier}-01`] },
      before: tier === 'app' ? [{ title: 'Switch the name servers', detail: '' }] : [],
    }),
  }

  it('does not make the history of the run grow, however often its VMs look whether it is there', async () => {
    const steps = new Scripted(patient)
    await run(steps, forReal, async (handle) => {
      await waitsFor(steps, 'before-0')
      await eventually('the first look', () => steps.inputs('isRecoveryOpen').length >= 1)
      const before = await eventsOf(handle)
      await eventually('further looks', () => steps.inputs('isRecoveryOpen').length >= 4)
      const after = await eventsOf(handle)
      expect(after.length).toBe(before.length)
      const timer = after.findLast(({ eventType }) => eventType === 'EVENT_TYPE_TIMER_STARTED')
      const { startToFireTimeout } = timer?.['timerStartedEventAttributes'] as { startToFireTimeout: string }
      expect(Number.parseInt(startToFireTimeout, 10)).toBeGreaterThan(300 * 86_400)
      await handle.executeUpdate(abortRecoveryUpdate, { args: [{ ...by, end: 'hand-over' }] })
      return failureOf(handle)
    })
    expect(steps.names()).toContain('handOverTarget')
  })

  it('ends for a VM whose plan was terminated: it is handed over', async () => {
    let state: 'open' | 'ended' = 'open'
    const steps = new Scripted({ ...patient, isRecoveryOpen: async () => ({ state }) })
    await run(steps, forReal, async (handle) => {
      await waitsFor(steps, 'before-0')
      await handle.terminate('by hand')
      state = 'ended'
      await eventually('the hand-over', () => steps.names().includes('handOverTarget'))
      await eventually('the end', () =>
        steps.inputs('recordRunFinished').some(({ started }) => started.kind === 'restore'),
      )
    })
    expect(steps.names()).not.toContain('destroyTarget')
  })

  it('is tried again only as often as its history has room', async () => {
    const steps = new Scripted(failing('db-01', 9))
    await run(steps, { ...rehearsal, mostEvents: 10 }, async (handle) => {
      await waitsFor(steps, 'choice-1')
      const word = { ...by, tier: 'db', wait: 'choice-1' }
      const refused = await handle
        .executeUpdate(chooseTierUpdate, { args: [{ ...word, choice: 'retry' }] })
        .catch((error: unknown) => error)
      expect(refused).toBeInstanceOf(WorkflowUpdateFailedError)
      await handle.executeUpdate(chooseTierUpdate, { args: [{ ...word, choice: 'clean-up' }] })
      return failureOf(handle)
    })
    expect(steps.inputs('planMember')).toHaveLength(1)
  })
})

async function eventsOf(
  handle: WorkflowHandle,
): Promise<readonly { readonly eventType: string; readonly [name: string]: unknown }[]> {
  return (await bench.history(handle.workflowId)).events
}
async function signalsOf(handle: WorkflowHandle): Promise<number> {
  return (await eventsOf(handle)).filter(({ eventType }) => eventType === 'EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED')
    .length
}
async function disk({ disk: key }: { readonly disk: string }) {
  return { disk: key as never, size: 1024, writtenBytes: 1024, bytesResumed: 0 }
}
