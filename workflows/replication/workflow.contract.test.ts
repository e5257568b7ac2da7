import { afterAll, beforeAll, expect, it } from 'vitest'
import type { WorkflowHandle } from '@temporalio/client'
import { HoldfastError } from '../../base/index.ts'
import {
  sampleEndpoint,
  samplePoint,
  sampleRequester,
  sampleSite,
  sampleTarget,
} from '../../activities/testing/samples.ts'
import { Scripted, standbyView, untilCancelled } from '../../activities/testing/scripted.ts'
import { planFailure } from '../../server/testing/plans.ts'
import { WorkflowBench, eventually } from '../../server/testing/workflows.ts'
import { pauseUpdate } from '../shared/contract.ts'
import {
  failoverWorkflow,
  replicationWorkflow,
  standbyTestWorkflow,
  type FailoverInput,
  type FailoverResult,
  type Move,
  type ReplicationInput,
  type ReplicationPair,
  type ReplicationResult,
  type StandbyTestInput,
  type StandbyTestResult,
} from './contract.ts'

let bench: WorkflowBench
beforeAll(async () => {
  bench = await WorkflowBench.start()
})
afterAll(async () => bench[Symbol.asyncDispose]())

const pair: ReplicationPair = {
  ...{ id: '7'.repeat(32), source: sampleTarget, site: sampleSite, name: 'erp-db-01-standby' },
  endpoint: { ...sampleEndpoint, address: '/paris' },
}
const common = { v: 1, pair, requestedBy: sampleRequester, tuning: { operatorWaitMs: 0 } } as const
const records = ['recordRunStarted', 'recordRunFinished'] as const
const cycle = <T>(steps: Scripted, drive: (handle: WorkflowHandle) => Promise<T>): Promise<T> =>
  bench
    .run(replicationWorkflow, { ...common, full: false } satisfies ReplicationInput, steps.activities, drive)
    .then(({ value }) => value)
const move = <T>(steps: Scripted, wish: Move, drive: (handle: WorkflowHandle) => Promise<T>): Promise<T> =>
  bench
    .run(failoverWorkflow, { ...common, move: wish } satisfies FailoverInput, steps.activities, drive)
    .then(({ value }) => value)
const result = (handle: WorkflowHandle): Promise<FailoverResult> => handle.result() as Promise<FailoverResult>
const powers = (steps: Scripted): string[] =>
  steps.inputs('powerVm').map(({ vm, want }) => `${want} ${vm.scope === 'paris' ? 'standby' : 'source'}`)
const ends = (steps: Scripted) => steps.inputs('endReplication').map(({ state, error }) => [state, error?.code ?? null])

/** Who was told to stop is off from then on. */
const powered = (before: (vm: { readonly scope: string }) => 'running' | 'stopped') => {
  const now = new Map<string, 'running' | 'stopped'>()
  return {
    readPower: async ({ vm }: { readonly vm: { readonly scope: string } }) => ({
      state: now.get(vm.scope) ?? before(vm),
    }),
    powerVm: async ({ want, vm }: { readonly want: string; readonly vm: { readonly scope: string } }) => {
      const after = want === 'running' ? ('running' as const) : ('stopped' as const)
      now.set(vm.scope, after)
      return { before: 'running' as const, after }
    },
  }
}
const inParis = ({ scope }: { readonly scope: string }) => (scope === 'paris' ? 'running' : 'stopped')

it('publishes a state only when all of it was copied and its point stayed whole, and then lets the point go', async () => {
  const steps = new Scripted()
  const value = await cycle(steps, (handle) => handle.result() as Promise<ReplicationResult>)
  expect(value).toMatchObject({ outcome: 'completed', links: 2, writtenBytes: 8 * 2 ** 20, isFull: false })
  expect(steps.names(...records)).toEqual([
    ...['beginReplication', 'openSource', 'beginState', 'replicateDisk', 'replicateDisk', 'checkPoint'],
    ...['publishState', 'releasePoint', 'recordState'],
  ])
  expect(steps.inputs('openSource')[0]).toMatchObject({ full: false, sink: { kind: 'standby', operation: pair.id } })
})

it('a cycle that fails undoes its point and publishes nothing; what it was is written down', async () => {
  const steps = new Scripted({
    checkPoint: async () => {
      throw new HoldfastError('CapacityExhausted', 'no space')
    },
  })
  expect(await cycle(steps, planFailure)).toMatchObject({ type: 'CapacityExhausted' })
  expect(steps.names()).not.toContain('publishState')
  expect(steps.names()).toEqual(expect.arrayContaining(['ensureRunning', 'abortPoint']))
  expect(ends(steps)).toEqual([[null, 'CapacityExhausted']])
})

it('a point that broke is opened anew, and a tracker that is not believed is read in full', async () => {
  const steps = new Scripted({
    checkPoint: async (_input, call) => {
      if (call === 1) throw new HoldfastError('PointBroken', 'scratch full')
      if (call === 2) throw new HoldfastError('ChangeRefInvalid', 'not believed')
    },
  })
  await cycle(steps, (handle) => handle.result())
  expect(steps.inputs('openSource').map(({ full }) => full)).toEqual([false, false, true])
  expect(new Set(steps.inputs('openSource').map(({ pointId }) => pointId)).size).toBe(3)
})

it('a cancelled cycle leaves no point', async () => {
  const steps = new Scripted({ replicateDisk: () => untilCancelled() })
  await cycle(steps, async (handle) => {
    await eventually('the copy', () => steps.inputs('replicateDisk').length > 0)
    await handle.cancel()
    await expect(handle.result()).rejects.toThrow()
  })
  expect(steps.names()).toContain('abortPoint')
  expect(ends(steps)).toEqual([[null, null]])
})

it('a planned failover stops the source before it reads its last state, and starts the standby after', async () => {
  const steps = new Scripted(powered(() => 'running'))
  const value = await move(steps, 'planned', result)
  expect(value).toMatchObject({ move: 'planned', fence: 'off', lostMs: 0, residue: [] })
  const names = steps.names(...records)
  expect(names.indexOf('powerVm')).toBeGreaterThan(names.indexOf('publishState'))
  expect(names.lastIndexOf('publishState')).toBeGreaterThan(names.indexOf('powerVm'))
  expect(names.indexOf('takeOver')).toBeGreaterThan(names.lastIndexOf('publishState'))
  expect(names).not.toContain('withdrawTakeover')
  expect(ends(steps)).toEqual([['failed-over', null]])
})

it('a standby that does not start is withdrawn, and then the source is started again', async () => {
  const steps = new Scripted({
    ...powered(() => 'running'),
    takeOver: async () => {
      throw new HoldfastError('CapacityExhausted', 'no memory')
    },
  })
  expect(await move(steps, 'planned', planFailure)).toMatchObject({ type: 'CapacityExhausted' })
  const names = steps.names(...records)
  expect(names.slice(names.indexOf('takeOver'))).toEqual(['takeOver', 'withdrawTakeover', 'powerVm', 'endReplication'])
  expect(powers(steps)).toEqual(['stopped source', 'running source'])
  expect(ends(steps)).toEqual([['following', 'CapacityExhausted']])
})

it('an unplanned failover starts at once, and says that a source that cannot be reached may run', async () => {
  const steps = new Scripted({
    readPower: async () => ({ state: 'running' }),
    fenceSource: async () => {
      throw new HoldfastError('AccessDenied', 'lyon is gone')
    },
  })
  const value = await move(steps, 'unplanned', result)
  expect(value).toMatchObject({ fence: 'unreachable', outcome: 'completed-with-residue' })
  expect(value.residue[0]?.error).toContain('lyon is gone')
  expect(value.lostMs).toBeGreaterThan(0)
  expect(steps.names()).not.toContain('openSource')
  expect(steps.inputs('endReplication')[0]).toMatchObject({ state: 'failed-over', change: { fence: 'unreachable' } })
})

it('a standby that may run keeps the source off: nothing is started beside it', async () => {
  const script = {
    takeOver: async () => {
      throw new HoldfastError('CapacityExhausted', 'no memory')
    },
    withdrawTakeover: async () => {
      throw new HoldfastError('AccessDenied', 'paris answers nobody')
    },
  }
  for (const wish of ['planned', 'unplanned'] as const) {
    const steps = new Scripted({ ...powered(() => 'running'), ...script })
    expect(await move(steps, wish, planFailure)).toMatchObject({ type: 'CapacityExhausted' })
    expect(powers(steps)).not.toContain('running source')
    expect(steps.inputs('recordRunFinished')[0]?.residue).toMatchObject([
      { kind: 'running-vm', id: pair.name },
      { kind: 'stopped-vm', error: `not started: ${pair.name} may run` },
    ])
    expect(ends(steps)).toEqual([['failing-over', 'CapacityExhausted']])
  }
})

it.each([
  ['there is none', null, /there is none/],
  ['it runs', { ...standbyView, power: 'running' }, /it is running/],
  ['it has taken over', { ...standbyView, role: 'taken-over' }, /taken over/],
  ['it is being removed', { ...standbyView, role: 'removing' }, /removal was begun/],
  ['its withdrawn takeover runs', { ...standbyView, role: 'withdrawing', power: 'running' }, /it is running/],
  ['it was written to', { ...standbyView, isTouched: true }, /written to it/],
  ['it holds nothing', { ...standbyView, head: null }, /no state/],
] as const)(
  'an unplanned failover leaves the source alone if the standby cannot start: %s',
  async (_why, view, words) => {
    const steps = new Scripted({ inspectStandby: async () => view })
    const failure = await move(steps, 'unplanned', planFailure)
    expect(failure).toMatchObject({ type: 'ReplicationRefused', message: expect.stringMatching(words) as string })
    for (const name of ['fenceSource', 'powerVm', 'takeOver']) expect(steps.names()).not.toContain(name)
  },
)

it('an unplanned failover waits for no person while nobody runs: the source is started again', async () => {
  const steps = new Scripted({
    takeOver: async () => {
      throw new HoldfastError('ForeignState', 'its port is taken')
    },
  })
  const input: FailoverInput = { ...common, move: 'unplanned', tuning: { operatorWaitMs: 3_600_000 } }
  const { value } = await bench.run(failoverWorkflow, input, steps.activities, planFailure)
  expect(value).toMatchObject({ type: 'ForeignState' })
  expect(powers(steps)).toEqual(['running source'])
})

it('a source whose switching off is not known to have ended is started again when the standby does not start', async () => {
  const steps = new Scripted({
    fenceSource: async () => {
      throw new HoldfastError('AccessDenied', 'the answer was lost')
    },
    takeOver: async () => {
      throw new HoldfastError('CapacityExhausted', 'no memory')
    },
  })
  expect(await move(steps, 'unplanned', planFailure)).toMatchObject({ type: 'CapacityExhausted' })
  const names = steps.names(...records)
  expect(names.slice(names.indexOf('takeOver'))).toEqual(['takeOver', 'withdrawTakeover', 'powerVm', 'endReplication'])
  expect(powers(steps)).toEqual(['running source'])
})

it('a source that is off already is not switched off, and not started when the standby does not start', async () => {
  const steps = new Scripted({
    readPower: async () => ({ state: 'stopped' }),
    takeOver: async () => {
      throw new HoldfastError('CapacityExhausted', 'no memory')
    },
  })
  await move(steps, 'unplanned', planFailure)
  expect(powers(steps)).toEqual([])
  expect(steps.names()).not.toContain('fenceSource')
})

it('another run that reads the source after its shutdown is waited for for a minute: then the source is started again', async () => {
  const steps = new Scripted({
    openSource: async ({ pointId }, call) => {
      if (call > 1) throw new HoldfastError('ForeignState', 'another run of ours reads it')
      return samplePoint(pointId, [])
    },
  })
  const input: FailoverInput = { ...common, move: 'planned', tuning: { operatorWaitMs: 24 * 3_600_000 } }
  const began = Date.now()
  await bench.run(failoverWorkflow, input, steps.activities, planFailure)
  expect(Date.now() - began).toBeLessThan(75_000)
  expect(powers(steps)).toEqual(['stopped source', 'running source'])
}, 120_000)

it('a failback is refused while the source runs: two copies would', async () => {
  const steps = new Scripted({
    readPower: async () => ({ state: 'running' }),
    inspectStandby: async () => ({ ...standbyView, role: 'taken-over' }),
  })
  expect(await move(steps, 'failback', planFailure)).toMatchObject({ type: 'ReplicationRefused' })
  expect(steps.names()).not.toContain('openSource')
  expect(ends(steps)).toEqual([['failed-over', 'ReplicationRefused']])
})

it('a failback brings all of it over, then its last state, swaps, starts, and lets the standby follow', async () => {
  const steps = new Scripted({
    ...powered(inParis),
    inspectStandby: async () => ({ ...standbyView, role: 'taken-over' }),
  })
  const value = await move(steps, 'failback', result)
  expect(value).toMatchObject({ move: 'failback', lostMs: 0, residue: [] })
  expect(powers(steps)).toEqual(['stopped standby', 'running source'])
  const [first, last] = steps.inputs('openSource')
  expect(first).toMatchObject({ since: null, vm: { scope: 'paris' } })
  expect(last?.since).not.toBeNull()
  expect(steps.names().slice(-5)).toEqual([
    'powerVm',
    'handOverTarget',
    'adoptStandby',
    'endReplication',
    'recordRunFinished',
  ])
  expect(steps.inputs('endReplication')[0]).toMatchObject({ state: 'following', head: { pointId: last?.pointId } })
})

it('a source that does not start again gets its old disks back, and the standby runs on', async () => {
  const power = powered(inParis)
  const steps = new Scripted({
    ...power,
    inspectStandby: async () => ({ ...standbyView, role: 'taken-over' }),
    powerVm: async (input) => {
      if (input.want === 'running' && input.vm.scope !== 'paris') throw new HoldfastError('AccessDenied', 'no')
      return power.powerVm(input)
    },
  })
  await move(steps, 'failback', (handle) => expect(handle.result()).rejects.toThrow())
  const names = steps.names(...records)
  // The side that works comes first: the other may be gone.
  expect(names.slice(names.indexOf('finalizeTarget') + 3)).toEqual([
    'powerVm',
    'powerVm',
    'revertTarget',
    'destroyTarget',
    'endReplication',
  ])
  expect(powers(steps).at(-1)).toBe('running standby')
  expect(ends(steps)).toEqual([['failed-over', 'AccessDenied']])
})

it('a source that was started by a failback and cannot be ended keeps the standby off', async () => {
  const power = powered(inParis)
  const steps = new Scripted({
    ...power,
    inspectStandby: async () => ({ ...standbyView, role: 'taken-over' }),
    powerVm: async (input) => {
      if (input.want === 'running' && input.vm.scope !== 'paris')
        throw new HoldfastError('AccessDenied', 'the answer was lost')
      await power.powerVm(input)
      return { before: 'running', after: input.want === 'stopped' ? 'stopped' : 'running' }
    },
  })
  await move(steps, 'failback', planFailure)
  expect(powers(steps)).toEqual(['stopped standby', 'running source', 'off source'])
  expect(steps.inputs('recordRunFinished')[0]?.residue).toMatchObject([
    { kind: 'running-vm', id: sampleTarget.ref.name },
    { kind: 'stopped-vm', id: pair.name },
  ])
})

it('a standby that has taken over is not removed, whatever the catalog says', async () => {
  const taken = new Scripted({ inspectStandby: async () => ({ ...standbyView, role: 'taken-over' }) })
  expect(await move(taken, 'remove', planFailure)).toMatchObject({ type: 'ReplicationRefused' })
  expect(taken.names()).not.toContain('removeStandby')
  const steps = new Scripted()
  expect(await move(steps, 'remove', result)).toMatchObject({ outcome: 'completed' })
  expect(steps.names()).toContain('forgetReplication')
})

it('a withdrawal that was cut off keeps nobody from the standby: it is started, or removed, and never brought back', async () => {
  const withdrawing = { inspectStandby: async () => ({ ...standbyView, role: 'withdrawing' as const }) }
  const steps = new Scripted({ ...withdrawing, ...powered(inParis) })
  expect(await move(steps, 'unplanned', result)).toMatchObject({ fence: 'off' })
  expect(await move(steps, 'remove', result)).toMatchObject({ outcome: 'completed' })
  expect(await move(steps, 'failback', planFailure)).toMatchObject({ type: 'ReplicationRefused' })
  const runs = { ...standbyView, role: 'withdrawing', power: 'running' } as const
  const refused = new Scripted({ inspectStandby: async () => runs })
  expect(await move(refused, 'remove', planFailure)).toMatchObject({ type: 'ReplicationRefused' })
  expect(refused.names()).not.toContain('removeStandby')
})

it('a standby that was given other disks is seeded after a failback, and not said to hold anything', async () => {
  const steps = new Scripted({
    ...powered(inParis),
    inspectStandby: async () => ({ ...standbyView, role: 'taken-over' }),
    adoptStandby: async () => null,
  })
  expect(await move(steps, 'failback', result)).toMatchObject({ outcome: 'completed' })
  expect(steps.inputs('endReplication')[0]).toMatchObject({ state: 'seeding', head: null })
})

it('nothing is brought back from a standby that follows', async () => {
  const steps = new Scripted({ readPower: async () => ({ state: 'stopped' }) })
  expect(await move(steps, 'failback', planFailure)).toMatchObject({ type: 'ReplicationRefused' })
  expect(steps.names()).not.toContain('openSource')
  // The catalog that said otherwise is put right.
  expect(ends(steps)).toEqual([['following', 'ReplicationRefused']])
})

it.each(['planned', 'failback'] as const)(
  'a %s move starts nothing beside a side that somebody has started again meanwhile',
  async (wish) => {
    const power = powered(wish === 'planned' ? () => 'running' : inParis)
    const steps = new Scripted({
      ...power,
      readPower: async (input, call) =>
        call >= 3 || (wish === 'planned' && call >= 2) ? { state: 'running' } : power.readPower(input),
      inspectStandby: async () => ({ ...standbyView, role: 'taken-over' }),
    })
    expect(await move(steps, wish, planFailure)).toMatchObject({ type: 'GuestRefused' })
    expect(steps.names()).not.toContain('takeOver')
    const who = wish === 'planned' ? 'source' : 'standby'
    expect(powers(steps)).toEqual([`stopped ${who}`, `running ${who}`])
    expect(ends(steps)).toEqual([[wish === 'planned' ? 'following' : 'failed-over', 'GuestRefused']])
  },
)

it('a planned failover waits for the end of a cycle, an unplanned one pushes it aside', async () => {
  const planned = new Scripted(powered(() => 'running'))
  await move(planned, 'planned', result)
  expect(planned.inputs('beginReplication')).toMatchObject([{ act: 'failover', aside: false }])
  const unplanned = new Scripted(powered(() => 'running'))
  await move(unplanned, 'unplanned', result)
  expect(unplanned.inputs('beginReplication')[0]).not.toHaveProperty('aside')
})

it('a round that breaks while nobody runs opens no way to pause, and a shutdown has a limit of its own', async () => {
  let goOn = (): void => undefined
  const held = new Promise<void>((resolve) => {
    goOn = resolve
  })
  const steps = new Scripted({
    ...powered(() => 'running'),
    checkPoint: async (_input, call) => {
      if (call === 2) throw new HoldfastError('PointBroken', 'scratch full')
    },
    replicateDisk: async ({ disk }, call) => {
      if (call > 4) await held
      return { disk, writtenBytes: 1, bytesResumed: 0 }
    },
  })
  await move(steps, 'planned', async (handle) => {
    await eventually('the round after the broken one', () => steps.inputs('replicateDisk').length > 4)
    await expect(handle.executeUpdate(pauseUpdate, { args: [sampleRequester] })).rejects.toThrow()
    goOn()
    await handle.result()
    const { events } = await handle.fetchHistory()
    const limits = (events ?? []).flatMap(({ activityTaskScheduledEventAttributes: one }) =>
      one?.activityType?.name === 'powerVm' ? [Number(one.scheduleToCloseTimeout?.seconds)] : [],
    )
    expect(limits).toEqual([330])
  })
})

it('a standby that does not follow after a failback is not said to', async () => {
  const steps = new Scripted({
    ...powered(inParis),
    inspectStandby: async () => ({ ...standbyView, role: 'taken-over' }),
    adoptStandby: async () => {
      throw new HoldfastError('AccessDenied', 'paris answers nobody')
    },
  })
  expect(await move(steps, 'failback', result)).toMatchObject({ outcome: 'completed-with-residue' })
  expect(ends(steps)).toEqual([['failing-back', null]])
})

it('a failover whose end cannot be written down fails, and says nothing false of the pair', async () => {
  const steps = new Scripted({
    ...powered(() => 'running'),
    endReplication: async () => {
      throw new HoldfastError('AccessDenied', 'the catalog is read-only')
    },
  })
  expect(await move(steps, 'planned', planFailure)).toMatchObject({ type: 'AccessDenied' })
  expect(ends(steps)).toEqual([['failed-over', null]])
  expect(steps.names()).not.toContain('withdrawTakeover')
})

it('what the state of the pair does not allow is refused before anything is touched', async () => {
  const steps = new Scripted({
    beginReplication: async () => {
      throw new HoldfastError('ReplicationRefused', 'no failover: the standby has taken over')
    },
  })
  expect(await move(steps, 'unplanned', planFailure)).toMatchObject({ type: 'ReplicationRefused' })
  expect(steps.names(...records)).toEqual(['beginReplication', 'endReplication'])
})

it('a test ends with nothing, whether its guest answers or the run is cancelled', async () => {
  const input: StandbyTestInput = { ...common, holdMs: 0, limitMs: 1000 }
  const silent = new Scripted({ testStandby: async () => ({ answered: false, bootMs: 1000 }) })
  const { value } = await bench.run(
    standbyTestWorkflow,
    input,
    silent.activities,
    (handle) => handle.result() as Promise<StandbyTestResult>,
  )
  expect(value).toMatchObject({ answered: false, outcome: 'completed' })
  expect(silent.inputs('recordStandbyTest')).toMatchObject([{ outcome: 'silent' }])
  expect(silent.names(...records).at(-1)).toBe('endStandbyTest')
  const held = new Scripted()
  await bench.run(standbyTestWorkflow, { ...input, holdMs: 3_600_000 }, held.activities, async (handle) => {
    await eventually('the outcome', () => held.inputs('recordStandbyTest').length === 1)
    await handle.cancel()
    await expect(handle.result()).rejects.toThrow()
  })
  expect(held.names()).toContain('endStandbyTest')
  expect(held.inputs('recordStandbyTest')).toMatchObject([{ outcome: 'answered' }])
})
