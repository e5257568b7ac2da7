import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { RunDescription } from './orchestrator.ts'
import { bench, type Bench } from './testing/bench.ts'
import type { FakeRun } from './testing/fake-orchestrator.ts'

let here: Bench
let run: FakeRun
beforeEach(async () => {
  here = bench()
  await here.call('POST', '/api/v1/vms/web-01/backups', {})
  const [started] = here.engine.runs
  if (!started) throw new Error('nothing was started')
  run = started
})
afterEach(() => here[Symbol.dispose]())

/** What the run itself writes down as its last act. */
function writeEnd(): void {
  here.catalog.runs.observe(run.runId, {
    state: 'completed',
    endedMs: here.clock.ms,
    bytesRead: 77,
    bytesStored: 33,
    summary: '77 bytes read',
  })
}

describe('an end that the run writes down while the engine is asked', () => {
  const ended = { state: 'completed', endedMs: expect.any(Number) as unknown, bytesRead: 77, summary: '77 bytes read' }

  test('is not overwritten by the older history', async () => {
    const history = here.engine.history.bind(here.engine)
    here.engine.history = async (handle) => {
      const answer = await history(handle)
      writeEnd()
      return answer
    }
    await here.deps.live.tick()
    expect(here.catalog.runs.find(run.runId)).toMatchObject(ended)
  })

  test('keeps its figures when the history that came back is closed already', async () => {
    const describe = here.engine.describe.bind(here.engine)
    here.engine.describe = async (workflowId, runId) => {
      here.engine.end(run, 'completed')
      writeEnd()
      return describe(workflowId, runId)
    }
    await here.deps.live.tick()
    expect(here.catalog.runs.find(run.runId)).toMatchObject(ended)
    expect(here.catalog.histories.has(run.runId)).toBe(true)
  })

  test('stands, even if the engine then no longer knows the run', async () => {
    here.engine.describe = async (): Promise<RunDescription | undefined> => {
      writeEnd()
      return Promise.resolve(undefined)
    }
    await here.deps.live.tick()
    expect(here.catalog.runs.find(run.runId)).toMatchObject(ended)
  })
})

describe('open pages are told to read again', () => {
  const workersEvents = (since: number): number =>
    here.catalog.events.after(since, 500).filter((event) => event.type === 'workers').length

  test('once when the engine goes, and once when it is back', async () => {
    await here.deps.live.tick()
    const before = here.catalog.events.newest()
    here.engine.away = true
    for (let n = 0; n < 3; n += 1) await expect(here.deps.live.tick()).rejects.toThrow()
    expect(workersEvents(before)).toBe(1)
    here.engine.away = false
    for (let n = 0; n < 3; n += 1) await here.deps.live.tick()
    expect(workersEvents(before)).toBe(2)
  })

  test('also when nothing runs whose following would fail', async () => {
    here.engine.end(run, 'completed')
    await here.deps.live.tick()
    await here.deps.live.tick()
    const before = here.catalog.events.newest()
    here.engine.away = true
    here.clock.ms += 20_000
    await expect(here.deps.live.tick()).rejects.toThrow()
    expect(workersEvents(before)).toBe(1)
  })

  test('when a worker comes, goes, or falls silent', async () => {
    await here.deps.live.tick()
    const site = 'holdfast.site.local'
    let before = here.catalog.events.newest()
    const look = async (): Promise<number> => {
      here.clock.ms += 20_000
      await here.deps.live.tick()
      const seen = workersEvents(before)
      before = here.catalog.events.newest()
      return seen
    }
    expect(await look()).toBe(0)
    here.engine.pollersByQueue.set(site, [])
    expect(await look()).toBe(1)
    expect(await look()).toBe(0)
    here.engine.pollersByQueue.set(site, [{ identity: 'worker-2', role: 'activity', lastSeenMs: here.clock.ms }])
    expect(await look()).toBe(1)
    here.clock.ms += 100_000
    expect(await look()).toBe(1)
  })
})

test('a clock that was set back keeps no run of a schedule from being seen, nor who is gone from being missed', async () => {
  const { engine, clock, catalog } = here
  await here.deps.live.tick()
  clock.ms -= 3 * 3_600_000
  const { runId } = engine.put({ workflowId: 'backup/db-01', workflow: 'backupVm' })
  const before = catalog.events.newest()
  for (const [queue] of engine.pollersByQueue) engine.pollersByQueue.set(queue, [])
  await here.deps.live.tick()
  expect(catalog.runs.find(runId)).toBeDefined()
  expect(catalog.events.after(before, 500).map(({ type }) => type)).toContain('workers')
})
