import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { tombstoneKind } from '../format/index.ts'
import { protectJson } from '../keys/index.ts'
import type { OpenedRepository } from '../repository.ts'
import { backUp, expectIdentical, ModelDisk, noSignal, smallDisk, type MemoryBucket } from '../testing/index.ts'
import { configs, history, run, mirrorLabs, type MirrorLabs } from './testing.ts'

let labs: MirrorLabs
beforeAll(async () => void (labs = await mirrorLabs()))
afterAll(() => labs[Symbol.asyncDispose]())

const packsOf = (bucket: MemoryBucket): string[] => bucket.names('pack/')

describe.each([
  ['that shares its ids', () => labs.sibling],
  ['with an identity of its own', () => labs.stranger],
])('a mirror %s', (_, labOf) => {
  it('has every point, byte-identical, under its own keys, with its source named, and stores nothing twice', async () => {
    const here = labs.source.over(labs.source.bucket.clone())
    const there = labOf().over(labOf().bucket.clone())
    const { stems, disks } = await history(here, 1)
    await using from = await here.open()
    await using to = await there.open()
    const planned = await run(from, to, { dryRun: true })
    expect(planned.points.map(({ outcome }) => outcome)).toEqual(['planned', 'planned'])
    expect(packsOf(there.bucket)).toEqual([])
    const report = await run(from, to)
    expect(report.points.map(({ outcome, problem }) => [outcome, problem])).toEqual([
      ['mirrored', undefined],
      ['mirrored', undefined],
    ])
    for (const [index, { target, bytesStored, bytesVerified }] of report.points.entries()) {
      expect(target).toBe(stems[index])
      expect(bytesStored).toBe(planned.points[index]?.bytesStored)
      expect(bytesVerified).toBeGreaterThan(0)
      await expectIdentical(to, target, disks[index] ?? new ModelDisk(512))
      await using point = await to.openPoint(target)
      const config = Buffer.concat(await Array.fromAsync(point.config('xml')))
      expect(config.equals(configs[0].content)).toBe(true)
      const { manifest } = await to.points.load(target, false)
      expect(manifest.header.flags & 1).toBe(1)
      expect(manifest.body.json.source).toMatchObject({ repo: from.id, snap: target.slice(-32) })
    }
    // The second inherits from the first, as it does here.
    const second = await to.points.load(stems[1] ?? '', false)
    expect(second.manifest.header.parent).toBe(stems[0]?.slice(-32))
    expect(await run(from, to)).toMatchObject({ points: [], there: 2 })
    // Restored without the source.
    const full = await to.verify({ level: 'full', signal: noSignal, onProgress: () => undefined })
    expect(full.damages).toEqual([])
  })
})

it('asks for what it stores there, and for nothing that is there already', async () => {
  const here = labs.source.over(labs.source.bucket.clone())
  const there = labs.sibling.over(labs.sibling.bucket.clone())
  await history(here, 30)
  await using from = await here.open()
  await using to = await there.open()
  let asked = 0
  const pace = async (bytes: number): Promise<void> => void (asked += bytes)
  const { points } = await run(from, to, { pace })
  const stored = points.reduce((sum, { bytesStored }) => sum + bytesStored, 0)
  expect(stored).toBeGreaterThan(0)
  expect(asked).toBe(stored)
  await run(from, to, { pace })
  expect(asked).toBe(stored)
})

describe('what a mirror leaves to the other repository', () => {
  it('a point that it has removed does not come back, unless it is asked for: then under a fresh name', async () => {
    const here = labs.source.over(labs.source.bucket.clone())
    const there = labs.sibling.over(labs.sibling.bucket.clone())
    const { stems, disks } = await history(here, 40)
    const [older = '', newer = ''] = stems
    await using from = await here.open()
    {
      await using to = await there.open()
      await run(from, to)
      there.bucket.set(`${newer}.t`, tombstone(to, newer))
    }
    await using to = await there.open()
    expect(await run(from, to)).toMatchObject({ points: [], there: 1, removed: 1 })
    const again = await run(from, to, { points: [newer] })
    expect(again.points).toMatchObject([{ outcome: 'mirrored', bytesStored: 0 }])
    const target = again.points[0]?.target ?? ''
    expect(target).not.toBe(newer)
    await expectIdentical(to, target, disks[1] ?? new ModelDisk(512))
    const { manifest } = await to.points.load(target, false)
    expect(manifest.body.json.source?.snap).toBe(newer.slice(-32))
    // Forgotten by now: nothing of the older one is left there.
    for (const name of there.bucket.names(older)) there.bucket.objects.delete(name)
    await using later = await there.open()
    expect(await run(from, later)).toMatchObject({ points: [], older: 1 })
    expect((await run(from, later, { all: true })).points.map(({ stem }) => stem)).toContain(older)
  })

  it('a chunk that is lost here fails its point, is named, and keeps no other point back', async () => {
    const here = labs.source.over(labs.source.bucket.clone())
    const there = labs.sibling.over(labs.sibling.bucket.clone())
    const { stems, disks } = await history(here, 60)
    await using repository = await here.open()
    const other = smallDisk(70)
    const apart = await backUp(repository, other, { vm: 'other' })
    // The first data pack of the first point: the second refers to a part of it only.
    const { manifest } = await repository.points.load(stems[0] ?? '', false)
    const root = manifest.body.roots.find(({ kind }) => kind === 'page')
    if (root?.kind !== 'page') throw new Error('no page')
    const page = await repository.engine.blobs.page(root, 0, disks[0]?.size ?? 0)
    const entry = page.entries.find(({ kind }) => kind === 'chunk')
    if (entry?.kind !== 'chunk') throw new Error('no chunk')
    const name = `pack/${entry.pack.slice(0, 2)}/${entry.pack}`
    const body = Uint8Array.from(here.bucket.body(name))
    body[entry.off + 100] = (body[entry.off + 100] ?? 0) ^ 1
    here.bucket.set(name, body)
    await using from = await here.open()
    await using to = await there.open()
    const { points } = await run(from, to)
    expect(points.find(({ stem }) => stem === apart.stem)).toMatchObject({ outcome: 'mirrored' })
    const failed = points.filter(({ outcome }) => outcome === 'failed')
    expect(failed.map(({ stem }) => stem)).toContain(stems[0])
    expect(failed[0]?.problem).toContain('disk disk of')
    await expectIdentical(to, apart.stem, other)
    expect(here.bucket.names('bad/').length).toBeGreaterThan(0)
  })

  it('writes nothing in a dry run, whatever damage it comes upon', async () => {
    const here = labs.source.over(labs.source.bucket.clone())
    const there = labs.sibling.over(labs.sibling.bucket.clone())
    await history(here, 75)
    for (const name of here.bucket.names('pack/')) {
      const body = Uint8Array.from(here.bucket.body(name))
      body[64 + 100] = (body[64 + 100] ?? 0) ^ 1
      here.bucket.set(name, body)
    }
    const before = [here, there].map(({ bucket }) => new Map(bucket.objects))
    await using from = await here.open()
    await using to = await there.open()
    const { points } = await run(from, to, { dryRun: true })
    expect(points.map(({ outcome }) => outcome)).toEqual(['failed', 'failed'])
    expect([here.bucket.objects, there.bucket.objects]).toEqual(before)
  })

  it('takes over what it has on shipped media: copied by any tool, verified, and gone on with', async () => {
    const here = labs.source.over(labs.source.bucket.clone())
    const { stems, disks } = await history(here, 80)
    await using from = await here.open()
    const media = labs.sibling.over(labs.sibling.bucket.clone())
    {
      await using local = await media.open()
      await run(from, local, { points: [stems[0] ?? ''] })
    }
    // The store that it is shipped to is another one; names are relative.
    const shipped = labs.sibling.over(media.bucket.clone())
    await using to = await shipped.open()
    const checked = await to.verify({ level: 'data', signal: noSignal, onProgress: () => undefined })
    expect(checked).toMatchObject({ damages: [], points: 1 })
    const { points, there } = await run(from, to)
    expect([there, points.map(({ stem }) => stem)]).toEqual([1, [stems[1]]])
    await expectIdentical(to, stems[1] ?? '', disks[1] ?? new ModelDisk(512))
  })

  it('a repository is not mirrored into itself', async () => {
    await using from = await labs.source.open()
    await using to = await labs.source.open()
    await expect(run(from, to)).rejects.toMatchObject({ code: 'ConfigInvalid' })
  })
})

function tombstone(repository: OpenedRepository, stem: string): Uint8Array {
  const { ring } = repository.engine
  const fields = { repo: ring.repo, snap: stem.slice(-32), reason: 'retention', actor: 'test', decidedMs: 1 } as const
  return protectJson(tombstoneKind, fields, ring, 'maintenance')
}
