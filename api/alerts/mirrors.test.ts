import { afterEach, beforeEach, expect, test } from 'vitest'
import { aPoint } from '../../catalog/testing.ts'
import { planDefaults, type PlanSpec } from '../../policy/index.ts'
import { aChannel } from '../testing/channels.ts'
import { bench, type Bench } from '../testing/bench.ts'
import { alertKeeper } from './index.ts'

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour
const pair = { sourceId: 'main', targetId: 'offsite' }

let here: Bench
let titles: string[]
const point = aPoint(1, { createdMs: 0, plan: 'nightly' })
beforeEach(() => {
  here = bench({ vms: ['web-01'] })
  titles = []
  here.catalog.alerts.putChannel(aChannel('team'))
  const location = { kind: 's3', url: 's3://offsite/holdfast' } as const
  here.catalog.repositories.add({ name: 'offsite', site: 'local', location, credentialRef: 'file:/secrets/offsite' })
  here.catalog.plans.put(nightly(['offsite'], 4 * hour), 0)
  here.catalog.points.record({ ...point, createdMs: here.clock.ms })
  here.catalog.mirrors.want(pair, point.id, false)
})
afterEach(() => here[Symbol.dispose]())

function nightly(mirrors: readonly string[], everyMs: number): PlanSpec {
  const targets = [
    { repository: 'main', copy: 'backup' as const, keep: null },
    ...mirrors.map((repository) => ({ repository, copy: 'mirror' as const, keep: null })),
  ]
  return { ...planDefaults, name: 'nightly', schedule: { kind: 'every', everyMs }, targets, paused: true }
}

/** Time passes, and the keeper looks and tells. */
async function pass(ms: number): Promise<void> {
  here.clock.ms += ms
  const sender = {
    send: async (_: unknown, message: { notices: readonly { kind: string; state: string; title: string }[] }) => {
      for (const { kind, state, title } of message.notices) if (kind === 'mirror-lag') titles.push(`${state}: ${title}`)
    },
    ping: async () => {},
  }
  const keeper = alertKeeper({ ...here.deps, sender })
  await keeper.tick(new AbortController().signal)
  await keeper.idle()
}
/** So long that whatever has begun or ended is told. */
async function settle(): Promise<void> {
  for (let n = 0; n < 3; n += 1) await pass(2 * minute)
}
const open = (): string[] =>
  here.catalog.alerts.open().flatMap(({ kind, title }) => (kind === 'mirror-lag' ? [title] : []))
const ship = (untilMs: number) => here.catalog.shipments.put(pair, { untilMs, note: 'disk 7', user: 'ops' })
const arrive = () =>
  here.catalog.copies.found({
    ...{ pointId: point.id, repositoryId: 'offsite', stem: point.stem, sourceId: 'main' },
    ...{ validatedMs: here.clock.ms, lockUntilMs: null },
  })
const behind = 'offsite is behind for nightly'
const missing = `${behind}: media have not arrived`

test('media that were put into the post end no alert: what they bring does', async () => {
  await pass(5 * hour)
  await settle()
  expect(titles).toEqual([`opened: ${behind}`])
  ship(here.clock.ms + 2 * day)
  await settle()
  expect(open()).toEqual([behind])
  // It is said that they are there, and nobody has seen what they brought.
  here.catalog.shipments.end(pair)
  await settle()
  expect(titles).toEqual([`opened: ${behind}`])
  arrive()
  await settle()
  expect(open()).toEqual([])
  expect(titles).toEqual([`opened: ${behind}`, `recovered: ${behind}`])
})

test('a plan that copies there no more ends the alert, and nobody is told that it has recovered', async () => {
  await pass(5 * hour)
  await settle()
  const { revision } = here.catalog.plans.get('nightly')
  here.catalog.plans.put(nightly([], 4 * hour), revision)
  await settle()
  expect(open()).toEqual([])
  expect(titles).toEqual([`opened: ${behind}`, `ended: ${behind}`])
  expect(here.catalog.alerts.overSince(0).map(({ endedBy }) => endedBy)).toEqual([
    'what waited is not there, and nobody wants it there any more',
  ])
})

test('what arrived and was removed there by its rules has recovered all the same', async () => {
  await pass(5 * hour)
  await settle()
  arrive()
  here.catalog.retained.recordRemoved('offsite', [point.stem], { ms: here.clock.ms, by: 'sweep', why: 'its rules' })
  await settle()
  expect(titles).toEqual([`opened: ${behind}`, `recovered: ${behind}`])
})

test('copies that failed and are tried again have not ended before they are there', async () => {
  const failed = (): string[] =>
    here.catalog.alerts.open().flatMap(({ kind }) => (kind === 'copy-failed' ? [kind] : []))
  const take = (run: string) => here.catalog.mirrors.take(pair, run, { nowMs: here.clock.ms, limit: 8 })
  take('run-1')
  here.catalog.mirrors.release(pair, 'run-1', 'the store is away', here.clock.ms)
  await pass(minute)
  expect(failed()).toEqual(['copy-failed'])
  here.clock.ms += hour
  expect(take('run-2')).toHaveLength(1)
  await settle()
  expect(failed()).toEqual(['copy-failed'])
  arrive()
  await settle()
  expect(failed()).toEqual([])
  expect(here.catalog.alerts.overSince(0).map(({ endedBy }) => endedBy)).toEqual([null])
})

test('a plan that may take longer from now on ends the alert, and what waits is still not there', async () => {
  await pass(5 * hour)
  await settle()
  const { revision } = here.catalog.plans.get('nightly')
  here.catalog.plans.put(nightly(['offsite'], 2 * day), revision)
  await settle()
  expect(titles).toEqual([`opened: ${behind}`, `ended: ${behind}`])
  // It lags again, and then catches up.
  await pass(2 * day)
  await settle()
  arrive()
  await settle()
  expect(titles.slice(2)).toEqual([`opened: ${behind}`, `recovered: ${behind}`])
})

test('media that do not come are told, each time that they should have', async () => {
  await pass(5 * hour)
  await settle()
  ship(here.clock.ms + day)
  await pass(day)
  await settle()
  expect(titles).toEqual([`opened: ${behind}`, `opened: ${missing}`])
  expect(here.catalog.alerts.open().find(({ title }) => title === missing)?.detail).toContain(
    ' Media (disk 7) were expected by ',
  )
  ship(here.clock.ms + day)
  await settle()
  expect(titles).toHaveLength(2)
  await pass(day)
  await settle()
  expect(titles).toEqual([`opened: ${behind}`, `opened: ${missing}`, `opened: ${missing}`])
  arrive()
  await settle()
  expect(open()).toEqual([])
  expect(titles.slice(3)).toEqual([`recovered: ${behind}`, `recovered: ${missing}`, `recovered: ${missing}`])
})

test('what was sent before it was late is an alert only once it is overdue', async () => {
  ship(here.clock.ms + day)
  await pass(5 * hour)
  await settle()
  expect(open()).toEqual([])
  await pass(day)
  await settle()
  expect(titles).toEqual([`opened: ${missing}`])
})

test('of more pairs and plans than fit on a page none ends because another is longer behind', async () => {
  await pass(5 * hour)
  expect(open()).toEqual([behind])
  const { catalog } = here
  const location = { kind: 's3', url: 's3://second/holdfast' } as const
  catalog.repositories.add({ name: 'second', site: 'local', location, credentialRef: 'file:/secrets/second' })
  const at = { createdMs: here.clock.ms - 20 * day, validatedMs: here.clock.ms - 20 * day }
  for (let n = 2; n < 232; n += 1) {
    const one = aPoint(n, { ...at, plan: `plan-${n}` })
    catalog.points.record(one)
    here.clock.ms -= 10 * day
    catalog.mirrors.want({ sourceId: 'main', targetId: 'second' }, one.id, false)
    here.clock.ms += 10 * day
  }
  await settle()
  expect(open()).toHaveLength(2)
  expect(open()).toContain(behind)
})
