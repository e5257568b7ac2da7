/**
 * A verify of a real repository by a whole Holdfast whose worker is killed in the middle of it. The oracle: what was judged
 * before the kill is not read again, and a byte that was flipped before is in the report all the same.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { MiB } from '../../base/index.ts'
import { ask, type Schemas } from '../../cli/client/index.ts'
import { Installation, waitForEnd, type NewRepository } from '../../cli/demo/index.ts'
import { openRepository } from '../../repository/index.ts'
import type { OpenedRepository } from '../../repository/repository.ts'
import { backUp, ModelDisk, seededBytes } from '../../repository/testing/index.ts'

const count = 24
const size = 12 * MiB
/** Bytes of the ledger for one pack. */
const record = 40
let home: string
let at: Installation
let made: NewRepository
let repositoryUuid: string

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'hf-'))
  at = await Installation.start({ home })
  made = await at.addRepository('main', join(home, 'repository'))
  await using repository = await openRepository({
    location: { kind: 'posix', path: made.path },
    secret: { kind: 'passphrase', passphrase: made.passphrase },
    cacheDir: join(home, 'writer'),
    threads: 1,
  })
  repositoryUuid = repository.id
  for (let n = 0; n < count; n += 1) {
    const disk = new ModelDisk(size)
    disk.write(0, seededBytes(n + 1, size))
    await backUp(repository as OpenedRepository, disk, { createdMs: Date.now() - n * 3_600_000, vm: `vm-${n}` })
  }
})
afterAll(async () => {
  await at?.stop()
  if (home) rmSync(home, { recursive: true, force: true })
})

const start = (body: Partial<Schemas['VerifyRequest']>): Promise<Schemas['Accepted']> =>
  ask(
    at.api.POST('/repositories/{id}/verify', {
      params: { path: { id: made.row.id } },
      body: { level: 'full', reason: 'test', tuning: { moverHeartbeatMs: 3_000, reprobeMs: 1_000 }, ...body },
    }),
  )
const verifyOf = (run: string): Promise<Schemas['VerifyRun']> =>
  ask(at.api.GET('/verify-runs/{run}', { params: { path: { run } } }))
const packs = (): string[] =>
  readdirSync(join(made.path, 'pack'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
const judged = (): number => {
  const path = join(home, 'cache', 'mover', repositoryUuid, 'verified.added')
  return existsSync(path) ? Math.floor(statSync(path).size / record) : 0
}
async function until(what: string, probe: () => boolean | Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 120_000; !(await probe()); await sleep(5)) {
    if (Date.now() > deadline) throw new Error(`${what} did not come`)
  }
}

test('killed in the middle, it goes on where it was: nothing that was judged is read again, no damage is lost', async () => {
  const all = packs()
  const [first = ''] = all
  const bytes = readFileSync(first)
  bytes.writeUInt8(bytes.readUInt8(200) ^ 1, 200)
  writeFileSync(first, bytes)
  const { runId, workflowId } = await start({ quarantine: true })
  await until('the first packs', () => judged() >= 4)
  at.kill('worker')
  const before = judged()
  expect(before).toBeLessThan(all.length)
  const book = await waitForEnd(at.api, runId)
  expect(book.state).toBe('completed')
  const verify = await verifyOf(runId)
  expect(verify).toMatchObject({
    workflowId,
    state: 'completed',
    verdict: 'damaged',
    points: count,
    packs: all.length,
    damages: 1,
    unreadable: 0,
    damagedPoints: 1,
  })
  // The damaged one is looked at again for the report.
  expect(verify.packsResumed).toBeGreaterThanOrEqual(before - 1)
  const stored = all.reduce((sum, path) => sum + statSync(path).size, 0)
  expect(verify.bytes).toBeLessThan(stored)
  const path = { run: runId }
  const { items } = await ask(at.api.GET('/verify-runs/{run}/findings', { params: { path } }))
  expect(items).toMatchObject([{ proved: true, affects: [{ disk: 'disk' }] }])
  expect(readdirSync(join(made.path, 'bad'))).toHaveLength(1)
})

test('cancelled in the middle, it ends within seconds and says of nothing that it is sound', async () => {
  const { runId } = await start({})
  const before = judged()
  await until('the first packs', () => judged() > before)
  const from = Date.now()
  await ask(at.api.POST('/runs/{run}/cancel', { params: { path: { run: runId } }, body: { reason: 'enough' } }))
  expect((await waitForEnd(at.api, runId)).state).toBe('cancelled')
  expect(Date.now() - from).toBeLessThan(20_000)
  expect(await verifyOf(runId)).toMatchObject({ state: 'cancelled', verdict: null, points: 0 })
})
