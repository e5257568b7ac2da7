import { afterEach, beforeEach, expect, test } from 'vitest'
import { aPoint } from '../../catalog/testing.ts'
import { aChannel } from '../testing/channels.ts'
import { bench, type Bench } from '../testing/bench.ts'
import { alertKeeper } from './index.ts'

const hour = 3_600_000
const count = 230
const numbered = (of: string, n: number): string => `${of}-${String(n).padStart(3, '0')}`

let here: Bench
let told: string[]
beforeEach(() => {
  here = bench({ vms: ['web-01', 'db-01'] })
  told = []
})
afterEach(() => here[Symbol.dispose]())

async function pass(ms: number): Promise<void> {
  here.clock.ms += ms
  const sender = { send: async ({ name }: { name: string }) => void told.push(name), ping: async () => {} }
  const keeper = alertKeeper({ ...here.deps, sender })
  await keeper.tick(new AbortController().signal)
  await keeper.idle()
}
const open = (kind: string): (string | undefined)[] =>
  here.catalog.alerts.open().flatMap((one) => (one.kind === kind ? [one.subject?.id] : []))

function manyRepositories(): string {
  for (let n = 0; n < count; n += 1) {
    const name = numbered('store', n)
    const location = { kind: 's3', url: `s3://${name}/holdfast` } as const
    here.catalog.repositories.add({ name, site: 'local', location, credentialRef: `file:/secrets/${name}` })
  }
  return numbered('store', count - 1)
}

test('what is wrong with the last of many repositories is told, and on the first page too', async () => {
  const last = manyRepositories()
  const error = { code: 'StoreUnavailable', message: 'refused', hint: '', docs: '' }
  here.catalog.repositories.recordTest(last, {
    ...{ testedMs: here.clock.ms, repositoryUuid: null, passed: false, checks: [], error },
    ...{ writeRate: null, readRate: null, staleMs: null, skewMs: null },
  })
  await pass(0)
  expect(open('repository-failed')).toEqual([last])
  const { needsYou, repositories } = await here.get<{
    needsYou: { kind: string; subject: { id: string } | null }[]
    repositories: object[]
  }>('/api/v1/overview')
  expect(needsYou.filter(({ kind }) => kind === 'repository-failed')).toMatchObject([{ subject: { id: last } }])
  expect(repositories).toHaveLength(20)
  const doctor = await here.get<{ checks: { id: string }[] }>('/api/v1/doctor')
  expect(doctor.checks.map(({ id }) => id)).toEqual(
    expect.arrayContaining([`repository-${last}`, `own-backup-${last}`]),
  )
})

test('where the tests of very many repositories failed, each alert ends by itself', async () => {
  const last = manyRepositories()
  const test = (id: string, passed: boolean): void =>
    void here.catalog.repositories.recordTest(id, {
      ...{ testedMs: here.clock.ms, repositoryUuid: null, passed, checks: [], error: null },
      ...{ writeRate: null, readRate: null, staleMs: null, skewMs: null },
    })
  for (let n = 0; n < count; n += 1) test(numbered('store', n), false)
  await pass(0)
  expect(open('repository-failed')).toHaveLength(count)
  test(last, true)
  await pass(0)
  expect(open('repository-failed')).toHaveLength(count - 1)
  expect(open('repository-failed')).not.toContain(last)
})

test('each of many repositories gets a copy of the catalog, and is told where it has none', async () => {
  const last = manyRepositories()
  expect(here.catalog.own.backups().map(({ repositoryId }) => repositoryId)).toContain(last)
  await pass(25 * hour)
  expect(open('own-backup')).toContain(last)
})

test('the last of many hypervisors that cannot be reached is told', async () => {
  for (let n = 0; n < count; n += 1) {
    const name = numbered('host', n)
    const at = { name, address: `https://${name}.example`, site: 'local', credentialRef: 'file:/secrets/host' }
    here.catalog.endpoints.add({ ...at, platform: 'xcpng', options: {} })
  }
  const last = numbered('host', count - 1)
  const error = { code: 'HostUnreachable', message: 'refused', hint: '', docs: '' }
  here.catalog.endpoints.recordProbe(last, {
    ...{ testedMs: here.clock.ms, version: null, identity: null, evidence: null, capabilities: null, findings: [] },
    error,
  })
  await pass(0)
  expect(open('hypervisor-failed')).toEqual([last])
})

test('the last of many channels is told as the first is', async () => {
  for (let n = 0; n < count; n += 1) here.catalog.alerts.putChannel(aChannel(numbered('team', n)))
  for (const ms of [30 * hour, 120_000, 120_000, 0, 0, 0, 0, 0]) await pass(ms)
  expect(new Set(told)).toContain(numbered('team', count - 1))
})

test('a damaged point is told, however many are that later ones have made good', async () => {
  const { catalog, clock } = here
  const broken = { ms: clock.ms - 100 * hour, damage: 'a chunk is lost' }
  const alone = aPoint(1, { vmId: 'db-01', createdMs: clock.ms - 500 * hour })
  const older = Array.from({ length: count }, (_, n) => aPoint(n + 2, { createdMs: clock.ms - (400 - n) * hour }))
  for (const one of [alone, ...older]) {
    catalog.points.record(one)
    catalog.points.recordDamage(one.id, broken)
  }
  catalog.points.record(aPoint(count + 2, { createdMs: clock.ms - hour }))
  await pass(0)
  expect(open('point-damaged')).toEqual([alone.id])
  const { needsYou } = await here.get<{ needsYou: { kind: string }[] }>('/api/v1/overview')
  expect(needsYou.filter(({ kind }) => kind === 'point-damaged')).toHaveLength(1)
})

test('damaged copies of one repository do not hide those of another', async () => {
  const { catalog, clock } = here
  for (const name of ['first', 'second']) {
    const location = { kind: 's3', url: `s3://${name}/holdfast` } as const
    catalog.repositories.add({ name, site: 'local', location, credentialRef: `file:/secrets/${name}` })
  }
  for (let n = 1; n <= count + 1; n += 1) {
    const { id, stem, createdMs } = aPoint(n, { createdMs: clock.ms - n * 1000 })
    catalog.points.record(aPoint(n, { createdMs }))
    const repositoryId = n === 1 ? 'first' : 'second'
    const at = { pointId: id, repositoryId, stem, sourceId: 'main', validatedMs: clock.ms, lockUntilMs: null }
    catalog.copies.found(at)
    catalog.points.recordDamage(id, { ms: clock.ms + n, damage: 'a chunk is lost' }, repositoryId)
  }
  await pass(hour)
  expect(open('copy-damaged').toSorted()).toEqual(['first', 'second'])
  const titles = catalog.alerts.open().map(({ title }) => title)
  expect(titles).toContain(`Copies of ${count} points in second are damaged`)
})
