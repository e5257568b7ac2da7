import { afterEach, beforeEach, expect, test } from 'vitest'
import { aVm } from '../catalog/testing.ts'
import { bench, workerToken, type Bench } from './testing/bench.ts'

interface Joined {
  readonly items: readonly { readonly vmId: string; readonly state: string; readonly how: string }[]
  readonly changed: boolean
}

let here: Bench
beforeEach(() => {
  here = bench({ vms: ['web-01', 'db-01', 'lone'] })
})
afterEach(() => here[Symbol.dispose]())

const plan = (name: string, where: readonly object[]) =>
  here
    .call('PUT', `/api/v1/plans/${name}`, { where, schedule: { kind: 'manual' }, targets: [{ repository: 'main' }] })
    .then(({ status }) => expect(status).toBe(200))
async function join(name: string, vmIds: readonly string[], dryRun = false): Promise<Joined> {
  const response = await here.call('POST', `/api/v1/plans/${name}/members`, { vmIds, dryRun })
  expect(response.status).toBe(200)
  return (await response.json()) as Joined
}
const states = ({ items }: Joined): string[] => items.map(({ vmId, state }) => `${vmId} ${state}`)

test('a VM joins by the category that the plan asks for; a dry run says so and changes nothing', async () => {
  await plan('gold', [{ field: 'category', is: ['critical', 'important'] }])
  here.catalog.vms.change('db-01', { category: 'critical' })
  const asked = await join('gold', ['web-01', 'db-01', 'web-01'], true)
  expect(asked).toEqual({
    items: [
      { vmId: 'web-01', vmName: 'web-01', state: 'joins', how: 'its category becomes critical, now standard' },
      { vmId: 'db-01', vmName: 'db-01', state: 'in', how: 'the plan takes it already' },
    ],
    changed: false,
  })
  expect(here.catalog.vms.get('web-01').category).toBe('standard')
  expect(await join('gold', ['web-01', 'db-01'])).toEqual({ ...asked, changed: true })
  expect(await here.get('/api/v1/vms/web-01')).toMatchObject({ category: 'critical', plans: ['gold'] })
  const { items } = await here.get<{ items: { id: string; plans: string[] }[] }>('/api/v1/vms')
  expect(items.map(({ id, plans }) => [id, plans])).toEqual([
    ['db-01', ['gold']],
    ['lone', []],
    ['web-01', ['gold']],
  ])
  expect((await join('gold', ['web-01'])).changed).toBe(false)
})

test('a VM joins by its name where the plan names VMs, beside the patterns that are there', async () => {
  await plan('named', [
    { field: 'name', is: ['web-*'] },
    { field: 'category', isNot: ['critical'] },
  ])
  expect(states(await join('named', ['db-01', 'lone']))).toEqual(['db-01 joins', 'lone joins'])
  expect(here.catalog.plans.get('named').where[0]).toEqual({ field: 'name', is: ['web-*', 'db-01', 'lone'] })
})

test('what another rule keeps out, was left out on purpose, or has a name like a pattern, is refused with the reason', async () => {
  here.catalog.vms.recordDiscovered('lab', 'listing-2', [aVm('odd*')])
  here.catalog.vms.change('lone', { excludedReason: 'scratch' })
  await plan('sited', [{ field: 'site', isNot: ['local'] }])
  await plan('named', [{ field: 'name', is: ['web-*'], isNot: ['db-*'] }])
  const odd = here.catalog.vms.list({ limit: 9 }).items.find(({ name }) => name === 'odd*')?.id ?? ''
  expect(await join('sited', ['web-01', 'lone'])).toEqual({
    items: [
      { vmId: 'web-01', vmName: 'web-01', state: 'refused', how: 'the plan takes only VMs whose site is not local' },
      { vmId: 'lone', vmName: 'lone', state: 'refused', how: 'it is left out on purpose: protect it again first' },
    ],
    changed: false,
  })
  expect(states(await join('named', [odd, 'db-01']))).toEqual([`${odd} refused`, 'db-01 refused'])
  expect(here.catalog.plans.get('named').where).toEqual([{ field: 'name', is: ['web-*'], isNot: ['db-*'] }])
  expect((await here.call('POST', '/api/v1/plans/named/members', { vmIds: ['nothing'] })).status).toBe(404)
  const asWorker = { authorization: `Bearer ${workerToken}` }
  expect((await here.call('POST', '/api/v1/plans/named/members', { vmIds: ['db-01'] }, asWorker)).status).toBe(403)
})
