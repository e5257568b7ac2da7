import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { planDefaults, type PlanSpec } from '../policy/index.ts'
import { followingRunId, scheduledRunId } from '../workflows/plan/contract.ts'
import { sequenceKeeper, tellFollowers } from './sequence-keeper.ts'
import { bench, type Bench } from './testing/bench.ts'

const minute = 60_000
const hour = 60 * minute
let here: Bench
beforeEach(() => {
  here = bench({ vms: ['db-01', 'web-01'] })
  put('nightly', { kind: 'calendar', at: ['02:30'] })
  put('second', { kind: 'after', plan: 'nightly' })
  here.clock.ms += hour
})
afterEach(() => here[Symbol.dispose]())

function put(name: string, schedule: PlanSpec['schedule'], over: Partial<PlanSpec> = {}): void {
  const targets = [{ repository: 'main', copy: 'backup', keep: null }] as const
  here.catalog.plans.put({ ...planDefaults, name, targets, schedule, ...over }, null)
}
const look = () => sequenceKeeper(here.deps).tick()
const started = () => here.engine.started.map(({ workflowId }) => workflowId)
const missed = (plan: string) => here.catalog.planStarts.missed(plan, 0, 9).map(({ dueMs, kind }) => [dueMs, kind])

/** A run of a plan as it would be now: opened, and one of its two VMs done. */
function opened(plan: string, again: string | null = null) {
  const { planRuns, runs } = here.catalog
  here.clock.ms += minute
  const openedMs = here.clock.ms
  const [id, runId] = [scheduledRunId(plan, openedMs), `run of ${plan} at ${openedMs}`]
  const nobody = { vmId: null, repositoryId: null, pointId: null, idempotencyKey: null }
  const by = { requestedUser: `plan ${plan}`, requestedReason: '' }
  runs.started({ ...nobody, ...by, workflowId: id, runId, kind: 'plan', title: plan, startedMs: openedMs })
  const vms = ['db-01', 'web-01'].map((name) => ({ id: name, name }))
  planRuns.open({ id, runId, plan, trigger: 'schedule', again }, vms)
  const rule = { retries: 1, retryAfterMs: 0 }
  const end = (turn: number, state: 'completed' | 'failed') => {
    const row = planRuns.take(id, '0/0', turn, rule)
    if (!row) throw new Error('there is no VM left')
    planRuns.end(id, { position: row.position, attempt: row.attempts, state, runId: null, detail: '', mayRetry: true })
  }
  end(0, 'completed')
  const close = (state: 'completed' | 'failed' | 'terminated') => {
    here.clock.ms += 10 * minute
    runs.observe(runId, { state, endedMs: here.clock.ms })
    return here.clock.ms
  }
  return { openedMs, end, close }
}

/** It has come to its end. */
function ended(plan: string, again: string | null = null) {
  const run = opened(plan, again)
  run.end(1, 'completed')
  return { ...run, endedMs: run.close('completed') }
}

describe('a plan that comes after another one', () => {
  it('is started when a run of that has ended, and once, however often it is looked', async () => {
    await look()
    const run = opened('nightly')
    await look()
    expect(started()).toEqual([])
    run.end(1, 'completed')
    run.close('completed')
    for (let looks = 0; looks < 3; looks += 1) await look()
    expect(started()).toEqual([followingRunId('second', run.openedMs)])
    expect(here.engine.started[0]).toMatchObject({ input: { plan: 'second', trigger: 'after', again: null } })
  })

  it('is started also after a run that failed or was terminated; if it is to follow only good ones, it is told why not', async () => {
    put('careful', { kind: 'after', plan: 'nightly', when: 'succeeded' })
    put('last', { kind: 'after', plan: 'careful' })
    const run = opened('nightly')
    run.end(1, 'failed')
    const endedMs = run.close('failed')
    await look()
    expect(started()).toEqual([followingRunId('second', run.openedMs)])
    expect(missed('careful')).toEqual([[endedMs, 'after-failed']])
    expect(missed('last')).toEqual([[endedMs, 'after-missed']])
  })

  it('waits for the last part of a long run', async () => {
    const run = opened('nightly')
    // A part has ended; a VM is left for the next one.
    run.close('completed')
    await look()
    expect(started()).toEqual([])
    run.end(1, 'completed')
    run.close('completed')
    await look()
    expect(started()).toHaveLength(1)
  })

  it('counts a run whose next part does not come as one that has not ended well, after an hour', async () => {
    put('careful', { kind: 'after', plan: 'nightly', when: 'succeeded' })
    const run = opened('nightly')
    const endedMs = run.close('completed')
    here.clock.ms += 61 * minute
    await look()
    expect(started()).toEqual([followingRunId('second', run.openedMs)])
    expect(missed('careful')).toEqual([[endedMs, 'after-failed']])
    for (const id of here.engine.runs) here.engine.end(id, 'completed')
    await here.deps.live.tick()
    const next = ended('nightly')
    await look()
    expect(started()).toContain(followingRunId('second', next.openedMs))
  })

  it('misses nothing after a clock that was ahead was put right', async () => {
    here.clock.ms += 24 * hour
    const ahead = ended('nightly')
    await look()
    here.clock.ms -= 24 * hour
    for (const id of here.engine.runs) here.engine.end(id, 'completed')
    await here.deps.live.tick()
    await look()
    const { openedMs } = ended('nightly')
    await look()
    expect(started()).toEqual([followingRunId('second', ahead.openedMs), followingRunId('second', openedMs)])
  })

  it('is not kept from its start by another one that cannot be started', async () => {
    put('alpha', { kind: 'after', plan: 'nightly' })
    const { openedMs } = ended('nightly')
    const start = here.engine.start.bind(here.engine)
    here.engine.start = async (wish) => {
      if (wish.workflowId.includes('alpha')) throw new Error('not this one')
      return start(wish)
    }
    await expect(look()).rejects.toThrow('not this one')
    expect(started()).toEqual([followingRunId('second', openedMs)])
  })

  it('is not started by what repeats an earlier run, nor by what ended before it was told to follow', async () => {
    const first = ended('nightly')
    await look()
    ended('nightly', scheduledRunId('nightly', first.openedMs))
    await look()
    expect(started()).toHaveLength(1)
    put('later', { kind: 'after', plan: 'nightly' })
    await look()
    expect(started()).toHaveLength(1)
  })

  it('is skipped while its own run before is under way, and told so', async () => {
    ended('nightly')
    await look()
    const { endedMs } = ended('nightly')
    await look()
    expect(started()).toHaveLength(1)
    expect(missed('second')).toEqual([[endedMs, 'skipped']])
  })

  it('is started by a later look if the engine is away, and missed after six hours', async () => {
    ended('nightly')
    here.engine.away = true
    await expect(look()).rejects.toMatchObject({ code: 'TemporalUnavailable' })
    here.engine.away = false
    here.clock.ms += 5 * hour
    await look()
    expect(started()).toHaveLength(1)
    for (const run of here.engine.runs) here.engine.end(run, 'completed')
    await here.deps.live.tick()
    const { endedMs } = ended('nightly')
    here.clock.ms += 7 * hour
    await look()
    expect(started()).toHaveLength(1)
    expect(missed('second')).toEqual([[endedMs, 'missed']])
  })

  it('is started once by a server that is killed between the start and its note', async () => {
    ended('nightly')
    here.engine.away = 'after-start'
    await expect(look()).rejects.toMatchObject({ code: 'TemporalUnavailable' })
    here.engine.away = false
    await look()
    expect(started()).toHaveLength(1)
  })

  it('starts nothing while it is paused', async () => {
    put('second', { kind: 'after', plan: 'nightly' }, { paused: true })
    ended('nightly')
    await look()
    expect(started()).toEqual([])
  })
})

it('what did not start is told along the whole sequence, once for each plan', () => {
  put('third', { kind: 'after', plan: 'second' })
  put('idle', { kind: 'after', plan: 'second' }, { paused: true })
  const [first, second] = [here.clock.ms - hour, here.clock.ms]
  tellFollowers(here.catalog, 'nightly', [first, second])
  for (const plan of ['second', 'third'])
    expect(missed(plan)).toEqual([
      [second, 'after-missed'],
      [first, 'after-missed'],
    ])
  expect(missed('idle')).toEqual([])
})

it('says about when it usually starts, as soon as that was measured', async () => {
  put('third', { kind: 'after', plan: 'second' }, { timeZone: 'Europe/Paris' })
  const words = async (plan: string) => (await here.get<{ words: string }>(`/api/v1/plans/${plan}`)).words
  expect(await words('third')).toBe('after plan second')
  ended('nightly')
  ended('second')
  expect(await words('second')).toBe('after plan nightly, usually about 02:40 (UTC)')
  expect(await words('third')).toBe('after plan second, usually about 03:50 (Europe/Paris)')
})
