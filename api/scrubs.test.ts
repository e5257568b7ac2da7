import { afterEach, beforeEach, expect, test } from 'vitest'
import type { VerifyInput } from '../workflows/verify/contract.ts'
import { housekeeping } from './housekeeping.ts'
import { bench, own, workerToken, type Bench } from './testing/bench.ts'

let here: Bench
beforeEach(() => void (here = bench()))
afterEach(() => here[Symbol.dispose]())

const hour = 3_600_000
const set = (body: object, id = 'main'): Promise<Response> => here.call('PUT', `/api/v1/repositories/${id}/scrub`, body)
const asWorker = (method: 'GET' | 'POST', id: string, body?: Uint8Array<ArrayBuffer>): Promise<Response> =>
  Promise.resolve(
    here.app.request(`${own}/api/v1/verify-ledgers/${id}`, {
      method,
      headers: { authorization: `Bearer ${workerToken}`, 'content-type': 'application/octet-stream' },
      ...(body !== undefined && { body }),
    }),
  )
function pass(first: number, l3: number): Uint8Array<ArrayBuffer> {
  const record = new Uint8Array(40).fill(first, 0, 32)
  new DataView(record.buffer).setUint32(32, l3, true)
  return record
}

test('how much is read a day is set, shown with how long a round takes, and switched off', async () => {
  const unset = { level: 'data', budgetBytes: null, countedMs: null, roundDays: null }
  expect(await here.get('/api/v1/repositories/main')).toMatchObject({ scrub: unset })
  expect(await (await set({ level: 'full', budgetBytes: 300 })).json()).toMatchObject({
    level: 'full',
    budgetBytes: 300,
  })
  const count = { packs: 4, bytes: 1000, readPacks: 1, readBytes: 250, oldestMs: 5 }
  here.catalog.scrubs.recordCount('main', count, here.clock.ms)
  expect(await here.get('/api/v1/repositories/main')).toMatchObject({
    scrub: { ...count, countedMs: here.clock.ms, roundDays: 4 },
  })
  const metrics = await (await here.call('GET', '/metrics')).text()
  expect(metrics).toContain('holdfast_repo_read_ratio{repo="main"} 0.25')
  expect(await (await set({ budgetBytes: null })).json()).toMatchObject({ budgetBytes: null, readBytes: 250 })
  expect((await set({ budgetBytes: 0 })).status).toBe(400)
  expect((await set({ budgetBytes: 9 }, 'none')).status).toBe(404)
})

test('a part is read when it is switched on, and then once a day, by a verify that quarantines', async () => {
  const { catalog, clock, engine, deps } = here
  const keeper = housekeeping(deps, { sweeps: 'by-hand' })
  const begun = () => engine.started.filter(({ workflow }) => workflow === 'verifyRepository')
  const after = async (ms: number): Promise<number> => {
    clock.ms += ms
    await keeper.tick()
    return begun().length
  }
  expect(await after(0)).toBe(0)
  await set({ budgetBytes: 300 })
  expect(await after(0)).toBe(1)
  expect(begun()[0]?.input as VerifyInput).toMatchObject({ level: 'data', budgetBytes: 300, quarantine: true })
  // It is under way for as long as it takes.
  expect(await after(50 * hour)).toBe(1)
  const of = { runId: 'v1', workflowId: 'verify/main', repositoryId: 'main', level: 'data', quarantine: true } as const
  catalog.verifyRuns.started({ ...of, budgetBytes: 300, startedMs: clock.ms })
  for (const run of engine.runs) engine.end(run, 'completed')
  for (const { runId } of catalog.runs.list({ limit: 9 }).items)
    catalog.runs.observe(runId, { state: 'completed', endedMs: clock.ms })
  catalog.scrubs.recordCount('main', { packs: 1, bytes: 9, readPacks: 1, readBytes: 9, oldestMs: 1 }, clock.ms)
  expect([await after(24 * hour - 1), await after(1)]).toEqual([1, 2])
})

test('workers tell what they have read, and get what all have; nobody else’s door opens for them', async () => {
  expect((await asWorker('POST', 'main', pass(9, 7))).status).toBe(204)
  expect((await asWorker('POST', 'main', pass(3, 5))).status).toBe(204)
  const told = new Uint8Array(await (await asWorker('GET', 'main')).arrayBuffer())
  expect(told).toEqual(new Uint8Array([...pass(3, 5), ...pass(9, 7)]))
  expect((await asWorker('POST', 'main', new Uint8Array(39))).status).toBe(400)
  expect((await asWorker('GET', 'none')).status).toBe(404)
  const asked = here.app.request(`${own}/api/v1/repositories/main`, {
    headers: { authorization: `Bearer ${workerToken}` },
  })
  expect((await asked).status).toBe(403)
})
