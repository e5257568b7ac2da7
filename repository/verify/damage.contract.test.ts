import { expect, test, vi } from 'vitest'
import { isHoldfastError, MiB } from '../../base/index.ts'
import { BLOB_PAGE } from '../format/index.ts'
import { readState, scene } from '../golden/index.ts'
import type { OpenedRepository } from '../repository.ts'
import type { Damage } from '../types.ts'
import { Copy, verify } from './testing.ts'

// Each test runs verify many times over; on a busy machine that takes a while.
vi.setConfig({ testTimeout: 120_000 })

const { signal } = new AbortController()

/**
 * What is really lost: every MiB of every disk of every point is read back. What comes must be right; what does not come
 * must say so. Ranges as in a report, one line for each MiB.
 */
async function lost(repository: OpenedRepository): Promise<string[]> {
  const gone: string[] = []
  for (const [index, { disks }] of scene.points.entries()) {
    const { snap } = scene.points[index] ?? scene.points[0]
    for await (const { stem } of repository.listPoints()) {
      if (!stem.endsWith(snap)) continue
      await using point = await repository.openPoint(stem)
      for (const [id, state] of Object.entries(disks)) {
        const named = [...state.chunks.keys(), 2, 1030].filter((no) => no * MiB < state.bytes)
        for (const no of new Set(named)) {
          const at = no * MiB
          const into = Buffer.alloc(Math.min(MiB, state.bytes - at), 0xee)
          try {
            await point.disk(id).read(at, into, signal)
            const wanted = Buffer.alloc(into.length)
            readState(state, at, wanted)
            expect(into.equals(wanted)).toBe(true)
          } catch (error) {
            if (!isHoldfastError(error) || error.code !== 'ChunkLost') throw error
            gone.push(`${stem} ${id} ${no}`)
          }
        }
      }
    }
  }
  return gone.sort()
}

/** The same MiBs as a report has them. */
function reported(damages: readonly Damage[]): string[] {
  const all = new Set<string>()
  for (const { affects } of damages) {
    for (const { stem, disk, ranges } of affects) {
      const point = scene.points.find(({ snap }) => stem.endsWith(snap))
      const state = Object.entries(point?.disks ?? {}).find(([id]) => id === disk)?.[1]
      for (const no of new Set([...(state?.chunks.keys() ?? []), 2, 1030])) {
        const inside = ranges.some(({ start, end }) => no * MiB >= start && no * MiB < Math.min(end, state?.bytes ?? 0))
        if (inside) all.add(`${stem} ${disk} ${no}`)
      }
    }
  }
  return [...all].sort()
}

test('a sound repository has nothing to report on either level', async () => {
  using copy = new Copy()
  await using repository = await copy.open()
  const packs = copy.names('pack/').length
  const stored = copy.names('pack/').reduce((sum, name) => sum + copy.size(name), 0)
  expect(await verify(repository, 'quick')).toMatchObject({ points: 2, packs, damages: [], notes: [], quarantined: 0 })
  expect(await verify(repository, 'full')).toMatchObject({ points: 2, packs, bytes: stored, damages: [], notes: [] })
})

test('one flipped bit anywhere in any pack: full names that pack and no other', async () => {
  using copy = new Copy()
  await using repository = await copy.open()
  for (const [turn, pack] of copy.names('pack/').entries()) {
    const sound = copy.read(pack)
    const blobs = copy.toc(pack)
    const tail = sound.length - 48 - 56 * blobs.length
    const places = [
      9, // version in the header
      20, // repository in the header
      63, // its CRC
      ...blobs.flatMap(({ off, clen }) => [off + 12, off + 40, off + 66, off + 72, off + 72 + clen - 1]),
      tail + 33, // an offset in the TOC
      tail + 55, // flags in the TOC
      sound.length - 40, // offset of the TOC
      sound.length - 20, // repository in the footer
      sound.length - 1,
    ]
    // Each kind of place in two packs of five; all of them take minutes.
    for (const [n, at] of places.entries()) {
      if ((n + turn) % 5 > 1) continue
      copy.flip(pack, at, n % 8)
      const { damages } = await verify(repository, 'full')
      expect([pack, at, new Set(damages.map((damage) => damage.pack))]).toEqual([pack, at, new Set([pack.slice(8)])])
      expect(damages.every(({ proved, object }) => proved && object === pack)).toBe(true)
      copy.write(pack, sound)
    }
  }
  expect((await verify(repository, 'full')).damages).toEqual([])
  expect(copy.names('bad/')).toEqual([])
})

test('the points, disks and ranges of a report are exactly what cannot be read back', async () => {
  using copy = new Copy()
  await using repository = await copy.open()
  for (const [n, pack] of copy.names('pack/').entries()) {
    const sound = copy.read(pack)
    for (const [slot, { off, clen, type }] of copy.toc(pack).entries()) {
      copy.flip(pack, off + 72 + ((n * 37 + slot) % clen))
      const { damages } = await verify(repository, 'full')
      expect(damages.map((damage) => [damage.found, damage.message])).toEqual([
        ['L4', expect.stringContaining(`slot ${slot}`)],
      ])
      expect(damages[0]?.affects.length).toBeGreaterThan(0)
      if (type === 3) expect(damages[0]?.affects.every(({ disk, vm }) => disk === null && vm === 'golden')).toBe(true)
      else expect(reported(damages)).toEqual(await lostIn(copy))
      copy.write(pack, sound)
    }
  }
})

/** As `lost`, with a reader that has seen nothing yet; what it quarantines on the way is taken back. */
async function lostIn(copy: Copy): Promise<string[]> {
  await using reader = await copy.open()
  const gone = await lost(reader)
  for (const name of copy.names('bad/')) copy.remove(name)
  return gone
}

test('a pack that is gone is named with all that needs it, on both levels', async () => {
  using copy = new Copy()
  await using repository = await copy.open()
  for (const pack of copy.names('pack/')) {
    const sound = copy.read(pack)
    const config = copy.toc(pack).every(({ type }) => type === 3)
    copy.remove(pack)
    for (const level of ['quick', 'full'] as const) {
      const { damages } = await verify(repository, level)
      expect(new Set(damages.map((damage) => damage.pack))).toEqual(new Set([pack.slice(8)]))
      expect(damages[0]).toMatchObject({
        found: 'L1',
        proved: true,
        message: expect.stringContaining('gone') as string,
      })
      expect(damages.flatMap(({ affects }) => affects).length).toBeGreaterThan(0)
      if (!config && level === 'quick') expect(reported(damages)).toEqual(await lostIn(copy))
    }
    copy.write(pack, sound)
  }
})

test('quick finds a pack that is too short, and one whose TOC is damaged, and what of it is still readable', async () => {
  using copy = new Copy()
  await using repository = await copy.open()
  for (const pack of copy.names('pack/')) {
    const sound = copy.read(pack)
    copy.write(pack, sound.subarray(0, sound.length - 10))
    const short = await verify(repository, 'quick')
    expect(short.damages.map(({ found }) => found)).toEqual(['L1', 'L2'])
    // Every blob is there: a reader goes by offset and does not notice.
    expect(short.damages.flatMap(({ affects }) => affects)).toEqual([])

    copy.write(pack, sound.subarray(0, 200))
    const torn = await verify(repository, 'quick')
    expect(torn.damages.length).toBeGreaterThan(0)
    expect(torn.damages.flatMap(({ affects }) => affects).length).toBeGreaterThan(0)
    copy.write(pack, sound)

    copy.flip(pack, sound.length - 60)
    const flipped = await verify(repository, 'quick')
    expect(flipped.damages.map((damage) => [damage.found, damage.pack])).toEqual([['L2', pack.slice(8)]])
    expect(flipped.damages.flatMap(({ affects }) => affects)).toEqual([])
    copy.write(pack, sound)
  }
})

test('quick finds a damaged page, because it reads every page', async () => {
  using copy = new Copy()
  await using repository = await copy.open()
  const [pack] = copy.names('pack/').filter((name) => copy.toc(name)[0]?.type === BLOB_PAGE)
  if (pack === undefined) throw new Error('no page in the golden repository')
  copy.flip(pack, 64 + 72 + 5)
  const { damages } = await verify(repository, 'quick')
  expect(damages).toMatchObject([{ pack: pack.slice(8), found: 'L1r', proved: true }])
  expect(damages[0]?.affects[0]?.ranges[0]?.start).toBe(0)
})

test('a pack under the name of another one is damage of the other one', async () => {
  using copy = new Copy()
  await using repository = await copy.open()
  const [one = '', two = ''] = copy.names('pack/').filter((name) => copy.toc(name)[0]?.type === 1)
  copy.write(two, copy.read(one))
  const { damages } = await verify(repository, 'full')
  expect(new Set(damages.map(({ pack }) => pack))).toEqual(new Set([two.slice(8)]))
  expect(damages.map(({ message }) => message).join()).toContain('do not hash to its name')
  expect(damages.flatMap(({ affects }) => affects).length).toBeGreaterThan(0)
})

test('with stems, only these points and what they need are looked at', async () => {
  using copy = new Copy()
  await using repository = await copy.open()
  const stems = copy
    .names('snap/')
    .filter((name) => name.endsWith('.m'))
    .map((name) => name.slice(0, -2))
  const [newer = '', older = ''] = stems
  const whole = await verify(repository, 'full')
  const one = await verify(repository, 'full', { stems: [older] })
  expect(one).toMatchObject({ points: 1, damages: [] })
  expect(one.packs).toBeLessThan(whole.packs)
  // The pack of the chunk that only the newer point has.
  const alone = copy
    .names('pack/')
    .find((name) => copy.toc(name).length === 2 && copy.toc(name).every(({ type }) => type === 1))
  if (alone === undefined) throw new Error('no such pack')
  copy.flip(alone, 300)
  const stale = (await verify(repository, 'full', { stems: [older] })).damages.length
  const hit = (await verify(repository, 'full', { stems: [newer] })).damages.length
  expect([stale, hit].sort()).toEqual([0, 1])
  await expect(verify(repository, 'full', { stems: [older.replace(/.$/, 'f')] })).rejects.toMatchObject({
    code: 'NotFound',
  })
})
