import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { HoldfastError } from '../base/index.ts'
import { slotLeaseMs } from '../catalog/index.ts'
import { slotKeeper } from './slot-keeper.ts'
import { bench, type Bench } from './testing/bench.ts'

let world: Bench
beforeEach(() => {
  world = bench()
})
afterEach(() => world[Symbol.dispose]())

async function startRun(n: number, priority = 3) {
  const { runId, workflowId } = await world.engine.start({
    workflow: 'backupVm',
    workflowId: `backup/vm-${n}`,
    input: {},
    summary: '',
    memo: null,
    search: {},
    priority: 3,
    whenRunning: 'fail',
  })
  world.clock.ms += 1
  const claim = {
    runId,
    workflowId,
    kind: 'backup',
    title: `Backup of vm-${n}`,
    priority,
    needs: ['host/lab', 'repository/main'],
  }
  return { runId, workflowId, claim: () => world.catalog.slots.claim(claim) }
}
const told = () =>
  world.engine.runs.flatMap(({ workflowId, wishes }) => wishes.map(({ name }) => `${workflowId} ${name}`))

describe('the capacity governor', () => {
  it('grants as many as there are slots, tells the next one when one is given back, and survives a restart in between', async () => {
    const { slots } = world.catalog
    slots.setLimit('host/lab', 2)
    const runs = await Promise.all([1, 2, 3, 4].map((n) => startRun(n)))
    expect(runs.map((run) => run.claim().granted)).toEqual([true, true, false, false])
    expect(runs[3]?.claim()).toEqual({ granted: false, waitsFor: ['host/lab'] })
    expect(slots.release(runs[0]?.runId ?? '')).toBe(true)
    // The server that made the grant is gone before it said so; the next one finds it.
    await slotKeeper(world.deps).tick()
    expect(told()).toEqual(['backup/vm-3 slotsGranted'])
    await slotKeeper(world.deps).tick()
    expect(told()).toHaveLength(1)
    expect(runs[2]?.claim().granted).toBe(true)
  })

  it('takes back what a run held that has ended without a word, but only on the word of the engine', async () => {
    const { slots } = world.catalog
    slots.setLimit('host/lab', 1)
    const first = await startRun(1)
    const second = await startRun(2)
    first.claim()
    expect(second.claim().granted).toBe(false)
    const keeper = slotKeeper(world.deps)
    const [gone] = world.engine.runs
    if (gone !== undefined) world.engine.end(gone, 'terminated')
    await keeper.tick()
    expect(slots.list()).toHaveLength(2)
    world.clock.ms += slotLeaseMs + 10
    world.engine.away = true
    await expect(keeper.tick()).rejects.toMatchObject({ code: 'TemporalUnavailable' })
    expect(slots.list()).toHaveLength(2)
    world.engine.away = false
    await keeper.tick()
    expect(slots.list().map(({ runId }) => runId)).toEqual([second.runId])
    await keeper.tick()
    expect(told()).toEqual(['backup/vm-2 slotsGranted'])
  })

  it('one that the engine refuses keeps no other from its word, nor dead ones from giving their slots back', async () => {
    const { slots } = world.catalog
    slots.setLimit('host/lab', 3)
    const runs = []
    for (const n of [1, 2, 3, 4, 5]) runs.push(await startRun(n))
    for (const run of runs) run.claim()
    for (const n of [0, 1]) slots.release(runs[n]?.runId ?? '')
    const signal = world.engine.signal.bind(world.engine)
    world.engine.signal = async (run, ...rest) => {
      if (run.workflowId === 'backup/vm-4') throw new HoldfastError('Internal', 'refused')
      await signal(run, ...rest)
    }
    const third = world.engine.runs.find(({ workflowId }) => workflowId === 'backup/vm-3')
    if (third !== undefined) world.engine.end(third, 'terminated')
    world.clock.ms += slotLeaseMs + 10
    await expect(slotKeeper(world.deps).tick()).rejects.toThrow('refused')
    expect(told()).toEqual(['backup/vm-5 slotsGranted'])
    expect(slots.list().map(({ workflowId }) => workflowId)).toEqual(['backup/vm-4', 'backup/vm-5'])
  })

  it('lets a run that is open keep its slot, however long it takes', async () => {
    const { slots } = world.catalog
    const run = await startRun(1)
    run.claim()
    for (let round = 0; round < 5; round += 1) {
      world.clock.ms += slotLeaseMs + 10
      await slotKeeper(world.deps).tick()
    }
    expect(slots.list()).toHaveLength(1)
  })

  it('makes no restore wait for backups', async () => {
    const { slots } = world.catalog
    slots.setLimit('host/lab', 1)
    for (const n of [1, 2, 3]) (await startRun(n)).claim()
    expect((await startRun(4, 1)).claim()).toEqual({ granted: true, waitsFor: [] })
    expect((await startRun(5, 1)).claim().granted).toBe(false)
  })
})

it('slots are seen and set by the API, and a resource that is none is refused', async () => {
  const run = await startRun(1)
  run.claim()
  const set = await world.call('PUT', '/api/v1/slots/host/lab', { slots: 2 })
  expect(set.status).toBe(200)
  const { items } = await world.get<{ items: { resource: string }[] }>('/api/v1/slots')
  expect(items).toMatchObject([
    {
      resource: 'host/lab',
      slots: 2,
      isDefault: false,
      working: 1,
      waiting: 0,
      runs: [{ title: 'Backup of vm-1', state: 'working' }],
    },
    { resource: 'repository/main', slots: 8, isDefault: true, working: 1 },
  ])
  expect((await world.call('PUT', '/api/v1/slots/moon/lab', { slots: 2 })).status).toBe(400)
  expect((await world.call('PUT', '/api/v1/slots/host/lab', { slots: 0 })).status).toBe(400)
  await world.call('PUT', '/api/v1/slots/host/lab', { slots: null })
  expect(world.catalog.slots.limits()).toEqual([])
})
