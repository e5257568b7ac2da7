import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { aPoint, aRun } from '../../catalog/testing.ts'
import { hashOf } from '../secrets.ts'
import { bench, workerToken, type Bench } from '../testing/bench.ts'
import { largestVms } from './index.ts'
import { expose } from './exposition.ts'
import { vmFamilies } from './state.ts'

const minute = 60_000
const hour = 60 * minute
let here: Bench
beforeEach(() => {
  here = bench({ vms: ['web-01', 'db-01'] })
})
afterEach(() => here[Symbol.dispose]())

const scrape = async (token?: string): Promise<string> => {
  // What was made a moment ago is given again.
  here.clock.ms += minute
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
  const response = await here.call('GET', '/metrics', undefined, headers)
  if (response.status !== 200) throw new Error(String(response.status))
  return response.text()
}
/** The lines of one metric. */
const of = (text: string, name: string): string[] =>
  text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
const ended = (n: number, state: 'completed' | 'failed', tookMs: number): void => {
  here.catalog.runs.started(aRun(n, { startedMs: here.clock.ms - tookMs }))
  const endedMs = here.clock.ms
  here.catalog.runs.observe(`run-${n}`, { state, endedMs, bytesRead: 1000, bytesStored: 400 })
}

describe('who may read them', () => {
  test('nobody without a token, no session, and no worker', async () => {
    for (const authorization of ['', 'Bearer nonsense'])
      expect((await here.call('GET', '/metrics', undefined, { authorization })).status).toBe(401)
    const worker = { authorization: `Bearer ${workerToken}` }
    expect((await here.call('GET', '/metrics', undefined, worker)).status).toBe(403)
  })

  test('a token of their own, which opens nothing else', async () => {
    const token = 'holdfast_metrics'
    here.catalog.access.putToken({ id: 'metrics', name: 'metrics', hash: hashOf(token), role: 'monitor' })
    const headers = { authorization: `Bearer ${token}` }
    const response = await here.call('GET', '/metrics', undefined, headers)
    expect([response.status, response.headers.get('content-type')]).toEqual([
      200,
      'text/plain; version=0.0.4; charset=utf-8',
    ])
    for (const path of ['/vms', '/session', '/overview', '/events', '/channels'])
      expect((await here.call('GET', `/api/v1${path}`, undefined, headers)).status, path).toBe(403)
    expect((await here.call('POST', '/api/v1/session', { token })).status).toBe(403)
  })
})

describe('a VM', () => {
  test('has the instant of its newest point that counts, its promise and its proof', async () => {
    const { catalog, clock } = here
    const createdMs = clock.ms - hour
    catalog.points.record(aPoint(1, { createdMs: createdMs - hour, plan: 'old' }))
    catalog.points.record(aPoint(2, { createdMs, plan: 'nightly' }))
    // Neither one that is not validated nor one that is dated ahead counts.
    catalog.points.record(aPoint(3, { createdMs: clock.ms, validatedMs: null }))
    catalog.points.record(aPoint(4, { createdMs: clock.ms + 5 * hour }))
    const text = await scrape()
    expect(of(text, 'holdfast_vm_last_recovery_point_timestamp_seconds')).toEqual([
      `holdfast_vm_last_recovery_point_timestamp_seconds{vm="web-01",plan="nightly",repo="main"} ${createdMs / 1000}`,
    ])
    expect(of(text, 'holdfast_vm_rpo_seconds')).toContain('holdfast_vm_rpo_seconds{vm="web-01"} 86400')
    expect(of(text, 'holdfast_vm_protected')).toEqual([
      'holdfast_vm_protected{vm="db-01"} 0',
      'holdfast_vm_protected{vm="web-01"} 1',
    ])
    expect(of(text, 'holdfast_vms')).toEqual(
      expect.arrayContaining(['holdfast_vms{state="protected"} 1', 'holdfast_vms{state="unprotected"} 1']),
    )
    // A commit that read back what it wrote is no verify.
    expect(of(text, 'holdfast_vm_last_verified_timestamp_seconds')).toEqual([])
    catalog.points.recordVerification(aPoint(2).id, { level: 'data', ms: clock.ms, chunks: 5 })
    expect(of(await scrape(), 'holdfast_vm_last_verified_timestamp_seconds')).toHaveLength(1)
  })

  test('that is left out on purpose has no promise that could be broken', async () => {
    here.catalog.vms.change('db-01', { excludedReason: 'for these tests' })
    expect(of(await scrape(), 'holdfast_vm_rpo_seconds')).toEqual(['holdfast_vm_rpo_seconds{vm="web-01"} 86400'])
  })

  test('has no series of its own where there are too many, and that is told', async () => {
    here.catalog.points.record(aPoint(1))
    const text = (await expose(vmFamilies(here.catalog, 1))).text
    expect(of(text, 'holdfast_vms_left_out')).toEqual(['holdfast_vms_left_out 1'])
    expect(of(text, 'holdfast_vm_protected')).toEqual(['holdfast_vm_protected{vm="db-01"} 0'])
    // Its points are left out with it.
    expect(of(text, 'holdfast_vm_last_recovery_point_timestamp_seconds')).toEqual([])
    expect(largestVms).toBeGreaterThanOrEqual(10_000)
  })
})

test('a mirror says how far it is behind, and a VM its newest point in each repository', async () => {
  const { catalog, clock } = here
  const location = { kind: 's3', url: 's3://offsite/holdfast' } as const
  catalog.repositories.add({ name: 'offsite', site: 'local', location, credentialRef: 'file:/srv/secrets/offsite' })
  const pair = { sourceId: 'main', targetId: 'offsite' }
  const points = [1, 2].map((n) => aPoint(n, { createdMs: clock.ms - (3 - n) * hour }))
  for (const point of points) {
    catalog.points.record(point)
    catalog.mirrors.want(pair, point.id, false)
  }
  const labels = '{source="main",repo="offsite"}'
  const behind = await scrape()
  expect(of(behind, 'holdfast_mirror_points_behind')).toEqual([`holdfast_mirror_points_behind${labels} 2`])
  expect(of(behind, 'holdfast_mirror_lag_seconds')).toEqual([`holdfast_mirror_lag_seconds${labels} 60`])
  const overdue = 'holdfast_mirror_overdue_seconds'
  expect(of(behind, overdue)).toEqual([`${overdue}${labels} 0`])
  // No plan made them: a day is allowed.
  clock.ms += 25 * hour
  expect(of(await scrape(), overdue)).toEqual([`${overdue}${labels} 3720`])
  clock.ms -= 25 * hour
  const newest = 'holdfast_vm_last_recovery_point_timestamp_seconds'
  expect(of(behind, newest)).toHaveLength(1)
  for (const { id: pointId, stem } of points)
    catalog.copies.found({
      ...{ pointId, repositoryId: 'offsite', stem, sourceId: 'main' },
      ...{ validatedMs: clock.ms, lockUntilMs: null },
    })
  expect(of(await scrape(), 'holdfast_mirror_lag_seconds')).toEqual([`holdfast_mirror_lag_seconds${labels} 0`])
  catalog.points.recordGone(points[1]?.id ?? '', clock.ms, 'offsite')
  const there = await scrape()
  // What vanished there is behind again.
  expect(of(there, 'holdfast_mirror_points_behind')).toEqual([`holdfast_mirror_points_behind${labels} 1`])
  expect(of(there, 'holdfast_mirror_lag_seconds')).toEqual([`holdfast_mirror_lag_seconds${labels} 60`])
  const at = points.map(({ createdMs }) => createdMs / 1000)
  expect(of(there, newest).map((line) => line.replace(/^.*repo=/, ''))).toEqual([
    `"main"} ${at[1]}`,
    `"offsite"} ${at[0]}`,
  ])
  catalog.points.recordVerification(points[0]?.id ?? '', { level: 'full', ms: clock.ms, chunks: null }, 'offsite')
  const verified = of(await scrape(), 'holdfast_vm_last_verified_timestamp_seconds')
  expect(verified).toEqual([expect.stringContaining('repo="offsite"')])
})

describe('counters', () => {
  test('count each run once, with its duration and its bytes', async () => {
    ended(1, 'completed', 50_000)
    ended(2, 'failed', 2 * hour)
    // Said once more, as the look at the engine does.
    here.catalog.runs.observe('run-2', { state: 'failed', endedMs: here.clock.ms })
    const text = await scrape()
    expect(of(text, 'holdfast_runs_total').filter((line) => !line.endsWith(' 0'))).toEqual([
      'holdfast_runs_total{kind="backup",outcome="completed"} 1',
      'holdfast_runs_total{kind="backup",outcome="failed"} 1',
    ])
    // What never happened is there as well, so that the first time is a rise.
    expect(of(text, 'holdfast_runs_total')).toContain('holdfast_runs_total{kind="drill",outcome="failed"} 0')
    expect(of(text, 'holdfast_bytes_read_total')).toEqual(['holdfast_bytes_read_total{kind="backup"} 2000'])
    expect(of(text, 'holdfast_run_duration_seconds_bucket').map((line) => line.replace(/^.*le=/, ''))).toEqual([
      '"10"} 0',
      '"60"} 1',
      '"300"} 1',
      '"900"} 1',
      '"3600"} 1',
      '"14400"} 2',
      '"43200"} 2',
      '"86400"} 2',
      '"+Inf"} 2',
    ])
    expect(of(text, 'holdfast_run_duration_seconds_sum')).toEqual([
      'holdfast_run_duration_seconds_sum{kind="backup"} 7250',
    ])
  })

  test('never go back, also when records are removed', async () => {
    ended(1, 'completed', minute)
    here.clock.ms += hour
    ended(2, 'completed', minute)
    here.clock.ms += 400 * 24 * hour
    await here.catalog.keeping.purge()
    expect(here.catalog.runs.find('run-1')).toBeUndefined()
    expect(of(await scrape(), 'holdfast_runs_total')).toContain(
      'holdfast_runs_total{kind="backup",outcome="completed"} 2',
    )
  })
})

test('an engine that is away is told, and nothing is claimed of its queues', async () => {
  expect(of(await scrape(), 'holdfast_worker_up')).toContain('holdfast_worker_up{queue="holdfast.control"} 1')
  here.engine.away = true
  const text = await scrape()
  expect(of(text, 'holdfast_engine_up')).toEqual(['holdfast_engine_up 0'])
  expect(of(text, 'holdfast_worker_up')).toEqual([])
})

test('repositories say what the watchdog found, and channels whether they are reached', async () => {
  const { catalog, clock } = here
  const found = { series: 1, points: 1, unreadable: 0, vanished: 2, returned: 0 }
  catalog.watches.recordLook('main', { lookedMs: clock.ms, uuid: 'f'.repeat(32), ...found })
  catalog.watches.recordFailure('main', clock.ms, { code: 'StoreUnavailable', message: 'away', hint: '', docs: '' })
  const route = { severity: 'warning', tags: [], quiet: null, digestAt: null, timeZone: 'UTC' } as const
  const body = { kind: 'webhook', url: 'https://hook.example/a-secret-path', credentialRef: 'file:/srv/hook', route }
  await here.call('PUT', '/api/v1/channels/team', body)
  const text = await scrape()
  expect(of(text, 'holdfast_repo_points_vanished')).toEqual(['holdfast_repo_points_vanished{repo="main"} 2'])
  expect(of(text, 'holdfast_repo_unseen')).toEqual(['holdfast_repo_unseen{repo="main"} 1'])
  expect(of(text, 'holdfast_channel_failing')).toEqual(['holdfast_channel_failing{channel="team"} 0'])
  for (const secret of ['a-secret-path', '/srv/hook', 'credential', 'http']) expect(text).not.toContain(secret)
})

test('a repository that nobody has looked into for half an hour is unseen, also where nobody ever has', async () => {
  const { catalog, clock } = here
  const unseen = async (): Promise<string[]> => of(await scrape(), 'holdfast_repo_unseen')
  expect(await unseen()).toEqual(['holdfast_repo_unseen{repo="main"} 0'])
  clock.ms += 31 * minute
  expect(await unseen()).toEqual(['holdfast_repo_unseen{repo="main"} 1'])
  const found = { series: 1, points: 1, unreadable: 0, vanished: 0, returned: 0 }
  catalog.watches.recordLook('main', { lookedMs: clock.ms, uuid: 'f'.repeat(32), ...found })
  expect(await unseen()).toEqual(['holdfast_repo_unseen{repo="main"} 0'])
  clock.ms += 31 * minute
  expect(await unseen()).toEqual(['holdfast_repo_unseen{repo="main"} 1'])
})

test('a name that would end its line or its quotes does neither', async () => {
  const family = {
    name: 'x',
    help: 'a\nb',
    type: 'gauge',
    samples: [{ labels: { vm: 'a"b\\c\nd' }, value: 1 }],
  } as const
  expect((await expose([family])).text).toBe('# HELP x a\\nb\n# TYPE x gauge\nx{vm="a\\"b\\\\c\\nd"} 1\n')
})
