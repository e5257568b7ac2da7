import { copyFile, mkdir, open, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { MiB, bytes } from '../../base/index.ts'
import { compareImages } from '../../lab/compare.ts'
import { places } from '../../tests/support/sampling.ts'
import { CutAfter, ProcessDied } from '../contract/cut.ts'
import { generator, oneWrite, someWrites } from '../contract/groups/shared.ts'
import { Series, contextFor, extentsOf, newPoint, type Opened } from '../contract/series.ts'
import type { HypervisorDriver } from '../driver.ts'
import type { RestoreTarget, TargetSpec } from '../facets.ts'
import { opKeyFor } from '../names.ts'
import { runProgram } from '../transport/index.ts'
import type { DiskKey, Extent, MustFullReason, OwnedObject, PortableVm, VmRef } from '../values.ts'
import { openImage } from './driver.ts'
import { FileVm } from './testing/files.ts'

/** What the suite of all drivers cannot ask of images, because nobody can write to one while its point is open. */
let vm: FileVm
let driver: HypervisorDriver
let series: Series
/** Without the last granule, which is in every delta. */
const beforeTheEnd = (extents: readonly Extent[], key: string): readonly Extent[] => {
  const size = vm.disks.find((d) => d.key === key)?.size ?? 0
  return extents.filter((e) => e.offset < Math.floor((size - 1) / 65_536) * 65_536)
}
const keys = (): DiskKey[] => vm.disks.map((d) => d.key)

beforeEach(async () => {
  vm = await FileVm.make()
  driver = openImage(vm.endpoint)
  series = new Series(vm, driver)
})
afterEach(() => vm[Symbol.asyncDispose]())

describe('a round', () => {
  test('gives back every byte, ten times, through writes, zeros, discards and two failed rounds', async () => {
    const seed = Number(process.env['HOLDFAST_SEED'] ?? Date.now() % 100_000)
    console.log(`HOLDFAST_SEED=${seed}`)
    const random = generator(seed)
    for (let n = 1; n <= 10; n++) {
      await vm.write(
        vm.disks.flatMap(({ key, size }) => Array.from({ length: random(7) }, () => oneWrite(key, size, random))),
      )
      const { point } = await series.round({ end: n === 3 || n === 7 ? 'abort' : 'commit' })
      expect(point.disks.map((d) => d.mode)).toEqual(point.disks.map(() => (n === 1 ? 'full' : 'incremental')))
    }
    // Steady state: per disk one record and its tail mark, no process, no file.
    expect(await vm.references()).toHaveLength(4)
    expect(await vm.leftovers()).toEqual([])
  }, 300_000)

  test('reports a zeroed and a discarded range as zeros, so that old bytes do not come back', async () => {
    await vm.write([{ disk: 'disk0', kind: 'data', at: 0, length: 4 * MiB, value: 7 }])
    await series.round()
    await vm.write([
      { disk: 'disk0', kind: 'zeroes', at: MiB, length: MiB, value: 0 },
      { disk: 'disk0', kind: 'discard', at: 3 * MiB, length: 65_536, value: 0 },
    ])
    const { point, ctx } = await series.open()
    expect(beforeTheEnd(await extentsOf(driver, ctx, point, 'disk0' as DiskKey), 'disk0')).toEqual([
      { offset: MiB, length: MiB, kind: 'zero' },
      { offset: 3 * MiB, length: 65_536, kind: 'zero' },
    ])
    await driver.abortPoint(ctx, vm.ref, point)
  })

  test('that is a full and fails leaves the old reference usable', async () => {
    await series.round()
    await vm.write(someWrites(vm, 1))
    expect(reasons(await series.round({ request: { full: 'full-interval' }, end: 'abort' }))).toEqual([
      'full-interval',
      'full-interval',
    ])
    expect(reasons(await series.round())).toEqual([null, null])
  })

  test('opened twice is one point', async () => {
    await series.round()
    await vm.write(someWrites(vm, 1))
    const id = newPoint()
    await series.open({}, id)
    const again = await series.open({}, id)
    expect((await vm.leftovers()).filter((name) => name.endsWith('.pid'))).toHaveLength(2)
    const images = await series.read(again)
    for (const [key, truth] of again.truth) expect(Buffer.compare(images.get(key) ?? new Uint8Array(), truth)).toBe(0)
    await driver.abortPoint(again.ctx, vm.ref, null)
    expect(await vm.leftovers()).toEqual([])
  })
})

describe('a full instead of an incremental', () => {
  const cases: readonly (readonly [string, () => Promise<void>, MustFullReason])[] = [
    [
      'the bitmap is gone',
      () => vm.img('bitmap', '--remove', '-f', 'qcow2', vm.file('disk0'), recordOf('disk0')),
      'reference-missing',
    ],
    ['the image was replaced by a copy', () => vm.replaceVolume('disk0'), 'volume-changed'],
    ['a writer was killed and left the bitmap in use', () => vm.restart('crash'), 'reference-inconsistent'],
  ]
  test.each(cases)('when %s: with the reason, and the next one is incremental', async (_name, happen, why) => {
    await vm.write(someWrites(vm, 1))
    await series.round()
    await happen()
    const preflight = await driver.preflight(contextFor(vm.ref, newPoint()), vm.ref, series.request(newPoint()))
    const round = await series.round()
    expect(reasons(round)[0]).toBe(why)
    expect(preflight.disks.map((d) => [d.mode, d.why])).toEqual(round.point.disks.map((d) => [d.mode, d.why]))
    expect(reasons(await series.round())).toEqual([null, null])
    expect(await vm.references()).toHaveLength(4)
  })

  test('of a raw image each time, because it keeps no bitmaps', async () => {
    await vm.img('create', '-f', 'raw', join(vm.dir, 'disk2.raw'), String(5 * MiB + 512))
    for (let n = 0; n < 2; n++) {
      const { point, ctx } = await series.open({ disks: [{ disk: 'disk2' as DiskKey, since: null, full: null }] })
      expect(point.disks[0]).toMatchObject({ mode: 'full', why: 'tracking-unsupported', next: null })
      expect((await driver.commitPoint(ctx, point, ['disk2' as DiskKey])).residue).toEqual([])
    }
  })
})

describe('an image that somebody else has open', () => {
  test('is refused, and found out before', async () => {
    await using _writer = await vm.openWriter('disk0')
    await expect(series.open()).rejects.toMatchObject({ code: 'Busy' })
    const ctx = contextFor(vm.ref, newPoint())
    const { findings } = await driver.preflight(ctx, vm.ref, series.request(newPoint()))
    expect(findings).toContainEqual(
      expect.objectContaining({ code: 'disk-in-use', severity: 'blocking', disk: 'disk0' }),
    )
    const [facts] = await Array.fromAsync(driver.discover(ctx))
    expect(facts).toMatchObject({
      power: 'unknown',
      disks: [{ key: 'disk0', size: 24 * MiB + 65_536 }, { key: 'disk1' }],
    })
    expect(await vm.leftovers()).toEqual([])
    expect((await driver.abortPoint(ctx, vm.ref, null)).residue).toEqual([])
  })

  test('cannot be opened by a writer while its point is open', async () => {
    const { point, ctx } = await series.open()
    await expect(vm.write(someWrites(vm, 1))).rejects.toThrow(/lock/)
    await driver.abortPoint(ctx, vm.ref, point)
    await vm.write(someWrites(vm, 1))
  })

  test('breaks the point of a raw image, which no lock protects', async () => {
    const raw = join(vm.dir, 'disk2.raw')
    await vm.img('create', '-f', 'raw', raw, String(MiB))
    const { point, ctx } = await series.open({ disks: [{ disk: 'disk2' as DiskKey, since: null, full: null }] })
    expect(await driver.checkPoint(ctx, point)).toEqual({ status: 'intact' })
    const handle = await open(raw, 'r+')
    await handle.write(Buffer.alloc(512, 1), 0, 512, 512)
    await handle.close()
    expect(await driver.checkPoint(ctx, point)).toMatchObject({ status: 'broken' })
    await driver.abortPoint(ctx, vm.ref, point)
  })

  test('leaves the end of a round as residue that the next one clears', async () => {
    const { point, ctx } = await series.open()
    await vm.killExports()
    const writer = await vm.openWriter('disk0')
    const { residue } = await driver.abortPoint(ctx, vm.ref, point)
    expect(residue.map((r) => r.kind)).toContain('bitmap')
    await writer[Symbol.asyncDispose]()
    expect((await driver.abortPoint(ctx, vm.ref, null)).residue).toEqual([])
    expect(await vm.references()).toEqual([])
  })
})

describe('after a crash', () => {
  test('at any effect of openPoint, the next attempt makes the point, and nothing is there twice', async () => {
    await series.round()
    const before = await vm.references()
    await vm.write([{ disk: 'disk1', kind: 'data', at: MiB, length: MiB, value: 2 }])
    await everyCut(async (dying, died) => {
      const id = newPoint()
      await died(() => viewOf(series, dying).open({}, id))
      const { point, ctx } = await series.open({}, id)
      expect(point.disks.map((d) => d.mode)).toEqual(['incremental', 'incremental'])
      expect(beforeTheEnd(await extentsOf(driver, ctx, point, 'disk1' as DiskKey), 'disk1')).toEqual([
        { offset: MiB, length: MiB, kind: 'data' },
      ])
      expect(await vm.references()).toHaveLength(before.length * 2)
      expect((await driver.abortPoint(ctx, vm.ref, null)).residue).toEqual([])
      expect((await vm.references()).toSorted()).toEqual(before.toSorted())
      expect(await vm.leftovers()).toEqual([])
    })
  }, 240_000)

  test('at any effect of commitPoint, repeated, the next point is incremental to it', async () => {
    await series.round()
    let seed = 1
    await everyCut(async (dying, died) => {
      await vm.write(someWrites(vm, seed++, 1))
      const opened = await series.open()
      const images = await series.read(opened)
      await died(() => dying.commitPoint(opened.ctx, opened.point, keys()))
      expect((await driver.commitPoint(opened.ctx, opened.point, keys())).residue).toEqual([])
      series.store(opened, images, keys())
      expect(await vm.references()).toHaveLength(4)
      expect(await vm.leftovers()).toEqual([])
    })
    expect(reasons(await series.round())).toEqual([null, null])
  }, 240_000)

  test('between storing and committing, the next round goes on from the stored point', async () => {
    await series.round()
    await vm.write(someWrites(vm, 1))
    await series.round({ end: 'forget-stored' })
    await vm.killExports()
    await vm.write(someWrites(vm, 2))
    expect(reasons(await series.round())).toEqual([null, null])
    expect(await vm.references()).toHaveLength(4)
  })

  test('of qemu-nbd the export is started anew, unless the image was written to since', async () => {
    await vm.write([{ disk: 'disk0', kind: 'data', at: 0, length: MiB, value: 9 }])
    const { point, ctx, truth } = await series.open()
    await vm.killExports()
    const images = await series.read({ point, ctx, truth })
    expect(Buffer.compare(images.get('disk0') ?? new Uint8Array(), truth.get('disk0') ?? new Uint8Array())).toBe(0)
    await vm.killExports()
    await vm.write([{ disk: 'disk0', kind: 'data', at: 0, length: 512, value: 8 }])
    await expect(driver.openReader(ctx, point, 'disk0' as DiskKey)).rejects.toMatchObject({ code: 'PointBroken' })
    expect(await driver.checkPoint(ctx, point)).toMatchObject({ status: 'broken' })
    expect((await driver.abortPoint(ctx, vm.ref, point)).residue).toEqual([])
  })
})

describe('ownership', () => {
  test('lists what a killed round left and removes it; what is foreign, and the reference, stay', async () => {
    const foreign = await vm.plantForeign()
    await series.round()
    const references = (await vm.references()).toSorted()
    const { ctx } = await series.open()
    const isNew = (o: OwnedObject): boolean => !references.some((name) => o.id.endsWith(`/${name}`))
    const owned = (await Array.fromAsync(driver.listOwned(ctx))).filter(isNew)
    expect(owned.map((o) => o.kind).toSorted()).toEqual(['bitmap', 'bitmap', 'bitmap', 'bitmap', 'process', 'process'])
    const processesFirst = owned.toSorted((a, b) => (a.kind < b.kind ? 1 : -1))
    for (let twice = 0; twice < 2; twice++) for (const object of processesFirst) await driver.removeOwned(ctx, object)
    expect(await vm.leftovers()).toEqual([])
    expect((await vm.references()).toSorted()).toEqual(references)
    await foreign()
    expect(reasons(await series.round())).toEqual([null, null])
  })

  test('of two rounds on two VMs of one endpoint, one does not end the other', async () => {
    await mkdir(join(vm.root, 'db'))
    await vm.img('create', '-f', 'qcow2', join(vm.root, 'db', 'disk0.qcow2'), String(MiB))
    const db: VmRef = { ...vm.ref, id: 'db', name: 'db' }
    const { point, ctx } = await series.open()
    const id = newPoint()
    const other = { ...contextFor(db, id), opKey: opKeyFor(ctx.installation, db, id) }
    await driver.openPoint(other, db, {
      ...series.request(id),
      disks: [{ disk: 'disk0' as DiskKey, since: null, full: null }],
    })
    await driver.abortPoint(other, db, null)
    expect(await vm.leftovers()).toHaveLength(6)
    await driver.abortPoint(ctx, vm.ref, point)
  })
})

describe('discovery', () => {
  test('finds folders of images, folders with a description, and descriptions beside images', async () => {
    const description = { v: 1, name: 'Described VM', disks: [{ key: 'scsi0:1', file: 'a.qcow2', format: 'qcow2' }] }
    for (const folder of ['described', 'empty', 'wrong']) await mkdir(join(vm.root, folder))
    await writeFile(join(vm.root, 'described', 'image.json'), JSON.stringify(description))
    await copyFile(vm.file('disk0'), join(vm.root, 'described', 'a.qcow2'))
    const beside = { ...description, name: 'beside', disks: [{ key: 'd', file: 'web/disk1.qcow2', format: 'qcow2' }] }
    await writeFile(join(vm.root, 'beside.json'), JSON.stringify(beside))
    await writeFile(join(vm.root, 'wrong', 'image.json'), '{')
    const ctx = contextFor(vm.ref, newPoint())
    const found = await Array.fromAsync(driver.discover(ctx))
    expect(
      found.map((f) => [f.vm.id, f.vm.name, f.disks.map((d) => d.key), f.findings.map((x) => x.severity)]),
    ).toEqual([
      ['beside', 'beside', ['d'], []],
      ['described', 'Described VM', ['scsi0:1'], []],
      ['web', 'web', ['disk0', 'disk1'], []],
      ['wrong', 'wrong', [], ['blocking']],
    ])
    expect((await Array.fromAsync(driver.discover(ctx, ['described']))).map((f) => f.vm.id)).toEqual(['described'])
  })
})

test('a restore into qcow2 and raw is equal by qemu-img, and as sparse as the original', async () => {
  await vm.write([
    { disk: 'disk0', kind: 'data', at: 5 * MiB, length: 3 * MiB, value: 0x41 },
    { disk: 'disk1', kind: 'data', at: 9 * MiB + 33 * 1024, length: 512, value: 0x42 },
  ])
  const portable: PortableVm = {
    v: 1,
    name: 'web',
    vcpus: 2,
    memory: bytes(512 * MiB),
    firmware: 'bios',
    tpm: false,
    clock: 'utc',
    nics: [],
    disks: vm.disks.map(({ key, size }, n) => ({
      key,
      size: bytes(size),
      sectorSize: 512,
      bus: 'virtio',
      bootOrder: n === 0 ? 0 : null,
    })),
    guest: { family: 'linux', hint: null },
  }
  const spec: TargetSpec = {
    place: { kind: 'new', name: 'web restored', host: null, folder: null },
    vm: portable,
    nativeConfigRef: null,
    identity: 'new',
    networks: {},
    disks: [
      { key: 'disk0' as DiskKey, storage: 'qcow2', thin: true },
      { key: 'disk1' as DiskKey, storage: 'raw', thin: true },
    ],
  }
  const target = driver.target as RestoreTarget
  const { point, ctx, truth } = await series.open()
  const made = await target.create(ctx, spec, null)
  for (const key of keys()) {
    await using writer = await target.openWriter(ctx, made, key)
    for (const { offset, length, kind } of await extentsOf(driver, ctx, point, key))
      if (kind === 'data')
        await writer.write(offset, (truth.get(key) ?? new Uint8Array()).subarray(offset, offset + length))
    await writer.finish()
  }
  await driver.abortPoint(ctx, vm.ref, point)
  await target.finalize(ctx, made)
  await target.handOver(ctx, made)
  const dir = join(vm.root, 'web restored')
  for (const [key, format] of [
    ['disk0', 'qcow2'],
    ['disk1', 'raw'],
  ] as const) {
    const restored = { file: join(dir, `${key}.${format}`), format }
    expect(await compareImages({ file: vm.file(key), format: 'qcow2' }, restored)).toMatchObject({ identical: true })
  }
  const { out } = await runProgram('du', ['-k', join(dir, 'disk0.qcow2')])
  expect(Number.parseInt(out)).toBeLessThan(4 * 1024)
  expect(await vm.leftovers()).toEqual([])
})

function reasons({ point }: Opened): (MustFullReason | null)[] {
  return point.disks.map((d) => (d.mode === 'full' ? d.why : null))
}
function recordOf(disk: string): string {
  return series.refs.get(disk)?.token ?? ''
}
/** The series seen through the driver that is going to die. */
function viewOf(of: Series, dying: HypervisorDriver): Series {
  const view = new Series(of.vm, dying, of.tracker)
  for (const [key, ref] of of.refs) view.refs.set(key, ref)
  return view
}

/** Runs `body` once for every effect after which the process can die, until a call ends before it would have died. */
async function everyCut(
  body: (dying: HypervisorDriver, died: (work: () => Promise<unknown>) => Promise<void>) => Promise<void>,
): Promise<void> {
  for (const k of places(3)) {
    let more = true
    const cut = new CutAfter(k)
    await body(openImage(vm.endpoint, cut), async (work) => {
      const [result] = await Promise.allSettled([work()])
      if (result.status === 'rejected') expect(result.reason).toBeInstanceOf(ProcessDied)
      more = cut.isDead
    })
    if (more) continue
    expect(k).toBeGreaterThan(5)
    return
  }
}
