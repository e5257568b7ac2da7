import { afterEach, beforeEach, expect, test } from 'vitest'
import { aVm } from '../catalog/testing.ts'
import { attention } from './attention.ts'
import { discoveryKeeper } from './discovery-keeper.ts'
import { bench, type Bench } from './testing/bench.ts'

const minute = 60_000
const hour = 60 * minute
const everyMs = 15 * minute
let here: Bench
beforeEach(() => void (here = bench()))
afterEach(() => here[Symbol.dispose]())

const lists = (): string[] =>
  here.engine.started.filter(({ workflow }) => workflow === 'discoverEndpoint').map(({ workflowId }) => workflowId)
const engine = { up: true, detail: '', pollers: {} } as never
const kinds = (discoverEveryMs: number | null): string[] =>
  attention({ ...here.deps, byItself: { ...here.deps.byItself, discoverEveryMs } }, engine, []).items.map(
    ({ kind }) => kind,
  )

test('the VMs of a hypervisor are listed again and again, also after a failure, and by nobody where nobody wants it', async () => {
  const keeper = discoveryKeeper(here.deps, everyMs)
  await keeper.tick()
  expect(lists()).toEqual([])
  here.clock.ms += everyMs
  await keeper.tick()
  await keeper.tick()
  expect(lists()).toEqual(['discover/lab'])
  expect(here.engine.started.at(-1)?.input).toMatchObject({ mode: 'discover', endpoint: { id: 'lab' }, site: 'local' })
  // One that is under way is joined, and nothing begun.
  here.clock.ms += everyMs
  await keeper.tick()
  expect(lists()).toHaveLength(1)
  for (const run of here.engine.runs) here.engine.end(run, 'failed')
  here.clock.ms += everyMs
  await keeper.tick()
  expect(lists()).toHaveLength(2)
  here.catalog.vms.closeListing('lab', 'listing-1')
  here.clock.ms += everyMs - 1
  await keeper.tick()
  expect(lists()).toHaveLength(2)
  here.clock.ms += hour
  await discoveryKeeper(here.deps, null).tick()
  expect(lists()).toHaveLength(2)
})

test('a site without a worker is not asked, and asked as soon as there is one', async () => {
  const { engine: fake } = here
  const pollers = fake.pollers.bind(fake)
  fake.pollers = async () => []
  const keeper = discoveryKeeper(here.deps, everyMs)
  here.clock.ms += everyMs
  await keeper.tick()
  expect(lists()).toEqual([])
  fake.pollers = pollers
  await keeper.tick()
  expect(lists()).toEqual(['discover/lab'])
})

test('that nobody has listed them for a day is told, where that is done by itself', () => {
  here.catalog.vms.closeListing('lab', 'listing-1')
  here.clock.ms += 24 * hour
  expect(kinds(everyMs)).not.toContain('hypervisor-unlisted')
  here.clock.ms += 1
  expect(kinds(everyMs)).toContain('hypervisor-unlisted')
  expect(kinds(null)).not.toContain('hypervisor-unlisted')
  here.catalog.vms.closeListing('lab', 'listing-1')
  expect(kinds(everyMs)).not.toContain('hypervisor-unlisted')
})

test('a VM that was just found and never had a point is a warning until its RPO is over', () => {
  const severity = () => attention(here.deps, engine, []).items.find(({ kind }) => kind === 'unprotected')?.severity
  expect(severity()).toBe('attention')
  here.clock.ms += 24 * hour + 1
  expect(severity()).toBe('failed')
})

test('VMs that are no longer listed are told for a day, and a hypervisor without any until it has some', () => {
  const told = () =>
    attention(here.deps, engine, [])
      .items.filter(({ kind }) => kind === 'vms-gone' || kind === 'hypervisor-empty')
      .map(({ kind, title, severity }) => [kind, title, severity])
  here.catalog.vms.recordDiscovered('lab', 'listing-2', [aVm('web-01'), aVm('db-01')])
  expect(told()).toEqual([])
  here.catalog.vms.recordDiscovered('lab', 'listing-3', [aVm('web-01')])
  here.catalog.vms.closeListing('lab', 'listing-3')
  expect(told()).toEqual([['vms-gone', '1 VM is no longer on lab', 'attention']])
  here.clock.ms += 25 * hour
  expect(told()).toEqual([])
  here.catalog.vms.closeListing('lab', 'listing-4')
  here.clock.ms += 48 * hour
  expect(told()).toEqual([['hypervisor-empty', 'lab lists no VM any more', 'failed']])
  here.catalog.vms.recordDiscovered('lab', 'listing-5', [aVm('web-01')])
  expect(told()).toEqual([])
})

test('a clock that was set back holds up no listing, and nobody takes the list for fresh', async () => {
  const keeper = discoveryKeeper(here.deps, everyMs)
  here.clock.ms += everyMs
  await keeper.tick()
  for (const run of here.engine.runs) here.engine.end(run, 'completed')
  here.catalog.vms.closeListing('lab', 'listing-1')
  here.clock.ms -= 48 * hour
  expect(kinds(everyMs)).toContain('hypervisor-unlisted')
  await keeper.tick()
  expect(lists()).toHaveLength(2)
})
