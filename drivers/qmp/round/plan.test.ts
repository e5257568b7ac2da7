import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bytes } from '../../../base/index.ts'
import { bitmapNames } from '../../names.ts'
import type { ChangeRef, MustFullReason, PointId, TrackerId } from '../../values.ts'
import { planAbort, planBegin, planCommit } from './plan.ts'
import { SimulatedDisk } from './simulator.ts'
import type { RoundId } from './types.ts'

const installation = 'abcdef'
const seed = { node: 'seed', name: 'seed' }
const tracker = 'vm × plan' as TrackerId
const point = (n: number): PointId => n.toString(16).padStart(32, '0') as PointId
const roundId = (n: number, of: TrackerId = tracker): RoundId => ({ installation, tracker: of, point: point(n) })

interface Opened {
  readonly mode: 'full' | 'incremental'
  readonly why: MustFullReason | null
  readonly ref: ChangeRef
  readonly atSwitch: readonly number[]
  readonly dirty: ReadonlySet<number>
}

function open(
  disk: SimulatedDisk,
  n: number,
  since: ChangeRef | null,
  full: MustFullReason | null = null,
  of = tracker,
): Opened {
  const id = roundId(n, of)
  const plan = planBegin(id, { view: disk.view(), since, full, seed })
  for (const removal of plan.cleanup) disk.transaction([removal], seed)
  disk.transaction(plan.begin, seed)
  const names = bitmapNames(installation, of, id.point)
  return {
    mode: plan.mode,
    why: plan.why,
    ref: disk.ref({ point: id.point, tracker: of, token: names.record, size: bytes(disk.content.length * 65_536) }),
    atSwitch: [...disk.content],
    dirty: plan.mode === 'incremental' ? new Set(disk.dirty(names.frozen)) : new Set(disk.content.keys()),
  }
}
const commit = (disk: SimulatedDisk, n: number): void => disk.transaction(planCommit(roundId(n), disk.view()), seed)
const abort = (disk: SimulatedDisk, n: number): void =>
  disk.transaction(planAbort({ installation, point: point(n) }, disk.view()), seed)

function qcow2(): SimulatedDisk {
  return new SimulatedDisk('persistent', 16)
}
/** A disk with one committed point, 1. */
function based(disk = qcow2()): { readonly disk: SimulatedDisk; readonly ref: ChangeRef } {
  const { ref } = open(disk, 1, null)
  commit(disk, 1)
  return { disk, ref }
}
/** What a delta holds: what was written, and always the disk's last granule. */
const delta = (written: readonly number[], granules = 16): Set<number> => new Set([...written, granules - 1])
const names = (disk: SimulatedDisk): string[] =>
  disk
    .view()
    .bitmaps.map((b) => b.name)
    .sort()

describe('the state table', () => {
  test('a disk never backed up is read in full', () => {
    expect(open(qcow2(), 1, null)).toMatchObject({ mode: 'full', why: 'no-parent' })
  })
  test('after a committed point exactly its record and its tail mark stay', () => {
    const { disk } = based()
    const { record, tail } = bitmapNames(installation, tracker, point(1))
    expect(names(disk)).toEqual([record, tail].sort())
  })
  test('idle: the next round is incremental with what was written since', () => {
    const { disk, ref } = based()
    disk.write(3)
    const round = open(disk, 2, ref)
    expect(round).toMatchObject({ mode: 'incremental', why: null })
    expect(round.dirty).toEqual(delta([3]))
  })
  test('an aborted round leaves the reference as it was, with what was written during it', () => {
    const { disk, ref } = based()
    disk.write(3)
    open(disk, 2, ref)
    disk.write(5)
    abort(disk, 2)
    expect(open(disk, 3, ref).dirty).toEqual(delta([3, 5]))
  })
  test('a round never ended is finished if the repository has its point', () => {
    const { disk, ref } = based()
    const second = open(disk, 2, ref)
    disk.write(7)
    const third = open(disk, 3, second.ref)
    expect(third).toMatchObject({ mode: 'incremental' })
    expect(third.dirty).toEqual(delta([7]))
    commit(disk, 3)
    expect(names(disk)).toHaveLength(2)
  })
  test('a round never ended is undone if the repository has only its parent', () => {
    const { disk, ref } = based()
    disk.write(3)
    open(disk, 2, ref)
    disk.write(7)
    expect(open(disk, 3, ref).dirty).toEqual(delta([3, 7]))
  })
  test('a round never ended, of which the repository knows nothing, is cleared away', () => {
    const { disk, ref } = based()
    open(disk, 2, ref)
    const unknown = disk.ref({ ...ref, point: point(9), token: bitmapNames(installation, tracker, point(9)).record })
    expect(open(disk, 3, unknown)).toMatchObject({ mode: 'full', why: 'reference-of-another-point' })
    abort(disk, 3)
    expect(names(disk)).toEqual([])
  })
  test('the same point opened again replaces its earlier attempt', () => {
    const { disk, ref } = based()
    disk.write(3)
    open(disk, 2, ref)
    disk.write(4)
    expect(open(disk, 2, ref).dirty).toEqual(delta([3, 4]))
  })
  test('torn: QEMU ended cleanly within a round; either side continues', () => {
    for (const stored of [true, false]) {
      const { disk, ref } = based()
      disk.write(3)
      const second = open(disk, 2, ref)
      disk.write(4)
      disk.cleanStop()
      const third = open(disk, 3, stored ? second.ref : ref)
      expect(third).toMatchObject({ mode: 'incremental' })
      expect(third.dirty).toEqual(delta(stored ? [4] : [3, 4]))
    }
  })
  test('a failed full leaves the old reference usable', () => {
    const { disk, ref } = based()
    disk.write(3)
    expect(open(disk, 2, ref, 'full-interval')).toMatchObject({ mode: 'full', why: 'full-interval' })
    disk.write(4)
    abort(disk, 2)
    expect(open(disk, 3, ref).dirty).toEqual(delta([3, 4]))
  })
  test('kill -9: inconsistent where it had been stored, missing where not; both full, and the next one incremental', () => {
    for (const stored of [true, false]) {
      const { disk, ref } = based()
      if (stored) disk.cleanStop()
      disk.kill()
      const second = open(disk, 2, ref)
      expect(second.why).toBe(stored ? 'reference-inconsistent' : 'reference-missing')
      commit(disk, 2)
      expect(open(disk, 3, second.ref)).toMatchObject({ mode: 'incremental' })
    }
  })
  test('a raw disk is incremental while QEMU lives and full after it ended', () => {
    const { disk, ref } = based(new SimulatedDisk('memory', 8))
    disk.write(2)
    const second = open(disk, 2, ref)
    expect(second.dirty).toEqual(delta([2], 8))
    commit(disk, 2)
    disk.cleanStop()
    expect(open(disk, 3, second.ref)).toMatchObject({ mode: 'full', why: 'reference-missing' })
  })
  test('grown, and shrunk and grown back, are full for the change of size', () => {
    const grown = based()
    grown.disk.grow(4)
    expect(open(grown.disk, 2, grown.ref).why).toBe('size-changed')
    const wound = based()
    wound.disk.shrinkAndGrowBack(10)
    expect(open(wound.disk, 2, wound.ref).why).toBe('size-changed')
  })
  test('shrunk by less than a granule and grown back leaves no trace: the last granule is in every delta', () => {
    const { disk, ref } = based()
    disk.write(15)
    const second = open(disk, 2, ref)
    commit(disk, 2)
    disk.nibble()
    const third = open(disk, 3, second.ref)
    const rebuilt = third.atSwitch.map((value, g) => (third.dirty.has(g) ? value : second.atSwitch[g]))
    expect(rebuilt).toEqual(third.atSwitch)
  })
  test('an overlay by somebody else hides writes from the record: full', () => {
    const { disk, ref } = based()
    disk.overlay()
    disk.write(1)
    expect(open(disk, 2, ref)).toMatchObject({ mode: 'full', why: 'foreign-snapshot' })
  })
  test('an overlay that is committed back before the next point is as if it had never been', () => {
    const { disk, ref } = based()
    disk.overlay()
    disk.write(1)
    disk.commitOverlay()
    expect(open(disk, 2, ref).dirty).toEqual(delta([1]))
  })
  test('a record that was switched off is not believed', () => {
    const { disk, ref } = based()
    for (const b of disk.nodes.get('n0')?.values() ?? []) b.recording = false
    expect(open(disk, 2, ref).why).toBe('reference-inactive')
  })
  test('another disk, tracker, kind or epoch behind the same key is full', () => {
    const { disk, ref } = based()
    const why = (change: Partial<ChangeRef>): MustFullReason | null =>
      planBegin(roundId(2), { view: disk.view(), since: { ...ref, ...change }, full: null, seed }).why
    expect(why({})).toBeNull()
    expect(why({ volume: 'other' })).toBe('volume-changed')
    expect(why({ size: bytes(1) })).toBe('size-changed')
    expect(why({ epoch: 'memory' })).toBe('epoch-changed')
    expect(why({ tracker: 'other' as TrackerId })).toBe('reference-of-another-point')
    expect(why({ kind: 'pve-bitmap' })).toBe('reference-missing')
  })
  test('an older head of the repository is another point', () => {
    const { disk, ref } = based()
    open(disk, 2, ref)
    commit(disk, 2)
    expect(open(disk, 3, ref)).toMatchObject({ mode: 'full', why: 'reference-of-another-point' })
  })
  test('foreign bitmaps and those of another installation are never touched', () => {
    const { disk, ref } = based()
    const others = ['pbs-incremental-dirty-bitmap', bitmapNames('zzzzzz', tracker, point(2)).record]
    for (const name of others)
      disk.transaction([{ do: 'add', node: 'n0', name, persistent: true, disabled: false }], seed)
    open(disk, 2, ref)
    abort(disk, 2)
    open(disk, 3, null)
    commit(disk, 3)
    expect(names(disk)).toEqual(expect.arrayContaining(others))
  })
  test('two trackers on one disk do not disturb each other', () => {
    const { disk, ref } = based()
    const other = 'another plan' as TrackerId
    disk.write(1)
    const theirs = open(disk, 2, null, null, other)
    disk.transaction(planCommit(roundId(2, other), disk.view()), seed)
    disk.write(2)
    expect(open(disk, 3, ref).dirty).toEqual(delta([1, 2]))
    commit(disk, 3)
    expect(open(disk, 4, theirs.ref, null, other).dirty).toEqual(delta([2]))
  })
  test('ending is total: any ending after any other, and after nothing', () => {
    const { disk, ref } = based()
    abort(disk, 2)
    commit(disk, 1)
    open(disk, 2, ref)
    abort(disk, 2)
    commit(disk, 2)
    abort(disk, 2)
    expect(open(disk, 3, ref)).toMatchObject({ mode: 'full', why: 'reference-missing' })
  })
})

type Step =
  | { readonly do: 'write'; readonly at: number }
  | {
      readonly do: 'round'
      readonly full: boolean
      readonly during: readonly number[]
      readonly end: 'commit' | 'abort' | 'lost-commit' | 'lost-abort'
    }
  | { readonly do: 'stop' }
  | { readonly do: 'kill' }
  | { readonly do: 'overlay' }
  | { readonly do: 'commit-overlay' }
  | { readonly do: 'grow' }
  | { readonly do: 'nibble' }
  | { readonly do: 'wind'; readonly to: number }

const granules = 24
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('write' as const), at: fc.nat(granules - 1) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('round' as const),
      full: fc.constantFrom(false, false, false, true),
      during: fc.array(fc.nat(granules - 1), { maxLength: 3 }),
      end: fc.constantFrom('commit' as const, 'abort' as const, 'lost-commit' as const, 'lost-abort' as const),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom<Step>(
      { do: 'stop' },
      { do: 'kill' },
      { do: 'overlay' },
      { do: 'commit-overlay' },
      { do: 'grow' },
      { do: 'nibble' },
    ),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('wind' as const), to: fc.integer({ min: 1, max: granules - 1 }) }),
  },
)

describe('any history', () => {
  test('what the repository holds after a round is the disk at the switch, whatever happened before', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('persistent' as const, 'memory' as const),
        fc.array(step, { maxLength: 40 }),
        (tracking, steps) => {
          const disk = new SimulatedDisk(tracking, granules)
          let head: { readonly ref: ChangeRef; readonly content: readonly number[] } | null = null
          let n = 0
          for (const s of steps) {
            if (s.do === 'write') disk.write(s.at)
            else if (s.do === 'stop') disk.cleanStop()
            else if (s.do === 'kill') disk.kill()
            else if (s.do === 'overlay') disk.overlay()
            else if (s.do === 'commit-overlay') disk.commitOverlay()
            else if (s.do === 'grow') disk.grow(1)
            else if (s.do === 'nibble') disk.nibble()
            else if (s.do === 'wind') disk.shrinkAndGrowBack(Math.min(s.to, disk.content.length - 1))
            else {
              const round = open(disk, ++n, head?.ref ?? null, s.full ? 'asked-by-operator' : null)
              const base = round.mode === 'incremental' ? (head?.content ?? []) : []
              const rebuilt = round.atSwitch.map((value, g) => (round.dirty.has(g) ? value : base[g]))
              expect(rebuilt).toEqual(round.atSwitch)
              for (const at of s.during) disk.write(at)
              // 'lost-…': the ending itself was never called; the repository has the point, or has not.
              if (s.end === 'commit' || s.end === 'lost-commit') head = { ref: round.ref, content: round.atSwitch }
              if (s.end === 'commit') commit(disk, n)
              if (s.end === 'abort') abort(disk, n)
            }
          }
          // Steady state is small: never more than two points' worth of bitmaps on a node.
          expect(disk.view().bitmaps.filter((b) => b.node === disk.node).length).toBeLessThanOrEqual(6)
        },
      ),
      { numRuns: 3000 },
    )
  })
})
