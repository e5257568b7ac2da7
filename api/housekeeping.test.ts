import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { aPoint } from '../catalog/testing.ts'
import { nothingSet, ownBackupPace } from '../policy/index.ts'
import type { SweepInput } from '../workflows/retention/contract.ts'
import { housekeeping } from './housekeeping.ts'
import { bench, own, workerToken, type Bench } from './testing/bench.ts'

let here: Bench
beforeEach(() => void (here = bench()))
afterEach(() => here[Symbol.dispose]())

const isMeasuring = (workflowId: string): boolean => workflowId.startsWith('housekeeping/measure/')
const started = (): string[] =>
  here.engine.started.map(({ workflowId }) => workflowId).filter((workflowId) => !isMeasuring(workflowId))

test('a change is backed up once it is quiet, once, and its own record asks for no other', async () => {
  const keeper = housekeeping(here.deps)
  await keeper.tick()
  expect(started()).toEqual([])
  here.clock.ms += ownBackupPace.quietMs
  await keeper.tick()
  expect(started()).toEqual(['housekeeping/own-backup/main'])
  const { events } = here.catalog
  for (const run of here.engine.runs) here.engine.end(run, 'completed')
  here.catalog.own.recordMade('main', {
    stem: 's',
    madeMs: here.clock.ms,
    coveredSeq: events.newest(),
    bytes: 1,
    versions: 1,
  })
  here.clock.ms += ownBackupPace.latestMs
  await keeper.tick()
  expect(started()).toHaveLength(1)
  here.catalog.points.record(aPoint(1))
  here.clock.ms += ownBackupPace.quietMs
  await keeper.tick()
  expect(started()).toHaveLength(2)
})

test('changes that never cease are backed up within the hour, also where the ring of events holds less than that', async () => {
  const { catalog, clock } = here
  const keeper = housekeeping(here.deps)
  const madeMs = clock.ms
  catalog.own.recordMade('main', { stem: 's', madeMs, coveredSeq: catalog.events.newest(), bytes: 1, versions: 1 })
  const minutes = ownBackupPace.latestMs / 60_000
  for (let minute = 1; minute < minutes; minute += 1) {
    clock.ms += 60_000
    for (let n = 0; n < 200; n += 1) catalog.events.publish('run', 'run-1')
  }
  await keeper.tick()
  expect(started()).toEqual([])
  clock.ms += 60_000
  catalog.events.publish('run', 'run-1')
  await keeper.tick()
  expect(started()).toEqual(['housekeeping/own-backup/main'])
})

test('a repository is swept once a day, and a sweep that is under way is left alone', async () => {
  const day = 86_400_000
  const keeper = housekeeping(here.deps)
  const sweeps = (): string[] => started().filter((id) => id.startsWith('retention/'))
  here.clock.ms += day - 1
  await keeper.tick()
  expect(sweeps()).toEqual([])
  here.clock.ms += 1
  await keeper.tick()
  expect(sweeps()).toEqual(['retention/main'])
  const [run] = here.engine.started.filter(({ workflow }) => workflow === 'retentionSweep')
  expect(run?.input).toMatchObject({
    mode: 'sweep',
    approval: 'required',
    graceMs: day,
    maxShare: 0.5,
    requestedBy: { user: 'holdfast', reason: 'once a day' },
  })
  here.clock.ms += 2 * day
  await keeper.tick()
  expect(sweeps()).toHaveLength(1)
})

test('a daily sweep runs with what is set; one that is set to ask asks for each', async () => {
  const day = 86_400_000
  const { catalog, clock, engine } = here
  catalog.sweepSettings.set(null, { ...nothingSet, graceMs: 3 * day, maxShare: 0.2 })
  catalog.sweepSettings.set('main', { ...nothingSet, maxShare: 0.1, approveWithinMs: day })
  const keeper = housekeeping(here.deps)
  const nextInput = async () => {
    clock.ms += day
    await keeper.tick()
    for (const run of engine.runs) if (run.workflowId === 'retention/main') engine.end(run, 'completed')
    const { runId } = catalog.runs.latest('retention/main') ?? {}
    if (runId) catalog.runs.observe(runId, { state: 'completed', endedMs: clock.ms })
    return engine.started.filter(({ workflow }) => workflow === 'retentionSweep').at(-1)?.input
  }
  const first = { graceMs: 3 * day, maxShare: 0.1, approveWithinMs: day, approval: 'required' }
  expect(await nextInput()).toMatchObject(first)
  const sweep = {
    ...{ runId: 'run-1', workflowId: 'retention/main', repositoryId: 'main', state: 'waiting' as const },
    ...{ dryRun: false, digest: 'd', plannedMs: clock.ms, maxShare: 0.1, points: 2, going: 1, series: 1, asking: 0 },
    ...{ orphans: 0, policies: [], approvalRequired: true },
  }
  catalog.sweeps.record({ sweep, series: [], points: [] })
  expect(catalog.sweeps.get('run-1').approvalRequired).toBe(true)
  catalog.sweeps.update('run-1', { approval: { user: 'ada', reason: '', ms: clock.ms }, endedMs: clock.ms })
  catalog.sweepSettings.set('main', nothingSet)
  expect(await nextInput()).toMatchObject({ approval: 'grace', graceMs: 3 * day, maxShare: 0.2 })
  catalog.sweepSettings.set('main', { ...nothingSet, approval: 'required' })
  expect(await nextInput()).toMatchObject({ approval: 'required', approveWithinMs: 7 * day })
})

test('what each VM has there is looked at once a day', async () => {
  const { catalog, clock } = here
  catalog.points.record(aPoint(1, { createdMs: clock.ms - 3_600_000 }))
  const keeper = housekeeping(here.deps)
  for (let n = 0; n < 3; n += 1) {
    await keeper.tick()
    clock.ms += 86_400_000
    await keeper.tick()
  }
  const wish = { sinceMs: 0, untilMs: clock.ms }
  const { items: months } = catalog.workloadUsage.list('main', { limit: 50 }, wish)
  expect(months.reduce((days, month) => days + month.days, 0)).toBe(4)
})

test('one repository that cannot be looked at keeps nothing else waiting', async () => {
  const { catalog } = here
  catalog.retentionAudits.lastMs = () => {
    throw new Error('the row makes no sense')
  }
  catalog.points.record(aPoint(1, { createdMs: here.clock.ms - 3_600_000 }))
  await housekeeping(here.deps).tick()
  const wish = { sinceMs: 0, untilMs: here.clock.ms }
  expect(catalog.workloadUsage.list('main', { limit: 50 }, wish).items).toHaveLength(1)
})

test('sweeps go by themselves once a person has approved one of that repository', async () => {
  const day = 86_400_000
  const { catalog, clock, engine } = here
  const second = catalog.repositories.add({
    name: 'second',
    site: 'local',
    location: { kind: 'posix', path: '/srv/second' },
    credentialRef: 'file:/srv/secrets/second',
  }).id
  const nothing = { points: 0, going: 0, series: 0, asking: 0, orphans: 0, policies: [], digest: '', maxShare: 0.5 }
  const of = { runId: 'sweep-1', workflowId: 'retention/main', repositoryId: 'main', plannedMs: clock.ms }
  const sweep = { ...of, ...nothing, dryRun: false, state: 'planned' as const }
  catalog.sweeps.record({ sweep, series: [], points: [] })
  catalog.sweeps.update('sweep-1', { state: 'waiting' })
  expect(catalog.sweeps.wasApproved('main')).toBe(false)
  catalog.sweeps.update('sweep-1', { approval: { user: 'ann', reason: 'looked at it', ms: clock.ms } })
  clock.ms += 2 * day
  const keeper = housekeeping(here.deps)
  await keeper.tick()
  const asked = () =>
    engine.started
      .filter(({ workflow }) => workflow === 'retentionSweep')
      .map(({ input }) => input as SweepInput)
      .map(({ repository, approval }) => [repository.id, approval])
  expect(asked()).toEqual([
    ['main', 'grace'],
    [second, 'required'],
  ])
  // A rebuild brings back what was approved when other policies held.
  catalog.own.forget()
  expect(catalog.sweeps.wasApproved('main')).toBe(false)
  expect(catalog.sweeps.get('sweep-1').approval).toMatchObject({ user: 'ann' })
})

test('a repository is measured by itself once a day, and after an hour again where that came to nothing', async () => {
  const { catalog, clock, deps, engine } = here
  const keeper = housekeeping(deps, { sweeps: 'by-hand' })
  const begun = (): number => engine.started.filter(({ workflow }) => workflow === 'measureRepository').length
  const hour = 3_600_000
  const after = async (ms: number): Promise<number> => {
    for (const run of engine.runs) engine.end(run, 'completed')
    clock.ms += ms
    await keeper.tick()
    return begun()
  }
  // Whoever has just added it tests it, and so measures it.
  expect([await after(hour - 1), await after(1), await after(hour - 1)]).toEqual([0, 1, 1])
  const sizes = { storedBytes: 5, uniqueBytes: 6, logicalBytes: 7, capacityBytes: 100, freeBytes: 90 }
  catalog.repositories.recordUsage('main', { measuredMs: clock.ms, points: 1, series: 1, packs: 1, ...sizes })
  expect([await after(24 * hour - 1), await after(1)]).toEqual([1, 2])
  expect(engine.started.at(-1)).toMatchObject({ workflowId: 'housekeeping/measure/main', whenRunning: 'join' })
  const error = { code: 'StoreUnavailable', message: 'it is away', hint: 'Look at the store.', docs: '' } as const
  catalog.repositories.recordUnmeasured('main', clock.ms, error)
  expect(await here.get('/api/v1/repositories/main')).toMatchObject({
    measuring: { triedMs: clock.ms, error: { message: 'it is away' } },
    usage: sizes,
  })
  expect([await after(hour - 1), await after(1)]).toEqual([2, 3])
  catalog.repositories.recordUsage('main', { measuredMs: clock.ms, points: 1, series: 1, packs: 1, ...sizes })
  expect(await here.get('/api/v1/repositories/main')).toMatchObject({ measuring: { error: null } })
})

test('nobody sweeps where people want to do it by hand', async () => {
  here.clock.ms += 10 * 86_400_000
  await housekeeping(here.deps, { sweeps: 'by-hand' }).tick()
  expect(started().filter((id) => id.startsWith('retention/'))).toEqual([])
})

test('a repository that cannot be asked keeps no other waiting', async () => {
  here.catalog.repositories.add({
    name: 'second',
    site: 'local',
    location: { kind: 'posix', path: '/srv/second' },
    credentialRef: 'file:/srv/secrets/second',
  })
  here.clock.ms += ownBackupPace.latestMs
  const asked: string[] = []
  const orchestrator = new Proxy(here.engine, {
    get: (target, name, receiver) =>
      name === 'start'
        ? async (spec: { workflowId: string }) => {
            if (!isMeasuring(spec.workflowId)) asked.push(spec.workflowId)
            throw new Error('away')
          }
        : (Reflect.get(target, name, receiver) as unknown),
  })
  await housekeeping({ ...here.deps, orchestrator }).tick()
  expect(asked).toEqual(['housekeeping/own-backup/main', 'housekeeping/own-backup/second'])
})

test('a worker gets the copy whose name it was told, and nothing else of the API', async () => {
  mkdirSync(here.deps.copiesDir)
  const snap = 'a'.repeat(32)
  writeFileSync(join(here.deps.copiesDir, `${snap}.db`), 'SQLite')
  const ask = (path: string): Promise<Response> | Response =>
    here.app.request(`${own}/api/v1${path}`, { headers: { authorization: `Bearer ${workerToken}` } })
  expect(await (await ask(`/catalog-copies/${snap}`)).text()).toBe('SQLite')
  expect((await ask(`/catalog-copies/${'b'.repeat(32)}`)).status).toBe(404)
  expect((await ask('/catalog-copies/..%2fcatalog')).status).toBe(403)
  expect((await ask('/own-backups')).status).toBe(403)
})

test('the table of what is kept is shown and changed, within bounds', async () => {
  const { items } = await here.get<{ items: { kind: string; months: number }[] }>('/api/v1/keeping')
  expect(items.map(({ kind, months }) => [kind, months])).toContainEqual(['runs', 12])
  expect(await (await here.call('PUT', '/api/v1/keeping/runs', { months: 24 })).json()).toMatchObject({ months: 24 })
  expect((await here.call('PUT', '/api/v1/keeping/runs', { months: 0 })).status).toBe(400)
  expect((await here.call('PUT', '/api/v1/keeping/nothing', { months: 3 })).status).toBe(400)
})

test('a hypervisor that has moved keeps its VMs, and what was found at the old place is forgotten', async () => {
  here.catalog.endpoints.recordProbe('lab', {
    testedMs: 1,
    version: '9',
    identity: 'host-1',
    evidence: null,
    capabilities: null,
    findings: [],
    error: null,
  })
  const moved = await here.call('PATCH', '/api/v1/hypervisors/lab', { address: '/srv/new' })
  expect(await moved.json()).toMatchObject({ address: '/srv/new', vms: 1, probe: null })
  expect(here.catalog.endpoints.get('lab').identity).toBeNull()
  expect((await here.call('PATCH', '/api/v1/hypervisors/none', { address: '/srv/new' })).status).toBe(404)
})
