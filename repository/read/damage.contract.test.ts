import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { GiB, MiB } from '../../base/index.ts'
import { names, quarantineKind } from '../format/index.ts'
import { FaultyStore, type FaultPlan } from '../store/index.ts'
import {
  backUp,
  expectIdentical,
  GcScript,
  ModelDisk,
  noSignal,
  RepositoryLab,
  seededBytes,
  type MemoryBucket,
} from '../testing/index.ts'

vi.setConfig({ testTimeout: 30_000 })

let base: RepositoryLab
let stem = ''
const disk = new ModelDisk(GiB + 3 * MiB)
disk.write(0, seededBytes(1, 4 * MiB))
disk.write(GiB, seededBytes(2, 2 * MiB))

beforeAll(async () => {
  base = await RepositoryLab.create()
  await using repository = await base.open()
  stem = (await backUp(repository, disk)).stem
})
afterAll(async () => {
  await base[Symbol.asyncDispose]()
})

/** A copy of the repository to damage. */
async function copy(plan: FaultPlan = () => undefined) {
  const lab = base.over(base.bucket.clone())
  const repository = await lab.open({ connect: () => new FaultyStore(lab.bucket.connect(), plan) })
  return { lab, repository, gc: new GcScript(lab.bucket, repository.engine.ring) }
}

function flip(bucket: MemoryBucket, name: string, at: number): void {
  const body = Uint8Array.from(bucket.body(name))
  body[at] = (body[at] ?? 0) ^ 0x10
  bucket.set(name, body)
}

async function readAll(repository: Awaited<ReturnType<typeof copy>>['repository']): Promise<Buffer[]> {
  await using point = await repository.openPoint(stem)
  const pieces: Buffer[] = []
  for await (const { data } of point.disk('disk').stream(0, disk.size, noSignal)) pieces.push(Buffer.from(data))
  return pieces
}

describe('a flipped byte', () => {
  it('in any place of a data pack is never returned: the read names disk and bytes, or the byte was not needed', async () => {
    const original = base.bucket.clone()
    await using sound = await base.over(original).open()
    const [pack = ''] = new GcScript(original, sound.engine.ring).packs(0)
    const size = original.body(names.pack(pack)).length
    for (let at = 3; at < size; at += Math.floor(size / 37)) {
      const { lab, repository } = await copy()
      await using _ = repository
      flip(lab.bucket, names.pack(pack), at)
      const inTail = at >= size - (48 + 56 * 6) || at < 64
      if (inTail) await expectIdentical(repository, stem, disk)
      else {
        await expect(readAll(repository)).rejects.toMatchObject({ code: 'ChunkLost', data: { disk: 'disk', stem } })
      }
    }
  })

  it('is reported with the range of its chunk, quarantined once, and the other chunks can be read', async () => {
    const { lab, repository, gc } = await copy()
    await using _ = repository
    const [pack = ''] = gc.packs(0)
    flip(lab.bucket, names.pack(pack), 64 + MiB + 5000)
    await using point = await repository.openPoint(stem)
    const reader = point.disk('disk')
    const into = new Uint8Array(MiB)
    for (let n = 0; n < 2; n++) {
      await expect(reader.read(MiB, into)).rejects.toMatchObject({
        code: 'ChunkLost',
        data: { disk: 'disk', start: MiB, end: 2 * MiB },
      })
    }
    await reader.read(2 * MiB, into)
    expect(Buffer.compare(into, disk.bytes(2 * MiB, MiB))).toBe(0)
    const bad = lab.bucket.names('bad/')
    expect(bad).toHaveLength(1)
    const item = quarantineKind.read(quarantineKind.parse(lab.bucket.body(bad[0] ?? '')))
    expect(item).toMatchObject({ pack, scope: 'slots', found: 'read', slots: [{ slot: 1 }] })
  })

  it('in a page makes its GiB unreadable, and nothing else', async () => {
    const { lab, repository, gc } = await copy()
    await using _ = repository
    const [pack = ''] = gc.packs(1)
    flip(lab.bucket, names.pack(pack), 64 + 72 + 400)
    await using point = await repository.openPoint(stem)
    const into = new Uint8Array(MiB)
    await expect(point.disk('disk').read(0, into)).rejects.toMatchObject({
      code: 'ChunkLost',
      data: { start: 0, end: GiB },
    })
    await point.disk('disk').read(GiB, into)
    expect(Buffer.compare(into, disk.bytes(GiB, MiB))).toBe(0)
  })

  it('on the wire is read again over another connection, and nothing is quarantined', async () => {
    let flips = 0
    const plan: FaultPlan = ({ op, name }) =>
      op === 'get' && name.startsWith('pack/') && flips++ < 2 ? { kind: 'flip', bit: 70_000 } : undefined
    const { lab, repository } = await copy(plan)
    await using _ = repository
    await expectIdentical(repository, stem, disk)
    expect(flips).toBeGreaterThan(2)
    expect(lab.bucket.names('bad/')).toEqual([])
  })
})

describe('a place that fails', () => {
  it('is replaced by another home that the index knows', async () => {
    const { lab, repository, gc } = await copy()
    await using _ = repository
    const packs = gc.packs()
    const index = lab.bucket.names('idx/')
    const hidden = index.map((name) => [name, lab.bucket.body(name)] as const)
    for (const name of index) lab.bucket.objects.delete(name)
    await using blind = await lab.open()
    await backUp(blind, disk, { vm: 'copy' })
    for (const [name, body] of hidden) lab.bucket.set(name, body)
    for (const pack of packs) gc.deletePack(pack)
    await expectIdentical(repository, stem, disk)
    // Absent, and found elsewhere: nothing is wrong with the repository.
    expect(lab.bucket.names('bad/')).toEqual([])
  })

  it('that is absent and nowhere else is quarantined as a whole', async () => {
    const { lab, repository, gc } = await copy()
    await using _ = repository
    const [pack = ''] = gc.packs(0)
    gc.deletePack(pack)
    await expect(readAll(repository)).rejects.toMatchObject({ code: 'ChunkLost' })
    const item = quarantineKind.read(quarantineKind.parse(lab.bucket.body(lab.bucket.names('bad/')[0] ?? '')))
    expect(item).toMatchObject({ pack, scope: 'pack' })
  })

  it('that cannot be reached now is no damage', async () => {
    const plan: FaultPlan = ({ op, name }) =>
      op === 'get' && name.startsWith('pack/') ? { kind: 'fail', code: 'StoreUnavailable' } : undefined
    const { lab, repository } = await copy(plan)
    await using _ = repository
    await expect(readAll(repository)).rejects.toMatchObject({ code: 'StoreUnavailable' })
    expect(lab.bucket.names('bad/')).toEqual([])
  })
})

describe('the backup after damage', () => {
  it('stores quarantined chunks and pages again, changed or not, and heals older points through the index', async () => {
    const { lab, repository, gc } = await copy()
    await using _ = repository
    const [data = ''] = gc.packs(0)
    flip(lab.bucket, names.pack(data), 64 + MiB + 5000)
    await expect(readAll(repository)).rejects.toMatchObject({ code: 'ChunkLost' })
    const source = { extents: [] }
    const next = await backUp(repository, disk, { parent: stem, source })
    expect(next.disks[0]).toMatchObject({ readBytes: MiB })
    // The page has the parent's id; the one in the index names the quarantined slot, so it is written anew.
    expect(gc.packs(1)).toHaveLength(2)
    await using reader = await lab.open()
    await expectIdentical(reader, next.stem, disk)
    await expectIdentical(reader, stem, disk)
  })

  it('reads a page again whose blob is lost', async () => {
    const { lab, repository, gc } = await copy()
    await using _ = repository
    const [meta = ''] = gc.packs(1)
    flip(lab.bucket, names.pack(meta), 64 + 72 + 400)
    await expect(readAll(repository)).rejects.toMatchObject({ code: 'ChunkLost' })
    const next = await backUp(repository, disk, { parent: stem, source: { extents: [] } })
    expect(next.disks[0]?.newBytes).toBe(0)
    await using reader = await lab.open()
    await expectIdentical(reader, next.stem, disk)
    await expectIdentical(reader, stem, disk)
  })

  it('fails where only changed ranges can be read and the parent has lost one', async () => {
    const { lab, repository, gc } = await copy()
    await using _ = repository
    const [data = ''] = gc.packs(0)
    flip(lab.bucket, names.pack(data), 64 + MiB + 5000)
    await expect(readAll(repository)).rejects.toMatchObject({ code: 'ChunkLost' })
    const source = { extents: [], readable: 'changed' } as const
    await expect(backUp(repository, disk, { parent: stem, source })).rejects.toMatchObject({
      code: 'ChunkLost',
      data: { side: 'store-read' },
    })
  })
})

describe('a spot check', () => {
  it('reads chunks from the store and fails if one is lost', async () => {
    const { lab, repository, gc } = await copy()
    await using _ = repository
    expect(await repository.spotCheck(stem, 6, noSignal)).toEqual({ chunks: 6, bytes: 6 * MiB })
    for (const pack of gc.packs(0)) gc.deletePack(pack)
    await using other = await lab.open()
    await expect(other.spotCheck(stem, 1, noSignal)).rejects.toMatchObject({
      code: 'ChunkLost',
      data: { disk: 'disk' },
    })
  })
})
