import fc from 'fast-check'
import { afterAll, beforeAll, describe, it, vi } from 'vitest'
import { GiB, isHoldfastError, MiB } from '../../base/index.ts'
import { FaultClock, FaultyStore } from '../store/index.ts'
import {
  expectIdentical,
  ModelBackup,
  ModelDisk,
  RepositoryLab,
  seededBytes,
  uuid,
  type SourceOptions,
} from '../testing/index.ts'
import type { SourceExtent } from '../types.ts'

vi.setConfig({ testTimeout: 30_000 })

let lab: RepositoryLab
beforeAll(async () => {
  lab = await RepositoryLab.create()
})
afterAll(async () => {
  await lab[Symbol.asyncDispose]()
})

const RUNS = Number(process.env['HOLDFAST_RUNS'] ?? 8)
const SIZE = GiB + 4 * MiB + 1536
/** Where things happen: the beginning, around the boundary of the two pages, the end. */
const place = fc.oneof(
  fc.integer({ min: 0, max: 6 * MiB }),
  fc.integer({ min: GiB - 2 * MiB, max: GiB + 2 * MiB }),
  fc.integer({ min: SIZE - 3 * MiB, max: SIZE - 1 }),
)
const length = fc.oneof(fc.integer({ min: 1, max: 9000 }), fc.integer({ min: MiB - 512, max: 2 * MiB + 512 }))

const change = fc.record({
  at: place,
  length,
  kind: fc.constantFrom('write', 'zero', 'discard', 'same'),
  seed: fc.integer({ min: 1, max: 1_000_000 }),
  /** How much more the tracker reports than was changed. */
  before: fc.integer({ min: 0, max: 70_000 }),
  after: fc.integer({ min: 0, max: 70_000 }),
})
const round = fc.record({
  changes: fc.array(change, { maxLength: 5 }),
  readable: fc.constantFrom('all' as const, 'changed' as const),
  full: fc.boolean(),
  dies: fc.option(fc.integer({ min: 1, max: 40 }), { nil: undefined }),
  journal: fc.constantFrom(64, MiB, 64 * MiB),
})

/** Applies changes to the model and says what a tracker would: supersets of them, zeroes as zeroes where they cover. */
function apply(disk: ModelDisk, changes: readonly (typeof change extends fc.Arbitrary<infer T> ? T : never)[]) {
  const map = new Map<number, SourceExtent['kind']>()
  const mark = (from: number, to: number, kind: SourceExtent['kind']) => {
    // In units of 512 bytes, as trackers report.
    for (let unit = Math.floor(from / 512); unit * 512 < to; unit++) map.set(unit, kind)
  }
  for (const { at, length: wanted, kind, seed, before, after } of changes) {
    const end = Math.min(SIZE, at + wanted)
    if (kind === 'write') disk.write(at, seededBytes(seed, end - at))
    if (kind === 'zero' || kind === 'discard') disk.zero(at, end - at)
    mark(Math.max(0, at - before), Math.min(SIZE, end + after), 'data')
    const inner = [Math.ceil(at / 512) * 512, Math.floor(end / 512) * 512] as const
    if (kind === 'zero') mark(...inner, 'zero')
    if (kind === 'discard') mark(...inner, 'unallocated')
  }
  const extents: { offset: number; length: number; kind: SourceExtent['kind'] }[] = []
  for (const [unit, kind] of [...map].sort(([a], [b]) => a - b)) {
    const last = extents.at(-1)
    if (last !== undefined && last.kind === kind && last.offset + last.length === unit * 512) last.length += 512
    else extents.push({ offset: unit * 512, length: 512, kind })
  }
  return extents
}

/** A backup in as many processes as it takes: the first dies at its n-th store call. */
async function backUpDying(
  own: RepositoryLab,
  disk: ModelDisk,
  options: { parent: string | null; full: boolean; journal: number; dies: number | undefined; source: SourceOptions },
): Promise<string> {
  const { parent, full, journal, dies, source } = options
  const fixed = { session: uuid(), snap: uuid(), createdMs: (now += 1000), parent, journalSourceBytes: journal }
  for (const [index, n] of [dies ?? Infinity, Infinity].entries()) {
    const clock = new FaultClock()
    let base = Infinity
    const connect = () =>
      new FaultyStore(
        own.bucket.connect(),
        ({ n: call }) => (call - base >= n ? { kind: 'fail', code: 'StoreUnavailable' } : undefined),
        clock,
      )
    await using repository = await own.open({ connect, cache: 'shared' })
    base = clock.calls.length
    const backup = new ModelBackup(repository, disk, { ...fixed, source, mode: full ? 'full' : 'incremental' })
    try {
      await backup.open(repository)
      await backup.copy(repository, index + 1)
      const { stem } = await backup.commit(repository, index + 1, index + 1)
      await repository.endSession(backup.spec.session, 'committed')
      return stem
    } catch (error) {
      if (!isHoldfastError(error) || error.code !== 'StoreUnavailable') throw error
    }
  }
  throw new Error('the second process did not finish')
}

let now = 1_700_000_000_000

describe('any sequence of increments', () => {
  it(
    'restores every point byte-identical, whatever changed, was reported, or died on the way',
    async () => {
      const property = fc.asyncProperty(fc.array(round, { minLength: 1, maxLength: 4 }), async (rounds) => {
        const own = lab.over(lab.bucket.clone())
        const disk = new ModelDisk(SIZE)
        disk.write(MiB + 5, seededBytes(1, 2 * MiB))
        disk.write(GiB - 100, seededBytes(2, 200))
        const points: { stem: string; disk: ModelDisk }[] = []
        const first = { parent: null, full: true, journal: MiB, dies: undefined, source: {} }
        points.push({ stem: await backUpDying(own, disk, first), disk: disk.clone() })
        for (const { changes, readable, full, dies, journal } of rounds) {
          const extents = apply(disk, changes)
          const parent = points.at(-1)?.stem ?? null
          const source = full ? {} : { extents, readable }
          points.push({
            stem: await backUpDying(own, disk, { parent, full, journal, dies, source }),
            disk: disk.clone(),
          })
        }
        await using reader = await own.open({ cache: 'shared' })
        for (const point of points) await expectIdentical(reader, point.stem, point.disk)
      })
      await fc.assert(property, { numRuns: RUNS })
    },
    60_000 + 5_000 * RUNS,
  )
})
