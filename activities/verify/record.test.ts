import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { Catalog } from '../../catalog/index.ts'
import { aPoint, furnish, pointIdOf, testCatalog, testNow, type TestCatalog } from '../../catalog/testing.ts'
import type { Damage, VerifyReport } from '../../repository/index.ts'
import { memoryBlobs } from '../testing/site.ts'
import { checkedSummary } from '../testing/scripted.ts'
import { findingsParts } from './findings.ts'
import { createVerifyRecordActivities } from './record.ts'
import type { CheckSummary, VerifyRecordActivities } from './types.ts'

vi.setConfig({ testTimeout: 60_000 })

let world: TestCatalog
let catalog: Catalog
let content: Map<string, Uint8Array>
let steps: VerifyRecordActivities
beforeEach(() => {
  world = testCatalog()
  catalog = world.catalog
  furnish(catalog)
  for (const n of [1, 2, 3]) catalog.points.record(aPoint(n))
  content = new Map()
  steps = createVerifyRecordActivities(catalog, memoryBlobs(content))
})
afterEach(() => world[Symbol.dispose]())

const stemOf = (n: number): string => aPoint(n).stem
const stems = [1, 2, 3].map(stemOf)
const damage = (proved: boolean, ...points: readonly number[]): Damage => ({
  pack: 'p',
  object: 'pack/p',
  found: 'L4',
  message: proved ? 'its bytes do not hash to its name' : 'cannot be read now: connection reset',
  proved,
  affects: points.map((n) => ({ stem: stemOf(n), vm: 'web-01', disk: 'virtio0', ranges: [{ start: 0, end: 4096 }] })),
})

async function begin(runId: string, level: 'quick' | 'data' | 'full', budgetBytes: number | null = null) {
  await steps.recordVerifyStarted({
    workflowId: 'verify/main',
    runId,
    repositoryId: 'main',
    level,
    quarantine: false,
    budgetBytes,
    startedMs: testNow,
  })
}
async function found(damages: readonly Damage[], checked: readonly string[] = stems): Promise<CheckSummary> {
  const blobs: string[] = []
  const report = { damages } as unknown as VerifyReport
  for (const part of findingsParts('main', report, checked))
    blobs.push(await memoryBlobs(content).put(part, 'text/plain'))
  const proved = damages.filter((one) => one.proved).length
  return { ...checkedSummary, blobs, damages: proved, unreadable: damages.length - proved }
}
const pointOf = (n: number) => catalog.points.get(pointIdOf(n))

it('takes the validation of a point back that needs what is proved damaged, and tells who listens', async () => {
  await begin('v1', 'full')
  const seq = catalog.events.newest()
  const counts = await steps.recordFindings({ runId: 'v1', summary: await found([damage(true, 1)]), atMs: testNow + 5 })
  expect(counts).toEqual({ damagedPoints: 1, unreadablePoints: 0, mendedPoints: 0 })
  expect(pointOf(1)).toMatchObject({ validatedMs: null, damagedMs: testNow + 5, verifyLevel: null })
  expect(pointOf(1).damage).toContain('pack/p (L4): its bytes do not hash to its name')
  expect(pointOf(2)).toMatchObject({ damagedMs: null, verifyLevel: 'full', verifiedMs: testNow + 5 })
  const told = catalog.events.after(seq, 50).map(({ type, subject }) => `${type} ${subject ?? ''}`)
  expect(told).toContain(`point ${pointIdOf(1)}`)
  expect(told).toContain('verify v1')
  expect(catalog.verifyRuns.get('v1')).toMatchObject({ state: 'completed', damages: 1, damagedPoints: 1 })
  expect(catalog.verifyRuns.findings('v1', { limit: 10 }).items).toMatchObject([
    { object: 'pack/p', proved: true, affects: [{ stem: stemOf(1), disk: 'virtio0' }] },
  ])
  expect(content.size).toBe(0)
})

it('leaves a point what it was whose bytes could not be read: neither damaged nor verified', async () => {
  await begin('v1', 'full')
  const counts = await steps.recordFindings({ runId: 'v1', summary: await found([damage(false, 1)]), atMs: testNow })
  expect(counts).toEqual({ damagedPoints: 0, unreadablePoints: 1, mendedPoints: 0 })
  expect(pointOf(1)).toMatchObject({ damagedMs: null, verifyLevel: 'spot-checked' })
  expect(pointOf(1).validatedMs).not.toBeNull()
  expect(pointOf(2).verifyLevel).toBe('full')
})

it('a budget proves of a point no more than a quick verify does', async () => {
  await begin('v1', 'full', 2 ** 30)
  await steps.recordFindings({ runId: 'v1', summary: await found([]), atMs: testNow })
  expect(pointOf(1).verifyLevel).toBe('quick')
})

it('a damaged point is whole again only when every chunk of it was opened', async () => {
  catalog.points.recordDamage(pointIdOf(1), { ms: testNow - 1000, damage: 'pack/p is gone' })
  await begin('v1', 'data')
  await steps.recordFindings({ runId: 'v1', summary: await found([]), atMs: testNow })
  expect(pointOf(1)).toMatchObject({ validatedMs: null, damage: 'pack/p is gone' })
  await begin('v2', 'full', 2 ** 30)
  await steps.recordFindings({ runId: 'v2', summary: await found([]), atMs: testNow })
  expect(pointOf(1).validatedMs).toBeNull()
  await begin('v3', 'full')
  expect(await steps.recordFindings({ runId: 'v3', summary: await found([]), atMs: testNow })).toMatchObject({
    mendedPoints: 1,
  })
  expect(pointOf(1)).toMatchObject({ validatedMs: testNow, damagedMs: null, damage: null, verifyLevel: 'full' })
})

it('a point that was not looked at stays what it was', async () => {
  await begin('v1', 'full')
  await steps.recordFindings({ runId: 'v1', summary: await found([], [stemOf(1)]), atMs: testNow })
  expect([1, 2].map((n) => pointOf(n).verifyLevel)).toEqual(['full', 'spot-checked'])
})

it('a damage that is not shown is judged all the same', async () => {
  await begin('v1', 'full')
  const others = Array.from({ length: 5000 }, () => damage(true))
  const summary = await found([...others, damage(true, 1), damage(false, 2)])
  const counts = await steps.recordFindings({ runId: 'v1', summary, atMs: testNow + 5 })
  expect(counts).toEqual({ damagedPoints: 1, unreadablePoints: 1, mendedPoints: 0 })
  expect(pointOf(1)).toMatchObject({ validatedMs: null, damagedMs: testNow + 5, verifyLevel: null })
  expect([2, 3].map((n) => pointOf(n).verifyLevel)).toEqual(['spot-checked', 'full'])
  expect(catalog.verifyRuns.findings('v1', { limit: 10 }).total).toBe(5000)
})

it('said twice, it is written down once', async () => {
  await begin('v1', 'full')
  await begin('v1', 'full')
  const summary = await found([damage(true, 1)])
  const first = await steps.recordFindings({ runId: 'v1', summary, atMs: testNow })
  expect(await steps.recordFindings({ runId: 'v1', summary, atMs: testNow + 9 })).toEqual(first)
  await steps.recordVerifyEnd({ runId: 'v1', state: 'cancelled', error: null, atMs: testNow + 10 })
  expect(catalog.verifyRuns.get('v1')).toMatchObject({ state: 'completed', endedMs: testNow })
  expect(catalog.verifyRuns.findings('v1', { limit: 10 }).total).toBe(1)
})

it('lists what is proved first, page by page, and forgets findings of old runs but not their counts', async () => {
  await begin('v0', 'quick')
  const all = [damage(false, 1), damage(true, 2), damage(false, 3), damage(true, 3)]
  await steps.recordFindings({ runId: 'v0', summary: await found(all), atMs: testNow })
  const seen: boolean[] = []
  let cursor: string | undefined
  do {
    const page = catalog.verifyRuns.findings('v0', { limit: 1, cursor })
    seen.push(...page.items.map(({ proved }) => proved))
    cursor = page.nextCursor ?? undefined
  } while (cursor !== undefined)
  expect(seen).toEqual([true, true, false, false])
  for (let n = 1; n <= 10; n += 1) {
    const runId = `v${n}`
    const run = { workflowId: 'verify/main', runId, repositoryId: 'main', level: 'quick', quarantine: false } as const
    await steps.recordVerifyStarted({ ...run, budgetBytes: null, startedMs: testNow + n })
    await steps.recordFindings({ runId, summary: await found([damage(false, 1)]), atMs: testNow + n })
  }
  expect(catalog.verifyRuns.findings('v0', { limit: 10 }).total).toBe(0)
  expect(catalog.verifyRuns.get('v0')).toMatchObject({ damages: 2, unreadable: 2 })
  expect(catalog.verifyRuns.findings('v1', { limit: 10 }).total).toBe(1)
})
