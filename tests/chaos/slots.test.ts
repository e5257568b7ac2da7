/**
 * A whole Holdfast in which six VMs are due at once and their host has two slots: the server is killed while it holds them,
 * and again while an urgent restore holds one. What counts is work, from the attempts of the steps that copy, and not what
 * the server says of its slots.
 */
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { MiB, isHoldfastError } from '../../base/index.ts'
import { ask, type Schemas } from '../../cli/client/index.ts'
import { Installation, readRunbook, waitForCompletion } from '../../cli/demo/index.ts'
import { eventually } from '../../server/testing/workflows.ts'

const names = ['vm-0', 'vm-1', 'vm-2', 'vm-3', 'vm-4', 'vm-5']
const size = 24 * MiB
let folder: string
let at: Installation
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hf-slots-'))
  for (const name of names) {
    mkdirSync(join(folder, 'vms', name), { recursive: true })
    writeFileSync(disk(name), randomBytes(size))
  }
  at = await Installation.start({ home: join(folder, 'h') })
  const scope = 'f81d4fae-7dec-11d0-a765-00a0c91e6bf6'
  await at.addHypervisor({ name: 'files', platform: 'image', address: join(folder, 'vms'), options: { scope } })
  await at.addRepository('main', join(folder, 'repository'))
})
afterAll(async () => {
  await at?.stop()
  rmSync(folder, { recursive: true, force: true })
})

const disk = (vm: string): string => join(folder, 'vms', vm, 'disk0.raw')

/** Of the host; undefined while nobody answers. */
async function host(): Promise<Schemas['SlotResource'] | undefined> {
  try {
    return (await ask(at.api.GET('/slots'))).items.find(({ resource }) => resource === 'host/files')
  } catch (error) {
    if (isHoldfastError(error) && error.code === 'ServerUnreachable') return undefined
    throw error
  }
}

interface Span {
  readonly fromMs: number
  readonly toMs: number
}

/** When the run copied disks: all attempts of those steps. */
async function copying(runId: string): Promise<Span[]> {
  const book = await readRunbook(at.api, runId)
  const steps = book?.phases.flatMap((phase) => phase.steps).filter(({ id }) => id.startsWith('copy:')) ?? []
  return steps.flatMap(({ attempts }) =>
    attempts.map(({ startedMs, endedMs }) => ({ fromMs: startedMs ?? NaN, toMs: endedMs ?? NaN })),
  )
}

/** How many copied at the same time, at most. */
function mostAtOnce(spans: readonly Span[]): number {
  return Math.max(...spans.map(({ fromMs }) => spans.filter((one) => one.fromMs <= fromMs && fromMs < one.toMs).length))
}

test('a server that is killed while it holds slots: two work at a time, a restore does not wait, nobody is backed up twice', async () => {
  const { api } = at
  const { runId: first } = await ask(
    api.POST('/vms/{id}/backups', { params: { path: { id: 'vm-0' } }, body: { repositoryId: 'main' } as never }),
  )
  const point = (await waitForCompletion(api, first)) && (await ask(api.GET('/runs/{run}', run(first)))).pointId
  await ask(api.PUT('/slots/{kind}/{id}', { params: { path: { kind: 'host', id: 'files' } }, body: { slots: 2 } }))
  // A copy lasts long enough to be there when the server is back.
  const limit = { bytesPerSecond: 3 * MiB, start: '00:00', end: '00:00' }
  await ask(
    api.PUT('/links', {
      body: { hypervisorId: null, repositoryId: null, timeZone: 'UTC', backup: [limit], restore: [] },
    }),
  )
  for (const name of names) writeFileSync(disk(name), randomBytes(size))
  const targets = [{ repository: 'main', copy: 'backup' as const }]
  const plan = { params: { path: { id: 'nightly' } } }
  await ask(api.PUT('/plans/{id}', { ...plan, body: { where: [], targets, concurrency: names.length } as never }))
  const { runId: planRun } = await ask(api.POST('/plans/{id}/run', { ...plan, body: {} }))
  await eventually(
    'two that work and four that wait',
    async () => {
      const it = await host()
      return it?.working === 2 && it.waiting === 4
    },
    60_000,
  )
  const held = (await host())?.runs.filter(({ state }) => state === 'working').map(({ runId }) => runId)

  at.kill('server')
  let after: Schemas['SlotResource'] | undefined
  await eventually('the server that is back', async () => (after = await host()) !== undefined, 60_000)
  // Whoever held a slot holds it, and whoever waited waits.
  expect(after).toMatchObject({ working: 2, slots: 2 })
  expect(after?.runs.filter(({ state }) => state === 'working').map(({ runId }) => runId)).toEqual(held)

  const askedMs = Date.now()
  const target = { kind: 'new', hypervisorId: 'files', name: 'back' }
  const { runId: restore } = await ask(api.POST('/restores', { body: { pointId: point, target } as never }))
  await eventually(
    'the restore at work',
    async () => (await host())?.runs.some(({ runId, state }) => runId === restore && state === 'working') ?? false,
    30_000,
  )
  at.kill('server')
  await waitForCompletion(api, restore)
  const restored = await readRunbook(api, restore)
  // Not one of the four that had waited before it was through by then.
  expect((await host())?.waiting).toBeGreaterThan(0)
  expect((restored?.endedMs ?? 0) - askedMs).toBeLessThan(60_000)

  await waitForCompletion(api, planRun)
  const { items } = await ask(api.GET('/runs/{run}/vms', run(planRun)))
  expect(items.map(({ vmName, state, attempts }) => [vmName, state, attempts]).sort()).toEqual(
    names.map((name) => [name, 'completed', 1]),
  )
  const spans = (await Promise.all(items.map(({ runId }) => copying(runId ?? '')))).flat()
  expect(spans.length).toBeGreaterThanOrEqual(names.length)
  expect(mostAtOnce(spans)).toBe(2)
  for (const name of names) {
    const points = await ask(api.GET('/vms/{id}/points', { params: { path: { id: name }, query: { limit: 9 } } }))
    expect(points.items).toHaveLength(name === 'vm-0' ? 2 : 1)
  }
  await eventually('every slot free', async () => (await host())?.runs.length === 0, 30_000)
})

function run(id: string): { params: { path: { run: string } } } {
  return { params: { path: { run: id } } }
}
