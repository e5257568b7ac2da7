import { afterEach, beforeEach, expect, it } from 'vitest'
import { leavingKeys, linkKeys, planDefaults, type BandwidthLimit } from '../policy/index.ts'
import { BandwidthShares } from './bandwidth.ts'
import { bench, workerToken, type Bench } from './testing/bench.ts'

let here: Bench
let shares: BandwidthShares
beforeEach(() => {
  here = bench()
  limit([{ bytesPerSecond: 12_000_000, start: '00:00', end: '00:00' }])
  shares = new BandwidthShares(here.catalog, () => here.clock.ms)
})
afterEach(() => here[Symbol.dispose]())

function limit(bandwidth: readonly BandwidthLimit[]): void {
  const targets = [{ repository: 'main', copy: 'backup', keep: null }] as const
  here.catalog.plans.put({ ...planDefaults, name: 'nightly', targets, bandwidth }, null)
}
const allDay = (bytesPerSecond: number) => [{ bytesPerSecond, start: '00:00', end: '00:00' }]
const nightly = (copies: number) => [{ key: 'plan/nightly', copies }]
const rate = (worker: string, copies: number) => shares.report(worker, nightly(copies))[0]?.bytesPerSecond

it('a limit is divided among the processes that copy under it, by their copies', () => {
  expect(rate('a', 2)).toBe(12_000_000)
  expect(rate('b', 1)).toBe(4_000_000)
  expect(rate('a', 2)).toBe(8_000_000)
  expect(rate('b', 4)).toBe(8_000_000)
})

it('a process that is gone gives its share back by itself', () => {
  rate('a', 1)
  expect(rate('b', 1)).toBe(6_000_000)
  here.clock.ms += 10_001
  expect(rate('b', 1)).toBe(12_000_000)
})

it('a changed limit counts with the next report, and what has none is not limited', () => {
  rate('a', 1)
  limit([{ bytesPerSecond: 1_000_000, start: '00:00', end: '00:00' }])
  expect(rate('a', 1)).toBe(1_000_000)
  limit([])
  expect(rate('a', 1)).toBeNull()
})

it('what is not known is left out, so that nobody takes it for no limit', () => {
  const moving = ['plan/gone', 'else/nightly', 'plan/nightly', 'nightly'].map((key) => ({ key, copies: 1 }))
  expect(shares.report('a', moving)).toMatchObject([{ key: 'plan/nightly', bytesPerSecond: 12_000_000 }])
})

it('outside the hours of its limits a plan has none', () => {
  // 06:36:40 UTC.
  limit([{ bytesPerSecond: 1_000_000, start: '07:00', end: '19:00' }])
  expect(rate('a', 1)).toBeNull()
  here.clock.ms += 3_600_000
  expect(rate('a', 1)).toBe(1_000_000)
})

it('a standby at another site keeps the limit of what leaves its source, and nobody else there is told of it', () => {
  const { catalog } = here
  const paris = {
    name: 'paris',
    platform: 'qemu',
    address: '/srv/paris',
    site: 'paris',
    credentialRef: '',
    options: {},
  }
  catalog.endpoints.add(paris as Parameters<typeof catalog.endpoints.add>[0])
  catalog.links.put({
    ...{ hypervisorId: 'lab', repositoryId: null, timeZone: 'UTC' },
    backup: allDay(1_000_000),
    restore: [],
  })
  const moving = leavingKeys('lab').map((key) => ({ key, copies: 1 }))
  const told = (site: string) =>
    shares.report('mover', moving, site).flatMap(({ key, bytesPerSecond }) => (bytesPerSecond === null ? [] : [key]))
  expect(told('paris')).toEqual([])
  catalog.replications.add({
    id: 'f'.repeat(32),
    vmId: 'web-01',
    endpointId: 'paris',
    name: 'web-01-standby',
    rpoMs: 300_000,
  })
  expect(told('paris')).toEqual(['link/lab/*/backup'])
  expect(told('rome')).toEqual([])
  // A failback is written where the source is, and read at the standby.
  const back = leavingKeys('paris').map((key) => ({ key, copies: 1 }))
  expect(shares.report('mover', back, 'local').map(({ key }) => key)).toContain('link/paris/*/backup')
})

it('workers ask with their own token', async () => {
  const body = { worker: 'mover-1', moving: nightly(1) }
  const ask = (headers: Record<string, string>) => here.call('POST', '/api/v1/bandwidth', body, headers)
  const response = await ask({ authorization: `Bearer ${workerToken}` })
  expect([response.status, await response.json()]).toEqual([
    200,
    { shares: [{ key: 'plan/nightly', bytesPerSecond: 12_000_000, limits: allDay(12_000_000), timeZone: 'UTC' }] },
  ])
  expect((await ask({ authorization: 'Bearer nobody' })).status).toBe(401)
})

it('a process with many copies under the longest names is heard', async () => {
  const [longest = ''] = linkKeys('h'.repeat(100), 'r'.repeat(100), 'restore')
  const moving = [...Array(999).keys()].map((n) => ({ key: `plan/${n}`, copies: 1 }))
  const body = { worker: 'a', moving: [{ key: longest, copies: 1 }, ...moving] }
  const response = await here.call('POST', '/api/v1/bandwidth', body)
  expect(response.status).toBe(200)
  expect(await response.json()).toMatchObject({ shares: [{ key: longest, bytesPerSecond: null }] })
})

const put = (body: object) => here.call('PUT', '/api/v1/links', body)
const lab = { hypervisorId: 'lab', repositoryId: 'main' }

it('links are limited by the API, each direction by itself, and what moves over them is told', async () => {
  const toMain = { hypervisorId: null, repositoryId: 'main', backup: allDay(6_000_000) }
  expect((await put({ ...lab, timeZone: 'Europe/Paris', restore: allDay(1_000_000) })).status).toBe(200)
  expect((await put(toMain)).status).toBe(200)
  const keys = [...linkKeys('lab', 'main', 'backup'), ...linkKeys('lab', 'main', 'restore')]
  const ask = async (worker: string, copies: number): Promise<unknown> => {
    const moving = keys.map((key) => ({ key, copies }))
    const { shares: all } = (await (await here.call('POST', '/api/v1/bandwidth', { worker, moving })).json()) as {
      shares: { key: string; bytesPerSecond: number | null }[]
    }
    return Object.fromEntries(all.flatMap((it) => (it.bytesPerSecond === null ? [] : [[it.key, it.bytesPerSecond]])))
  }
  expect(await ask('a', 2)).toEqual({ 'link/*/main/backup': 6_000_000, 'link/lab/main/restore': 1_000_000 })
  expect(await ask('b', 1)).toEqual({ 'link/*/main/backup': 2_000_000, 'link/lab/main/restore': 333_333 })
  const { items } = await here.get<{ items: object[] }>('/api/v1/links')
  const none = { bytesPerSecond: null, untilMs: null, copies: 3 }
  expect(items).toEqual([
    {
      ...toMain,
      timeZone: 'UTC',
      restore: [],
      now: { backup: { bytesPerSecond: 6_000_000, untilMs: null, copies: 3 }, restore: none },
    },
    {
      ...lab,
      timeZone: 'Europe/Paris',
      backup: [],
      restore: allDay(1_000_000),
      now: { backup: none, restore: { bytesPerSecond: 1_000_000, untilMs: null, copies: 3 } },
    },
  ])
  expect((await put({ ...toMain, backup: [] })).status).toBe(200)
  expect(await ask('a', 2)).toEqual({ 'link/lab/main/restore': 666_666 })
})

it('a link of what is not there, in no time zone, or by who may not is refused', async () => {
  const backup = allDay(1_000_000)
  const refusals: [object, number][] = [
    [{ ...lab, hypervisorId: 'moon', backup }, 404],
    [{ ...lab, repositoryId: 'moon', backup }, 404],
    [{ ...lab, timeZone: 'Europe/Lyon', backup }, 422],
    [{ ...lab, backup: [{ bytesPerSecond: 1, start: '00:00', end: '00:00' }] }, 400],
    [{ ...lab, backup: [{ bytesPerSecond: 1e6, start: 'noon', end: '00:00' }] }, 400],
    [{ ...lab, repositoryId: '*', backup }, 400],
  ]
  for (const [body, status] of refusals) expect([body, (await put(body)).status]).toEqual([body, status])
  const headers = { authorization: `Bearer ${workerToken}` }
  expect((await here.call('PUT', '/api/v1/links', { ...lab, backup }, headers)).status).toBe(403)
  expect(here.catalog.links.list()).toEqual([])
})
