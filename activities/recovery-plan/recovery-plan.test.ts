import { expect, test } from 'vitest'
import type { Catalog } from '../../catalog/index.ts'
import { aPoint, aRun, furnish, pointIdOf, testCatalog, testNow } from '../../catalog/testing.ts'
import type { RecoverySpec, SeenOriginal } from '../../policy/index.ts'
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

const lab = {
  name: 'lab-2',
  platform: 'qemu',
  address: '/srv/dr',
  site: 'local',
  credentialRef: '',
  options: {},
} as const

async function opened(
  catalog: Catalog,
  over: Partial<RecoveryInput> = {},
  plan = spec,
  prepare: () => void = () => undefined,
) {
  furnish(catalog, ['web-01', 'db-01'])
  catalog.vms.change('web-01', { drillChecks: checks })
  catalog.points.record(aPoint(1, { createdMs: testNow - 2000 }))
  catalog.points.record(aPoint(2, { createdMs: testNow - 1000 }))
  prepare()
  catalog.recoveryPlans.add(plan)
  const acts = createRecoveryActivities(catalog)
  const input: RecoveryInput = {
    ...{ v: 1, planId: 'the-shop', planName: 'The shop', mode: 'rehearse', untilMs: null, withoutPeople: false },
    ...{ patienceMs: 1000, requestedBy, ...over },
  }
  const tiers = await acts.openRecovery({ workflowId: 'recovery/the-shop/1', runId: 'r1', startedMs: testNow, input })
  const member = (vmId: string, attempt = 1, beside?: readonly string[]) =>
    acts.planMember({
      ...{ runId: 'r1', tier: 'all', vmId, attempt, atMs: testNow, requestedBy },
      ...(beside !== undefined && { beside }),
    })
  return { acts, tiers, member }
}

test('a rehearsal drills the newest point with the checks of the VM, and writes down what it chose', async () => {
  using world = testCatalog()
  const { acts, tiers, member } = await opened(world.catalog)
  expect(tiers).toEqual({ atOnce: 2, vms: 2, tiers: [{ key: 'all', after: [] }], originals: [] })
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
  catalog.endpoints.add({ ...lab, name: 'dr', site: 'paris' })
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

test('all points are chosen when the run begins, and retention keeps them until it has ended', async () => {
  using world = testCatalog()
  const { catalog } = world
  const { acts, member } = await opened(catalog)
  expect([...catalog.retained.beingRead()]).toEqual([[pointIdOf(2), 'being restored']])
  // Hours later the tier begins: what was made meanwhile is of another time than the tiers before it.
  catalog.points.record(aPoint(3, { createdMs: testNow + 5000 }))
  expect((await member('web-01')).input).toMatchObject({ stem: aPoint(2).stem })
  // The one that was chosen is damaged: the next older one, never a younger one, and that is kept from then on.
  catalog.points.recordDamage(pointIdOf(2), { ms: testNow, damage: 'bad' })
  expect((await member('web-01', 2)).input).toMatchObject({ stem: aPoint(1).stem })
  expect([...catalog.retained.beingRead().keys()]).toEqual([pointIdOf(1)])
  await acts.closeRecovery({ runId: 'r1', state: 'aborted', why: '', atMs: testNow, members: [] })
  expect(catalog.retained.beingRead().size).toBe(0)
})

test('points of a run that was terminated are let go when that is known', async () => {
  using world = testCatalog()
  const { catalog } = world
  await opened(catalog)
  catalog.runs.started({ ...aRun(1), workflowId: 'recovery/the-shop/1', runId: 'r1', kind: 'recovery' })
  expect(catalog.retained.beingRead().size).toBe(1)
  catalog.runs.observe('r1', { state: 'terminated', endedMs: testNow })
  expect(catalog.retained.beingRead().size).toBe(0)
})

test('what the VMs come back from is told one repository at a time, as their site reads it', async () => {
  using world = testCatalog()
  const { catalog } = world
  const abroad = spec.tiers.map((tier) => ({
    ...tier,
    members: tier.members.map((one) => (one.vmId === 'db-01' ? { ...one, hypervisorId: 'dr' } : one)),
  }))
  const { acts } = await opened(catalog, {}, { ...spec, tiers: abroad }, () => {
    catalog.endpoints.add({ ...lab, name: 'dr', site: 'paris' })
    const location = { kind: 'posix', path: '/srv/mirror' } as const
    catalog.repositories.add({ name: 'mirror', site: 'paris', location, credentialRef: '' })
    catalog.points.record(aPoint(4, { vmId: 'db-01', createdMs: testNow - 3000 }))
    catalog.copies.found({
      ...{ pointId: pointIdOf(4), repositoryId: 'mirror', stem: 'snap/m/4', sourceId: 'main' },
      ...{ validatedMs: testNow, lockUntilMs: null },
    })
  })
  const first = await acts.nextChosen({ runId: 'r1', after: null })
  expect(first).toMatchObject({ repository: { id: 'main' }, stems: [aPoint(2).stem] })
  const second = await acts.nextChosen({ runId: 'r1', after: first?.after ?? '' })
  expect(second).toMatchObject({ repository: { id: 'mirror', site: 'paris' }, stems: ['snap/m/4'] })
  expect(await acts.nextChosen({ runId: 'r1', after: second?.after ?? '' })).toBeNull()
})

const residue = { kind: 'volume', id: 'v1', error: 'busy', hint: 'later' }
const aChild = (workflowId: string, state: 'cancelled' | 'terminated', left: readonly (typeof residue)[]) => ({
  start: { ...aRun(9), workflowId, runId: `run of ${workflowId}`, kind: 'restore' as const },
  end: { state, endedMs: testNow, residue: left },
})

test('nothing is called removed of which something is left: the run names it, and so does what ended without a word', async () => {
  using world = testCatalog()
  const { catalog } = world
  const { acts } = await opened(catalog, { mode: 'run' })
  for (const { start, end } of [
    aChild('restore/cancelled', 'cancelled', [residue]),
    aChild('restore/killed', 'terminated', []),
    aChild('restore/clean', 'cancelled', []),
  ]) {
    catalog.runs.started(start)
    catalog.runs.observe(start.runId, end)
  }
  const of = { runId: 'r1', tier: 'all' }
  const ended = (workflowId: string) => ({ workflowId, residue: null })
  await acts.noteMember({ ...of, vmId: 'web-01', change: { state: 'removed' }, end: ended('restore/clean') })
  const members = () => catalog.recoveryRuns.get('r1').tiers[0]?.members
  expect(members()).toMatchObject([{ state: 'removed' }, {}])
  await acts.noteMember({ ...of, vmId: 'web-01', change: { state: 'removed' }, end: ended('restore/cancelled') })
  expect(members()).toMatchObject([{ state: 'left', residue: [residue] }, {}])
  // And where nobody could write that down in time.
  await acts.noteMember({ ...of, vmId: 'web-01', change: { state: 'removed' } })
  const close = (ends: Parameters<typeof acts.closeRecovery>[0]['ends'] = []) =>
    acts.closeRecovery({
      ...{ runId: 'r1', state: 'aborted' as const, why: '2 of 2, all were removed', whyLeft: '2 of 2', atMs: testNow },
      ...{ members: ends.map(({ workflowId }) => workflowId), ends },
    })
  const of1 = { tier: 'all', vmId: 'web-01' }
  const of2 = { tier: 'all', vmId: 'db-01', workflowId: 'restore/said', residue: [{ ...residue, id: 'v2' }] }
  const told = await close([
    { ...of1, ...ended('restore/cancelled') },
    { ...of1, ...ended('restore/killed') },
    { ...of1, ...ended('restore/clean') },
    of2,
  ])
  expect(told.residue).toMatchObject([residue, { kind: 'run', id: 'restore/killed' }, { id: 'v2' }])
  expect(told.why).toBe(
    '2 of 2; left behind: volume v1 (busy), run restore/killed (it was terminated), volume v2 (busy)',
  )
  expect(catalog.recoveryRuns.get('r1').why).toBe(told.why)
  expect(members()).toMatchObject([
    { vmId: 'web-01', state: 'left', residue: [{ id: 'v1' }, { id: 'restore/killed' }] },
    { vmId: 'db-01', residue: [{ id: 'v2' }] },
  ])
})

test('a run for real names every VM that is there already, and lets those pass that somebody has accepted', async () => {
  using world = testCatalog()
  const { catalog } = world
  const { acts, tiers, member } = await opened(catalog, { mode: 'run' })
  expect(tiers.originals?.map(({ target }) => target.id)).toEqual(['web-01', 'db-01'])
  catalog.endpoints.add({ ...lab, name: 'paris', site: 'paris' })
  const id = '7'.repeat(32)
  catalog.replications.add({ id, vmId: 'web-01', endpointId: 'paris', name: 'web-01-standby', rpoMs: 300_000 })
  catalog.replications.begin(id, 'cycle', 'c1', testNow)
  const standby = { platform: 'qemu', endpoint: 'paris', scope: 's', id: 'x', name: 'web-01-standby' } as const
  const made = { pointId: 'p', atMs: testNow + 60_000, links: 0, storedBytes: 1, standby }
  catalog.replications.cycled(id, 'c1', { ...made, bytes: 1, durationMs: 1, endedMs: testNow })
  const seen = (web: SeenOriginal, db: SeenOriginal) => [
    { vmId: 'web-01', seen: web },
    { vmId: 'db-01', seen: db },
  ]
  const running = { state: 'running' } as const
  const away = { state: 'unseen', why: 'no worker' } as const
  const admit = (beside: readonly string[], web: SeenOriginal, db: SeenOriginal) =>
    acts.admitRecovery({ runId: 'r1', seen: seen(web, db), beside })
  expect(await admit([], running, running)).toEqual({
    problems: [
      'web-01: it is running on lab; its standby web-01-standby on paris is 1 min 1 s newer than its point',
      'db-01: it is running on lab',
    ],
  })
  expect(await admit(['web-01'], running, running)).toEqual({ problems: ['db-01: it is running on lab'] })
  expect(await admit(['web-01'], running, away)).toEqual({ problems: [] })
  expect(catalog.recoveryRuns.get('r1').tiers[0]?.members).toMatchObject([
    { original: expect.stringContaining('its original on lab was running; its standby') as unknown },
    { original: 'nobody knows whether its original on lab runs: no worker' },
  ])
  // Hours later: what was not accepted is looked for once more.
  await expect(member('web-01', 1, [])).rejects.toMatchObject({ code: 'RecoveryRefused' })
  expect((await member('web-01', 1, ['web-01'])).workflow).toBe('restoreVm')
})

test('a restore that waits learns from the catalog whether its plan goes on', async () => {
  using world = testCatalog()
  const { acts } = await opened(world.catalog)
  expect(await acts.isRecoveryOpen({ runId: 'r1' })).toEqual({ state: 'open' })
  expect(await acts.isRecoveryOpen({ runId: 'r2' })).toEqual({ state: 'unknown' })
  await acts.closeRecovery({ runId: 'r1', state: 'failed', why: '', atMs: testNow, members: [] })
  expect(await acts.isRecoveryOpen({ runId: 'r1' })).toEqual({ state: 'ended' })
})
