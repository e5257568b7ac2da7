import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { aPoint, aRun, aVm, testNow } from '../catalog/testing.ts'
import { defaultCategories } from '../policy/index.ts'
import type { PlanPreview } from './policy/preview.ts'
import { bench, workerToken, type Bench } from './testing/bench.ts'

let here: Bench
beforeEach(() => void (here = bench({ vms: ['web-01', 'db-01'] })))
afterEach(() => here[Symbol.dispose]())

const day = 86_400_000
const nightly = {
  where: [{ field: 'name', is: ['web-*'] }],
  timeZone: 'Europe/Paris',
  schedule: { kind: 'calendar', at: ['02:30'] },
  targets: [{ repository: 'main', keep: { daily: 14, weekly: 8 } }],
}
const answer = async <T>(response: Response | Promise<Response>, status = 200): Promise<T> => {
  const got = await response
  const body = (await got.json()) as T
  expect([got.status, body]).toEqual([status, expect.anything()])
  return body
}
const put = (name: string, body: object) => here.call('PUT', `/api/v1/plans/${name}`, body)

describe('plans', () => {
  test('are made, listed with what they take, changed by who saw the last revision, and removed', async () => {
    expect(await answer(put('nightly', { ...nightly, revision: 0 }))).toMatchObject({
      name: 'nightly',
      revision: 1,
      vms: 1,
      outsideRpo: 1,
      words: 'every day at 02:30 (Europe/Paris)',
      concurrency: 4,
      targets: [{ repository: 'main', copy: 'backup' }],
    })
    here.catalog.points.record(aPoint(1))
    const { items } = await answer<{ items: object[] }>(here.call('GET', '/api/v1/plans'))
    expect(items).toMatchObject([{ name: 'nightly', vms: 1, outsideRpo: 0, nextMs: Date.UTC(2026, 10, 22, 1, 30) }])
    await answer(put('nightly', { ...nightly, concurrency: 8, revision: 1 }))
    expect(await answer(put('nightly', { ...nightly, revision: 1 }), 409)).toMatchObject({ code: 'StaleRevision' })
    expect((await here.call('DELETE', '/api/v1/plans/nightly?revision=1')).status).toBe(409)
    expect((await here.call('DELETE', '/api/v1/plans/nightly?revision=2')).status).toBe(204)
    expect((await here.call('GET', '/api/v1/plans/nightly')).status).toBe(404)
  })

  test('a paused one has no next start', async () => {
    expect(await answer(put('nightly', { ...nightly, paused: true }))).toMatchObject({ nextMs: null })
  })

  test('is paused and resumed by whoever saw it, and everything else of it stays', async () => {
    await answer(put('nightly', { ...nightly, concurrency: 8, hooks: [{ when: 'after-thaw', path: '/bin/true' }] }))
    const before = here.catalog.plans.get('nightly')
    const patch = (body: object) => here.call('PATCH', '/api/v1/plans/nightly', body)
    expect(await answer(patch({ paused: true, revision: 1 }))).toMatchObject({
      paused: true,
      nextMs: null,
      revision: 2,
    })
    expect(await answer(patch({ paused: false, revision: 1 }), 409)).toMatchObject({ code: 'StaleRevision' })
    expect(await answer(patch({ paused: false }))).toMatchObject({ paused: false, revision: 3 })
    expect(here.catalog.plans.get('nightly')).toEqual({ ...before, revision: 3 })
    expect(await answer(patch({ paused: true, concurrency: 1 }), 400)).toMatchObject({ code: 'InvalidRequest' })
    expect((await here.call('PATCH', '/api/v1/plans/nothing', { paused: true })).status).toBe(404)
  })

  test('what came of a week is told with the usual duration, without what repeats a run', async () => {
    await answer(put('nightly', { ...nightly, where: [] }))
    const run = (n: number, again: string | null, tookMs: number, state: 'completed' | 'failed') => {
      const id = `plan/nightly/${n}`
      const runId = `run-of-${n}`
      here.catalog.planRuns.open({ id, runId, plan: 'nightly', trigger: 'schedule', again }, [])
      here.catalog.runs.started(aRun(0, { runId, workflowId: id, kind: 'plan', vmId: null, repositoryId: null }))
      here.catalog.runs.observe(runId, { state, endedMs: here.clock.ms + tookMs })
    }
    run(1, null, 60_000, 'completed')
    run(2, null, 180_000, 'failed')
    run(3, null, 120_000, 'completed')
    run(4, 'plan/nightly/2', 1000, 'completed')
    here.catalog.points.record(aPoint(1, { plan: 'nightly', origin: 'scheduled', consistency: 'crash' }))
    const lately = () => answer<object>(here.call('GET', '/api/v1/plans/nightly/lately'))
    expect(await lately()).toMatchObject({
      ...{ runs: 3, failedRuns: 1, usualMs: 120_000, points: 1, degraded: 1 },
      sinceMs: here.clock.ms - 7 * day,
    })
    here.clock.ms += 8 * day
    expect(await lately()).toMatchObject({ runs: 0, usualMs: null, points: 0 })
    expect((await here.call('GET', '/api/v1/plans/nothing/lately')).status).toBe(404)
  })

  test('before one is removed it is said whom nobody would back up, what starts after it, and what runs', async () => {
    await answer(put('nightly', { ...nightly, where: [] }))
    const farewell = () => answer<object>(here.call('GET', '/api/v1/plans/nightly/farewell'))
    expect(await farewell()).toEqual({
      unplanned: { total: 2, vms: expect.arrayContaining([expect.objectContaining({ name: 'web-01' })]) as object[] },
      followers: [],
      run: null,
    })
    await answer(put('web', nightly))
    await answer(put('later', { ...nightly, schedule: { kind: 'after', plan: 'nightly' } }))
    const started = await answer<{ runId: string }>(here.call('POST', '/api/v1/plans/nightly/run', {}), 202)
    here.catalog.planRuns.open(
      { id: 'plan/nightly/hand', runId: started.runId, plan: 'nightly', trigger: 'hand', again: null },
      [],
    )
    expect(await farewell()).toMatchObject({
      unplanned: { total: 1, vms: [{ name: 'db-01' }] },
      followers: ['later'],
      run: { runId: started.runId },
    })
    expect((await here.call('GET', '/api/v1/plans/nothing/farewell')).status).toBe(404)
  })

  test('with problems are refused with all of them, and nothing is stored', async () => {
    const wrong = { ...nightly, timeZone: 'Europe/Pairs', targets: [{ repository: 'mian' }] }
    expect(await answer(put('nightly', wrong), 422)).toMatchObject({
      code: 'PolicyInvalid',
      data: { problems: [{ path: 'timeZone' }, { path: 'targets.0.repository', hint: 'Did you mean main?' }] },
    })
    expect(here.catalog.plans.all()).toEqual([])
    expect(await answer(put('nightly', { ...nightly, colour: 'red' }), 400)).toMatchObject({ code: 'InvalidRequest' })
    expect(await answer(put('Nightly_Run', nightly), 400)).toMatchObject({ code: 'InvalidRequest' })
  })

  test('one that another starts after cannot be removed', async () => {
    await answer(put('nightly', nightly))
    await answer(put('later', { ...nightly, schedule: { kind: 'after', plan: 'nightly' } }))
    expect(await answer(here.call('DELETE', '/api/v1/plans/nightly'), 409)).toMatchObject({
      code: 'InUse',
      detail: 'later starts after nightly',
    })
  })

  test('are not for workers', async () => {
    const headers = { authorization: `Bearer ${workerToken}` }
    expect((await here.call('PUT', '/api/v1/plans/nightly', nightly, headers)).status).toBe(403)
    expect(here.catalog.plans.all()).toEqual([])
  })
})

describe('a category', () => {
  const { description: _d, ...standard } = defaultCategories.standard
  const preview = (over: object, name = 'standard') =>
    answer<{ problems: object[]; removals: object[]; revision: number }>(
      here.call('POST', '/api/v1/categories/preview', { category: { ...standard, name, ...over } }),
    )

  test('that keeps less says which points would go, and only those that it decides about', async () => {
    await answer(put('nightly', { ...nightly, where: [], targets: [{ repository: 'main' }] }))
    await answer(put('own', { ...nightly, where: [] }))
    const { points, vms } = here.catalog
    for (let n = 1; n <= 9; n++) {
      const createdMs = testNow - n * day
      points.record(aPoint(n, { createdMs, plan: 'nightly', origin: 'scheduled' }))
      points.record(aPoint(n + 10, { createdMs, plan: 'own', origin: 'scheduled' }))
    }
    expect(await preview({})).toEqual({ problems: [], removals: [], revision: 1 })
    const less = { keep: { daily: 4 } }
    expect(await preview(less)).toMatchObject({
      removals: [{ repository: 'main', points: 5, vms: 1, lookedAt: 2, ofVms: 2, examples: { length: 5 } }],
    })
    expect((await preview(less, 'critical')).removals).toEqual([])
    // A policy file that says so says it, too.
    const policy = { every: '24h', keep: { daily: 4 }, rpo: '24h', rto: '4h', quiesce: 'preferred' }
    const file = JSON.stringify({ version: 1, categories: { standard: policy } })
    const compared = await answer<{ removals: object[] }>(here.call('POST', '/api/v1/policy/difference', { file }))
    expect(compared.removals).toMatchObject([{ kind: 'category', name: 'standard', repository: 'main', points: 5 }])
    expect(await preview({ keep: {} })).toMatchObject({ problems: [{ path: 'keep' }], removals: [] })
    expect(await preview(less, 'new-one')).toEqual({ problems: [], removals: [], revision: 0 })
    vms.change('web-01', { override: { keep: { daily: 14 } } })
    expect((await preview(less)).removals).toEqual([])
    // What is kept of one VM alone is of all its points, whoever made them: one a day of both plans.
    const ofVm = async (said: object) => {
      const single = JSON.stringify({ version: 1, ...said })
      return (await answer<{ removals: object[] }>(here.call('POST', '/api/v1/policy/difference', { file: single })))
        .removals
    }
    expect(await ofVm({ vms: { 'web-01': { keep: { daily: 14 } } } })).toEqual([])
    const going = { kind: 'vm', name: 'web-01', repository: 'main', vms: 1 }
    expect(await ofVm({ vms: { 'web-01': { keep: { daily: 2 } } } })).toMatchObject([{ ...going, points: 7 }])
    // Nothing of its own any more: by the category that the file makes of it, beside a plan that says what it keeps.
    const short = { categories: { short: { ...policy, keep: { daily: 2 } } } }
    expect(await ofVm({ ...short, vms: { 'web-01': { category: 'short' } } })).toMatchObject([going])
    vms.change('web-01', { override: {} })
    expect(await ofVm({ ...short, vms: { 'web-01': { category: 'short' } } })).toMatchObject([{ ...going, points: 7 }])
    expect(await ofVm({ vms: { 'web-01': { category: 'standard', rpo: '2h' } } })).toEqual([])
    vms.change('web-01', { override: { keep: { daily: 14 } } })
    expect(here.catalog.categories.get('standard').keep).toEqual({ daily: 14, weekly: 4 })
  })
})

describe('schedules', () => {
  interface Listed {
    readonly items: readonly { plan: string; next: readonly object[]; missed: object[]; engine: object }[]
    readonly lookedMs: number | null
    readonly unknown: readonly string[]
  }
  const engines = async () => {
    const { items } = await answer<Listed>(here.call('GET', '/api/v1/schedules'))
    return Object.fromEntries(items.map(({ plan, engine }) => [plan, engine]))
  }

  test('are listed with their next starts in both times, what did not come, and pauses', async () => {
    await answer(put('nightly', nightly))
    await answer(put('paused', { ...nightly, paused: true }))
    here.catalog.planStarts.record('nightly', testNow, [{ dueMs: testNow - day, kind: 'missed' }])
    const { items, lookedMs } = await answer<Listed>(here.call('GET', '/api/v1/schedules'))
    expect(lookedMs).toBeNull()
    expect(items).toMatchObject([
      {
        ...{ plan: 'nightly', revision: 1, paused: false, last: null, timeZone: 'Europe/Paris' },
        words: 'every day at 02:30 (Europe/Paris)',
        missed: [{ dueMs: testNow - day, kind: 'missed' }],
        engine: { state: 'unknown', why: null, putRight: null },
      },
      { plan: 'paused', paused: true, next: [] },
    ])
    expect(items[0]?.next).toHaveLength(3)
    expect(items[0]?.next[0]).toMatchObject({ local: '2026-11-22T02:30:00+01:00', utc: '2026-11-22T01:30:00.000Z' })
  })

  test('say what the engine has of each, by the last look', async () => {
    for (const name of ['good', 'wrong', 'taken']) await answer(put(name, nightly))
    await answer(put('by-hand', { ...nightly, schedule: { kind: 'manual' } }))
    here.clock.ms += 1000
    here.schedules.state = {
      lookedMs: here.clock.ms,
      error: null,
      wrong: [{ plan: 'wrong', message: 'invalid' }],
      taken: ['taken'],
      unknown: ['old'],
      putRight: [{ plan: 'good', what: 'changed', atMs: here.clock.ms }],
    }
    const nothing = { why: null, putRight: null }
    expect(await engines()).toEqual({
      good: { state: 'as-wanted', why: null, putRight: { what: 'changed', atMs: here.clock.ms } },
      wrong: { ...nothing, state: 'wrong', why: 'invalid' },
      taken: { ...nothing, state: 'taken' },
      'by-hand': { ...nothing, state: 'none' },
    })
    here.clock.ms += 1000
    await answer(put('good', { ...nightly, timeZone: 'UTC' }))
    expect(await engines()).toMatchObject({ good: { state: 'waiting' } })
    expect(await answer<Listed>(here.call('GET', '/api/v1/schedules?limit=1'))).toMatchObject({ unknown: ['old'] })
  })
})

describe('a preview', () => {
  const ask = (plan: object, more: object = {}) =>
    answer<PlanPreview>(here.call('POST', '/api/v1/plans/preview', { plan: { name: 'nightly', ...plan }, ...more }))

  test('tells what matches, what misses by one rule, and what is left out on purpose', async () => {
    here.catalog.vms.recordDiscovered('lab', 'listing-1', [aVm('web-02', { power: 'stopped' }), aVm('web-03')])
    here.catalog.vms.change('web-03', { excludedReason: 'scratch' })
    const where = [...nightly.where, { field: 'power', is: ['running'] }]
    const { match } = await ask({ ...nightly, where })
    expect(match).toMatchObject({
      total: 1,
      vms: [{ id: 'web-01' }],
      nearMisses: [
        { id: 'db-01', field: 'name' },
        { id: 'web-02', field: 'power' },
      ],
      excluded: 1,
      changedPerDay: null,
    })
  })

  test('compares with the saved plan: VMs, members, bytes', async () => {
    await answer(put('nightly', nightly))
    const wider = { ...nightly, where: [], targets: [{ repository: 'main', keep: { daily: 14, weekly: 52 } }] }
    const { match, changes, targets, revision } = await ask(wider)
    expect(match).toMatchObject({ added: { total: 1, ids: ['db-01'] }, removed: { total: 0 } })
    expect(changes).toContainEqual({ path: 'targets.0.keep.weekly', before: '8', after: '52' })
    expect(changes.some(({ path }) => path.startsWith('where'))).toBe(true)
    expect(revision).toBe(1)
    const [main] = targets
    expect(main?.marks.at(-1)?.bytes).toBeGreaterThan(main?.savedMarks.at(-1)?.bytes ?? Infinity)
  })

  test('the next ten times are told on both clocks, clock changes named', async () => {
    here.clock.ms = Date.UTC(2027, 2, 25)
    const { schedule } = await ask(nightly)
    expect(schedule.next).toHaveLength(10)
    expect(schedule.next[0]).toMatchObject({ local: '2027-03-25T02:30:00+01:00', utc: '2027-03-25T01:30:00.000Z' })
    expect(schedule.next.some(({ note }) => note?.includes('there is no 02:30'))).toBe(true)
    // Also when it is months away, and only where it is a day of the plan.
    here.clock.ms = Date.UTC(2026, 10, 22)
    const skipped = [{ at: '02:30', instead: '03:00', on: '28 March 2027' }]
    expect((await ask(nightly)).schedule.skipped).toEqual(skipped)
    const onMondays = { ...nightly, schedule: { ...nightly.schedule, days: ['mon'] } }
    expect((await ask(onMondays)).schedule.skipped).toEqual([])
  })

  test('points of a year by rule, and bytes from the measured change where there is one, else from the stated one', async () => {
    const first = await ask(nightly, { changeShare: 0 })
    const [main] = first.targets
    expect(main?.points.filter(({ keptBy }) => keptBy.includes('daily'))).toHaveLength(14)
    expect(main?.points.filter(({ keptBy }) => keptBy.includes('weekly'))).toHaveLength(8)
    const size = here.catalog.vms.get('web-01').sizeBytes
    expect(main?.marks.at(-1)?.bytes).toBe(size)
    expect(main?.assumed).toEqual({ fullBytes: size, changedPerDay: 0, measuredVms: 0, vms: 1, changeShare: 0 })
    const disks = aPoint(1).disks.map((disk) => ({ ...disk, mode: 'incremental' as const, readBytes: 2 ** 28 }))
    here.catalog.points.record(aPoint(1, { disks, createdMs: testNow - 2 * day }))
    const measured = (await ask(nightly, { changeShare: 0 })).targets[0]
    expect(measured?.assumed).toMatchObject({ measuredVms: 1, changedPerDay: 2 ** 28 })
    expect(measured?.marks.at(-1)?.bytes).toBeGreaterThan(size)
  })

  test('simulates a plan that follows another one by the starts of that', async () => {
    await answer(put('nightly', nightly))
    const [target] = (await ask({ ...nightly, schedule: { kind: 'after', plan: 'nightly' } })).targets
    expect(target?.points.filter(({ keptBy }) => keptBy.includes('daily'))).toHaveLength(14)
    expect((await ask({ ...nightly, schedule: { kind: 'manual' } })).targets[0]?.points).toEqual([])
  })

  test('says which points the saved plan keeps and this one would let go, and which are guarded all the same', async () => {
    await answer(put('nightly', nightly))
    for (let n = 1; n <= 9; n++)
      here.catalog.points.record(aPoint(n, { createdMs: testNow - n * day, plan: 'nightly', origin: 'scheduled' }))
    // Of another plan, and by hand: neither ages by what this one says.
    here.catalog.points.record(aPoint(10, { createdMs: testNow - 20 * day, plan: 'other', origin: 'scheduled' }))
    here.catalog.points.record(aPoint(11, { createdMs: testNow - 21 * day, plan: null, origin: 'manual' }))
    const fewer = (keep: object) => ({ ...nightly, targets: [{ repository: 'main', keep }] })
    expect((await ask(nightly)).removals).toEqual([])
    expect((await ask({ ...nightly, schedule: { kind: 'manual' } })).removals).toEqual([])
    expect((await ask(fewer({ daily: 20 }))).removals).toMatchObject([{ repository: 'main', points: 0, vms: 0 }])
    const [going] = (await ask(fewer({ daily: 7 }))).removals
    expect(going).toMatchObject({ points: 2, vms: 1, lookedAt: 1, ofVms: 1 })
    expect(going?.examples.map(({ timeMs }) => (testNow - timeMs) / day)).toEqual([9, 8])
    const { id } = here.catalog.points.get(aPoint(9).id)
    here.catalog.retained.addHold({
      ...{ name: 'hold/1', repositoryId: 'main', pointId: id, type: 'legal' },
      ...{ actor: 'ann', reason: 'audit', ms: testNow },
    })
    expect((await ask(fewer({ daily: 7 }))).removals).toMatchObject([{ points: 1 }])
    expect((await ask({ ...nightly, targets: [{ repository: 'gone', keep: { daily: 1 } }] })).removals).toEqual([])
  })

  test('is a policy file, too, that read again is the same plan', async () => {
    await answer(put('nightly', nightly))
    const { file, changes } = await ask({ ...nightly, concurrency: 9 })
    expect(changes).toEqual([{ path: 'concurrency', before: '4', after: '9' }])
    const difference = await answer<{ changes: object[] }>(here.call('POST', '/api/v1/policy/difference', { file }))
    expect(difference.changes).toMatchObject([{ name: 'nightly', members: [{ path: 'concurrency', after: '9' }] }])
  })

  test('counts what the targets give of copies, and whether the categories have theirs', async () => {
    const { copies, copiesMet, remarks } = await ask(nightly)
    expect(copies).toMatchObject({ total: 1, media: 1, offSite: 0 })
    expect(copiesMet).toBe(!remarks.some((remark) => remark.includes(' want ')))
  })

  test('problems are part of the answer, and remarks say what is allowed and yet worth knowing', async () => {
    const { problems } = await ask({
      ...nightly,
      targets: [{ repository: 'mian', keep: {} }],
      schedule: { kind: 'cron', cron: 'x' },
    })
    expect(problems.map(({ path }) => path)).toEqual(['targets.0.repository', 'targets.0.keep', 'schedule'])
    here.catalog.vms.change('web-01', { category: 'critical' })
    // One night of March has no 02:30: nothing starts then.
    const { remarks } = await ask(nightly)
    expect(remarks).toEqual([
      expect.stringContaining(
        '1 VM of the category critical may lose 4 h by their category; up to 47 h pass',
      ) as string,
      expect.stringContaining('want 2 copies; this plan makes 1') as string,
      expect.stringContaining('want 1 off site') as string,
      expect.stringContaining('want 1 immutable') as string,
    ])
    const window = { start: '22:00', end: '06:00', atEnd: 'pause' }
    const noon = { kind: 'calendar', at: ['12:00', '23:00'] }
    expect((await ask({ ...nightly, window, schedule: noon })).remarks).toContainEqual(
      expect.stringMatching(
        /^25 of the next 50 starts are outside the window: the one of \w+ \d+ \w+ 12:00 \(.+\) waits until .+ 22:00/,
      ),
    )
    expect((await ask({ ...nightly, where: [{ field: 'name', is: ['nobody'] }] })).remarks).toEqual([
      'No VM matches now.',
    ])
  })

  test('changes nothing', async () => {
    const before = here.catalog.events.newest()
    await ask(nightly)
    expect([here.catalog.plans.all(), here.catalog.events.newest()]).toEqual([[], before])
  })
})

describe('categories', () => {
  test('are listed, made, changed and removed', async () => {
    const body = { keep: { daily: 7 }, rpoMs: day, quiesce: 'none' }
    expect(await answer(here.call('PUT', '/api/v1/categories/payroll', { ...body, revision: 0 }))).toMatchObject({
      name: 'payroll',
      revision: 1,
      vms: 0,
      copies: { repositories: 1 },
    })
    const { items } = await answer<{ items: { name: string }[] }>(here.call('GET', '/api/v1/categories'))
    expect(items.map(({ name }) => name)).toEqual(['critical', 'important', 'payroll', 'standard', 'ephemeral'])
    const wrong = { ...body, keep: {}, revision: 1 }
    expect(await answer(here.call('PUT', '/api/v1/categories/payroll', wrong), 422)).toMatchObject({
      code: 'PolicyInvalid',
    })
    expect((await here.call('DELETE', '/api/v1/categories/payroll')).status).toBe(204)
    expect(await answer(here.call('DELETE', '/api/v1/categories/critical'), 409)).toMatchObject({ code: 'InUse' })
  })

  test('one that is changed changes what its VMs are promised', async () => {
    const critical = { ...defaultCategories.standard, rpoMs: 3_600_000, everyMs: null, revision: 1 }
    await answer(here.call('PUT', '/api/v1/categories/standard', critical))
    expect(await answer(here.call('GET', '/api/v1/vms/web-01'))).toMatchObject({ posture: { rpoMs: 3_600_000 } })
  })
})

describe('the page of a VM', () => {
  test('says what holds and where each value comes from', async () => {
    await answer(put('nightly', { ...nightly, quiesce: 'required' }))
    await answer(here.call('PATCH', '/api/v1/vms/web-01', { override: { rpoMs: 7_200_000, keep: { last: 3 } } }))
    const vm = await answer<{ policy: { setting: string; value: string; from: string }[] }>(
      here.call('GET', '/api/v1/vms/web-01'),
    )
    expect(vm).toMatchObject({ plans: ['nightly'], override: { rpoMs: 7_200_000 } })
    expect(vm.policy).toEqual(
      expect.arrayContaining([
        { setting: 'RPO', value: '2 h', from: 'set on this VM' },
        { setting: 'RTO target', value: '4 h', from: 'category standard' },
        { setting: 'Schedule', value: 'every day at 02:30 (Europe/Paris)', from: 'plan nightly' },
        { setting: 'Quiesce', value: 'required', from: 'plan nightly' },
        {
          setting: 'Keep in main',
          value: '3 last, 100 by hand, 2 published, all before a restore',
          from: 'set on this VM',
        },
        { setting: 'Full read', value: 'when needed', from: 'default' },
        { setting: 'Time zone', value: 'Europe/Paris', from: 'plan nightly' },
        { setting: 'Compression', value: 'zstd 1', from: 'plan nightly' },
        { setting: 'Power', value: 'as it is: backed up running or off', from: 'plan nightly' },
        { setting: 'Window', value: 'none: at any time', from: 'plan nightly' },
        { setting: 'Bandwidth', value: 'no limit of the plan', from: 'plan nightly' },
        { setting: 'At once', value: '4 VMs of the plan, priority 3', from: 'plan nightly' },
        { setting: 'Retries', value: '1 in the same run, 10 min after a failure', from: 'plan nightly' },
      ]),
    )
    expect(await answer(here.call('PATCH', '/api/v1/vms/web-01', { override: { keep: {} } }), 422)).toMatchObject({
      code: 'PolicyInvalid',
    })
  })

  test('says when its plan moves data and how fast, and that a VM that is shut down is not frozen', async () => {
    const window = { start: '22:00', end: '06:00', days: ['fri', 'sat'], atEnd: 'fail' }
    const bandwidth = [
      { bytesPerSecond: 50 * 2 ** 20, start: '08:00', end: '18:00', days: ['mon'] },
      { bytesPerSecond: 2 ** 30, start: '00:00', end: '00:00' },
    ]
    await answer(put('nightly', { ...nightly, window, bandwidth, stopBefore: true, retries: 0, concurrency: 1 }))
    const vm = await answer<{ policy: { setting: string; value: string }[] }>(here.call('GET', '/api/v1/vms/web-01'))
    const of = (name: string) => vm.policy.find(({ setting }) => setting === name)?.value
    expect(of('Window')).toBe('22:00 to 06:00 on fri, sat; what is under way at its end fails')
    expect(of('Bandwidth')).toBe('50.0 MiB/s 08:00 to 18:00 on mon; 1.0 GiB/s always')
    expect([of('Power'), of('Quiesce'), of('Consistency')]).toEqual([
      'shut down before its snapshot, started after it',
      'not needed: the VM is down',
      undefined,
    ])
    expect([of('At once'), of('Retries')]).toEqual(['1 VM of the plan, priority 3', 'none in the same run'])
  })

  test('two people who set something for it find out about each other', async () => {
    const path = '/api/v1/vms/web-01'
    const { revision } = await answer<{ revision: number }>(here.call('GET', path))
    const first = await answer<{ revision: number }>(here.call('PATCH', path, { category: 'critical', revision }))
    expect(first.revision).toBe(revision + 1)
    const late = { override: { rpoMs: 7_200_000 }, revision }
    expect(await answer(here.call('PATCH', path, late), 409)).toMatchObject({ code: 'StaleRevision' })
    expect(await answer(here.call('GET', path))).toMatchObject({ category: 'critical', override: {} })
    await answer(here.call('PATCH', path, { ...late, revision: first.revision }))
    expect(await answer(here.call('GET', path))).toMatchObject({ override: { rpoMs: 7_200_000 } })
  })
})

describe('policy as a file', () => {
  const file = 'version: 1\nplans:\n  nightly: { where: [], targets: [{ repository: main }] }\n'

  test('is compared, applied once, and written back', async () => {
    const body = { file }
    expect(await answer(here.call('POST', '/api/v1/policy/difference', body))).toMatchObject({
      changes: [{ kind: 'plan', name: 'nightly', action: 'create' }],
    })
    expect(here.catalog.plans.all()).toEqual([])
    await answer(here.call('POST', '/api/v1/policy/apply', body))
    expect(await answer(here.call('POST', '/api/v1/policy/apply', body))).toEqual({ changes: [], unlisted: [] })
    const exported = await answer<{ file: string }>(here.call('GET', '/api/v1/policy?plan=nightly'))
    expect(await answer(here.call('POST', '/api/v1/policy/difference', exported))).toEqual({
      changes: [],
      unlisted: [],
      removals: [],
    })
  })

  test('with problems is refused with line and column', async () => {
    const body = { file: file.replace('main', 'mian') }
    expect(await answer(here.call('POST', '/api/v1/policy/apply', body), 422)).toMatchObject({
      code: 'PolicyInvalid',
      data: { problems: [{ line: 3, hint: 'Did you mean main?' }] },
    })
  })
})
