import { expect, test, vi } from 'vitest'
import { BLOB_CHUNK, parseName } from '../format/index.ts'
import { away, Copy, failing, verify } from './testing.ts'

vi.setConfig({ testTimeout: 60_000 })

const stemsOf = (copy: Copy): string[] =>
  copy.names('snap/').flatMap((name) => {
    const parsed = parseName(name)
    return parsed?.kind === 'manifest' ? [parsed.stem] : []
  })

test('level full of chosen points restores them to nowhere and compares their images', async () => {
  using copy = new Copy()
  await using repository = await copy.open()
  const stems = stemsOf(copy)
  const { damages, notes } = await verify(repository, 'full', { stems })
  expect(damages).toEqual([])
  expect(notes.filter((note) => note.includes('L5'))).toHaveLength(stems.length)
})

test('a chunk that is lost is reported once, with its range, and the rest of the disk is restored all the same', async () => {
  using copy = new Copy()
  await using repository = await copy.open()
  const pack = copy.names('pack/').find((name) => copy.toc(name)[0]?.type === BLOB_CHUNK) ?? ''
  copy.flip(pack, 64 + 100)
  const { damages } = await verify(repository, 'full', { stems: stemsOf(copy) })
  expect(damages.map(({ found, object }) => [found, object])).toEqual([['L4', pack]])
  expect(damages[0]?.affects.length).toBeGreaterThan(0)
  // It was not asked to quarantine, though reading back came upon it.
  expect(copy.names('bad/')).toEqual([])
})

test('what becomes unreadable while a point is restored is reported as that, not as lost', async () => {
  using copy = new Copy()
  const pack = copy.names('pack/').find((name) => copy.toc(name)[0]?.type === BLOB_CHUNK) ?? ''
  // The first reading is that of L4.
  await using repository = await copy.open(failing((name, call) => (name === pack && call > 2 ? away() : undefined)))
  const { damages } = await verify(repository, 'full', { stems: stemsOf(copy) })
  expect(damages.length).toBeGreaterThan(0)
  expect(damages.every(({ found, proved }) => found === 'L5' && !proved)).toBe(true)
})
