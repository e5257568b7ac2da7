import { afterEach, beforeEach, expect, it } from 'vitest'
import { aPoint, someFigures, testNow } from '../catalog/testing.ts'
import type { VerifyInput } from '../workflows/verify/contract.ts'
import { bench, type Bench } from './testing/bench.ts'

let here: Bench
beforeEach(() => void (here = bench()))
afterEach(() => here[Symbol.dispose]())

const post = (body: unknown): Promise<Response> => here.call('POST', '/api/v1/repositories/main/verify', body)
const read = async (path: string): Promise<unknown> => (await here.call('GET', `/api/v1${path}`)).json()

const figures = someFigures({ packsResumed: 4 })
const begin = (runId: string, startedMs = testNow): void =>
  here.catalog.verifyRuns.started({
    runId,
    workflowId: 'verify/main',
    repositoryId: 'main',
    level: 'full',
    quarantine: false,
    budgetBytes: null,
    startedMs,
  })

it('starts one verify of a repository at a time, with what was asked for', async () => {
  const first = await post({ level: 'data', quarantine: true, budgetBytes: 2 ** 30, reason: 'monthly' })
  expect(first.status).toBe(202)
  expect(await first.json()).toMatchObject({ workflowId: 'verify/main' })
  const { workflow, input } = here.engine.started[0] ?? {}
  expect(workflow).toBe('verifyRepository')
  expect(input as VerifyInput).toMatchObject({
    level: 'data',
    quarantine: true,
    budgetBytes: 2 ** 30,
    repository: { id: 'main' },
    requestedBy: { reason: 'monthly' },
  })
  expect((await post({})).status).toBe(409)
})

it('a quick verify reads no packs: a budget for it is refused', async () => {
  expect((await post({ level: 'quick', budgetBytes: 1000 })).status).toBe(400)
  expect(here.engine.started).toEqual([])
})

it('says sound, damaged or unreadable; what failed could not be read, what was cancelled says nothing', async () => {
  const verdictOf = async (runId: string): Promise<unknown> =>
    ((await read(`/verify-runs/${runId}`)) as { verdict: unknown }).verdict
  const { verifyRuns } = here.catalog
  for (const [at, runId] of ['sound', 'damaged', 'partly', 'failed', 'cancelled', 'running'].entries())
    begin(runId, testNow + at)
  verifyRuns.completed('sound', figures, [])
  verifyRuns.completed('damaged', { ...figures, damages: 1, unreadable: 3 }, [])
  verifyRuns.completed('partly', { ...figures, unreadable: 3 }, [])
  const error = { code: 'StoreUnavailable', message: 'away', hint: 'Mount it.', docs: 'errors.md#storeunavailable' }
  verifyRuns.ended('failed', { state: 'failed', error, endedMs: testNow })
  verifyRuns.ended('cancelled', { state: 'cancelled', error: null, endedMs: testNow })
  expect(await verdictOf('sound')).toBe('sound')
  expect(await verdictOf('damaged')).toBe('damaged')
  expect(await verdictOf('partly')).toBe('unreadable')
  expect(await verdictOf('failed')).toBe('unreadable')
  expect(await verdictOf('cancelled')).toBeNull()
  expect(await verdictOf('running')).toBeNull()
  const page = (await read('/verify-runs?repositoryId=main&limit=2')) as { items: { runId: string }[]; total: number }
  expect(page.items.map(({ runId }) => runId)).toEqual(['running', 'cancelled'])
  expect(page.total).toBe(6)
  expect(await read('/verify-runs?repositoryId=other')).toMatchObject({ items: [], total: 0 })
})

it('lists what was found with the points and disks that need it', async () => {
  begin('v1')
  const { stem } = aPoint(1)
  const affects = [{ stem, vm: 'web-01', disk: 'virtio0', ranges: [{ start: 0, end: 4096 }] }]
  const finding = { object: 'pack/p', pack: 'p', found: 'L4', message: 'it does not open', proved: true, affects }
  here.catalog.verifyRuns.completed('v1', { ...figures, damages: 1 }, [finding])
  expect(await read('/verify-runs/v1/findings')).toEqual({ items: [finding], nextCursor: null, total: 1 })
})
