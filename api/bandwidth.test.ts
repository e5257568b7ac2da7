import { afterEach, beforeEach, expect, it } from 'vitest'
import { planDefaults, type BandwidthLimit } from '../policy/index.ts'
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
  expect(shares.report('a', moving)).toEqual([{ key: 'plan/nightly', bytesPerSecond: 12_000_000 }])
})

it('outside the hours of its limits a plan has none', () => {
  // 06:36:40 UTC.
  limit([{ bytesPerSecond: 1_000_000, start: '07:00', end: '19:00' }])
  expect(rate('a', 1)).toBeNull()
  here.clock.ms += 3_600_000
  expect(rate('a', 1)).toBe(1_000_000)
})

it('workers ask with their own token', async () => {
  const body = { worker: 'mover-1', moving: nightly(1) }
  const ask = (headers: Record<string, string>) => here.call('POST', '/api/v1/bandwidth', body, headers)
  const response = await ask({ authorization: `Bearer ${workerToken}` })
  expect([response.status, await response.json()]).toEqual([
    200,
    { shares: [{ key: 'plan/nightly', bytesPerSecond: 12_000_000 }] },
  ])
  expect((await ask({ authorization: 'Bearer nobody' })).status).toBe(401)
})
