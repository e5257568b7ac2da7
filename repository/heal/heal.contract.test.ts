import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BLOB_CHUNK, BLOB_CONFIG, BLOB_PAGE, readTail } from '../format/index.ts'
import { history, run } from '../mirror/testing.ts'
import type { OpenedRepository } from '../repository.ts'
import { backUp, expectIdentical, ModelDisk, noSignal, RepositoryLab, type MemoryBucket } from '../testing/index.ts'
import type { HealReport, VerifyReport } from '../types.ts'
import { heal } from './index.ts'

let source: RepositoryLab
let sibling: RepositoryLab
let stranger: RepositoryLab
/** Two points of one disk in the source, and both mirrored, with the same ids and with others. */
let stems: string[]
let disks: ModelDisk[]
beforeAll(async () => {
  source = await RepositoryLab.create()
  await using opened = await source.open()
  sibling = await RepositoryLab.create(opened.engine.ring.identityKey())
  stranger = await RepositoryLab.create()
  ;({ stems, disks } = await history(source, 1))
  await using from = await source.open()
  for (const lab of [sibling, stranger]) {
    await using to = await lab.open()
    await run(from, to)
  }
})
afterAll(async () => {
  for (const lab of [source, sibling, stranger]) await lab[Symbol.asyncDispose]()
})

const common = { signal: noSignal, onProgress: () => undefined }

function verify(repository: OpenedRepository, quarantine = false): Promise<VerifyReport> {
  return repository.verify({ level: 'full', quarantine, ...common })
}

async function healWith(bucket: MemoryBucket, mirrors: readonly RepositoryLab[], apply: boolean): Promise<HealReport> {
  await using repository = await source.over(bucket).open()
  const opened = await Promise.all(mirrors.map((lab) => lab.open()))
  try {
    return await heal({ engine: repository.engine, points: repository.points, writer: repository }, opened, {
      apply,
      ...common,
    })
  } finally {
    for (const mirror of opened) await mirror[Symbol.asyncDispose]()
  }
}

/** One byte in the middle of a blob of this type, in the first pack that has one. */
function damageBlob(bucket: MemoryBucket, wanted: (type: number) => boolean): string {
  for (const name of bucket.names('pack/')) {
    const body = Uint8Array.from(bucket.body(name))
    const entry = readTail(body, body.length).entries.find(({ type }) => wanted(type))
    if (entry === undefined) continue
    flip(bucket, name, entry.off + 72 + (entry.clen >> 1))
    return name
  }
  throw new Error('no such blob')
}

/** One byte of every blob of a type in a pack. */
function spoil(bucket: MemoryBucket, name: string, wanted: (type: number) => boolean): void {
  const body = bucket.body(name)
  for (const { type, off, clen } of readTail(body, body.length).entries) {
    if (wanted(type)) flip(bucket, name, off + 72 + (clen >> 1))
  }
}

function flip(bucket: MemoryBucket, name: string, at: number): void {
  const body = Uint8Array.from(bucket.body(name))
  body[at] = (body[at] ?? 0) ^ 1
  bucket.set(name, body)
}

async function expectAllWhole(bucket: MemoryBucket): Promise<void> {
  await using repository = await source.over(bucket).open()
  for (const [index, stem] of stems.entries()) {
    await expectIdentical(repository, stem, disks[index] ?? new ModelDisk(512))
    await using point = await repository.openPoint(stem)
    expect(Buffer.concat(await Array.fromAsync(point.config('xml')))).toHaveLength(3_000)
  }
}

describe.each([
  ['a chunk', (type: number) => type === BLOB_CHUNK],
  ['a page', (type: number) => type === 2],
  ['a configuration', (type: number) => type === BLOB_CONFIG],
])('a flipped byte in %s', (_, wanted) => {
  it.each([
    ['by id', () => sibling],
    ['by its place', () => stranger],
  ])('is named, heals from a mirror %s, and then every point restores', async (_how, labOf) => {
    const bucket = source.bucket.clone()
    const pack = damageBlob(bucket, wanted)
    {
      await using repository = await source.over(bucket).open()
      const { damages } = await verify(repository, true)
      expect(damages.map(({ object }) => object)).toEqual([pack])
      expect(damages[0]?.affects.length).toBeGreaterThan(0)
    }
    const before = bucket.names().length
    const dry = await healWith(bucket, [labOf()], false)
    expect(dry).toMatchObject({ applied: false, quarantined: 1, fromMirror: 1, elsewhere: 0, lost: [] })
    expect(bucket.names()).toHaveLength(before)
    const alone = await healWith(bucket, [], false)
    expect(alone.fromMirror).toBe(0)
    expect(stems).toEqual(expect.arrayContaining(alone.lost.map(({ stem }) => stem)))
    expect(alone.lost.length).toBeGreaterThan(0)
    const healed = await healWith(bucket, [labOf()], true)
    expect(healed).toMatchObject({ applied: true, quarantined: 1, fromMirror: 1, lost: [], damagedPoints: [] })
    await expectAllWhole(bucket)
    // The damaged pack is where it was; readers and a verify come to the new home.
    await using repository = await source.over(bucket).open()
    const { damages } = await verify(repository)
    expect(damages.map(({ object, affects }) => [object, affects])).toEqual([[pack, []]])
    expect(await healWith(bucket, [labOf()], true)).toMatchObject({ quarantined: 1, elsewhere: 1, fromMirror: 0 })
  })
})

describe('heal', () => {
  it('stores a whole pack again that is gone, chunks first and pages with their new homes', async () => {
    for (const lab of [sibling, stranger]) {
      const bucket = source.bucket.clone()
      for (const name of bucket.names('pack/')) bucket.objects.delete(name)
      {
        await using repository = await source.over(bucket).open()
        await verify(repository, true)
      }
      const { lost, fromMirror } = await healWith(bucket, [lab], true)
      expect(lost).toEqual([])
      expect(fromMirror).toBeGreaterThan(3)
      await expectAllWhole(bucket)
    }
  })

  it('writes nothing in a dry run, here or at a mirror, whatever damage it comes upon', async () => {
    const bucket = source.bucket.clone()
    damageBlob(bucket, (type) => type === BLOB_CHUNK)
    {
      await using repository = await source.over(bucket).open()
      await verify(repository, true)
    }
    // Damage that nobody has looked at yet: in every page here, and in everything that a mirror has.
    for (const name of bucket.names('pack/')) spoil(bucket, name, (type) => type === BLOB_PAGE)
    const there = [sibling, stranger].map((lab) => lab.over(lab.bucket.clone()))
    for (const lab of there) for (const name of lab.bucket.names('pack/')) spoil(lab.bucket, name, () => true)
    const before = [bucket, ...there.map((lab) => lab.bucket)].map((each) => new Map(each.objects))
    const { lost, fromMirror } = await healWith(bucket, there, false)
    expect([fromMirror, lost.length > 0]).toEqual([0, true])
    for (const [index, each] of [bucket, ...there.map((lab) => lab.bucket)].entries()) {
      expect(each.objects).toEqual(before[index])
    }
  })

  it('takes what a quarantined place still gives: nothing is read from a mirror', async () => {
    const bucket = source.bucket.clone()
    await using repository = await source.over(bucket).open()
    const { engine } = repository
    for (const name of bucket.names('pack/')) await engine.quarantines.report(engine.store, name.slice(8), 'L3')
    const { fromHere, fromMirror, lost } = await healWith(bucket, [], true)
    expect([fromMirror, lost]).toEqual([0, []])
    expect(fromHere).toBeGreaterThan(3)
    for (const name of source.bucket.names('pack/')) bucket.objects.delete(name)
    await expectAllWhole(bucket)
  })

  it('the next backup stores a quarantined chunk again by itself, changed or not', async () => {
    const bucket = source.bucket.clone()
    damageBlob(bucket, (type) => type === BLOB_CHUNK)
    await using repository = await source.over(bucket).open()
    await verify(repository, true)
    const disk = disks[1] ?? new ModelDisk(512)
    const { stem } = await backUp(repository, disk, { parent: stems[1] ?? null, source: { extents: [] } })
    await expectIdentical(repository, stem, disk)
    // Older manifests keep their hints; readers come to the new home by id.
    await expectAllWhole(bucket)
    expect(await healWith(bucket, [], true)).toMatchObject({ lost: [] })
  })

  it.each(['m', 'ok'])('a point whose .%s is damaged comes back under a fresh name', async (extension) => {
    const bucket = source.bucket.clone()
    const stem = stems[1] ?? ''
    flip(bucket, `${stem}.${extension}`, 200)
    {
      await using repository = await source.over(bucket).open()
      const { damages } = await verify(repository)
      expect(damages.map(({ object }) => object)).toEqual([`${stem}.${extension}`])
    }
    expect((await healWith(bucket, [], true)).damagedPoints).toMatchObject([{ stem, restoredAs: null }])
    const { damagedPoints } = await healWith(bucket, [sibling], true)
    const [point] = damagedPoints
    expect(point).toMatchObject({ stem, restoredAs: expect.stringMatching(/^snap/) as string })
    await using repository = await source.over(bucket).open()
    await expectIdentical(repository, point?.restoredAs ?? '', disks[1] ?? new ModelDisk(512))
    await expectIdentical(repository, stems[0] ?? '', disks[0] ?? new ModelDisk(512))
    // Once is enough.
    expect((await healWith(bucket, [sibling], true)).damagedPoints).toEqual(damagedPoints)
  })
})
