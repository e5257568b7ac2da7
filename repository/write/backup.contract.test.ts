import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { GiB, MiB } from '../../base/index.ts'
import { FaultClock, FaultyStore } from '../store/index.ts'
import {
  backUp,
  expectIdentical,
  ModelBackup,
  ModelDisk,
  noSignal,
  RepositoryLab,
  seededBytes,
} from '../testing/index.ts'

vi.setConfig({ testTimeout: 30_000 })

let lab: RepositoryLab
beforeAll(async () => {
  lab = await RepositoryLab.create()
})
afterAll(async () => {
  await lab[Symbol.asyncDispose]()
})

/** A few chunks here and there on a disk of several pages. */
function sparseDisk(seed: number, size = 2 * GiB + 5 * MiB + 512): ModelDisk {
  const disk = new ModelDisk(size)
  for (const at of [0, 3 * MiB + 77, 512 * MiB, GiB - MiB / 2, GiB + 7 * MiB, size - 700]) {
    if (at < size) disk.write(at, seededBytes(seed + at, Math.min(MiB + 4096, size - at)))
  }
  return disk
}

describe('a backup', () => {
  it('restores byte-identical, holes and the short last chunk included', async () => {
    await using repository = await lab.open()
    const disk = sparseDisk(1)
    const { stem, passes, rescued } = await backUp(repository, disk)
    expect({ passes, rescued }).toEqual({ passes: 1, rescued: 0 })
    await expectIdentical(repository, stem, disk)
  })

  it('is read by another process that knows nothing but the store', async () => {
    await using writer = await lab.open()
    const disk = sparseDisk(2)
    const { stem } = await backUp(writer, disk, { vm: 'other-process' })
    await using reader = await lab.open()
    await expectIdentical(reader, stem, disk)
    await using point = await reader.openPoint(stem)
    const piece = new Uint8Array(2 * MiB)
    await point.disk('disk').read(GiB - MiB, piece)
    expect(Buffer.compare(piece, disk.bytes(GiB - MiB, piece.length))).toBe(0)
  })

  it('stores equal chunks once, within a disk and between points', async () => {
    await using repository = await lab.open()
    const disk = new ModelDisk(16 * MiB)
    for (let at = 0; at < 16 * MiB; at += MiB) disk.write(at, seededBytes(at % (4 * MiB), MiB))
    const first = await backUp(repository, disk, { vm: 'dedup' })
    expect(first.disks[0]?.newBytes).toBeLessThan(4.1 * MiB)
    expect(first.disks[0]?.newBytes).toBeGreaterThan(3.9 * MiB)
    const second = await backUp(repository, disk, { vm: 'dedup' })
    expect(second.disks[0]).toMatchObject({ newBytes: 0, readBytes: 16 * MiB })
    await expectIdentical(repository, second.stem, disk)
  })

  it('does not wait for itself where the first of two equal chunks is read last', async () => {
    await using repository = await lab.open()
    const disk = new ModelDisk(4 * MiB)
    for (const at of [0, MiB, 2 * MiB]) disk.write(at, seededBytes(42, MiB))
    const others = Promise.withResolvers<void>()
    let read = 0
    const onRead = async (at: number) => {
      if (at === 0) await others.promise
      // By the time that both others could have been decided.
      else if ((read += 1) === 2) setTimeout(others.resolve, 200)
    }
    const { stem, disks } = await backUp(repository, disk, { vm: 'order', source: { onRead } })
    expect(disks[0]?.newBytes).toBeLessThan(1.1 * MiB)
    await expectIdentical(repository, stem, disk)
  })

  it('keeps its configuration, in parts of 4 MiB', async () => {
    await using repository = await lab.open()
    const large = seededBytes(9, 9 * MiB + 3)
    const configs = [
      { name: 'vm.xml', type: 'native', content: Buffer.from('<vm/>') },
      { name: 'empty', type: 'portable', content: new Uint8Array(0) },
      { name: 'kernel', type: 'native', content: pieces(large) },
    ] as const
    const { stem } = await backUp(repository, sparseDisk(3, 4 * MiB), { configs, vm: 'config' })
    await using point = await repository.openPoint(stem)
    const read = async (name: string) => Buffer.concat(await Array.fromAsync(point.config(name)))
    expect((await read('vm.xml')).toString()).toBe('<vm/>')
    expect((await read('empty')).length).toBe(0)
    expect((await read('kernel')).equals(large)).toBe(true)
    expect(point.info.configs.map(({ name, bytes }) => [name, bytes])).toEqual([
      ['vm.xml', 5],
      ['empty', 0],
      ['kernel', 9 * MiB + 3],
    ])
  })

  it('copies the parts of a disk side by side and joins them', async () => {
    await using repository = await lab.open()
    const disk = sparseDisk(4)
    const backup = new ModelBackup(repository, disk, { pagesPerPart: 1, vm: 'parts' })
    await backup.open(repository)
    await Promise.all(backup.spec.parts.map(({ part }) => backup.copyPart(repository, part, 1)))
    const { stem } = await backup.commit(repository)
    await expectIdentical(repository, stem, disk)
  })
})

async function* pieces(content: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < content.length; at += 777_777) yield content.subarray(at, at + 777_777)
}

describe('an incremental backup', () => {
  it('reads what has changed, carries over the rest, and needs its parent no more', async () => {
    await using repository = await lab.open()
    const disk = sparseDisk(5)
    const first = await backUp(repository, disk, { vm: 'inc' })
    const next = disk.clone()
    const at = GiB + 7 * MiB + 100
    next.write(at, seededBytes(77, 5000))
    const extents = [{ offset: at, length: 5000, kind: 'data' }] as const
    const second = await backUp(repository, next, { vm: 'inc', parent: first.stem, source: { extents } })
    expect(second.disks[0]?.readBytes).toBe(MiB)
    await expectIdentical(repository, first.stem, disk)
    await expectIdentical(repository, second.stem, next)
  })

  it('takes the rest of a chunk from the parent where only changed ranges can be read', async () => {
    await using repository = await lab.open()
    const disk = sparseDisk(6)
    const first = await backUp(repository, disk, { vm: 'changed' })
    const next = disk.clone()
    const at = 512 * MiB + 300_000
    next.write(at, seededBytes(78, 1000))
    next.zero(3 * MiB, 200_000)
    const extents = [
      { offset: 3 * MiB, length: 200_000, kind: 'zero' },
      { offset: at, length: 1000, kind: 'data' },
    ] as const
    const source = { extents, readable: 'changed' } as const
    const second = await backUp(repository, next, { vm: 'changed', parent: first.stem, source })
    expect(second.disks[0]?.readBytes).toBe(1000)
    await expectIdentical(repository, second.stem, next)
  })

  it('stores nothing where content is the same, and reads no page that nothing touches', async () => {
    await using repository = await lab.open()
    const disk = sparseDisk(7)
    const first = await backUp(repository, disk, { vm: 'same' })
    const clock = new FaultClock()
    const connect = () => new FaultyStore(lab.bucket.connect(), () => undefined, clock)
    await using other = await lab.open({ connect })
    const begun = clock.calls.length
    const second = await backUp(other, disk, { vm: 'same', parent: first.stem, source: { extents: [] } })
    const puts = clock.calls.slice(begun).filter(({ op }) => op === 'put')
    expect(puts.map(({ name }) => name.split('/')[0])).toEqual(['sess', 'sess', 'sess', 'snap', 'snap', 'sess'])
    expect(second.disks[0]).toMatchObject({ readBytes: 0, newBytes: 0 })
    await expectIdentical(other, second.stem, disk)
  })

  it('refuses a disk that has another size in the parent', async () => {
    await using repository = await lab.open()
    const first = await backUp(repository, sparseDisk(8, 4 * MiB), { vm: 'resize' })
    const backup = new ModelBackup(repository, sparseDisk(8, 8 * MiB), { vm: 'resize', parent: first.stem })
    await backup.open(repository)
    await expect(backup.copy(repository)).rejects.toMatchObject({ code: 'SessionInvalid' })
  })
})

describe('a session', () => {
  it('can be opened again if it says the same, and not if it says something else', async () => {
    await using repository = await lab.open()
    const backup = new ModelBackup(repository, sparseDisk(9, 4 * MiB), { vm: 'again' })
    await backup.open(repository)
    await using other = await lab.open()
    expect(await other.openSession(backup.spec, noSignal)).toMatchObject({ snap: backup.spec.snap })
    expect(await other.readSession(backup.spec.session)).toMatchObject({ createdMs: backup.spec.createdMs })
    const changed = { ...backup.spec, snap: 'ab'.repeat(16) }
    await expect(other.openSession(changed, noSignal)).rejects.toMatchObject({ code: 'SessionInvalid' })
    expect(await other.readSession('00'.repeat(16))).toBeUndefined()
  })

  it('ends once', async () => {
    await using repository = await lab.open()
    const backup = new ModelBackup(repository, sparseDisk(10, 4 * MiB), { vm: 'ends' })
    await backup.run(repository)
    await repository.endSession(backup.spec.session, 'failed')
    await using other = await lab.open()
    await other.endSession(backup.spec.session, 'failed')
    expect(lab.bucket.names(`sess/${backup.spec.session}-0000-`)).toHaveLength(3)
  })
})
