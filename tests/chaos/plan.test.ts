/**
 * A run of a plan by a whole Holdfast over a real guest: its window closes in the middle of a disk, and its worker is killed.
 * The oracle: one point in time, byte-identical to QEMU's own image of it, and no backup that was made twice.
 */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { GiB, MiB } from '../../base/index.ts'
import { ask, type Schemas } from '../../cli/client/index.ts'
import {
  finishBackup,
  readRunbook,
  sessionObjects,
  waitFor,
  waitForCompletion,
  waitForJournals,
  type Backup,
  type Runbook,
} from '../../cli/demo/index.ts'
import { expectIdentical } from '../support/identical.ts'
import { makeWorld, type World } from '../support/world.ts'

let world: World
beforeAll(async () => {
  // Several journals of the usual distance.
  const used = 1.5 * GiB
  world = await makeWorld({ vm: { qcow2: 8 * GiB, free: used, raw: 64 * MiB } })
  await world.guest.fill(used)
})
afterAll(() => world?.end())

async function put(window: NonNullable<Schemas['PlanPut']['window']> | null): Promise<void> {
  const targets = [{ repository: world.repository.row.id, copy: 'backup' as const }]
  const body: Schemas['PlanPut'] = { where: [], targets, mode: 'full', window }
  await ask(world.at.api.PUT('/plans/{id}', { params: { path: { id: 'nightly' } }, body }))
}
/** `HH:MM` in UTC. */
const clock = (ms: number): string => new Date(ms).toISOString().slice(11, 16)
const last = async (): Promise<Schemas['Plan']['last']> =>
  (await ask(world.at.api.GET('/plans/{id}', { params: { path: { id: 'nightly' } } }))).last

/** Starts the plan; resolves when the copy of its large disk has written two journals. */
async function startAndReachJournals(): Promise<{ readonly planRun: string; readonly backup: string }> {
  const before = sessionObjects(world.repository.path)
  const params = { path: { id: 'nightly' } }
  const { runId: planRun } = await ask(world.at.api.POST('/plans/{id}/run', { params, body: {} }))
  await waitForJournals(world.repository.path, before, 2)
  const [row] = await rowsOf(planRun)
  if (!row?.runId) throw new Error(`the plan has no backup under way: ${JSON.stringify(row)}`)
  return { planRun, backup: row.runId }
}

const rowsOf = async (planRun: string) =>
  (await ask(world.at.api.GET('/runs/{run}/vms', { params: { path: { run: planRun } } }))).items

/** The run of the plan has completed, and its one backup was made once: one point in time, the first try. */
async function expectOneBackup(planRun: string, backup: string): Promise<Backup> {
  await waitForCompletion(world.at.api, planRun)
  const rows = await rowsOf(planRun)
  expect(rows).toMatchObject([{ state: 'completed', attempts: 1, runId: backup }])
  const made = await finishBackup(world.at, world.vm.id, backup)
  const opened = made.book.phases.flatMap(({ steps }) => steps).filter(({ id }) => id.startsWith('open-point'))
  expect(opened).toHaveLength(1)
  expect(opened[0]?.attempts).toHaveLength(1)
  expect(made.copied.bytesResumed).toBeGreaterThan(0)
  return made
}

test('a window that closes in the middle of a disk: paused, and finished in the next window from where it stopped', async () => {
  await using oracle = await world.startOracle()
  await put(null)
  const { planRun, backup } = await startAndReachJournals()
  // Closed from now on, open from a minute on that has not begun.
  const opensMs = Math.ceil((Date.now() + 20_000) / 60_000) * 60_000
  await put({ start: clock(opensMs), end: clock(opensMs + 3 * 3_600_000), atEnd: 'pause' })
  const stands = await waitFor(world.at.api, backup, ({ state }) => state === 'paused', { withinMs: 15_000 })
  expect(stands.sentence).toContain('Stands still with its plan: the window of nightly is closed until')
  const plan = await waitFor(world.at.api, planRun, ({ state }) => state === 'paused', { withinMs: 15_000 })
  expect(plan.sentence).toMatch(new RegExp(`^Paused until .* ${clock(opensMs)} \\(UTC\\): its window is closed\\.$`))
  expect((await last())?.standsUntil).toContain(clock(opensMs))
  expect(plan.actions.map(({ label }) => label)).toContain('Go on now')
  const stored = await quiet()
  await sleep(2_000)
  expect(packs()).toBe(stored)
  expect(isCopied(await readRunbook(world.at.api, backup))).toBe(false)

  const made = await expectOneBackup(planRun, backup)
  // It did not go on before the window had opened.
  const copies = made.book.phases.flatMap(({ steps }) => steps.filter(({ id }) => id.startsWith('copy:')))
  const begun = copies.flatMap(({ attempts }) => attempts.map(({ startedMs }) => startedMs ?? 0))
  expect(Math.max(...begun)).toBeGreaterThanOrEqual(opensMs)
  await expectIdentical(world, made, oracle)
})

test('a worker that is killed in the middle of the run of a plan: it completes, and no backup is made again', async () => {
  await using oracle = await world.startOracle()
  await put(null)
  const { planRun, backup } = await startAndReachJournals()
  const pid = world.at.kill('worker')
  const made = await expectOneBackup(planRun, backup)
  expect(world.at.pid('worker')).not.toBe(pid)
  expect(made.book.resumedTimes).toBeGreaterThanOrEqual(1)
  await expectIdentical(world, made, oracle)
})

function isCopied(book: Runbook | undefined): boolean {
  const copies =
    book?.phases.find(({ phase }) => phase === 'copy')?.steps.filter(({ id }) => id.startsWith('copy:')) ?? []
  return copies.every(({ state }) => state === 'done')
}

function packs(): number {
  return readdirSync(join(world.repository.path, 'pack'), { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  ).length
}

/** Number of packs once it has not changed for two seconds. */
async function quiet(): Promise<number> {
  for (let before = packs(); ;) {
    await sleep(2_000)
    const now = packs()
    if (now === before) return now
    before = now
  }
}
