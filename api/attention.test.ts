import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { RunState } from '../catalog/index.ts'
import { aPoint, aRun, pointIdOf } from '../catalog/testing.ts'
import { bench, type Bench } from './testing/bench.ts'

interface Overview {
  readonly sentence: string
  readonly lead: string
  readonly state: string
  readonly needsYou: readonly { kind: string; title: string; detail: string; subject: { id: string } | null }[]
}

let here: Bench
let number = 0
beforeEach(() => {
  here = bench()
  number = 0
  here.catalog.points.record(aPoint(1))
})
afterEach(() => here[Symbol.dispose]())

const error = { code: 'StoreFull', message: 'the repository is full', hint: 'Make space.', docs: 'errors.md#storefull' }

/** A run that ended so, a minute after the one before. */
function ended(
  kind: 'backup' | 'restore' | 'drill' | 'retention',
  state: RunState,
  over: Parameters<typeof aRun>[1] = {},
): string {
  here.clock.ms += 60_000
  number += 1
  const run = aRun(number, { kind, title: `${kind} ${number}`, startedMs: here.clock.ms - 30_000, ...over })
  here.catalog.runs.started(run)
  here.catalog.runs.observe(run.runId, { state, endedMs: here.clock.ms, ...(state === 'failed' && { error }) })
  return run.runId
}
const overview = (): Promise<Overview> => here.get('/api/v1/overview')
/** With a watchdog that has just looked: what it finds is told elsewhere. */
async function titles(): Promise<string[]> {
  const found = { series: 1, points: 1, unreadable: 0, vanished: 0, returned: 0 }
  here.catalog.watches.recordLook('main', { lookedMs: here.clock.ms, uuid: 'f'.repeat(32), ...found })
  return (await overview()).needsYou.map((item) => item.title)
}

/** Young, so that nothing is said about it. */
function backUpCatalog(): void {
  const made = { stem: 's', madeMs: here.clock.ms, coveredSeq: here.catalog.events.newest(), bytes: 1, versions: 1 }
  here.catalog.own.recordMade('main', made)
}

describe('what failed waits for a person', () => {
  test('also while every VM is inside its RPO', async () => {
    const [backup, restore] = [ended('backup', 'failed'), ended('restore', 'terminated')]
    const now = await overview()
    expect(now).toMatchObject({
      sentence: 'The one VM is inside its RPO.',
      lead: '2 things want a decision.',
      state: 'attention',
    })
    expect(now.needsYou).toMatchObject([
      { kind: 'run-failed', title: 'restore 2 was terminated', subject: { id: restore } },
      { kind: 'run-failed', title: 'backup 1 failed', subject: { id: backup } },
    ])
    expect(now.needsYou[1]?.detail).toBe('the repository is full. Make space.')
  })

  test('a sweep that fails day after day is one line, until one of the same repository completes', async () => {
    const sweep = { vmId: null, workflowId: 'retention/main' }
    ended('retention', 'failed', sweep)
    ended('retention', 'failed', sweep)
    ended('retention', 'failed', { vmId: null, workflowId: 'retention/vault' })
    expect(await titles()).toEqual(['retention 3 failed', 'retention 2 failed'])
    ended('retention', 'completed', sweep)
    expect(await titles()).toEqual(['retention 3 failed'])
  })

  test('until the same succeeds for the same VM; another kind does not do', async () => {
    ended('backup', 'failed')
    ended('restore', 'failed')
    ended('backup', 'completed')
    expect(await titles()).toEqual(['restore 2 failed'])
    ended('restore', 'completed-with-residue')
    expect(await titles()).toEqual([])
  })

  test('once, however often it was tried, and not because somebody cancelled', async () => {
    ended('backup', 'completed')
    ended('backup', 'failed')
    ended('backup', 'failed')
    ended('backup', 'cancelled')
    expect(await titles()).toEqual(['backup 3 failed'])
  })

  test('however many others failed after it', async () => {
    ended('restore', 'failed')
    for (let n = 0; n < 201; n += 1) ended('backup', 'failed', { vmId: null, workflowId: `backup/${n}` })
    for (let n = 0; n < 205; n += 1) ended('drill', 'failed')
    ended('drill', 'completed')
    const newest = here.catalog.runs.newestFailed(0, 1000)
    expect(newest.filter(({ kind }) => kind !== 'backup').map(({ title }) => title)).toEqual(['restore 1'])
  })

  test('a success before it changes nothing', async () => {
    ended('restore', 'completed')
    ended('restore', 'failed')
    expect(await titles()).toEqual(['restore 2 failed'])
  })

  test('is not said twice where the VM itself is outside its RPO, and is history after a week', async () => {
    ended('backup', 'failed')
    here.clock.ms += 2 * 86_400_000
    backUpCatalog()
    expect(await titles()).toEqual(['web-01 has no point inside its RPO'])
    ended('restore', 'failed')
    here.catalog.points.record(aPoint(2, { createdMs: here.clock.ms + 7 * 86_400_000 }))
    here.clock.ms += 7 * 86_400_000 + 60_000
    backUpCatalog()
    expect(await titles()).toEqual([])
  })

  test('a repository without a copy of the catalog, after its first day, and one with an old copy', async () => {
    here.catalog.points.record(aPoint(2, { createdMs: here.clock.ms + 86_400_000 }))
    here.clock.ms += 86_400_000 - 1
    expect(await titles()).toEqual([])
    here.clock.ms += 1
    expect(await titles()).toEqual(['main holds no copy of the catalog'])
    backUpCatalog()
    expect(await titles()).toEqual([])
    const error = { code: 'StoreFull', message: 'the repository is full', hint: 'Make space.', docs: '' }
    here.catalog.own.recordFailed('main', here.clock.ms, error)
    here.catalog.points.record(aPoint(3, { createdMs: here.clock.ms + 20 * 3_600_000 }))
    here.clock.ms += 26 * 3_600_000
    expect(await titles()).toEqual([])
    here.clock.ms += 1
    const { needsYou } = await overview()
    expect(needsYou).toMatchObject([
      {
        title: 'The copy of the catalog in main is old',
        detail: 'the repository is full. Make space.',
        action: { command: 'holdfast own-backup now main' },
      },
    ])
    const { checks } = await here.get<{ checks: { id: string; state: string }[] }>('/api/v1/doctor')
    expect(checks).toContainEqual(expect.objectContaining({ id: 'own-backup-main', state: 'failed' }))
  })

  test('a damaged point, until the VM has a whole one again', async () => {
    here.catalog.points.record(aPoint(2, { createdMs: here.clock.ms - 60_000 }))
    here.catalog.points.recordDamage(pointIdOf(2), { ms: here.clock.ms, damage: 'chunk 7 is lost' })
    const { needsYou } = await overview()
    expect(needsYou).toMatchObject([
      { kind: 'point-damaged', title: 'A recovery point of web-01 is damaged', subject: { id: pointIdOf(2) } },
    ])
    expect(await here.get(`/api/v1/points/${pointIdOf(2)}`)).toMatchObject({
      damage: { ms: here.clock.ms, what: 'chunk 7 is lost' },
      validatedMs: null,
    })
    here.clock.ms += 60_000
    here.catalog.points.record(aPoint(3, { createdMs: here.clock.ms }))
    expect(await titles()).toEqual([])
  })

  test('a drill with a failed verdict stands there by its verdict, one that broke before it by its run', async () => {
    ended('drill', 'failed')
    expect(await titles()).toEqual(['drill 1 failed'])
    const runId = ended('drill', 'failed')
    here.catalog.drills.record({
      workflowId: 'drill/web-01/20261121t000000',
      runId,
      vmId: 'web-01',
      pointId: pointIdOf(1),
      repositoryId: 'main',
      verdict: 'failed',
      why: 'a check failed',
      startedMs: here.clock.ms - 1000,
      endedMs: here.clock.ms,
      restoreSeconds: 1,
      bootSeconds: 1,
      rtoSeconds: 2,
      checks: [],
      screenshot: null,
    })
    expect(await titles()).toEqual(['The last drill of web-01 failed'])
  })
})

test('what may be the cause of the rest comes before the VMs, and is not what is cut', async () => {
  using many = bench({ vms: Array.from({ length: 60 }, (_, n) => `vm-${n}`) })
  many.engine.away = true
  const { needsYou, needsYouTotal } = await many.get<{ needsYou: { kind: string }[]; needsYouTotal: number }>(
    '/api/v1/overview',
  )
  expect(needsYou.map(({ kind }) => kind).slice(0, 2)).toEqual(['engine', 'unprotected'])
  expect([needsYou.length, needsYouTotal]).toEqual([50, 61])
})
