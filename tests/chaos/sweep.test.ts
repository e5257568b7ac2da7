/**
 * Retention of a real repository by a whole Holdfast whose worker is killed while it puts tombstones and while it
 * collects. The oracle: what the plan kept restores byte-identical, what it took is gone, and the repository verifies.
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { MiB } from '../../base/index.ts'
import { ask, type Schemas } from '../../cli/client/index.ts'
import { openCatalog } from '../../catalog/index.ts'
import { Installation, waitFor, waitForEnd, type NewRepository } from '../../cli/demo/index.ts'
import { openRepository, type Repository } from '../../repository/index.ts'
import type { OpenedRepository } from '../../repository/repository.ts'
import { homeOf } from '../../server/index.ts'
import { reconcile } from '../../server/rebuild/reconcile.ts'
import { backUp, expectIdentical, ModelDisk, seededBytes } from '../../repository/testing/index.ts'

const hour = 3_600_000
const count = 46
const tuning = { moverHeartbeatMs: 3_000, reprobeMs: 1_000 }
let home: string
let at: Installation
let made: NewRepository
/** Newest first. */
const stems: string[] = []

const disk = (seed: number): ModelDisk => {
  const model = new ModelDisk(4 * MiB)
  model.write(0, seededBytes(seed, MiB))
  model.write(2 * MiB, seededBytes(7, MiB))
  return model
}
const open = (cache: string): Promise<Repository> =>
  openRepository({
    location: { kind: 'posix', path: made.path },
    secret: { kind: 'passphrase', passphrase: made.passphrase },
    cacheDir: join(home, cache),
    threads: 1,
  })

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'hf-'))
  at = await Installation.start({ home })
  made = await at.addRepository('main', join(home, 'repository'))
  await using repository = await open('writer')
  const now = Date.now()
  for (let n = count - 1; n >= 0; n -= 1) {
    const createdMs = now - n * 3 * hour
    const { stem } = await backUp(repository as OpenedRepository, disk(n + 1), {
      createdMs,
      vm: 'lost-vm',
      retentionClass: 'ephemeral',
      origin: 'scheduled',
    })
    stems.unshift(stem)
  }
  // As `holdfast rebuild --reconcile` does: what a catalog does not know never ages by it.
  const catalog = openCatalog({ path: homeOf({ HOLDFAST_HOME: home }).catalog })
  const { signal } = new AbortController()
  const looked = await reconcile(catalog, repository, made.row.id, {
    now: Date.now,
    signal,
    onProgress: () => undefined,
  })
  catalog.close()
  expect(looked).toMatchObject({ added: count, newVms: 1 })
})
afterAll(async () => {
  await at?.stop()
  if (home) rmSync(home, { recursive: true, force: true })
})

const files = (end: string): string[] =>
  readdirSync(join(made.path, 'snap'), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith(end))
const start = (body: Partial<Schemas['SweepRequest']>): Promise<Schemas['Accepted']> =>
  ask(
    at.api.POST('/repositories/{id}/sweeps', {
      params: { path: { id: made.row.id } },
      body: { graceMs: 0, reason: 'test', tuning, ...body },
    }),
  )
const sweepOf = (run: string): Promise<Schemas['Sweep']> =>
  ask(at.api.GET('/sweeps/{run}', { params: { path: { run } } }))
const pointsOf = async (run: string): Promise<Schemas['SweepPoint'][]> =>
  (await ask(at.api.GET('/sweeps/{run}/points', { params: { path: { run }, query: { limit: 200 } } }))).items
async function until(what: string, probe: () => boolean | Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 120_000; !(await probe()); await sleep(20)) {
    if (Date.now() > deadline) throw new Error(`${what} did not come`)
  }
}

let kept: string[] = []

test('a dry run lists what goes and which rule keeps the rest, of a VM that only its points tell of, and changes nothing', async () => {
  const before = files('').sort()
  const { runId } = await start({ mode: 'plan' })
  expect((await waitForEnd(at.api, runId)).state).toBe('completed')
  const sweep = await sweepOf(runId)
  expect(sweep).toMatchObject({ state: 'planned', dryRun: true, points: count, orphans: 0, asking: 1 })
  const points = await pointsOf(runId)
  kept = points.filter(({ keptBy }) => keptBy.length > 0).map(({ stem }) => stem)
  expect(points.find(({ stem }) => stem === stems[0])?.keptBy).toContain('newest')
  expect(kept.length).toBe(count - sweep.going)
  expect(sweep.policies).toEqual([{ name: 'category ephemeral', rules: '4 weekly, 2 publish (UTC)' }])
  expect(files('').sort()).toEqual(before)
  const response = await at.api.GET('/sweeps/{run}/audit', { params: { path: { run: runId } }, parseAs: 'text' })
  const lines = String(response.data).trim().split('\r\n')
  expect(lines).toHaveLength(count + 1)
  expect(lines[0]).toBe('vm,point,time,origin,policy,rules,state,kept_by,why,agreed_by,stem')
})

test('a sweep that takes most of a VM asks; killed in its tombstones and in its collection it finishes what was approved', async () => {
  const { runId } = await start({ waits: 'none', collect: 'always' })
  await waitFor(at.api, runId, ({ state }) => state === 'waiting')
  expect(files('.t')).toEqual([])
  const sweep = await sweepOf(runId)
  const refused = await at.api.POST('/sweeps/{run}/approve', {
    params: { path: { run: runId } },
    body: { digest: '0123456789abcdef', reason: '' },
  })
  expect(refused.response.status).toBe(400)
  const body = { digest: sweep.digest, reason: 'looked at it' }
  await ask(at.api.POST('/sweeps/{run}/approve', { params: { path: { run: runId } }, body }))
  await until('a tombstone', () => files('.t').length > 0)
  const first = at.kill('worker')
  await until('the collection', async () => (await sweepOf(runId)).state === 'collecting')
  await until('another worker', () => isThere(first))
  at.kill('worker')
  const book = await waitForEnd(at.api, runId)
  expect(book.state).toBe('completed')
  expect(await sweepOf(runId)).toMatchObject({
    state: 'completed',
    removed: sweep.going,
    refused: 0,
    approval: { reason: 'looked at it' },
  })
  expect(files('.t')).toHaveLength(sweep.going)
  expect(files('.ok')).toHaveLength(kept.length)
})

function isThere(killed: number): boolean {
  try {
    return at.pid('worker') !== killed
  } catch {
    return false
  }
}

test('what was kept restores byte-identical, what went freed its bytes, and the repository verifies', async () => {
  const { items } = await ask(at.api.GET('/repositories/{id}/collections', { params: { path: { id: made.row.id } } }))
  expect(items[0]).toMatchObject({ outcome: 'collected', roots: kept.length })
  expect(items[0]?.deleted.packs).toBeGreaterThan(0)
  await using repository = await open('reader')
  for (const stem of kept) await expectIdentical(repository as OpenedRepository, stem, disk(stems.indexOf(stem) + 1))
  const report = await repository.verify({
    level: 'full',
    signal: AbortSignal.timeout(300_000),
    onProgress: () => undefined,
  })
  expect(report.damages).toEqual([])
  expect(report.points).toBe(kept.length)
})

test('a second sweep finds nothing more to do', async () => {
  const { runId } = await start({})
  expect((await waitForEnd(at.api, runId)).state).toBe('completed')
  expect(await sweepOf(runId)).toMatchObject({ state: 'completed', points: kept.length, going: 0, removed: 0 })
})
