import { describe, expect, it } from 'vitest'
import { MiB } from '../../base/index.ts'
import { FaultyStore, getObject, getWhole } from '../store/index.ts'
import { MemoryBucket } from '../testing/index.ts'
import { bounds } from './bounds.ts'
import { names } from './names.ts'
import { objectBound } from './object-bound.ts'

const hex = (digit: string, length: number) => digit.repeat(length)
const stem = names.stem(hex('a', 32), 1, hex('b', 32))
/** One name of each kind of §3.2, and its bound of §4.12. */
const kinds: readonly [string, number][] = [
  [names.fmt(0), MiB],
  [names.feat(1, hex('0', 16)), 65_536],
  [names.keySlot(1, hex('0', 64)), MiB],
  [names.keySet(1, hex('0', 64)), MiB],
  [names.pack(hex('0', 64)), 128 * MiB],
  [names.segment(0, 0, hex('0', 64)), 256 * MiB],
  [names.snap(stem, 'manifest'), 64 * MiB + 128],
  [names.snap(stem, 'validated'), 65_536],
  [names.snap(stem, 'tombstone'), 65_536],
  [names.snap(stem, 'abandon'), 65_536],
  [names.hold(hex('0', 32), hex('0', 16)), 65_536],
  [names.record('condemned', 1, hex('0', 32)), 128 + 24 * 4_096 + 32 * bounds.condemned.packs + 32],
  [names.record('final', 1, hex('0', 32)), 128 + bounds.condemned.packs / 8 + 32],
  [names.record('roster', 1, hex('0', 32)), 128 + 16 * bounds.roster + 32],
  [names.floor(1), 96],
  [names.session(hex('0', 32), 1, 1, 0), 32 * MiB],
  [names.quarantine(hex('0', 64), hex('0', 16)), 8 * MiB],
  [names.owner(hex('0', 32), 1, hex('0', 16)), 65_536],
  [names.probe(1, hex('0', 16)), 65_536],
  [names.probeTmp(hex('0', 32), 'x'), 128 * MiB],
]
const { signal } = new AbortController()

/** A store that says what it is asked for, and whose every object has `size` bytes. */
function sized(size: number, asked: number[]): FaultyStore {
  const store = new MemoryBucket().connect()
  store.get = async (name, max) => {
    asked.push(max)
    if (size > max) throw Object.assign(new Error(name), { name: 'HoldfastError', code: 'FormatError' })
    return new Uint8Array(0)
  }
  return new FaultyStore(store, () => undefined)
}

describe('whole objects', () => {
  it.each(kinds)('of the kind of %s are asked for with their bound', async (name, bound) => {
    const asked: number[] = []
    expect(objectBound(name)).toBe(bound)
    await getObject(sized(bound, asked), name, signal)
    await expect(getWhole(sized(bound + 1, asked), name, signal)).rejects.toMatchObject({ code: 'FormatError' })
    expect(asked).toEqual([bound, bound])
  })

  it('of no kind are not asked for', async () => {
    const asked: number[] = []
    await expect(getWhole(sized(1, asked), 'notes', signal)).rejects.toMatchObject({ code: 'FormatError' })
    expect(asked).toEqual([])
  })
})
