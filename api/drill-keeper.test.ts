import { afterEach, beforeEach, expect, it } from 'vitest'
import { aDrill, aPoint, testNow } from '../catalog/testing.ts'
import type { DrillCheckSpec } from '../policy/index.ts'
import { drillAgenda } from './drill-agenda.ts'
import { drillKeeper } from './drill-keeper.ts'
import { bench, type Bench } from './testing/bench.ts'

const day = 86_400_000
const check: DrillCheckSpec = {
  ...{ kind: 'command', title: 'verify', path: '/bin/verify', args: [], timeoutMs: 60_000, withinMs: 0 },
  ...{ expectExit: 0, pattern: null, count: null, prepares: false },
}
let here: Bench
beforeEach(() => {
  here = bench({ vms: ['web-01', 'db-01'] })
  probed({ restore: true, guestCommand: 'agent' })
  for (const id of ['web-01', 'db-01']) here.catalog.vms.change(id, { drillChecks: [check] })
  here.catalog.points.record(aPoint(1, { vmId: 'web-01', createdMs: testNow }))
  here.catalog.points.record(aPoint(2, { vmId: 'db-01', createdMs: testNow - day }))
})
afterEach(() => here[Symbol.dispose]())

function probed(capabilities: { readonly [name: string]: unknown } | null): void {
  const at = { version: '1', identity: null, evidence: null, findings: [], error: null }
  here.catalog.endpoints.recordProbe('lab', { testedMs: testNow, ...at, capabilities })
}
const drilled = (): string[] => here.engine.started.flatMap(({ search }) => search.vm ?? [])
const later = (ms: number): void => void (here.clock.ms += ms)
const end = (): void => here.engine.runs.forEach((run) => here.engine.end(run, 'completed'))

it('begins one drill at a time on a hypervisor, what is due first before the rest', async () => {
  const keeper = drillKeeper(here.deps)
  later(day)
  await keeper.tick()
  expect(drilled()).toEqual(['db-01'])
  expect(here.engine.started[0]).toMatchObject({
    workflow: 'restoreDrill',
    priority: 4,
    input: { requestedBy: { user: 'holdfast', reason: 'due: category standard' } },
  })
  later(day / 2)
  await keeper.tick()
  expect(drilled()).toEqual(['db-01'])
  end()
  await here.deps.live.tick()
  here.catalog.drills.record(aDrill('1', { vmId: 'db-01', pointId: aPoint(2).id, endedMs: here.clock.ms }))
  later(day)
  await keeper.tick()
  expect(drilled()).toEqual(['db-01', 'web-01'])
})

it('leaves one that came to no verdict alone for a day, and takes the next VM meanwhile', async () => {
  const keeper = drillKeeper(here.deps)
  later(day)
  await keeper.tick()
  end()
  await here.deps.live.tick()
  later(day / 4)
  await keeper.tick()
  expect(drilled()).toEqual(['db-01', 'web-01'])
  end()
  await here.deps.live.tick()
  later(day / 4)
  await keeper.tick()
  expect(drilled()).toHaveLength(2)
  later(day)
  await keeper.tick()
  expect(drilled()).toEqual(['db-01', 'web-01', 'db-01'])
})

it('looks only within its hours, and not at all where people do it', async () => {
  later(day)
  await drillKeeper(here.deps, 'by-hand').tick()
  const hour = new Date(here.clock.ms).getUTCHours()
  const clock = (shift: number): string => `${String((hour + shift) % 24).padStart(2, '0')}:00`
  await drillKeeper(here.deps, { start: clock(2), end: clock(4), timeZone: 'UTC' }).tick()
  expect(drilled()).toEqual([])
  await drillKeeper(here.deps, { start: clock(0), end: clock(4), timeZone: 'UTC' }).tick()
  expect(drilled()).toEqual(['db-01'])
})

it('begins nothing where nothing can be booted and asked, or where nobody has looked', async () => {
  later(day)
  for (const capabilities of [
    null,
    { restore: true, guestCommand: 'none' },
    { restore: false, guestCommand: 'agent' },
  ]) {
    probed(capabilities)
    await drillKeeper(here.deps).tick()
  }
  expect(drilled()).toEqual([])
})

it('begins none that cannot pass because nothing is asked of the guest, and says so', async () => {
  later(day)
  here.catalog.vms.change('db-01', { drillChecks: [] })
  await drillKeeper(here.deps).tick()
  expect(drilled()).toEqual(['web-01'])
  expect(await here.get('/api/v1/drills/agenda?vmId=db-01')).toMatchObject({
    items: [{ vmId: 'db-01', state: 'ready', hindrance: 'no-checks' }],
    coverage: { promised: 2, proven: 0, neverPassed: 2 },
  })
})

it('begins nothing more when the engine did not answer: it may have begun all the same', async () => {
  const keeper = drillKeeper(here.deps)
  later(day)
  here.engine.away = 'after-start'
  await keeper.tick()
  expect(drilled()).toEqual(['db-01'])
  here.engine.away = false
  await here.deps.live.tick()
  later(day / 48)
  await keeper.tick()
  expect(drilled()).toEqual(['db-01'])
  end()
  await here.deps.live.tick()
  later(day / 48)
  await keeper.tick()
  expect(drilled()).toEqual(['db-01', 'web-01'])
})

it('asks for no drill of a VM that is excluded, gone or promised none', () => {
  expect(drillAgenda(here.deps).map(({ vmId }) => vmId)).toEqual(['db-01', 'web-01'])
  here.catalog.vms.change('web-01', { excludedReason: 'not needed' })
  here.catalog.vms.change('db-01', { category: 'ephemeral' })
  expect(drillAgenda(here.deps)).toEqual([])
})

it('is due thirty days after the first point, later by the category, and running is not overdue', async () => {
  const of = (vmId: string) => drillAgenda(here.deps).find((entry) => entry.vmId === vmId)
  expect(of('web-01')).toMatchObject({ dueMs: testNow + 30 * day, state: 'coming' })
  later(31 * day)
  expect(of('web-01')?.state).toBe('overdue')
  here.catalog.drills.record(aDrill('1', { endedMs: here.clock.ms }))
  here.catalog.vms.change('web-01', { category: 'critical' })
  expect(of('web-01')).toMatchObject({ dueMs: here.clock.ms + 31 * day, state: 'coming' })
  later(30 * day)
  expect(of('web-01')?.state).toBe('ready')
  await drillKeeper(here.deps).tick()
  await here.deps.live.tick()
  expect(of('db-01')?.state).toBe('running')
})

it('goes on by a clock that was set back', async () => {
  const keeper = drillKeeper(here.deps)
  later(9 * day)
  await keeper.tick()
  expect(drilled()).toEqual(['db-01'])
  end()
  await here.deps.live.tick()
  later(-day)
  await keeper.tick()
  expect(drilled()).toHaveLength(2)
})
