import { afterEach, beforeEach, expect, test } from 'vitest'
import { aPoint } from '../catalog/testing.ts'
import { bench, type Bench } from './testing/bench.ts'
import { upcoming, upcomingMs } from './upcoming.ts'

let here: Bench
beforeEach(() => void (here = bench({ vms: ['web-01', 'db-01'] })))
afterEach(() => here[Symbol.dispose]())

const hour = 3_600_000
const titles = (deps: Parameters<typeof upcoming>[0] = here.deps) =>
  upcoming(deps).items.map(({ title, atMs, goesOn }) => [title, (atMs - here.clock.ms) / hour, goesOn])
const plan = (name: string, schedule: object, more: object = {}) =>
  here.call('PUT', `/api/v1/plans/${name}`, { where: [], schedule, targets: [{ repository: 'main' }], ...more })

test('plans start by their clock, those that are paused do not, and one that starts often does not hide the others', async () => {
  // The clock shows 06:36:40 UTC.
  await plan('often', { kind: 'every', everyMs: hour })
  await plan('once', { kind: 'calendar', at: ['12:36'] })
  await plan('late', { kind: 'calendar', at: ['05:00'] })
  await plan('paused', { kind: 'calendar', at: ['12:36'] }, { paused: true })
  await plan('by-hand', { kind: 'manual' })
  const starts = upcoming(here.deps).items.filter(({ kind }) => kind === 'plan')
  expect(starts.map(({ title, goesOn }) => [title, goesOn])).toEqual([
    ['often', false],
    ['often', false],
    ['often', true],
    ['once', false],
  ])
  expect(starts.every(({ atMs }) => atMs > here.clock.ms && atMs <= here.clock.ms + upcomingMs)).toBe(true)
})

test('a repository is swept and read when it is due, and by hand only where that is set', async () => {
  here.clock.ms += 20 * hour
  expect(titles()).toEqual([['retention main', 4, false]])
  expect(titles({ ...here.deps, byItself: { sweeps: 'by-hand', drills: 'always' } })).toEqual([])
  await here.call('PUT', '/api/v1/repositories/main/scrub', { level: 'data', budgetBytes: 2 ** 30 })
  expect(upcoming(here.deps).items[0]).toMatchObject({
    ...{ title: 'verify main', detail: '1.0 GiB at most', atMs: here.clock.ms, state: 'planned' },
    subject: { kind: 'repository', id: 'main' },
  })
})

test('a sweep that waits for an approval is held, and nothing further begins there', () => {
  const at = here.clock.ms
  const facts = { digest: 'd', points: 9, going: 7, series: 1, asking: 1, orphans: 0, maxShare: 0.25, policies: [] }
  here.catalog.sweeps.record({
    sweep: {
      ...facts,
      runId: 's',
      workflowId: 'retention/main',
      repositoryId: 'main',
      state: 'planned',
      dryRun: false,
      plannedMs: at,
    },
    ...{ series: [], points: [] },
  })
  here.catalog.sweeps.update('s', { state: 'waiting', waitsFor: 'approval', waitsUntilMs: at + 48 * hour })
  here.clock.ms += 30 * hour
  expect(upcoming(here.deps).items).toMatchObject([
    { title: 'retention main', state: 'held', detail: '7 points wait for you' },
  ])
  here.catalog.sweeps.update('s', { waitsFor: 'grace', waitsUntilMs: here.clock.ms + hour })
  expect(titles()).toEqual([['retention main', 1, false]])
})

test('drills that are due stand in one line until it is known which comes first; none begins outside their hours', () => {
  here.catalog.endpoints.recordProbe('lab', {
    ...{ version: '1', identity: null, evidence: 'verified', probedMs: here.clock.ms, findings: [], error: null },
    capabilities: { restore: true, guestCommand: 'agent' },
  } as never)
  const checks = [{ title: 'disks', path: '/bin/true', args: [], timeoutMs: 1000, expectExit: 0, count: null }]
  for (const id of ['web-01', 'db-01']) here.catalog.vms.change(id, { drillChecks: checks } as never)
  here.catalog.points.record(aPoint(1, { vmId: 'web-01' }))
  here.clock.ms += 2 * hour
  const drills = () => upcoming(here.deps).items.filter(({ kind }) => kind === 'drill')
  // A VM is left alone for a day after its first point.
  expect(drills()).toEqual([])
  here.clock.ms += 18 * hour
  expect(drills()).toMatchObject([{ title: 'drill web-01', subject: { kind: 'vm', id: 'web-01' } }])
  here.clock.ms += 24 * hour
  here.catalog.points.record(aPoint(2, { vmId: 'db-01' }))
  expect(drills()).toMatchObject([{ title: '2 drills', subject: null, atMs: here.clock.ms }])
  const night = { start: '20:00', end: '21:00', timeZone: 'UTC' }
  const inHours = upcoming({ ...here.deps, byItself: { sweeps: 'by-hand', drills: night } }).items
  expect(inHours.every(({ atMs }) => new Date(atMs).getUTCHours() >= 20)).toBe(true)
})
