import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { MiB } from '../../base/index.ts'
import { BLOB_CHUNK } from '../format/index.ts'
import { scene } from '../golden/index.ts'
import { createKeyRing } from '../keys/index.ts'
import { BlobReader } from '../read/blob-reader.ts'
import { backUp, ModelDisk, seededBytes } from '../testing/index.ts'
import { away, Copy, failing, verify } from './testing.ts'

vi.setConfig({ testTimeout: 60_000 })

const { signal } = new AbortController()
const points = scene.points.length

/** Names of the four objects of the golden points, by extension. */
const ofKind = (copy: Copy, extension: string) => copy.names('snap/').filter((name) => name.endsWith(extension))

test('an index cache that cannot be written ends the verify: nothing was compared', async () => {
  using copy = new Copy()
  // A file where the cache's folder should be: no user can make one there.
  writeFileSync(join(copy.folder, 'cache'), '')
  await using repository = await copy.open()
  await expect(verify(repository, 'quick')).rejects.toMatchObject({ code: 'AccessBlocked' })
})

test('an index that the store does not give is reported, not proved, and the rest is checked', async () => {
  using copy = new Copy()
  const segments = copy.names('idx/')
  await using repository = await copy.open(failing((name) => (segments.includes(name) ? away() : undefined)))
  const { damages, packs } = await verify(repository, 'quick')
  expect(packs).toBe(copy.names('pack/').length)
  expect(damages.map(({ object, proved }) => [object, proved])).toContainEqual(['idx/', false])
})

test('a damaged validation of a manifest that is gone is a damage, unless a tombstone says that it was removed', async () => {
  using copy = new Copy()
  const [ok = ''] = ofKind(copy, '.ok')
  copy.remove(ok.replace(/ok$/, 'm'))
  copy.flip(ok, 40)
  await using repository = await copy.open()
  const { damages } = await verify(repository, 'quick')
  const lost = damages.find(({ object }) => object === ok.replace(/ok$/, 'm'))
  expect(lost).toMatchObject({ found: 'manifest', proved: true, affects: [{ stem: ok.slice(0, -3) }] })
})

test.each(['.m', '.ok'])('one %s that cannot be read now takes no other point away', async (extension) => {
  using copy = new Copy()
  const [object = ''] = ofKind(copy, extension)
  await using repository = await copy.open(failing((name) => (name === object ? away() : undefined)))
  const shown = await Array.fromAsync(repository.listPoints({ unreadable: 'show' }))
  expect(shown).toHaveLength(points)
  expect(shown.filter(({ state }) => state === 'unreadable')).toMatchObject([
    { stem: object.slice(0, -extension.length), unreadable: { object } },
  ])
  // Who writes or deletes must not take it for absent.
  await expect(Array.fromAsync(repository.listPoints())).rejects.toMatchObject({ code: 'StoreUnavailable' })
  const report = await verify(repository, 'quick')
  expect(report.points).toBe(points - 1)
  expect(report.damages).toMatchObject([{ object, proved: false, affects: [{ stem: shown[0]?.stem ?? '' }] }])
})

test('what cannot be read once is read again before a point is called unreadable', async () => {
  using copy = new Copy()
  const [object = ''] = ofKind(copy, '.m')
  await using repository = await copy.open(failing((name, call) => (name === object && call < 3 ? away() : undefined)))
  expect((await Array.fromAsync(repository.listPoints())).map(({ state }) => state)).not.toContain('unreadable')
})

test('with stems, level full opens the other home of a damaged blob before it calls it sound', async () => {
  using copy = new Copy()
  await using repository = await copy.open()
  const model = new ModelDisk(4 * MiB)
  model.write(0, seededBytes(1, 2 * MiB))
  const dataPacks = () => copy.names('pack/').filter((name) => copy.read(name)[10] === 0)
  const golden = dataPacks()
  const { stem } = await backUp(repository, model)
  const [first = ''] = dataPacks().filter((name) => !golden.includes(name))
  await repository.engine.quarantines.report(repository.engine.store, first.slice(8), 'L4')
  await backUp(repository, model)
  const [second = ''] = dataPacks().filter((name) => !golden.includes(name) && name !== first)
  copy.flip(first, 5_000)
  expect((await verify(repository, 'full', { stems: [stem] })).damages).toMatchObject([{ affects: [] }])
  copy.flip(second, 5_000)
  const { damages } = await verify(repository, 'full', { stems: [stem] })
  expect(damages).toMatchObject([
    { pack: first.slice(8), affects: [{ stem, ranges: [{ start: 0, end: MiB }] }] },
    { pack: second.slice(8), found: 'L4', proved: true },
  ])
})

test('a blob under a key that is not held is no damage: nothing is quarantined, and the error says which key', async () => {
  using copy = new Copy()
  await using repository = await copy.open()
  const { engine } = repository
  await engine.view.refresh(engine.store, signal)
  const home = engine.view.segments
    .flatMap((segment) => [...segment.entries()].map((entry) => ({ ...entry, pack: segment.pack(entry.packOrd).sha })))
    .find(({ type }) => type === BLOB_CHUNK)
  if (home === undefined) throw new Error('the index knows no chunk')
  const { content } = engine.ring
  const ring = createKeyRing({ ...content, keys: content.keys.filter(({ type }) => type !== 'DEK') })
  const reading = new BlobReader({ ...engine, ring }).read({ type: BLOB_CHUNK, id: Buffer.from(home.id) }, home)
  await expect(reading).rejects.toMatchObject({ code: 'KeyUnknown', message: expect.stringContaining('DEK') as string })
  expect(copy.names('bad/')).toEqual([])
})
