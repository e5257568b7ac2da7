import { afterEach, beforeEach, expect, test } from 'vitest'
import { bench, type Bench } from '../api/testing/bench.ts'
import { aPoint, testNow } from '../catalog/testing.ts'
import type { NewSweep } from '../catalog/index.ts'
import { ran } from './testing.ts'

let here: Bench
beforeEach(() => void (here = bench()))
afterEach(() => here[Symbol.dispose]())

const said = async (...argv: readonly string[]): Promise<string> => {
  const { code, out, err } = await ran(here, ['retention', ...argv])
  expect([code, err]).toEqual([0, expect.not.stringContaining('holdfast:')])
  return out
}

const stemSeries = '5'.repeat(32)

function aSweep(runId: string, plannedMs: number, dryRun: boolean): NewSweep {
  const { stem, id } = aPoint(1)
  return {
    sweep: {
      ...{
        runId,
        workflowId: 'retention/main',
        repositoryId: 'main',
        state: 'planned',
        dryRun,
        digest: `of-${runId}`,
        plannedMs,
      },
      ...{ maxShare: 0.5, points: 1, going: 1, series: 1, asking: 0, orphans: 0, policies: [] },
    },
    series: [
      {
        ...{ series: stemSeries, vmId: 'web-01', vmName: 'web-01', policy: 'p', orphan: null },
        points: 1,
        going: 1,
        asks: false,
      },
    ],
    points: [
      {
        ...{ stem, series: stemSeries, pointId: id, timeMs: plannedMs },
        ...{ origin: 'scheduled', policy: 'p', keptBy: [] },
      },
    ],
  }
}

test('earlier plans and sweeps are listed, and each can be seen by its run', async () => {
  expect(await said('list', 'main')).toContain('Nothing was planned yet')
  here.catalog.sweeps.record(aSweep('run-1', testNow - 1000, false))
  here.catalog.sweeps.record(aSweep('run-2', testNow, true))
  const lines = (await said('list')).trim().split('\n')
  expect(lines.map((line) => /(plan|sweep) .*(run-\d)/.exec(line)?.slice(1))).toEqual([
    undefined,
    ['plan', 'run-2'],
    ['sweep', 'run-1'],
  ])
  expect(await said('show', 'main')).toContain('of-run-2')
  expect(await said('show', 'main', '--run', 'run-1')).toContain('of-run-1')
})

test('the last collections are listed with what they freed, and what the newest has to say', async () => {
  expect(await said('collections', 'main')).toContain('was never collected')
  const none = { packs: 0, bytes: 0 }
  here.catalog.retained.recordCollection({
    ...{ runId: 'c', repositoryId: 'main', startedMs: testNow - 1000, endedMs: testNow, why: 'after a sweep' },
    report: {
      ...{ outcome: 'collected', roots: 7, listed: none, live: none, condemned: none, reprieved: none, copied: none },
      ...{ deleted: { packs: 3, bytes: 2 ** 20 }, waiting: none, young: none, unknown: none },
      ...{ notes: ['one pack is young'], durationMs: 5 },
    },
  })
  const out = await said('collections', 'main')
  expect(out).toMatch(/collected +7 +– +3, 1(\.0)? MiB +– +after a sweep/)
  expect(out).toContain('  one pack is young')
})

test('a backup by hand follows the plan that is named, or none', async () => {
  await ran(here, ['backup', 'web-01', '--no-plan'])
  expect(here.engine.started.at(-1)?.input).toMatchObject({ plan: null })
  const unknown = await ran(here, ['backup', 'web-01', '--plan', 'nightly'])
  expect([unknown.code === 0, unknown.err]).toEqual([false, expect.stringContaining('nightly')])
})
