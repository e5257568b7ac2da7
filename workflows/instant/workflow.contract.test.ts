import { afterAll, beforeAll, expect, it } from 'vitest'
import type { WorkflowHandle } from '@temporalio/client'
import { HoldfastError } from '../../base/index.ts'
import { sampleEndpoint, sampleRepository, sampleRequester, sampleSite } from '../../activities/testing/samples.ts'
import { Scripted } from '../../activities/testing/scripted.ts'
import { WorkflowBench, eventually } from '../../server/testing/workflows.ts'
import { endInstantUpdate, instantWorkflow } from './contract.ts'
import type { InstantInput, InstantResult } from './contract.ts'

const records = ['recordRunStarted', 'recordRunFinished', 'recordInstant', 'recordInstantState'] as const

let bench: WorkflowBench
beforeAll(async () => {
  bench = await WorkflowBench.start()
})
afterAll(async () => bench[Symbol.asyncDispose]())

const input: InstantInput = {
  v: 1,
  requestId: 'r1',
  repository: sampleRepository,
  stem: `snap/${'1'.repeat(32)}/0000000000000000-${'f'.repeat(32)}`,
  vmId: 'erp-db-01',
  vmName: 'erp-db-01',
  endpoint: sampleEndpoint,
  site: sampleSite,
  name: 'now',
  network: 'isolated',
  identity: 'new',
  requestedBy: sampleRequester,
  tuning: { moverHeartbeatMs: 4_000, reprobeMs: 200 },
}

type Handle = WorkflowHandle
const say = (handle: Handle, end: string): Promise<unknown> =>
  handle.executeUpdate(endInstantUpdate, { args: [{ ...sampleRequester, end }] })
const runs = (steps: Scripted, times = 1): Promise<unknown> =>
  eventually('the attendance', () => steps.inputs('attendInstant').length >= times)
const states = (steps: Scripted): string[] => steps.inputs('recordInstantState').map(({ state }) => state)
const result = (handle: Handle): Promise<InstantResult> => handle.result() as Promise<InstantResult>
const refusal = async (wish: Promise<unknown>): Promise<string> => {
  const error = await wish.then(
    () => expect.unreachable('it should have been refused'),
    (thrown: unknown) => thrown,
  )
  return String((error as Error).cause ?? error)
}

it('serves, boots, waits for a word, copies, hands over and serves no more', async () => {
  const steps = new Scripted()
  const { value } = await bench.run(instantWorkflow, input, steps.activities, async (handle) => {
    await runs(steps)
    await say(handle, 'migrate')
    return result(handle)
  })
  expect(steps.names(...records)).toEqual([
    'planRestore',
    'serveDisks',
    'bootInstant',
    'attendInstant',
    'migrateInstant',
    'handOverTarget',
    'endServing',
  ])
  expect(value).toMatchObject({ outcome: 'completed', end: 'migrated', residue: [] })
  expect(states(steps)).toEqual(['running', 'migrating', 'migrated'])
  expect(new Set(steps.inputs('serveDisks').map(({ operation }) => operation))).toEqual(
    new Set(steps.inputs('endServing').map(({ operation }) => operation)),
  )
  expect(steps.inputs('bootInstant')[0]?.place).toMatchObject({ isolated: true, place: { kind: 'new', name: 'now' } })
})

it('hands on what a boot of the VM reads first, and writes down which drill has shown it', async () => {
  const steps = new Scripted()
  const note = { drillId: 'erp-db-01.1', recordedMs: 7, bytes: 2 ** 20 }
  const boot = { ...note, disks: [{ key: 'virtio0', runs: [[0, 1]] as const }] }
  await bench.run(instantWorkflow, { ...input, boot }, steps.activities, async (handle) => {
    await runs(steps)
    await say(handle, 'discard')
    return result(handle)
  })
  expect(steps.inputs('serveDisks')[0]?.boot).toEqual(boot)
  expect(steps.inputs('recordInstant')[0]?.boot).toEqual(note)
})

it('discards: first the VM, then what it reads from', async () => {
  const steps = new Scripted()
  const { value } = await bench.run(instantWorkflow, input, steps.activities, async (handle) => {
    await runs(steps)
    await say(handle, 'discard')
    return result(handle)
  })
  expect(steps.names(...records).slice(-2)).toEqual(['destroyTarget', 'endServing'])
  expect(value).toMatchObject({ end: 'discarded', outcome: 'completed' })
  expect(states(steps)).toEqual(['running', 'discarded'])
})

it('takes one word, and none before the VM runs', async () => {
  let mayBoot = (): void => undefined
  const steps = new Scripted({
    bootInstant: async (asked) => {
      await new Promise<void>((resolve) => (mayBoot = resolve))
      return new Scripted().activities.bootInstant(asked)
    },
    migrateInstant: async ({ target }) => {
      await eventually('the second word', () => heard === 1)
      return target.vm
    },
  })
  let heard = 0
  await bench.run(instantWorkflow, input, steps.activities, async (handle) => {
    await eventually('the boot', () => steps.inputs('bootInstant').length === 1)
    expect(await refusal(say(handle, 'discard'))).toContain('does not run yet')
    mayBoot()
    await runs(steps)
    expect(await refusal(say(handle, 'keep'))).toContain('what becomes of the VM')
    await say(handle, 'migrate')
    expect(await refusal(say(handle, 'discard'))).toContain('has decided already')
    heard = 1
    return result(handle)
  })
})

it('a copy that fails leaves the VM running, says why, and may be asked for again', async () => {
  const steps = new Scripted({
    migrateInstant: async ({ target }, call) => {
      if (call === 1) throw new HoldfastError('Unsupported', 'no block-stream')
      return target.vm
    },
  })
  const { value } = await bench.run(instantWorkflow, input, steps.activities, async (handle) => {
    await runs(steps)
    await say(handle, 'migrate')
    await runs(steps, 2)
    expect(steps.inputs('destroyTarget')).toEqual([])
    await say(handle, 'migrate')
    return result(handle)
  })
  expect(value.end).toBe('migrated')
  const told = steps.inputs('recordInstantState').map(({ error }) => error?.message ?? null)
  expect(told).toContain('no block-stream')
})

it.each(['Unsupported', 'NotFound'] as const)(
  'no failure to look at the VM removes it or ends the run: %s',
  async (code) => {
    const steps = new Scripted({
      attendInstant: async () => {
        throw new HoldfastError(code, 'the folder of the VMs is empty')
      },
    })
    const { value } = await bench.run(instantWorkflow, input, steps.activities, async (handle) => {
      await runs(steps)
      await eventually('the timer that says why', async () => {
        const { events } = await handle.fetchHistory()
        return events?.some(({ userMetadata: meta }) =>
          Buffer.from(meta?.summary?.data ?? []).includes('waiting: now: the'),
        )
      })
      expect(steps.inputs('destroyTarget')).toEqual([])
      await say(handle, 'migrate')
      return result(handle)
    })
    expect(value.end).toBe('migrated')
    expect(steps.inputs('destroyTarget')).toEqual([])
  },
)

it('a VM that is another’s by now is left alone, and so is what it reads from', async () => {
  const steps = new Scripted({
    attendInstant: async () => {
      throw new HoldfastError('NotOurs', 'it carries no mark')
    },
  })
  await bench.run(instantWorkflow, input, steps.activities, async (handle) => {
    await expect(handle.result()).rejects.toThrow()
  })
  expect(steps.names().filter((name) => name === 'destroyTarget' || name === 'endServing')).toEqual([])
  expect(steps.inputs('recordRunFinished')).toMatchObject([{ outcome: 'failed', residue: [{ kind: 'vm' }] }])
  expect(states(steps)).toEqual(['running', 'failed'])
})

it('a catalog that cannot be written takes no running guest away', async () => {
  const steps = new Scripted({
    recordInstantState: async () => {
      throw new HoldfastError('Unsupported', 'the database is damaged')
    },
  })
  const { value } = await bench.run(instantWorkflow, input, steps.activities, async (handle) => {
    await runs(steps)
    await say(handle, 'migrate')
    return result(handle)
  })
  expect(value).toMatchObject({ end: 'migrated', outcome: 'completed' })
  expect(steps.inputs('destroyTarget')).toEqual([])
})

it.each(['discard', 'cancel'] as const)('a VM that cannot be removed is not called gone: %s', async (how) => {
  const steps = new Scripted({
    destroyTarget: async () => ({ residue: [{ kind: 'vm', id: 'now', error: 'its folder is busy', hint: 'Look.' }] }),
  })
  await bench.run(instantWorkflow, input, steps.activities, async (handle) => {
    await runs(steps)
    if (how === 'discard') await say(handle, 'discard')
    else await handle.cancel()
    if (how === 'discard') expect(await result(handle)).toMatchObject({ outcome: 'completed-with-residue' })
    else await expect(handle.result()).rejects.toThrow()
  })
  expect(states(steps)).toEqual(['running', 'failed'])
  expect(steps.inputs('recordInstantState').at(-1)?.error?.message).toContain('its folder is busy')
})

it('a boot that fails, and a cancel at any time, leave nothing behind', async () => {
  const broken = new Scripted({
    bootInstant: async () => {
      throw new HoldfastError('SizeMismatch', 'another size')
    },
  })
  await bench.run(instantWorkflow, input, broken.activities, async (handle) => {
    await expect(handle.result()).rejects.toThrow()
  })
  expect(broken.names(...records).slice(-2)).toEqual(['destroyTarget', 'endServing'])
  expect(broken.inputs('destroyTarget')[0]?.target).toBeNull()

  const steps = new Scripted()
  await bench.run(instantWorkflow, input, steps.activities, async (handle) => {
    await runs(steps)
    await handle.cancel()
    await expect(handle.result()).rejects.toThrow()
  })
  expect(steps.names(...records).slice(-2)).toEqual(['destroyTarget', 'endServing'])
  expect(states(steps)).toEqual(['running', 'discarded'])
})

it('what cannot be handed over is residue; the VM is not touched any more', async () => {
  const steps = new Scripted({
    handOverTarget: async () => {
      throw new HoldfastError('Unsupported', 'no')
    },
  })
  const { value } = await bench.run(instantWorkflow, input, steps.activities, async (handle) => {
    await runs(steps)
    await say(handle, 'migrate')
    return result(handle)
  })
  expect(value).toMatchObject({ outcome: 'completed-with-residue', residue: [{ kind: 'mark' }] })
  expect(steps.inputs('destroyTarget')).toEqual([])
})
