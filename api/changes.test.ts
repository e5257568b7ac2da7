import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ChangeFigures } from '../policy/index.ts'
import { aPoint, pointIdOf, testNow } from '../catalog/testing.ts'
import { bench, type Bench } from './testing/bench.ts'

let here: Bench
beforeEach(() => void (here = bench()))
afterEach(() => here[Symbol.dispose]())

const MiB = 2 ** 20
const hour = 3_600_000
const quiet: ChangeFigures = {
  comparedBytes: 3072 * MiB,
  heldBytes: 2048 * MiB,
  softBytes: 1024 * MiB,
  rewrittenBytes: 100 * MiB,
  rewrittenStoredBefore: 30 * MiB,
  rewrittenStored: 30 * MiB,
  rewrittenHardBytes: MiB,
  turnedBytes: MiB,
  addedBytes: 0,
  addedStored: 0,
  addedHardBytes: 0,
  removedBytes: 0,
  removedSoftBytes: 0,
}
const encrypted = { ...quiet, rewrittenBytes: 300 * MiB, rewrittenStored: 294 * MiB, turnedBytes: 290 * MiB }

function point(n: number, figures: ChangeFigures | null, problem: string | null = null): void {
  here.catalog.points.record(aPoint(n, { createdMs: here.clock.ms - (10 - n) * 3_600_000 }))
  const compared = figures === null ? null : { beforeId: pointIdOf(n - 1), beforeMs: here.clock.ms, figures }
  here.catalog.changes.record({ pointId: pointIdOf(n), compared, problem })
}

interface Detail {
  readonly change: { readonly state: string; readonly score: number } | null
  readonly changed: {
    readonly state: string
    readonly sentence: string
    readonly turnedBytes: number | null
    readonly storedShare: number | null
    readonly lastCleanId: string | null
    readonly review: { readonly by: string } | null
  } | null
}
const detail = (n: number): Promise<Detail> => here.get(`/api/v1/points/${pointIdOf(n)}`)
const needs = async () =>
  (await here.get<{ needsYou: { kind: string; detail: string; action: { command: string } }[] }>('/api/v1/overview'))
    .needsYou
const weaknesses = async () =>
  (await here.get<{ weaknesses: { code: string }[] }>('/api/v1/vms/web-01')).weaknesses.map(({ code }) => code)

test('a full that nobody decided is told with its reason until the next point of the VM, or for a week', async () => {
  const disks = (why: string) => aPoint(1).disks.map((disk) => ({ ...disk, mode: 'full' as const, why }))
  const told = async () => (await needs()).filter(({ kind }) => kind === 'unexpected-full')
  here.catalog.points.record(aPoint(1, { createdMs: testNow - 7 * hour, disks: disks('full-interval') }))
  expect(await told()).toEqual([])
  here.catalog.points.record(aPoint(2, { createdMs: testNow - 6 * hour, disks: disks('reference-inconsistent') }))
  expect(await told()).toMatchObject([
    {
      severity: 'attention',
      title: 'web-01 was read in full: the change tracker is marked inconsistent, as after a power cut',
      action: { command: `holdfast points web-01 --point ${pointIdOf(2)}` },
    },
  ])
  here.clock.ms = testNow + 7 * 24 * hour
  expect(await told()).toEqual([])
  here.clock.ms = testNow
  here.catalog.points.record(aPoint(3, { createdMs: testNow - hour, disks: disks('asked-by-operator') }))
  expect(await told()).toEqual([])
})

test('a flagged point says what it is, which point was good last, and wants attention until somebody has looked', async () => {
  point(1, null)
  point(2, quiet)
  point(3, encrypted)
  expect(await detail(1)).toMatchObject({ change: { state: 'first' }, changed: { lastCleanId: null } })
  expect(await detail(2)).toMatchObject({ change: { state: 'usual' }, changed: { storedShare: 0.3 } })
  const flagged = await detail(3)
  expect(flagged).toMatchObject({
    change: { state: 'suspicious' },
    changed: { turnedBytes: 290 * MiB, lastCleanId: pointIdOf(2), review: null },
  })
  expect(flagged.changed?.sentence).toBe(
    '290 MiB that could be compressed no longer can, as after encryption: 97 % of what changed, 28 % of all that could be compressed.',
  )
  expect((await needs()).filter(({ kind }) => kind === 'suspicious-change')).toMatchObject([
    {
      detail: expect.stringContaining('The last point that nothing speaks against is of') as string,
      action: { command: `holdfast point pin web-01 ${pointIdOf(2)} --reason "before a suspicious change"` },
    },
  ])
  expect(await weaknesses()).toContain('suspicious-change')
  const { items } = await here.get<{ items: { id: string }[] }>('/api/v1/points?suspicious=true')
  expect(items.map(({ id }) => id)).toEqual([pointIdOf(3)])

  const response = await here.call('POST', `/api/v1/points/${pointIdOf(3)}/change-review`, {
    verdict: 'expected',
    reason: 'disk encryption was switched on',
  })
  expect(response.status).toBe(200)
  expect(await response.json()).toMatchObject({ state: 'expected', review: { by: expect.any(String) as string } })
  expect((await needs()).map(({ kind }) => kind)).not.toContain('suspicious-change')
  expect(await weaknesses()).not.toContain('suspicious-change')
  expect((await here.get<{ items: object[] }>('/api/v1/points?suspicious=true')).items).toEqual([])
})

test('what could not be compared says why, and what was not flagged is not reviewed', async () => {
  point(1, null, 'the repository was away')
  here.catalog.points.record(aPoint(2))
  expect(await detail(1)).toMatchObject({
    change: { state: 'unknown' },
    changed: { sentence: 'Not compared: the repository was away.' },
  })
  expect(await detail(2)).toMatchObject({ change: null, changed: null })
  const ask = (n: number) =>
    here.call('POST', `/api/v1/points/${pointIdOf(n)}/change-review`, { verdict: 'attack', reason: 'why' })
  expect((await ask(1)).status).toBe(400)
  expect((await ask(2)).status).toBe(404)
})

test('a VM with flagged points has a figure', async () => {
  const figures = async () =>
    (await (await here.call('GET', '/metrics')).text())
      .split('\n')
      .filter((line) => line.startsWith('holdfast_vm_suspicious_points{'))
  point(1, quiet)
  point(2, encrypted)
  expect(await figures()).toEqual(['holdfast_vm_suspicious_points{vm="web-01"} 1'])
})
