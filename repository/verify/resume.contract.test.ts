import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { HoldfastError } from '../../base/index.ts'
import { createKeyRing } from '../keys/index.ts'
import type { VerifyReport } from '../types.ts'
import { FileLedger, verifyRepository } from './index.ts'
import { planScrub } from './ledger.ts'
import { Copy, failing } from './testing.ts'

vi.setConfig({ testTimeout: 60_000 })

const { signal } = new AbortController()
const minute = 60_000

type Opened = Awaited<ReturnType<Copy['open']>>
const full = (repository: Opened, more: { since?: number; quarantine?: boolean } = {}): Promise<VerifyReport> =>
  repository.verify({ level: 'full', signal, onProgress: () => undefined, ...more })

/** Writes down that the packs were judged at that time. */
async function judged(copy: Copy, repository: Opened, packs: readonly string[], atMs: number): Promise<void> {
  const ledger = FileLedger.in(join(copy.folder, 'cache'), repository.id, () => undefined)
  await ledger.record(packs.map((name) => ({ pack: name.slice(8), level: 'L4', atMs })))
}

test('an attempt goes on where the one before was cut off: what was judged since it began is not read again', async () => {
  using copy = new Copy()
  const packs = copy.names('pack/')
  const first = packs.slice(0, 2)
  await using repository = await copy.open()
  const beganMs = Date.now() - minute
  await judged(copy, repository, first, beganMs + 2000)
  const checked: string[] = []
  const report = await repository.verify({
    level: 'full',
    since: beganMs,
    onPoint: (stem) => checked.push(stem),
    signal,
    onProgress: () => undefined,
  })
  expect(report).toMatchObject({ packs: packs.length, packsResumed: first.length, points: 2, damages: [] })
  expect(new Set(checked).size).toBe(2)
  const stored = packs.slice(2).reduce((sum, name) => sum + copy.size(name), 0)
  expect(report.bytes).toBe(stored)
})

test('what an earlier verify has judged is read again', async () => {
  using copy = new Copy()
  await using repository = await copy.open()
  const packs = copy.names('pack/')
  await judged(copy, repository, packs, Date.now() - minute)
  const [pack = ''] = packs
  copy.flip(pack, 70)
  const report = await full(repository, { since: Date.now() - 1000 })
  expect(report.packsResumed).toBe(0)
  expect(report.damages).toMatchObject([{ object: pack, proved: true }])
})

test('damage that the attempt before has quarantined is in the report of the next one', async () => {
  using copy = new Copy()
  await using repository = await copy.open()
  const since = Date.now() - minute
  const [pack = ''] = copy.names('pack/')
  copy.flip(pack, 70)
  const before = await full(repository, { since, quarantine: true })
  expect(before).toMatchObject({ quarantined: 1, packsResumed: 0 })
  const after = await full(repository, { since, quarantine: true })
  expect(after.packsResumed).toBe(copy.names('pack/').length - 1)
  expect(after.damages.map(({ object, affects }) => ({ object, affects }))).toEqual(
    before.damages.map(({ object, affects }) => ({ object, affects })),
  )
})

test('damage that could not be quarantined is in the report of the next attempt, and is quarantined then', async () => {
  using copy = new Copy()
  const since = Date.now() - minute
  const [pack = ''] = copy.names('pack/')
  copy.flip(pack, 70)
  let isFull = true
  const full = (name: string) =>
    isFull && name.startsWith('bad/') ? new HoldfastError('StoreFull', 'no space left') : undefined
  await using repository = await copy.open(failing(full, ['putIfAbsent']))
  const verify = () =>
    repository.verify({ level: 'full', since, quarantine: true, signal, onProgress: () => undefined })
  const before = await verify()
  expect(before.quarantined).toBe(0)
  expect(before.notes.join()).toContain('could be quarantined')
  expect(before.damages).toMatchObject([{ object: pack, proved: true }])
  expect(copy.names('bad/')).toEqual([])
  isFull = false
  const after = await verify()
  expect(after).toMatchObject({ quarantined: 1, packsResumed: copy.names('pack/').length - 1 })
  expect(after.damages).toEqual(before.damages)
  expect(copy.names('bad/')).toHaveLength(1)
  // Known now: it is not put a second time, and is in the report still.
  expect(await verify()).toMatchObject({ quarantined: 0, damages: before.damages })
})

test('a quarantine that was deleted is written again when its damage is found again', async () => {
  using copy = new Copy()
  await using repository = await copy.open()
  const [pack = ''] = copy.names('pack/')
  copy.flip(pack, 70)
  for (let turn = 0; turn < 2; turn += 1) {
    expect((await full(repository, { quarantine: true })).quarantined).toBe(1)
    const [bad = ''] = copy.names('bad/')
    copy.remove(bad)
  }
})

test('what no key at hand opens is judged by no attempt: the next one says again that it could not be read', async () => {
  using copy = new Copy()
  await using repository = await copy.open()
  const since = Date.now() - minute
  const { content } = repository.engine.ring
  const ring = createKeyRing({ ...content, keys: content.keys.filter(({ type }) => type !== 'DEK') })
  const ledger = FileLedger.in(join(copy.folder, 'cache'), repository.id, () => undefined)
  const attempt = (): Promise<VerifyReport> =>
    verifyRepository(
      { ...repository.engine, ring },
      {
        level: 'full',
        quarantine: true,
        points: repository.listPoints({ unreadable: 'show' }),
        ledger,
        since,
        signal,
        onProgress: () => undefined,
      },
    )
  const ofPacks = ({ damages }: VerifyReport) => damages.filter(({ pack }) => pack !== null)
  const before = await attempt()
  expect(ofPacks(before).length).toBeGreaterThan(0)
  const after = await attempt()
  for (const report of [before, after]) expect(ofPacks(report).map(({ proved }) => proved)).not.toContain(true)
  expect(after.packsResumed).toBe(copy.names('pack/').length - ofPacks(before).length)
  // Packs are read side by side: the order in which they are done is nobody's promise.
  const said = ({ damages }: VerifyReport) => damages.map(({ object, message }) => `${object}: ${message}`).sort()
  expect(said(after)).toEqual(said(before))
  expect(copy.names('bad/')).toEqual([])
})

test('a budget is paid once: what an earlier attempt has read of it counts', async () => {
  const pack = (no: number): string => no.toString(16).padStart(64, '0')
  async function* pages() {
    yield [1, 2, 3, 4].map((no) => ({ sha: pack(no), size: 100, modified: no }))
  }
  const passes = new Map([[pack(3), 10_000]])
  const ledger = {
    async *passes() {
      for (const [sha, l3Ms] of passes) yield { pack: sha, l3Ms, l4Ms: 0 }
    },
    record: async () => undefined,
  }
  const due = async (budget: number): Promise<number[]> => {
    const plan = await planScrub(pages(), { level: 'L3', budget, ledger, before: Infinity, since: 9_000, signal })
    const taken: number[] = []
    for await (const page of pages()) {
      for (const [index, one] of page.entries()) {
        const l3Ms = passes.get(one.sha)
        if (plan.isDue(one, l3Ms === undefined ? undefined : { pack: one.sha, l3Ms, l4Ms: 0 })) taken.push(index + 1)
      }
    }
    expect(taken).toHaveLength(plan.count)
    expect(plan.judged).toBe(1)
    return taken
  }
  expect(await due(300)).toEqual([1, 2])
  expect(await due(100)).toEqual([])
  expect(await due(400)).toEqual([1, 2, 4])
})
