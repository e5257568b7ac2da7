import type { Client, ScheduleOptions } from '@temporalio/client'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { testCatalog, type TestCatalog } from '../catalog/testing.ts'
import { planDefaults, type PlanSpec } from '../policy/index.ts'
import { WorkflowBench, eventually } from '../server/testing/workflows.ts'
import { planScheduleId, scheduledRunId } from '../workflows/plan/contract.ts'
import { scheduleKeeper, type ScheduleKeeper } from './schedule-keeper.ts'

const log = { info: () => undefined, warn: () => undefined, error: () => undefined }
const targets = [{ repository: 'main', copy: 'backup', keep: null }] as const

let bench: WorkflowBench
beforeAll(async () => {
  bench = await WorkflowBench.start()
})
afterAll(async () => {
  await bench[Symbol.asyncDispose]()
})

let world: TestCatalog
beforeEach(() => {
  world = testCatalog()
})
afterEach(async () => {
  for await (const { scheduleId } of client().schedule.list())
    await Promise.allSettled([client().schedule.getHandle(scheduleId).delete()])
  world[Symbol.dispose]()
})

const client = (): Client => bench.wholeClient
const keeper = (of: Client = client()): ScheduleKeeper =>
  scheduleKeeper({ catalog: world.catalog, client: of, log, now: () => world.clock.ms })
function put(name: string, over: Partial<PlanSpec> = {}): void {
  const schedule = { kind: 'calendar', at: ['02:30'] } as const
  world.catalog.plans.put({ ...planDefaults, name, targets, schedule, timeZone: 'Europe/Paris', ...over }, null)
}
const described = (plan: string) => client().schedule.getHandle(planScheduleId(plan)).describe()
/** The list of the engine follows a little later. */
const listed = async (...ids: string[]): Promise<void> => {
  await eventually('the list', async () => {
    const found: string[] = []
    for await (const { scheduleId } of client().schedule.list()) found.push(scheduleId)
    return JSON.stringify(found.sort()) === JSON.stringify(ids.sort())
  })
}
const nothing = { created: [], updated: [], removed: [], left: [] }
const byHand = (scheduleId: string, memo?: Record<string, unknown>): ScheduleOptions => ({
  scheduleId,
  spec: { intervals: [{ every: '1 day' }] },
  action: { type: 'startWorkflow', workflowType: 'theirs', workflowId: 'theirs', taskQueue: 'theirs' },
  ...(memo && { memo }),
})

describe('schedules follow the plans', () => {
  it('one is made for each plan by the clock, with our rules; a second look changes nothing', async () => {
    put('nightly')
    put('hourly', { schedule: { kind: 'every', everyMs: 3_600_000 }, paused: true })
    put('by-hand', { schedule: { kind: 'manual' } })
    put('next', { schedule: { kind: 'after', plan: 'nightly' } })
    expect(await keeper().reconcile()).toEqual({ ...nothing, created: ['hourly', 'nightly'] })
    expect(await described('nightly')).toMatchObject({
      state: { paused: false },
      policies: { overlap: 'SKIP', catchupWindow: 6 * 3_600_000, pauseOnFailure: false },
      spec: { timezone: 'Europe/Paris', jitter: 900_000 },
      action: { workflowType: 'planRun', taskQueue: 'holdfast.control', args: [{ plan: 'nightly', part: 0 }] },
    })
    expect((await described('hourly')).state).toMatchObject({ paused: true, note: 'the plan hourly is paused' })
    expect(await keeper().reconcile()).toEqual(nothing)
  })

  it('a change takes effect at its first applicable time; a pause, another kind and a removal are followed', async () => {
    put('nightly')
    put('other')
    await keeper().reconcile()
    put('nightly', { schedule: { kind: 'calendar', at: ['14:00'] }, timeZone: 'UTC' })
    expect(await keeper().reconcile()).toMatchObject({ updated: ['nightly'] })
    const { info, spec } = await described('nightly')
    expect(spec.timezone).toBe('UTC')
    const [next] = info.nextActionTimes
    const due = new Date()
    due.setUTCHours(14, 0, 0, 0)
    if (due.getTime() < Date.now()) due.setUTCDate(due.getUTCDate() + 1)
    // It starts at most its jitter later.
    expect((next?.getTime() ?? 0) - due.getTime()).toBeLessThanOrEqual(900_000)
    expect(next?.getTime()).toBeGreaterThanOrEqual(due.getTime())
    put('nightly', { paused: true })
    expect(await keeper().reconcile()).toMatchObject({ updated: ['nightly'] })
    expect((await described('nightly')).state.paused).toBe(true)
    await listed('plan/nightly', 'plan/other')
    put('nightly', { schedule: { kind: 'manual' } })
    world.catalog.plans.remove('other', null)
    const { removed } = await keeper().reconcile()
    expect([...removed].sort()).toEqual(['nightly', 'other'])
    await listed()
  })
})

describe('what is changed by hand comes back', () => {
  const handle = () => client().schedule.getHandle(planScheduleId('nightly'))
  const changes: readonly [string, () => Promise<unknown>][] = [
    ['paused', () => handle().pause('for tonight')],
    ['removed', () => handle().delete()],
    ['given other times', () => handle().update((now) => ({ ...now, spec: { intervals: [{ every: '1 hour' }] } }))],
    ['limited', () => handle().update((now) => ({ ...now, state: { ...now.state, remainingActions: 3 } }))],
    [
      'made to start several at once',
      () =>
        handle().update((now) => ({
          ...now,
          policies: { ...now.policies, overlap: 'ALLOW_ALL', pauseOnFailure: true },
        })),
    ],
    [
      'made to start something else',
      () => handle().update((now) => ({ ...now, action: { ...now.action, args: [{ v: 1, plan: 'other' }] } })),
    ],
    [
      'given a time limit',
      () => handle().update((now) => ({ ...now, action: { ...now.action, workflowRunTimeout: '10 minutes' } })),
    ],
    [
      'given a time limit for all its runs',
      () => handle().update((now) => ({ ...now, action: { ...now.action, workflowExecutionTimeout: '10 minutes' } })),
    ],
    [
      'made to start again when it fails',
      () => handle().update((now) => ({ ...now, action: { ...now.action, retry: { maximumAttempts: 3 } } })),
    ],
    [
      'made to start in another name',
      () => handle().update((now) => ({ ...now, action: { ...now.action, memo: { holdfast: 'somebody' } } })),
    ],
  ]
  it.each(changes)('when it was %s', async (_how, change) => {
    put('nightly')
    await keeper().reconcile()
    const before = await described('nightly')
    await change()
    const { created, updated } = await keeper().reconcile()
    expect([...created, ...updated]).toEqual(['nightly'])
    const { spec, action, policies, state } = await described('nightly')
    expect({ spec, action, policies, state }).toEqual({
      spec: before.spec,
      action: before.action,
      policies: before.policies,
      state: before.state,
    })
    expect(await keeper().reconcile()).toEqual(nothing)
  })
})

describe('what was put right is told', () => {
  it('where somebody had changed or deleted it in the engine, and not where its plan has changed', async () => {
    const { clock } = world
    put('nightly')
    put('hourly', { schedule: { kind: 'every', everyMs: 3_600_000 } })
    const one = keeper()
    const look = async () => {
      clock.ms += 60_000
      await one.reconcile()
      return one.state().putRight
    }
    expect(await look()).toEqual([])
    clock.ms += 1000
    put('hourly', { schedule: { kind: 'every', everyMs: 7_200_000 } })
    expect(await look()).toEqual([])
    await client().schedule.getHandle(planScheduleId('nightly')).delete()
    expect(await look()).toEqual([{ plan: 'nightly', what: 'deleted', atMs: clock.ms }])
    await client().schedule.getHandle(planScheduleId('hourly')).pause('by hand')
    expect((await look()).map(({ plan, what }) => [plan, what])).toEqual([
      ['hourly', 'changed'],
      ['nightly', 'deleted'],
    ])
    world.catalog.plans.remove('nightly', null)
    expect((await look()).map(({ plan }) => plan)).toEqual(['hourly'])
  })
})

describe('what is not ours, or not known to be gone, is left alone', () => {
  it('schedules of others, whatever they are called', async () => {
    const tag = { v: 1, installation: 'f'.repeat(32), plan: 'gone' }
    for (const options of [
      byHand('theirs'),
      byHand('plan/untagged'),
      byHand('plan/gone', { holdfast: tag }),
      byHand('odd', { holdfast: { ...tag, installation: world.catalog.installation.get().uuid, plan: 'gone' } }),
      byHand('plan/mine', { holdfast: { ...tag, plan: 'mine' } }),
    ])
      await client().schedule.create(options)
    const all = ['odd', 'plan/gone', 'plan/mine', 'plan/untagged', 'theirs']
    await listed(...all)
    put('gone')
    world.catalog.plans.remove('gone', null)
    put('mine')
    const look = keeper()
    expect(look.state()).toMatchObject({ lookedMs: null })
    expect(await look.reconcile()).toEqual({ ...nothing, left: ['mine'] })
    expect(look.state()).toEqual({
      lookedMs: world.clock.ms,
      error: null,
      wrong: [],
      taken: ['mine'],
      unknown: [],
      putRight: [],
    })
    await listed(...all)
    expect((await described('mine')).action).toMatchObject({ workflowType: 'theirs' })
  })

  it('a catalog that cannot be read, or that has never known the plan, removes nothing', async () => {
    put('nightly')
    await keeper().reconcile()
    await listed('plan/nightly')
    const { catalog } = world
    const unreadable = {
      ...catalog,
      plans: {
        ...catalog.plans,
        all: () => {
          throw new Error('disk I/O error')
        },
      },
    }
    const blind = scheduleKeeper({ catalog: unreadable, client: client(), log, now: Date.now })
    await expect(blind.reconcile()).rejects.toThrow('disk I/O error')
    expect(blind.state()).toMatchObject({ lookedMs: null, error: 'disk I/O error' })
    // A copy of the catalog from before the plan was made, of the same installation.
    using older = testCatalog()
    older.catalog.installation.adopt(catalog.installation.get().uuid, 'holdfast')
    const restored = scheduleKeeper({ catalog: older.catalog, client: client(), log, now: Date.now })
    expect(await restored.reconcile()).toEqual({ ...nothing, left: ['nightly'] })
    expect(restored.state()).toMatchObject({ error: null, taken: [], unknown: ['nightly'] })
    expect((await described('nightly')).state.paused).toBe(false)
  })
})

it('one that the engine refuses is told by name, and the others are right all the same', async () => {
  put('nightly')
  put('odd')
  const real = client().schedule
  const schedule = {
    list: (...of: Parameters<typeof real.list>) => real.list(...of),
    getHandle: (id: string) => real.getHandle(id),
    create: async (options: ScheduleOptions) => {
      if (options.scheduleId === 'plan/odd') throw new Error('invalid spec')
      return real.create(options)
    },
  }
  const look = keeper({ schedule, connection: client().connection } as unknown as Client)
  await expect(look.reconcile()).rejects.toThrow('invalid spec')
  const [wrong] = look.state().wrong
  expect(wrong).toMatchObject({ plan: 'odd', message: expect.stringContaining('invalid spec') as string })
  expect((await described('nightly')).state.paused).toBe(false)
  await keeper().reconcile()
  await listed('plan/nightly', 'plan/odd')
})

it('killed between any two of its steps, the next look makes everything right', async () => {
  const state = async () => {
    const all: unknown[] = []
    for (const plan of ['a', 'b']) {
      const { spec, action, state: of } = await described(plan)
      all.push({ spec, action, of })
    }
    return all
  }
  for (let step = 1; ; step += 1) {
    for (const name of ['a', 'b', 'c']) put(name)
    await keeper().reconcile()
    await listed('plan/a', 'plan/b', 'plan/c')
    put('a', { paused: true })
    await client().schedule.getHandle('plan/b').delete()
    await listed('plan/a', 'plan/c')
    world.catalog.plans.remove('c', null)
    const { dying, calls } = dyingAt(step)
    const [end] = await Promise.allSettled([keeper(dying).reconcile()])
    await keeper().reconcile()
    await listed('plan/a', 'plan/b')
    expect(await state()).toMatchObject([{ of: { paused: true } }, { of: { paused: false } }])
    expect(await keeper().reconcile()).toEqual(nothing)
    if (end.status === 'fulfilled') {
      expect(calls()).toBeGreaterThan(4)
      return
    }
    put('a', { paused: false })
  }
})

/** A client of a process that is killed at its n-th call. */
function dyingAt(step: number): { readonly dying: Client; readonly calls: () => number } {
  let calls = 0
  const count = (): void => {
    calls += 1
    if (calls >= step) throw new Error('killed')
  }
  const real = client().schedule
  const schedule = {
    list: (...of: Parameters<typeof real.list>) => {
      count()
      return real.list(...of)
    },
    create: async (options: ScheduleOptions) => {
      count()
      return real.create(options)
    },
    getHandle: (id: string) => {
      const handle = real.getHandle(id)
      const counted =
        <A extends unknown[], R>(call: (...of: A) => Promise<R>) =>
        async (...of: A): Promise<R> => {
          count()
          return call(...of)
        }
      return {
        describe: counted(() => handle.describe()),
        delete: counted(() => handle.delete()),
        update: counted((change: Parameters<typeof handle.update>[0]) => handle.update(change)),
      }
    },
  }
  const dying = { schedule, connection: client().connection } as unknown as Client
  return { dying, calls: () => calls }
}

describe('starts', () => {
  it('the engine starts the run under the id by which it is looked up', async () => {
    put('minutely', { schedule: { kind: 'every', everyMs: 60_000 } })
    await keeper().reconcile()
    const [action] = await eventually(
      'the start',
      async () => {
        const { recentActions } = (await described('minutely')).info
        return recentActions.length > 0 ? recentActions : null
      },
      90_000,
    )
    const { workflowId } = action?.action.workflow ?? { workflowId: '' }
    const dueMs = Math.floor((action?.scheduledAt.getTime() ?? 0) / 60_000) * 60_000
    expect(workflowId).toBe(scheduledRunId('minutely', dueMs))
    const run = await client().workflow.getHandle(workflowId).describe()
    expect(run).toMatchObject({ type: 'planRun', memo: { holdfast: { title: 'Plan minutely' } } })
    await client().workflow.getHandle(workflowId).terminate('seen')
  })

  it('those that did not come are written down once, with what was in the way, once the engine was reached', async () => {
    const { catalog, clock } = world
    const hour = 3_600_000
    clock.ms = Date.UTC(2026, 10, 20, 0, 10)
    put('hourly', { schedule: { kind: 'every', everyMs: hour } })
    const at = (n: number): number => Date.UTC(2026, 10, 20, n)
    const started = { kind: 'plan', title: 'Plan hourly', vmId: null, repositoryId: null, pointId: null } as const
    const by = { requestedUser: 'plan hourly', requestedReason: '', idempotencyKey: null }
    const first = { ...started, ...by, workflowId: scheduledRunId('hourly', at(1)), runId: 'r1', startedMs: at(1) }
    catalog.runs.started(first)
    catalog.runs.observe('r1', { state: 'completed', endedMs: at(2) + 60_000 })
    clock.ms = at(6)
    const before = catalog.events.newest()
    const fresh = keeper()
    fresh.watch()
    expect(catalog.planStarts.watchedMs('hourly')).toBe(Date.UTC(2026, 10, 20, 0, 10))
    await fresh.reconcile()
    fresh.watch()
    // What the engine started while nobody could hear of it has two minutes to be heard of.
    expect(catalog.planStarts.missed('hourly', 0, 9)).toEqual([])
    clock.ms += 120_000
    for (let looks = 0; looks < 3; looks += 1) fresh.watch()
    expect(catalog.planStarts.missed('hourly', 0, 9)).toMatchObject([
      { dueMs: at(4), kind: 'missed' },
      { dueMs: at(3), kind: 'missed' },
      { dueMs: at(2), kind: 'skipped' },
    ])
    expect(catalog.events.after(before, 9).map(({ type, subject }) => `${type} ${subject ?? ''}`)).toEqual([
      'policy plan/hourly',
    ])
    // It came after all.
    catalog.planStarts.came('hourly', at(4))
    expect(catalog.planStarts.missed('hourly', 0, 9).map(({ dueMs }) => dueMs)).toEqual([at(3), at(2)])
  })

  it('an edit takes back no start that did not come, unless other times hold from then on', async () => {
    const { catalog, clock } = world
    const hour = 3_600_000
    clock.ms = Date.UTC(2026, 10, 21, 0, 10)
    const daily = { schedule: { kind: 'every', everyMs: 24 * hour } } as const
    for (const name of ['described', 'moved', 'rested']) put(name, daily)
    const fresh = keeper()
    const look = async () => {
      await fresh.reconcile()
      clock.ms += 121_000
      fresh.watch()
    }
    await look()
    // Due at midnight; nothing starts them, and while they may still be made up for they are edited.
    clock.ms = Date.UTC(2026, 10, 22, 3)
    put('described', { ...daily, description: 'looked at' })
    put('moved', { schedule: { kind: 'every', everyMs: 12 * hour } })
    put('rested', { ...daily, paused: true })
    put('rested', daily)
    clock.ms = Date.UTC(2026, 10, 22, 10)
    await look()
    const missed = (name: string) => catalog.planStarts.missed(name, 0, 9).map(({ dueMs }) => dueMs)
    expect(missed('described')).toEqual([Date.UTC(2026, 10, 22)])
    expect(missed('moved')).toEqual([])
    expect(missed('rested')).toEqual([])
  })
})
