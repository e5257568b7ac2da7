import { afterEach, beforeEach, expect, it } from 'vitest'
import { aPoint, pointIdOf, testNow } from '../catalog/testing.ts'
import { planDefaults } from '../policy/index.ts'
import { mirrorWorkflowId, type MirrorInput } from '../workflows/mirror/contract.ts'
import { housekeeping } from './housekeeping.ts'
import { bench, type Bench } from './testing/bench.ts'

const hour = 3_600_000
const pair = { sourceId: 'main', targetId: 'offsite' } as const
const id = pointIdOf(1)
let here: Bench
beforeEach(() => {
  here = bench()
  const location = { kind: 's3', url: 's3://offsite/holdfast' } as const
  here.catalog.repositories.add({ name: 'offsite', site: 'local', location, credentialRef: 'file:/secrets/offsite' })
  here.catalog.plans.put(
    {
      ...planDefaults,
      name: 'nightly',
      schedule: { kind: 'every', everyMs: 4 * hour },
      targets: [
        { repository: 'main', copy: 'backup', keep: null },
        { repository: 'offsite', copy: 'mirror', keep: null },
      ],
    },
    0,
  )
  here.catalog.points.record(aPoint(1, { plan: 'nightly' }))
})
afterEach(() => here[Symbol.dispose]())

const post = (body: object): Promise<Response> => here.call('POST', '/api/v1/mirrors', { ...pair, ...body })
const copyOf = (repositoryId = 'offsite') => here.catalog.copies.find(id, repositoryId)
const found = (over: object = {}): void =>
  here.catalog.copies.found({
    ...{ pointId: id, repositoryId: 'offsite', stem: aPoint(1).stem, sourceId: 'main', validatedMs: testNow },
    lockUntilMs: null,
    ...over,
  })
const mirrors = (): string[] =>
  here.engine.started.map(({ workflowId }) => workflowId).filter((one) => one.startsWith('mirror/'))
interface Need {
  readonly action: { readonly command: string }
  readonly kind: string
  readonly title: string
  readonly detail: string
}
const needs = async (): Promise<readonly Need[]> =>
  (await here.get<{ readonly needsYou: readonly Need[] }>('/api/v1/overview')).needsYou

it('starts one run between two repositories, and a second wish joins it', async () => {
  const first = await post({ reason: 'before the move' })
  expect(first.status).toBe(202)
  const { runId } = (await first.json()) as { runId: string }
  expect(here.engine.started[0]).toMatchObject({ workflow: 'mirrorRepository', workflowId: 'mirror/main/offsite' })
  expect(here.engine.started[0]?.input as MirrorInput).toMatchObject({
    ...{ source: { id: 'main' }, target: { id: 'offsite' }, part: 0, requestedBy: { reason: 'before the move' } },
  })
  expect(copyOf()).toMatchObject({ state: 'pending', byHand: false })
  const again = await post({ pointId: id })
  expect(await again.json()).toMatchObject({ workflowId: mirrorWorkflowId('main', 'offsite'), runId })
  expect(mirrors()).toHaveLength(1)
})

it('refuses what cannot be: into itself, from a repository without the point, across sites', async () => {
  expect((await post({ targetId: 'main' })).status).toBe(400)
  expect((await post({ pointId: id, all: true })).status).toBe(400)
  const back = await here.call('POST', '/api/v1/mirrors', { sourceId: 'offsite', targetId: 'main', pointId: id })
  expect(await back.json()).toMatchObject({ code: 'NotFound', hint: 'Copy it from main.' })
  const location = { kind: 'posix', path: '/srv/far' } as const
  here.catalog.repositories.add({ name: 'far', site: 'paris', location, credentialRef: 'file:/secrets/far' })
  expect(await (await post({ targetId: 'far' })).json()).toMatchObject({ code: 'Unsupported' })
  expect(mirrors()).toEqual([])
})

it('copies that are wanted are begun by themselves, once, and not again right after a cancel', async () => {
  const keeper = housekeeping(here.deps, { sweeps: 'by-hand' })
  await keeper.tick()
  expect(mirrors()).toEqual([])
  here.catalog.mirrors.want(pair, id, false)
  await keeper.tick()
  await keeper.tick()
  expect(mirrors()).toEqual(['mirror/main/offsite'])
  const { runId = '' } = here.catalog.runs.latest('mirror/main/offsite') ?? {}
  for (const run of here.engine.runs) here.engine.end(run, 'cancelled')
  here.catalog.runs.observe(runId, { state: 'cancelled', endedMs: here.clock.ms })
  here.clock.ms += hour - 1
  await keeper.tick()
  expect(mirrors()).toHaveLength(1)
  here.clock.ms += 1
  await keeper.tick()
  expect(mirrors()).toHaveLength(2)
})

it('a mirror behind for longer than its plan takes is a finding, until it has caught up', async () => {
  here.catalog.mirrors.want(pair, id, false)
  here.clock.ms += 4 * hour
  expect((await needs()).map(({ kind }) => kind)).not.toContain('mirror-lag')
  here.clock.ms += 1
  expect(await needs()).toContainEqual(
    expect.objectContaining({
      ...{ kind: 'mirror-lag', title: 'offsite is behind for nightly' },
      action: { label: 'Copy now', command: 'holdfast mirror main offsite' },
    }),
  )
  expect(await here.get('/api/v1/mirrors')).toMatchObject({
    items: [{ ...pair, sourceName: 'main', behind: 1, failed: 0, done: 0, lagMs: 4 * hour + 1, newestMs: null }],
  })
  found()
  expect((await needs()).map(({ kind }) => kind)).not.toContain('mirror-lag')
  expect(await here.get('/api/v1/mirrors')).toMatchObject({ items: [{ behind: 0, done: 1, lagMs: 0 }] })
})

it('a mirror behind is also a finding for points of a deleted plan, and after a day for points without one', async () => {
  here.catalog.points.record(aPoint(2, { plan: null }))
  for (const one of [id, pointIdOf(2)]) here.catalog.mirrors.want(pair, one, false)
  here.catalog.plans.remove('nightly', null)
  const late = async (): Promise<Need[]> => (await needs()).filter(({ kind }) => kind === 'mirror-lag')
  here.clock.ms += 4 * hour + 1
  expect((await late()).map(({ title }) => title)).toEqual(['offsite is behind for nightly'])
  found()
  expect(await late()).toEqual([])
  here.clock.ms += 20 * hour
  expect((await late()).map(({ title }) => title)).toEqual(['offsite is behind for points that no plan made'])
  expect((await late())[0]?.detail).toContain('longer than 24 h')
})

it('a repository is one finding however many plans wait for it, and names the longest', async () => {
  here.catalog.plans.put({ ...here.catalog.plans.get('nightly'), name: 'hourly' }, 0)
  here.catalog.mirrors.want(pair, id, false)
  here.clock.ms += hour
  here.catalog.points.record(aPoint(2, { plan: 'hourly' }))
  here.catalog.mirrors.want(pair, pointIdOf(2), false)
  here.clock.ms += 5 * hour
  const late = (await needs()).filter(({ kind }) => kind === 'mirror-lag')
  expect(late.map(({ title }) => title)).toEqual(['offsite is behind for nightly'])
  expect(late[0]?.detail).toMatch(/^1 point is not there yet: it has been waiting for 6 h, .* Behind too: hourly\.$/)
})

it('a mirror that no worker can fill, because its ends are reached from two sites, says so and what helps', async () => {
  here.catalog.mirrors.want(pair, id, false)
  here.catalog.repositories.describe('offsite', { site: 'paris' })
  here.clock.ms += 5 * hour
  const [late] = (await needs()).filter(({ kind }) => kind === 'mirror-lag')
  expect(late).toMatchObject({
    detail: expect.stringContaining('main is reached from local, offsite from paris') as string,
    action: { command: 'holdfast repository set offsite --site local' },
  })
})

it('a VM says that its points lie in one repository, or that its copies are late; its backups go where they went', async () => {
  interface About {
    readonly weaknesses: readonly { readonly code: string }[]
    readonly defaultRepositoryId: string
  }
  const about = (): Promise<About> => here.get<About>('/api/v1/vms/web-01')
  const codes = async (): Promise<string[]> => (await about()).weaknesses.map(({ code }) => code)
  expect(await codes()).toContain('one-repository')
  here.catalog.mirrors.want(pair, id, false)
  expect(await codes()).not.toContain('copies-late')
  here.clock.ms += 4 * hour + 1
  expect(await codes()).toEqual(expect.arrayContaining(['one-repository', 'copies-late']))
  found()
  expect(await codes()).not.toContain('one-repository')
  expect(await codes()).not.toContain('copies-late')
  here.catalog.points.recordGone(id, here.clock.ms, 'main')
  expect(await codes()).toContain('one-repository')
  expect(here.catalog.points.get(id).repositoryId).toBe('offsite')
  expect((await about()).defaultRepositoryId).toBe('main')
})

it('a damaged copy is told although another one stands, and so is the original', async () => {
  found()
  here.catalog.points.recordDamage(id, { ms: testNow, damage: 'a chunk is lost' }, 'offsite')
  expect(await needs()).toContainEqual(
    expect.objectContaining({
      ...{ kind: 'copy-damaged', title: 'The copy of a point of web-01 in offsite is damaged' },
      action: { label: 'See the point', command: `holdfast points web-01 --point ${id}` },
    }),
  )
  here.catalog.points.recordMended(id, testNow, 'offsite')
  here.catalog.points.recordDamage(id, { ms: testNow, damage: 'a chunk is lost' }, 'main')
  expect((await needs()).map(({ title }) => title)).toContain('The copy of a point of web-01 in main is damaged')
  here.catalog.points.recordDamage(id, { ms: testNow, damage: 'a chunk is lost' }, 'offsite')
  expect((await needs()).map(({ kind }) => kind)).not.toContain('copy-damaged')
  expect((await needs()).map(({ kind }) => kind)).toContain('point-damaged')
})

it('a copy that failed is told by the point and on the overview', async () => {
  here.catalog.mirrors.want(pair, id, false)
  here.catalog.mirrors.take(pair, 'r1', { nowMs: here.clock.ms, limit: 1 })
  here.catalog.mirrors.release(pair, 'r1', 'the store is away', here.clock.ms)
  expect((await needs()).map(({ title }) => title)).toContain('1 point could not be copied to offsite')
  expect(await here.get(`/api/v1/points/${id}`)).toMatchObject({
    copies: [
      { repositoryId: 'main', sourceId: null, state: 'done', isRestorable: true },
      {
        repositoryId: 'offsite',
        sourceName: 'main',
        state: 'failed',
        isRestorable: false,
        problem: 'the store is away',
      },
    ],
  })
})

it('restores from the copy that is named, and from the mirror when the first one is lost', async () => {
  const restore = (repositoryId?: string) =>
    here.call('POST', '/api/v1/restores', {
      pointId: id,
      ...(repositoryId !== undefined && { repositoryId }),
      target: { kind: 'new', hypervisorId: 'lab', name: 'back' },
    })
  const inputs = () => here.engine.started.map(({ input }) => input as { stem: string; repository: { id: string } })
  expect(await (await restore('offsite')).json()).toMatchObject({
    ...{ code: 'PointNotRestorable', hint: 'Restore it from main.' },
  })
  const stem = `${aPoint(1).stem.slice(0, -32)}${'e'.repeat(32)}`
  found({ stem })
  expect((await restore()).status).toBe(202)
  expect((await restore('offsite')).status).toBe(202)
  here.catalog.points.recordDamage(id, { ms: testNow, damage: 'a chunk is lost' }, 'main')
  expect((await restore()).status).toBe(202)
  expect(inputs()).toMatchObject([
    { repository: { id: 'main' }, stem: aPoint(1).stem },
    { repository: { id: 'offsite' }, stem },
    { repository: { id: 'offsite' }, stem },
  ])
  expect((await restore('main')).status).toBe(422)
})

it('copies that come by post are not copied, no trouble until their day, and told again after it', async () => {
  const day = 24 * hour
  const shipment = '/api/v1/mirrors/main/offsite/shipment'
  const put = (untilMs: number, path = shipment) => here.call('PUT', path, { untilMs, note: 'disk 7' })
  const late = async () => (await needs()).filter(({ kind }) => kind === 'mirror-lag').length
  here.catalog.mirrors.want(pair, id, false)
  here.clock.ms += 5 * hour
  expect(await late()).toBe(1)
  for (const untilMs of [here.clock.ms, here.clock.ms + 91 * day]) expect((await put(untilMs)).status).toBe(400)
  expect((await put(here.clock.ms + day, '/api/v1/mirrors/main/main/shipment')).status).toBe(400)
  expect((await put(here.clock.ms + day, '/api/v1/mirrors/main/nowhere/shipment')).status).toBe(404)
  const untilMs = here.clock.ms + 2 * day
  expect((await put(untilMs)).status).toBe(200)
  expect(await late()).toBe(0)
  const state = { behind: 1, done: 0, lagMs: 5 * hour }
  const [mirror] = (await here.get<{ items: object[] }>('/api/v1/mirrors')).items
  expect(mirror).toMatchObject({ ...state, shipment: { untilMs, isOverdue: false, note: 'disk 7' } })
  const keeper = housekeeping(here.deps, { sweeps: 'by-hand' })
  await keeper.tick()
  expect(mirrors()).toEqual([])
  here.clock.ms = untilMs
  expect(await late()).toBe(1)
  expect(await here.get('/api/v1/mirrors')).toMatchObject({ items: [{ shipment: { isOverdue: true } }] })
  await put(here.clock.ms + day)
  expect((await here.call('DELETE', shipment)).status).toBe(204)
  expect((await here.call('DELETE', shipment)).status).toBe(404)
  expect(await here.get('/api/v1/mirrors')).toMatchObject({ items: [{ behind: 1, shipment: null }] })
  await keeper.tick()
  expect(mirrors()).toEqual(['mirror/main/offsite'])
})
