import { afterEach, beforeEach, expect, test } from 'vitest'
import { aPoint, aRun } from '../catalog/testing.ts'
import { bench, type Bench } from './testing/bench.ts'

const hour = 3_600_000

let here: Bench
beforeEach(() => {
  here = bench({ vms: ['web-01', 'db-01'] })
  here.catalog.vms.change('db-01', { excludedReason: 'for these tests' })
})
afterEach(() => here[Symbol.dispose]())

const read = () =>
  here.get<{ lead: string; leadVms: object[]; lookedMs: number | null; readMs: number }>('/api/v1/overview')
const look = (id: string, lookedMs: number): void =>
  here.catalog.watches.recordLook(id, {
    ...{ lookedMs, uuid: id.padEnd(32, 'f'), series: 1, points: 1, unreadable: 0, vanished: 0, returned: 0 },
  })

test('the lead names the one VM that is late while its backup runs, and by how much', async () => {
  here.catalog.points.record(aPoint(1, { createdMs: here.clock.ms - 25 * hour }))
  expect((await read()).leadVms).toEqual([])
  here.catalog.runs.started(aRun(1, { startedMs: here.clock.ms }))
  const { lead, leadVms } = await read()
  expect(lead).toContain('web-01 is 1 h late and its backup is running. ')
  expect(leadVms).toEqual([{ id: 'web-01', name: 'web-01' }])
})

test('what it says was read from repositories since the oldest of the last looks into each', async () => {
  expect((await read()).lookedMs).toBeNull()
  look('main', here.clock.ms - 5000)
  expect((await read()).lookedMs).toBe(here.clock.ms - 5000)
  const location = { kind: 's3', url: 's3://offsite/holdfast' } as const
  here.catalog.repositories.add({ name: 'offsite', site: 'local', location, credentialRef: 'file:/secrets/offsite' })
  // Nobody has seen what is there.
  expect((await read()).lookedMs).toBeNull()
  look('offsite', here.clock.ms - 60_000)
  expect((await read()).lookedMs).toBe(here.clock.ms - 60_000)
})
