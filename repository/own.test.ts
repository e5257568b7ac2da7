import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { catalogParts } from './own.ts'
import { backUp, noSignal, RepositoryLab, uuid } from './testing/index.ts'
import { holdsCatalog, readCatalog } from './own.ts'
import { ModelDisk } from './testing/model-disk.ts'
import { MiB } from '../base/index.ts'

async function contentOf(content: AsyncIterable<Uint8Array> | Uint8Array): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of content as AsyncIterable<Uint8Array>) pieces.push(Buffer.from(piece))
  return Buffer.concat(pieces)
}
async function* streamOf(pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* pieces
}

test('a catalog of any size is divided without loss, and every part but the last is full', async () => {
  const pieces = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 12 })
  await fc.assert(
    fc.asyncProperty(pieces, fc.integer({ min: 1, max: 32 }), async (all, size) => {
      const whole = Buffer.concat(all)
      const parts = catalogParts(whole.length, streamOf(all), size)
      const contents: Buffer[] = []
      for (const { content } of parts) contents.push(await contentOf(content))
      expect(Buffer.concat(contents)).toEqual(whole)
      expect(contents.slice(0, -1).every(({ length }) => length === size)).toBe(true)
      expect(new Set(parts.map(({ name }) => name)).size).toBe(parts.length)
    }),
  )
})

test('what is longer than announced is not cut in silence', async () => {
  const parts = catalogParts(4, streamOf([Buffer.from('123456789')]), 2)
  const read: string[] = []
  for (const { content } of parts) read.push((await contentOf(content)).toString())
  expect(read).toEqual(['12', '3456789'])
})

test('a catalog in several parts comes back as one, and a point of disks holds none', async () => {
  await using lab = await RepositoryLab.create()
  await using repository = await lab.open()
  const catalog = Buffer.from(Array.from({ length: 5000 }, (_, n) => n % 251))
  const spec = {
    session: uuid(),
    snap: uuid(),
    series: repository.series({ platform: 'holdfast', scope: 'x', vm: 'catalog' }),
  }
  await repository.openSession(
    { ...spec, createdMs: 1_700_000_000_000, parentStem: null, owner: 'aa'.repeat(16), parts: [], point: null },
    noSignal,
  )
  const { stem } = await repository.commit({
    session: spec.session,
    attempt: 1,
    results: [],
    vm: { id: 'catalog', name: 'Catalog', platform: 'holdfast', scope: 'x', tags: [] },
    point: { origin: 'catalog', startedMs: 1, run: 'r' },
    consistency: { level: 'application', detail: '' },
    hypervisor: { platform: 'holdfast', version: '', host: '' },
    disks: [],
    configs: catalogParts(catalog.length, streamOf([catalog]), 1500),
    retention: { class: '', policy: '' },
    signal: noSignal,
    onProgress: () => undefined,
  })
  await using point = await repository.openPoint(stem)
  expect(point.info.configs).toHaveLength(4)
  expect(holdsCatalog(point.info)).toBe(true)
  expect(await contentOf(readCatalog(point))).toEqual(catalog)
  const disk = new ModelDisk(2 * MiB)
  await using other = await repository.openPoint((await backUp(repository, disk)).stem)
  expect(holdsCatalog(other.info)).toBe(false)
  expect(await repository.usage()).toMatchObject({ points: 1, series: 1 })
}, 30_000)
