import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { aPoint, pointIdOf, testNow } from '../catalog/testing.ts'
import { nothingSet, planDefaults } from '../policy/index.ts'
import { housekeeping } from './housekeeping.ts'
import { auditRetention, retentionTrouble } from './retention-audit.ts'
import { bench, type Bench } from './testing/bench.ts'

let here: Bench
beforeEach(() => {
  here = bench()
  here.catalog.plans.put(
    { ...planDefaults, name: 'nightly', targets: [{ repository: 'main', copy: 'backup', keep: { last: 3 } }] },
    null,
  )
  for (let n = 1; n <= 6; n += 1)
    here.catalog.points.record(
      aPoint(n, { plan: 'nightly', origin: 'scheduled', createdMs: testNow - n * 3_600_000, validatedMs: testNow }),
    )
})
afterEach(() => here[Symbol.dispose]())

const path = '/api/v1/repositories/main/retention-audits'
const day = 86_400_000
const series = 'a'.repeat(32)

/** A sweep that wanted points 4, 5 and 6, took what it is told to, and came to its end. */
function swept(left: Readonly<Record<number, 'refused' | 'going' | 'removed'>>, plannedMs = testNow): void {
  const runId = `sweep-${plannedMs}`
  const row = (n: number) => ({
    ...{ stem: aPoint(n).stem, series, pointId: pointIdOf(n), timeMs: testNow - n * 3_600_000 },
    ...{ origin: 'scheduled', policy: 'plan nightly', keptBy: n <= 3 ? ['last'] : [] },
  })
  here.catalog.sweeps.record({
    sweep: {
      ...{ runId, workflowId: 'retention/main', repositoryId: 'main', state: 'planned', dryRun: false, digest: 'd' },
      ...{ plannedMs, maxShare: 0.5, points: 6, going: 3, series: 1, asking: 0, orphans: 0, policies: [] },
    },
    series: [
      {
        ...{ series, vmId: 'web-01', vmName: 'web-01', policy: 'plan nightly', orphan: null },
        ...{ points: 6, going: 3, asks: false },
      },
    ],
    points: [1, 2, 3, 4, 5, 6].map(row),
  })
  for (const [n, state] of Object.entries(left)) {
    const { stem } = aPoint(Number(n))
    if (state === 'removed') here.catalog.retained.recordRemoved('main', [stem], { ms: plannedMs, by: 'x', why: 'y' })
    if (state !== 'going')
      here.catalog.sweeps.mark(runId, [{ stem, state, why: state === 'refused' ? 'the store says no' : null }])
  }
  here.catalog.sweeps.update(runId, { state: 'completed', endedMs: plannedMs + 1 })
}
const audit = () => auditRetention(here.catalog, 'main', { nowMs: here.clock.ms, sweepsAreDue: true })
const vanish = (n: number): void => here.catalog.points.recordGone(pointIdOf(n), here.clock.ms, 'main')

describe('the audit of retention', () => {
  it('finds nothing where what is there is what the rules say', async () => {
    swept({ 4: 'removed', 5: 'removed', 6: 'removed' })
    expect(await audit()).toMatchObject({ points: 3, vms: 1, kept: 0, vanished: 0, overdue: 0, deviations: [] })
  })

  it('names what a sweep was to take and left, with its reason, unless something keeps it by now', async () => {
    swept({ 4: 'refused', 5: 'going', 6: 'refused' })
    here.catalog.retained.addHold({
      ...{
        repositoryId: 'main',
        actor: 'ann',
        reason: '',
        ms: 1,
        name: 'hold/1',
        pointId: pointIdOf(6),
        type: 'legal',
      },
    })
    const { kept, deviations } = await audit()
    expect(kept).toBe(2)
    expect(deviations.map(({ kind, pointId, why }) => [kind, pointId, why]).sort()).toEqual([
      ['kept', pointIdOf(4), 'the store says no'],
      ['kept', pointIdOf(5), 'the last sweep did not come to it'],
    ])
    // More generous rules keep them all.
    here.catalog.plans.put(
      { ...planDefaults, name: 'nightly', targets: [{ repository: 'main', copy: 'backup', keep: { last: 9 } }] },
      1,
    )
    here.clock.ms += 1
    expect(await audit()).toMatchObject({ kept: 0 })
  })

  it('names what vanished and a rule keeps, and not what would have gone anyway', async () => {
    swept({ 4: 'removed' })
    vanish(2)
    vanish(6)
    const { vanished, deviations } = await audit()
    expect(vanished).toBe(1)
    expect(deviations.find(({ kind }) => kind === 'vanished')).toMatchObject({
      vmName: 'web-01',
      pointId: pointIdOf(2),
      policy: 'plan nightly',
    })
  })

  it('says that sweeps are overdue, and not where nobody is to sweep', async () => {
    here.clock.ms += 2 * day
    expect(await audit()).toMatchObject({ overdue: 0, sweptMs: null })
    here.clock.ms += 2 * day
    expect(await audit()).toMatchObject({ overdue: 1, deviations: [{ why: 'no sweep ever came to its end' }] })
    // One that may take thirty days of grace is late two days after these.
    here.catalog.sweepSettings.set('main', { ...nothingSet, graceMs: 30 * day })
    expect(await audit()).toMatchObject({ overdue: 0 })
    here.clock.ms += 29 * day
    expect(await audit()).toMatchObject({ overdue: 1 })
    const byHand = { nowMs: here.clock.ms + 1, sweepsAreDue: false }
    expect(await auditRetention(here.catalog, 'main', byHand)).toMatchObject({ overdue: 0 })
  })
})

it('tells each kind by itself, and what vanished for thirty days', async () => {
  const kinds = () => retentionTrouble(here.catalog, here.clock.ms).map(({ kind, detail }) => [kind, detail])
  swept({ 4: 'removed', 5: 'removed', 6: 'removed' })
  vanish(2)
  await audit()
  expect(kinds()).toEqual([['retention-vanished', expect.stringMatching(/checked: 1 gone that a rule keeps\.$/)]])
  // The one that stays does not hide the one that comes.
  here.clock.ms += 5 * day
  await audit()
  expect(kinds()).toMatchObject([
    ['retention-vanished', expect.anything()],
    ['retention-overdue', expect.anything()],
  ])
  here.clock.ms += 26 * day
  await audit()
  expect(kinds()).toMatchObject([['retention-overdue', expect.anything()]])
  expect(here.catalog.retentionAudits.list('main', 1)).toMatchObject([{ vanished: 1 }])
})

it('is made once a day, told until the next one finds nothing, and given as a list and as a file', async () => {
  const keeper = housekeeping(here.deps, { drills: 'by-hand' })
  const told = async () => {
    const { needsYou } = (await (await here.call('GET', '/api/v1/overview')).json()) as {
      needsYou: { kind: string; detail: string }[]
    }
    return needsYou.filter(({ kind }) => kind.startsWith('retention-'))
  }
  swept({ 4: 'refused', 5: 'removed', 6: 'removed' })
  await keeper.tick()
  await keeper.tick()
  const { items } = (await (await here.call('GET', path)).json()) as { items: { sentence: string }[] }
  expect(items).toHaveLength(1)
  expect(items[0]?.sentence).toBe('4 points checked: 1 kept that no rule and no hold keeps')
  expect(await told()).toMatchObject([
    { kind: 'retention-kept', detail: '4 points checked: 1 kept that no rule and no hold keeps.' },
  ])
  const file = await here.call('GET', '/api/v1/exports/retention')
  expect((await file.text()).split('\r\n')[1]).toContain(`main,kept,web-01,${pointIdOf(4)}`)
  here.clock.ms += day
  swept({ 4: 'removed' }, here.clock.ms)
  await keeper.tick()
  expect(here.catalog.retentionAudits.list('main', 9)).toHaveLength(2)
  expect(await told()).toEqual([])
  here.clock.ms += 1
  expect(await (await here.call('POST', path, {})).json()).toMatchObject({ kept: 0, points: 3 })
  expect((await here.call('GET', '/api/v1/repositories/elsewhere/retention-audits')).status).toBe(404)
})
