import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { aPoint, aRun, pointIdOf, testNow } from '../catalog/testing.ts'
import type { RecoverySpec } from '../policy/index.ts'
import type { KeepPointInput } from '../workflows/retention/contract.ts'
import { holdKeeper } from './hold-keeper.ts'
import { bench, type Bench } from './testing/bench.ts'

const id = pointIdOf(1)
const copy = `${aPoint(1).stem.slice(0, -32)}${'e'.repeat(32)}`
const minute = 60_000
const wish = { type: 'legal', actor: 'ann', reason: 'case 4711' } as const
let here: Bench
beforeEach(() => {
  here = bench()
  const location = { kind: 's3', url: 's3://offsite/holdfast' } as const
  here.catalog.repositories.add({ name: 'offsite', site: 'local', location, credentialRef: 'file:/secrets/offsite' })
  here.catalog.points.record(aPoint(1))
  here.engine.answers.set('keepPoint', () => ({ holds: [] }))
})
afterEach(() => here[Symbol.dispose]())

const hold = (repositoryId: string, stem: string): void =>
  here.catalog.retained.addHold({
    ...{ name: `hold/${stem.slice(-32)}-1`, repositoryId, pointId: id, ...wish, ms: testNow },
  })
const found = (stem = copy): void =>
  here.catalog.copies.found({
    ...{ pointId: id, repositoryId: 'offsite', stem, sourceId: 'main', validatedMs: testNow, lockUntilMs: null },
  })
const acts = (): KeepPointInput[] => here.engine.started.map(({ input }) => input as KeepPointInput)

it('a copy that came after the hold is held by the same person for the same reason, asked once until it is there', async () => {
  const keeper = holdKeeper(here.deps)
  const look = async (ms = minute): Promise<void> => {
    here.clock.ms += ms
    await keeper.tick()
  }
  hold('main', aPoint(1).stem)
  await look()
  found()
  await look()
  // At first sight somebody may be at it.
  expect(acts()).toEqual([])
  await look()
  expect(acts()).toMatchObject([
    {
      ...{ repository: { id: 'offsite' }, stem: copy, act: { kind: 'hold', type: 'legal' } },
      requestedBy: { user: 'ann', reason: 'case 4711' },
    },
  ])
  here.engine.runs.forEach((run) => here.engine.end(run, 'failed'))
  for (let n = 0; n < 9; n += 1) await look()
  expect(acts()).toHaveLength(1)
  // Its repository was away.
  await look()
  expect(acts()).toHaveLength(2)
  hold('offsite', copy)
  await look(20 * minute)
  await look(20 * minute)
  expect(acts()).toHaveLength(2)
})

it('a hold that is ended between two looks is not placed again', async () => {
  const keeper = holdKeeper(here.deps)
  hold('main', aPoint(1).stem)
  found()
  here.clock.ms += minute
  await keeper.tick()
  here.catalog.retained.dropHold(`hold/${id}-1`)
  here.clock.ms += minute
  await keeper.tick()
  expect(acts()).toEqual([])
})

it('an engine that is away is asked again later, and stops nothing else', async () => {
  const keeper = holdKeeper(here.deps)
  hold('main', aPoint(1).stem)
  found()
  here.engine.away = true
  for (const ms of [minute, minute]) {
    here.clock.ms += ms
    await keeper.tick()
  }
  expect(acts()).toEqual([])
  here.engine.away = false
  here.clock.ms += 10 * minute
  await keeper.tick()
  expect(acts()).toHaveLength(1)
})

it('through the API a hold is placed in every repository that has the point, and one that is away is told as missing', async () => {
  found()
  const path = `/api/v1/points/${id}/holds`
  here.engine.answers.set('keepPoint', (input) => {
    const { repository, stem } = input as KeepPointInput
    if (repository.id === 'offsite') throw new Error('the store is away')
    hold(repository.id, stem)
    return { holds: [] }
  })
  here.catalog.retained.addHold({
    ...{ name: `hold/${id}-9`, repositoryId: 'main', pointId: id, type: 'pin', actor: 'bob', reason: 'x', ms: 1 },
  })
  const response = await here.call('POST', path, { type: 'legal', reason: 'case 4711' })
  expect(response.status).toBe(200)
  expect(acts().map(({ repository, stem }) => [repository.id, stem])).toEqual([
    ['main', aPoint(1).stem],
    ['offsite', copy],
  ])
  expect(await response.json()).toMatchObject({
    items: [{ actor: 'bob' }, { repositoryId: 'main', type: 'legal' }],
    missing: [{ repositoryId: 'offsite', type: 'legal' }, { type: 'pin' }],
  })
})

it('one hold in two repositories is ended by either of its names, and what fails there is told', async () => {
  found()
  hold('main', aPoint(1).stem)
  hold('offsite', copy)
  const path = `/api/v1/points/${id}/release`
  expect((await here.call('POST', path, { hold: `hold/${copy.slice(-32)}-1` })).status).toBe(200)
  expect(acts().map(({ repository, act }) => [repository.id, act])).toEqual([
    ['main', { kind: 'release', holds: [`hold/${id}-1`] }],
    ['offsite', { kind: 'release', holds: [`hold/${copy.slice(-32)}-1`] }],
  ])
  here.engine.answers.set('keepPoint', (input) => {
    if ((input as KeepPointInput).repository.id === 'main') throw new Error('the store is away')
    return { holds: [] }
  })
  expect((await here.call('POST', path, { hold: `hold/${id}-1` })).status).toBeGreaterThanOrEqual(500)
  expect(acts()).toHaveLength(4)
})

describe('holds of recovery plans', () => {
  const other = 'b'.repeat(32)
  const tier: RecoverySpec['tiers'][number] = {
    ...{ key: 'web', name: 'Web', after: null, delayMs: 0, needs: 'checks', bootTimeoutMs: 1, rtoMs: null },
    ...{ before: [], then: [], members: [{ vmId: 'web-01', hypervisorId: null, name: null }] },
  }
  const begin = (runId: string): void => {
    here.catalog.recoveryRuns.open({
      ...{ runId, workflowId: `recovery/${runId}`, planId: runId, planName: runId, mode: 'rehearse', untilMs: null },
      ...{ withoutPeople: false, requestedUser: 'ann', startedMs: testNow, vmNames: new Map() },
      spec: {
        description: '',
        hypervisorId: null,
        networks: [],
        identity: 'new',
        atOnce: 1,
        rehearseEveryMs: null,
        tiers: [tier],
      },
    })
  }
  const placed = (runId: string, name = `hold/${id}-${runId}`): void =>
    here.catalog.retained.addHold({
      ...{ name, repositoryId: 'main', pointId: id, type: 'pin', actor: `recovery:${runId}`, reason: '', ms: testNow },
    })
  const look = async (keeper: ReturnType<typeof holdKeeper>, times: number): Promise<void> => {
    for (let n = 0; n < times; n += 1) {
      here.clock.ms += minute
      await keeper.tick()
    }
  }

  it('are ended when their run is over; those of a run that goes on, and of other installations, are not', async () => {
    const keeper = holdKeeper(here.deps)
    for (const runId of ['r1', 'r2']) begin(runId)
    for (const runId of ['r1', 'r2', other]) placed(runId)
    placed('r1', `hold/${id}-again`)
    await look(keeper, 2)
    expect(acts()).toEqual([])
    here.catalog.recoveryRuns.close('r1', { state: 'aborted', why: '', endedMs: testNow })
    await look(keeper, 1)
    // The run may be letting go at this moment.
    expect(acts()).toEqual([])
    await look(keeper, 1)
    expect(acts()).toMatchObject([
      {
        ...{ repository: { id: 'main' }, stem: aPoint(1).stem },
        ...{
          act: { kind: 'release', holds: [`hold/${id}-again`, `hold/${id}-r1`] },
          requestedBy: { user: 'holdfast' },
        },
      },
    ])
  })

  it('stay while a restore that a terminated run has left behind still reads the point', async () => {
    const keeper = holdKeeper(here.deps)
    begin('r1')
    placed('r1')
    const run = { ...aRun(1), workflowId: 'recovery/r1', runId: 'r1', kind: 'recovery' as const, pointId: null }
    here.catalog.runs.started(run)
    here.catalog.runs.started(aRun(2, { kind: 'restore', workflowId: 'restore/2', pointId: id }))
    here.catalog.runs.observe('r1', { state: 'terminated', endedMs: testNow })
    await look(keeper, 3)
    expect(acts()).toEqual([])
    here.catalog.runs.observe(aRun(2).runId, { state: 'completed', endedMs: testNow })
    await look(keeper, 2)
    expect(acts()).toMatchObject([{ act: { kind: 'release' } }])
  })
})

it('goes on by a clock that was set back', async () => {
  const keeper = holdKeeper(here.deps)
  hold('main', aPoint(1).stem)
  found()
  here.clock.ms += 2 * 24 * 60 * minute
  await keeper.tick()
  here.clock.ms -= 24 * 60 * minute
  await keeper.tick()
  expect(acts()).toHaveLength(1)
})
