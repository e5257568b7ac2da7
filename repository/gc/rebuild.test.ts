import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { OpenedRepository } from '../repository.ts'
import { backUp, expectIdentical, GcScript, noSignal, RepositoryLab, type MemoryBucket } from '../testing/index.ts'
import { names } from '../format/index.ts'
import { collectNow, twoChunks } from './testing.ts'

let lab: RepositoryLab
beforeAll(async () => {
  lab = await RepositoryLab.create()
})
afterAll(async () => {
  await lab[Symbol.asyncDispose]()
})

let bucket: MemoryBucket
let stem: string
const model = twoChunks(1)
beforeEach(async () => {
  bucket = lab.bucket.clone()
  await using repository = await lab.over(bucket).open()
  stem = (await backUp(repository, model, { configs: [{ name: 'c', type: 'native', content: Buffer.from('c') }] })).stem
})

const rebuild = async (repository: OpenedRepository, dryRun = false) => {
  return await repository.rebuildIndex({ dryRun, signal: noSignal, onProgress: () => undefined })
}

describe('without its index', () => {
  beforeEach(() => {
    for (const name of bucket.names('idx/')) bucket.objects.delete(name)
  })

  it('a repository restores, verifies, and says how much a rebuild would write', async () => {
    await using repository = await lab.over(bucket).open()
    await expectIdentical(repository, stem, model)
    const dry = await rebuild(repository, true)
    expect(dry).toMatchObject({ dryRun: true, missing: dry.packs, indexed: dry.packs, scanned: 0, written: 1 })
    expect(bucket.names('idx/')).toEqual([])
  })

  it('a rebuild writes it from the packs: everything is found again', async () => {
    await using repository = await lab.over(bucket).open()
    const report = await rebuild(repository)
    expect(report).toMatchObject({ indexed: report.packs, unreadable: 0, notes: [] })
    expect(await rebuild(repository)).toMatchObject({ missing: 0, written: 0 })
    await using fresh = await lab.over(bucket).open()
    expect((await backUp(fresh, model)).disks[0]?.newBytes).toBe(0)
    expect(await collectNow(fresh)).toMatchObject({ outcome: 'nothing', kept: { unknown: { packs: 0 } } })
  })

  it('what is condemned is not indexed', async () => {
    await using repository = await lab.over(bucket).open()
    const script = new GcScript(bucket, repository.engine.ring)
    const [pack = ''] = script.packs()
    script.condemn(1, [pack])
    const report = await rebuild(repository)
    expect(report.missing).toBe(report.packs - 1)
    const known = repository.engine.view.segments.flatMap((segment) => [...segment.packs()].map(({ sha }) => sha))
    expect(known).not.toContain(pack)
  })

  it('a pack without its footer is scanned, quarantined, and what is in it still found', async () => {
    await using repository = await lab.over(bucket).open()
    const script = new GcScript(bucket, repository.engine.ring)
    const sizeOf = (each: string) => bucket.body(names.pack(each)).length
    const [pack = ''] = script.packs(0).sort((a, b) => sizeOf(b) - sizeOf(a))
    const body = Uint8Array.from(bucket.body(names.pack(pack)))
    body.fill(0, body.length - 48)
    bucket.set(names.pack(pack), body)
    const report = await rebuild(repository)
    expect(report).toMatchObject({ scanned: 1, unreadable: 0 })
    expect(bucket.names('bad/')).toHaveLength(1)
    // It is not relied upon: the next backup stores its chunks again, and the old point restores all the same.
    expect((await backUp(repository, model)).disks[0]?.newBytes).toBeGreaterThan(0)
    await expectIdentical(repository, stem, model)
  })

  it('a pack that is no pack is named, and stays', async () => {
    bucket.set(names.pack('ab'.repeat(32)), Buffer.alloc(5000, 7))
    await using repository = await lab.over(bucket).open()
    const report = await rebuild(repository)
    expect(report).toMatchObject({ unreadable: 1 })
    expect(report.notes.join()).toContain('ab'.repeat(32))
    expect(bucket.objects.has(names.pack('ab'.repeat(32)))).toBe(true)
    // Neither does a collection touch it: it does not know what it would delete.
    expect(await collectNow(repository)).toMatchObject({ outcome: 'nothing', kept: { unknown: { packs: 1 } } })
  })
})
