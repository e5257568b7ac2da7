import { expect, test } from 'vitest'
import type { Catalog } from '../../catalog/index.ts'
import { aPoint, furnish, pointIdOf, testCatalog, testNow } from '../../catalog/testing.ts'
import type { RecoverySpec } from '../../policy/index.ts'
import type { RecoveryInput } from '../../workflows/recovery-plan/contract.ts'
import { createRecoveryActivities } from './index.ts'

const requestedBy = { user: 'ann', reason: '' }
const spec: RecoverySpec = {
  ...{ name: 'The shop', description: '', hypervisorId: null, identity: 'new', atOnce: 2, rehearseEveryMs: null },
  networks: [{ from: 'lan', to: 'dr-lan' }],
  tiers: [
    {
      ...{ key: 'all', name: 'All', after: null, delayMs: 0, needs: 'checks', bootTimeoutMs: 5000, rtoMs: null },
      before: [{ title: 'Call', detail: '' }],
      then: [],
      members: ['web-01', 'db-01'].map((vmId) => ({ vmId, hypervisorId: null, name: null })),
    },
  ],
}
const checks = [
  { kind: 'command', title: 'No peers', path: '/bin/alone', prepares: true },
  { kind: 'command', title: 'Orders', path: '/bin/orders' },
] as never

async function opened(catalog: Catalog, over: Partial<RecoveryInput> = {}, plan = spec) {
  furnish(catalog, ['web-01', 'db-01'])
  catalog.vms.change('web-01', { drillChecks: checks })
  catalog.points.record(aPoint(1, { createdMs: testNow - 2000 }))
  catalog.points.record(aPoint(2, { createdMs: testNow - 1000 }))
  catalog.recoveryPlans.add(plan)
  const acts = createRecoveryActivities(catalog)
  const input: RecoveryInput = {
    ...{ v: 1, planId: 'the-shop', planName: 'The shop', mode: 'rehearse', untilMs: null, withoutPeople: false },
    ...{ patienceMs: 1000, requestedBy, ...over },
  }
  const tiers = await acts.openRecovery({ workflowId: 'recovery/the-shop/1', runId: 'r1', startedMs: testNow, input })
  const member = (vmId: string, attempt = 1) =>
    acts.planMember({ runId: 'r1', tier: 'all', vmId, attempt, atMs: testNow, requestedBy })
  return { acts, tiers, member }
}

test('a rehearsal drills the newest point with the checks of the VM, and writes down what it chose', async () => {
  using world = testCatalog()
  const { acts, tiers, member } = await opened(world.catalog)
  expect(tiers).toEqual({ atOnce: 2, vms: 2, tiers: [{ key: 'all', after: [] }] })
  expect(await acts.beginTier({ runId: 'r1', tier: 'all', atMs: testNow })).toMatchObject({
    before: [{ title: 'Call' }],
  })
  const planned = await member('web-01')
  expect(planned).toMatchObject({ workflow: 'restoreDrill', workflowId: 'drill/web-01/20261121t063640' })
  expect(planned.input).toMatchObject({
    stem: aPoint(2).stem,
    bootTimeoutMs: 5000,
    checks: [{ title: 'No peers' }, { title: 'Orders' }],
  })
  expect(world.catalog.recoveryRuns.get('r1').tiers[0]?.members[0]).toMatchObject({
    ...{ state: 'recovering', pointId: pointIdOf(2), attempts: 1, workflowId: planned.workflowId, name: null },
  })
})

test('for real a new VM gets the networks of the plan, and is not made fit for isolation', async () => {
  using world = testCatalog()
  const { member } = await opened(world.catalog, { mode: 'run', untilMs: testNow - 1500 })
  const planned = await member('web-01')
  expect(planned.workflow).toBe('restoreVm')
  expect(planned.input).toMatchObject({
    ...{ stem: aPoint(1).stem, powerOn: true, identity: 'new', networks: { lan: 'dr-lan' } },
    target: { kind: 'new', name: 'web-01-recovered' },
    member: { checks: [{ title: 'Orders' }] },
  })
  // A step that is repeated makes no second VM; another attempt makes another one.
  expect((await member('web-01')).workflowId).toBe(planned.workflowId)
  expect((await member('web-01', 2)).workflowId).not.toBe(planned.workflowId)
})

test('a VM without a point that the site reads is told so, with what helps', async () => {
  using world = testCatalog()
  const { member } = await opened(world.catalog)
  await expect(member('db-01')).rejects.toMatchObject({
    code: 'PointNotRestorable',
    message: 'db-01 has no whole point that lab can read',
  })
})

test('a mirror that the other site reads brings a VM back there under its own name', async () => {
  using world = testCatalog()
  const { catalog } = world
  const dr = {
    name: 'dr',
    platform: 'qemu',
    address: '/srv/dr',
    site: 'paris',
    credentialRef: '',
    options: {},
  } as const
  catalog.endpoints.add(dr)
  const { member } = await opened(catalog, { mode: 'run' }, { ...spec, hypervisorId: 'dr' })
  await expect(member('web-01')).rejects.toMatchObject({ code: 'PointNotRestorable' })
  const location = { kind: 'posix', path: '/srv/mirror' } as const
  catalog.repositories.add({ name: 'mirror', site: 'paris', location, credentialRef: '' })
  catalog.copies.found({
    ...{ pointId: pointIdOf(1), repositoryId: 'mirror', stem: 'snap/m/1', sourceId: 'main' },
    ...{ validatedMs: testNow, lockUntilMs: null },
  })
  const { input } = await member('web-01')
  expect(input).toMatchObject({
    ...{ stem: 'snap/m/1', repository: { id: 'mirror' } },
    target: { name: 'web-01', site: 'paris', endpoint: { id: 'dr' } },
  })
})

test('manual steps are left out of a rehearsal without people', async () => {
  using world = testCatalog()
  const { acts } = await opened(world.catalog, { withoutPeople: true })
  expect(await acts.beginTier({ runId: 'r1', tier: 'all', atMs: testNow })).toMatchObject({ before: [], then: [] })
})
