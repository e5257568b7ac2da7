import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { copyFile, cp, mkdir, mkdtemp, open, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { MiB, bytes, instant, millis } from '../../base/index.ts'
import { compareImages } from '../../lab/compare.ts'
import { bitmapNames, opKeyFor } from '../names.ts'
import { direct, type Effects } from '../qemu/effects.ts'
import { runProgram } from '../transport/index.ts'
import type { OpContext } from '../driver.ts'
import type { TargetSpec } from '../facets.ts'
import type {
  ChangeRef,
  DiskKey,
  Endpoint,
  EndpointId,
  PointId,
  PointInTime,
  PointRequest,
  PortableVm,
  TrackerId,
  VmFacts,
  VmRef,
} from '../values.ts'
import { openImageDriver } from './index.ts'

const installation = 'abcdef'
const tracker = 'vm × plan' as TrackerId
const keys = ['disk0', 'disk1'] as const
// Neither is a multiple of 1 MiB, the second not of the bitmap's 64 KiB either.
const sizes = { disk0: 24 * MiB + 64 * 1024, disk1: 9 * MiB + 33 * 1024 + 512 } as const
const pointId = (n: number): PointId => n.toString(16).padStart(32, '0') as PointId

let root: string
let endpoint: Endpoint
let vm: VmRef
const warnings: string[] = []

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'hf-image-'))
  endpoint = {
    id: 'images' as EndpointId,
    platform: 'image',
    address: root,
    credentialRef: '',
    identity: null,
    options: { scope: 'f81d4fae-7dec-11d0-a765-00a0c91e6bf6' },
  }
  vm = { platform: 'image', endpoint: endpoint.id, scope: String(endpoint.options['scope']), id: 'web', name: 'web' }
  await mkdir(join(root, 'web'))
  await qemuImg('create', '-f', 'qcow2', image('disk0'), String(sizes.disk0))
  await qemuImg('create', '-f', 'qcow2', image('disk1'), String(sizes.disk1))
  warnings.length = 0
})
afterEach(async () => {
  // What a test leaves running would keep the images locked and outlive the suite.
  for (const file of existsSync(join(root, '.holdfast'))
    ? await readdir(join(root, '.holdfast'), { recursive: true })
    : [])
    if (file.endsWith('.pid')) await end(Number(await readFile(join(root, '.holdfast', file), 'utf8')))
  await rm(root, { recursive: true, force: true })
})

describe('a round', () => {
  test('of full and incremental points gives back every byte, through writes, zeros, discards and failed rounds', async () => {
    const seed = Number(process.env['HOLDFAST_SEED'] ?? Date.now() % 100_000)
    console.log(`seed ${seed}`)
    const random = generator(seed)
    const rebuilt = new Map<string, Buffer>()
    const heads = new Map<string, ChangeRef>()
    for (let n = 1; n <= 10; n++) {
      for (let i = 0; i < 6; i++) await randomWrite(random)
      const failed = n === 3 || n === 7
      const point = await openPoint(n, { since: heads })
      for (const key of keys) expect(diskOf(point, key).mode).toBe(heads.has(key) ? 'incremental' : 'full')
      const now = new Map<string, Buffer>()
      for (const key of keys) now.set(key, await apply(point, key, rebuilt.get(key)))
      expect(await driver().checkPoint(context(n), point)).toEqual({ status: 'intact' })
      if (failed) expect((await driver().abortPoint(context(n), vm, point)).residue).toEqual([])
      else {
        expect((await driver().commitPoint(context(n), point, keys.map(diskKey))).residue).toEqual([])
        for (const disk of point.disks) if (disk.next) heads.set(disk.disk.key, disk.next)
        for (const key of keys) {
          rebuilt.set(key, now.get(key) as Buffer)
          await expectSame(now.get(key) as Buffer, key)
        }
      }
    }
    // Steady state: per disk one record and its tail mark, no process, no file.
    for (const key of keys) expect(await bitmapsOf(key)).toHaveLength(2)
    expect(await filesLeft()).toEqual([])
  }, 300_000)

  test('reports a discarded or zeroed range as zeros, so that old bytes do not come back', async () => {
    await write('disk0', 0, 4 * MiB, 7)
    const first = await committed(1)
    await qemuIo('disk0', `write -z -u ${MiB} ${MiB}`)
    await qemuIo('disk0', `discard ${3 * MiB} 65536`)
    const second = await openPoint(2, { since: first })
    expect(await extents(second, 'disk0')).toEqual([
      { offset: MiB, length: MiB, kind: 'zero' },
      { offset: 3 * MiB, length: 65536, kind: 'zero' },
    ])
    await driver().abortPoint(context(2), vm, second)
  })

  test('answers a part of the disk as the same part of the whole', async () => {
    for (const at of [0, 3, 4, 11]) await write('disk0', at * MiB + 512, 4096, 5)
    const first = await committed(1)
    for (const at of [1, 4, 9, 20]) await write('disk0', at * MiB + 100 * 512, 70_000 - (70_000 % 512), 6)
    const point = await openPoint(2, { since: first })
    const whole = await extents(point, 'disk0')
    const parts = []
    for (let at = 0; at < sizes.disk0; at += 5 * MiB)
      parts.push(...(await extents(point, 'disk0', at, Math.min(sizes.disk0, at + 5 * MiB))))
    const covered = (list: typeof whole): number[] =>
      list.flatMap((e) => Array.from({ length: e.length / 512 }, (_, i) => e.offset / 512 + i))
    expect(covered(parts)).toEqual(covered(whole))
    await driver().abortPoint(context(2), vm, point)
  })
})

describe('a full instead of an incremental', () => {
  const cases: readonly (readonly [string, (since: Map<string, ChangeRef>) => Promise<void>, string])[] = [
    ['no bitmap any more', async () => removeBitmaps('disk0'), 'reference-missing'],
    ['the image was replaced by a copy', async () => replaceByCopy('disk0'), 'volume-changed'],
    ['the image grew', async () => qemuImg('resize', '-f', 'qcow2', image('disk0'), '+1M'), 'size-changed'],
    [
      'the image shrank and grew back, which drops the bits without a trace',
      async () => {
        await qemuImg('resize', '--shrink', '-f', 'qcow2', image('disk0'), String(10 * MiB))
        await qemuImg('resize', '-f', 'qcow2', image('disk0'), String(sizes.disk0))
      },
      'size-changed',
    ],
    ['a writer was killed and left the bitmap in use', async () => killWriter('disk0'), 'reference-inconsistent'],
    [
      'the repository has another point',
      async (since) =>
        void since.set('disk0', {
          ...(since.get('disk0') as ChangeRef),
          point: pointId(9),
          token: bitmapNames(installation, tracker, pointId(9)).record,
        }),
      'reference-of-another-point',
    ],
  ]
  test.each(cases)('when %s: that disk alone, with the reason', async (_name, happen, why) => {
    const since = await committed(1)
    await happen(since)
    const preflight = await driver().preflight(context(2), vm, request(2, { since }))
    const point = await openPoint(2, { since })
    expect(diskOf(point, 'disk0')).toMatchObject({ mode: 'full', why })
    expect(diskOf(point, 'disk1')).toMatchObject({ mode: 'incremental', why: null })
    expect(preflight.disks.map((d) => [d.mode, d.why])).toEqual(point.disks.map((d) => [d.mode, d.why]))
    await expectSame(await apply(point, 'disk0', undefined), 'disk0')
    await driver().commitPoint(context(2), point, keys.map(diskKey))
    // And the next one is incremental again, with nothing old left.
    const third = await openPoint(3, { since: refsOf(point) })
    expect(third.disks.map((d) => d.mode)).toEqual(['incremental', 'incremental'])
    await driver().abortPoint(context(3), vm, third)
    expect(await bitmapsOf('disk0')).toHaveLength(2)
  })

  test('of a raw image each time, because it keeps no bitmaps', async () => {
    await qemuImg('create', '-f', 'raw', join(root, 'web', 'disk2.raw'), String(5 * MiB + 512))
    const point = await openPoint(1, { disks: ['disk2'] })
    expect(point.disks[0]).toMatchObject({ mode: 'full', why: 'tracking-unsupported', next: null })
    await driver().abortPoint(context(1), vm, point)
  })
})

describe('an image that somebody else has open', () => {
  test('is refused, and found out before', async () => {
    await using _writer = await openWriter('disk0')
    await expect(openPoint(1)).rejects.toMatchObject({ code: 'Busy' })
    const { findings } = await driver().preflight(context(1), vm, request(1))
    expect(findings).toContainEqual(
      expect.objectContaining({ code: 'disk-in-use', severity: 'blocking', disk: 'disk0' }),
    )
    expect((await facts())[0]).toMatchObject({
      power: 'unknown',
      disks: [{ key: 'disk0', size: sizes.disk0 }, { key: 'disk1' }],
    })
    expect(await filesLeft()).toEqual([])
  })

  test('cannot be opened by a writer while its point is open', async () => {
    const point = await openPoint(1)
    await expect(qemuIo('disk0', 'write 0 512')).rejects.toThrow(/lock/)
    await driver().abortPoint(context(1), vm, point)
    await qemuIo('disk0', 'write 0 512')
  })

  test('breaks the point of a raw image, which no lock protects', async () => {
    const raw = join(root, 'web', 'disk2.raw')
    await qemuImg('create', '-f', 'raw', raw, String(MiB))
    const point = await openPoint(1, { disks: ['disk2'] })
    expect(await driver().checkPoint(context(1), point)).toEqual({ status: 'intact' })
    const handle = await open(raw, 'r+')
    await handle.write(Buffer.alloc(512, 1), 0, 512, 512)
    await handle.close()
    expect(await driver().checkPoint(context(1), point)).toMatchObject({ status: 'broken' })
    await driver().abortPoint(context(1), vm, point)
  })
})

describe('after a crash', () => {
  test('at any effect of openPoint, the next attempt makes the point, and nothing is there twice', async () => {
    await write('disk0', 0, MiB, 1)
    const since = await committed(1)
    await write('disk1', MiB, MiB, 2)
    for (let k = 1; ; k++) {
      const dying = dieAt(k)
      const died = await attempt(() =>
        openImageDriver(endpoint, dying.effects).openPoint(context(2), vm, request(2, { since })),
      )
      if (!died) {
        expect(k).toBeGreaterThan(6)
        break
      }
      const point = await openPoint(2, { since })
      expect(point.disks.map((d) => d.mode)).toEqual(['incremental', 'incremental'])
      expect(await extents(point, 'disk1')).toEqual([{ offset: MiB, length: MiB, kind: 'data' }])
      expect((await bitmapsOf('disk0')).sort()).toEqual([...namesOf(1), ...namesOf(2)].sort())
      await driver().abortPoint(context(2), vm, null)
    }
    await driver().abortPoint(context(2), vm, null)
    expect(await filesLeft()).toEqual([])
  }, 180_000)

  test('at any effect of openPoint, abortPoint from the opKey alone leaves the reference and nothing else', async () => {
    const since = await committed(1)
    await write('disk0', 2 * MiB, MiB, 3)
    for (
      let k = 1;
      await attempt(() => openImageDriver(endpoint, dieAt(k).effects).openPoint(context(2), vm, request(2, { since })));
      k++
    ) {
      expect((await driver().abortPoint(context(2), vm, null)).residue).toEqual([])
      expect(await filesLeft()).toEqual([])
      for (const key of keys) expect((await bitmapsOf(key)).sort()).toEqual(namesOf(1).sort())
    }
    await driver().abortPoint(context(2), vm, null)
    const point = await openPoint(3, { since })
    expect(await extents(point, 'disk0')).toEqual([{ offset: 2 * MiB, length: MiB, kind: 'data' }])
    await driver().abortPoint(context(3), vm, point)
  }, 180_000)

  test('at any effect of commitPoint, repeated, the next point is incremental to it', async () => {
    let since = await committed(1)
    for (let n = 2, k = 1; ; n++, k++) {
      await write('disk0', n * 65536, 512, n)
      const point = await openPoint(n, { since })
      const dying = openImageDriver(endpoint, dieAt(k).effects)
      const died = await attempt(() => dying.commitPoint(context(n), point, keys.map(diskKey)))
      if (died) expect((await driver().commitPoint(context(n), point, keys.map(diskKey))).residue).toEqual([])
      since = refsOf(point)
      for (const key of keys) expect((await bitmapsOf(key)).sort()).toEqual(namesOf(n).sort())
      if (!died) break
    }
  }, 180_000)

  test('between storing and committing, the next round goes on from the stored point', async () => {
    const first = await committed(1)
    await write('disk0', 0, 512, 1)
    const lost = await openPoint(2, { since: first })
    // Stored, never committed: the exports are still there, as after a kill -9.
    await endExports()
    await write('disk0', 5 * MiB, 512, 2)
    const next = await openPoint(3, { since: refsOf(lost) })
    const changed = await extents(next, 'disk0')
    expect(changed[0]).toMatchObject({ offset: 5 * MiB, kind: 'data' })
    expect(changed.reduce((sum, e) => sum + e.length, 0)).toBe(65536)
    await driver().abortPoint(context(3), vm, next)
  })

  test('of qemu-nbd the export is started anew, unless the image was written to since', async () => {
    await write('disk0', 0, MiB, 9)
    const point = await openPoint(1)
    await endExports()
    expect((await apply(point, 'disk0', undefined)).subarray(0, 4)).toEqual(Buffer.from([9, 9, 9, 9]))
    await endExports()
    await write('disk0', 0, 512, 8)
    await expect(driver().openReader(context(1), point, diskKey('disk0'))).rejects.toMatchObject({
      code: 'PointBroken',
    })
    expect(await driver().checkPoint(context(1), point)).toMatchObject({ status: 'broken' })
    expect((await driver().abortPoint(context(1), vm, point)).residue).toEqual([])
  })
})

describe('ownership', () => {
  test('is taken once and stays; the round of another installation is refused with the owner’s name', async () => {
    const mark = (name: string): { installation: string; name: string; since: ReturnType<typeof instant> } => ({
      installation: name,
      name,
      since: instant(0),
    })
    expect(await driver().claim(context(1), vm, mark('other'))).toMatchObject({ ours: true })
    expect(await driver().claim(context(1), vm, mark(installation))).toMatchObject({
      ours: false,
      owner: { name: 'other' },
    })
    await expect(openPoint(1)).rejects.toMatchObject({ code: 'ForeignOwner' })
  })

  test('lists what a killed round left and removes it; what is foreign stays', async () => {
    await qemuImg('bitmap', '--add', '-f', 'qcow2', image('disk0'), 'somebody-else')
    const other = openImageDriver(endpoint)
    const foreign = { ...context(5), installation: 'zzzzzz', opKey: opKeyFor('zzzzzz', vm, pointId(5)) }
    await other.openPoint(foreign, vm, request(5, { disks: ['disk1'] }))
    await openPoint(1, { disks: ['disk0'] })
    const owned = await Array.fromAsync(driver().listOwned(context(1)))
    expect(owned.map((o) => o.kind).sort()).toEqual(['bitmap', 'bitmap', 'process'])
    for (const object of owned.sort((a, b) => (a.kind < b.kind ? 1 : -1)))
      await driver().removeOwned(context(1), object)
    expect(await bitmapsOf('disk0')).toEqual(['somebody-else'])
    expect(await Array.fromAsync(driver().listOwned(context(1)))).toEqual([])
    const theirs = await Array.fromAsync(other.listOwned(foreign))
    expect(theirs.map((o) => o.kind).sort()).toEqual(['bitmap', 'bitmap', 'process'])
    await expect(driver().removeOwned(context(1), theirs[0] as (typeof theirs)[0])).rejects.toMatchObject({
      code: 'NotOurs',
    })
    await other.abortPoint(foreign, vm, null)
  })

  test('of two rounds on two VMs of one endpoint, one does not end the other', async () => {
    await mkdir(join(root, 'db'))
    await qemuImg('create', '-f', 'qcow2', join(root, 'db', 'disk0.qcow2'), String(MiB))
    const db: VmRef = { ...vm, id: 'db', name: 'db' }
    const first = await openPoint(1)
    const ctx = { ...context(2), opKey: opKeyFor(installation, db, pointId(2)) }
    await driver().openPoint(ctx, db, request(2, { disks: ['disk0'] }))
    await using _reader = await driver().openReader(context(1), first, diskKey('disk0'))
    await driver().abortPoint(ctx, db, null)
    await driver().abortPoint(context(1), vm, null)
  })
})

describe('discovery', () => {
  test('finds folders of images, folders with a description, and descriptions beside images', async () => {
    await mkdir(join(root, 'described'))
    const description = { v: 1, name: 'Described VM', disks: [{ key: 'scsi0:1', file: 'a.qcow2', format: 'qcow2' }] }
    await writeFile(join(root, 'described', 'image.json'), JSON.stringify(description))
    await copyFile(image('disk0'), join(root, 'described', 'a.qcow2'))
    await writeFile(
      join(root, 'beside.json'),
      JSON.stringify({
        ...description,
        name: 'beside',
        disks: [{ key: 'd', file: 'web/disk1.qcow2', format: 'qcow2' }],
      }),
    )
    await mkdir(join(root, 'empty'))
    await mkdir(join(root, 'wrong'))
    await writeFile(join(root, 'wrong', 'image.json'), '{')
    const found = await facts()
    expect(
      found.map((f) => [f.vm.id, f.vm.name, f.disks.map((d) => d.key), f.findings.map((x) => x.severity)]),
    ).toEqual([
      ['beside', 'beside', ['d'], []],
      ['described', 'Described VM', ['scsi0:1'], []],
      ['web', 'web', ['disk0', 'disk1'], []],
      ['wrong', 'wrong', [], ['blocking']],
    ])
    expect(found[2]?.disks.map((d) => d.size)).toEqual([sizes.disk0, sizes.disk1])
    expect((await Array.fromAsync(driver().discover(context(1), ['described']))).map((f) => f.vm.id)).toEqual([
      'described',
    ])
  })
})

describe('a restore', () => {
  const portable: PortableVm = {
    v: 1,
    name: 'web',
    vcpus: 2,
    memory: bytes(512 * MiB),
    firmware: 'bios',
    tpm: false,
    clock: 'utc',
    disks: keys.map((key, n) => ({
      key: diskKey(key),
      size: bytes(sizes[key]),
      sectorSize: 512,
      bus: 'virtio',
      bootOrder: n === 0 ? 0 : null,
    })),
    nics: [],
    guest: { family: 'linux', hint: null },
  }
  const spec: TargetSpec = {
    place: { kind: 'new', name: 'web restored', host: null, folder: null },
    vm: portable,
    nativeConfigRef: null,
    identity: 'new',
    networks: {},
    disks: [
      { key: diskKey('disk0'), storage: 'qcow2', thin: true },
      { key: diskKey('disk1'), storage: 'raw', thin: true },
    ],
  }

  test('gives new images with the bytes of the point, as sparse as they were, under their name only when finished', async () => {
    await write('disk0', 5 * MiB, 3 * MiB, 0x41)
    await write('disk1', sizes.disk1 - 512, 512, 0x42)
    const point = await openPoint(1)
    const { target } = driver()
    expect((await target.check(context(1), spec)).findings.filter((f) => f.severity === 'blocking')).toEqual([])
    const made = await target.create(context(1), spec)
    expect(await target.create(context(1), spec)).toEqual(made)
    expect((await facts()).map((f) => f.vm.id)).toEqual(['web'])
    for (const key of keys) {
      await using writer = await target.openWriter(context(1), made, diskKey(key))
      expect(writer.startsZero).toBe(true)
      const content = await apply(point, key, undefined)
      for (const extent of await extents(point, key))
        if (extent.kind === 'data')
          await writer.write(extent.offset, content.subarray(extent.offset, extent.offset + extent.length))
        else await writer.zero({ start: extent.offset, end: bytes(extent.offset + extent.length) })
      await writer.finish()
    }
    await driver().abortPoint(context(1), vm, point)
    const ref = await target.finalize(context(1), made)
    expect(await target.finalize(context(1), made)).toEqual(ref)
    const dir = join(root, 'web restored')
    expect(
      await compareImages(
        { file: image('disk0'), format: 'qcow2' },
        { file: join(dir, 'disk0.qcow2'), format: 'qcow2' },
      ),
    ).toMatchObject({ identical: true })
    expect(
      await compareImages({ file: image('disk1'), format: 'qcow2' }, { file: join(dir, 'disk1.raw'), format: 'raw' }),
    ).toMatchObject({ identical: true })
    const { out } = await runProgram('du', ['-k', join(dir, 'disk0.qcow2')])
    expect(Number.parseInt(out)).toBeLessThan(4 * 1024)
    expect((await facts()).find((f) => f.vm.id === 'web restored')?.tags).toEqual(['restored'])
    expect(await filesLeft()).toEqual([])
    await expect(target.create({ ...context(2) }, spec)).rejects.toMatchObject({ code: 'NameTaken' })
    expect((await target.destroy(context(1), made)).residue).toEqual([])
    expect(existsSync(dir)).toBe(false)
  })

  test('cut off at any effect is found and finished by the next attempt, or destroyed without a trace', async () => {
    for (let k = 1; ; k++) {
      const { target } = openImageDriver(endpoint, dieAt(k).effects)
      const died = await attempt(async () => target.finalize(context(1), await target.create(context(1), spec)))
      if (!died) break
      const made = await driver().target.create(context(1), spec)
      await driver().target.finalize(context(1), made)
      expect((await facts()).map((f) => f.vm.id)).toEqual(['web', 'web restored'])
      await driver().target.destroy(context(1), made)
      expect(await readdir(root)).not.toContain('web restored')
      await attempt(async () => openImageDriver(endpoint, dieAt(k).effects).target.create(context(1), spec))
      await driver().target.destroy(context(1), made)
      expect((await readdir(root)).filter((f) => f.includes('hf-'))).toEqual([])
    }
  })

  test('never destroys what carries no mark, or another one', async () => {
    const made = await driver().target.create(context(1), spec)
    await cp(join(root, 'web'), join(root, 'web restored'), { recursive: true })
    await expect(driver().target.finalize(context(1), made)).rejects.toMatchObject({ code: 'NameTaken' })
    await driver().target.destroy(context(1), { ...made, opKey: context(2).opKey })
    expect((await readdir(root)).sort()).toEqual(
      expect.arrayContaining(['web', 'web restored', `.${context(1).opKey}`]),
    )
    await expect(
      driver().target.openWriter(context(2), { ...made, opKey: context(2).opKey }, diskKey('disk0')),
    ).rejects.toMatchObject({ code: 'NotOurs' })
  })
})

// ── helpers ────────────────────────────────────────────────────────────────────────────────────────────────

function diskKey(key: string): DiskKey {
  return key as DiskKey
}
function driver(effects: Effects = direct): ReturnType<typeof openImageDriver> {
  return openImageDriver(endpoint, effects)
}
function context(n: number): OpContext {
  return {
    opKey: opKeyFor(installation, vm, pointId(n)),
    installation,
    signal: new AbortController().signal,
    progress: () => undefined,
    now: () => instant(Date.now()),
    log: { info: () => undefined, warn: (_o, message) => void warnings.push(message) },
  }
}
interface Wish {
  readonly since?: ReadonlyMap<string, ChangeRef>
  readonly disks?: readonly string[]
}
function request(n: number, { since = new Map(), disks = keys }: Wish = {}): PointRequest {
  return {
    pointId: pointId(n),
    tracker,
    want: 'crash',
    onQuiesceFailure: 'degrade',
    freezeLimit: millis(5_000),
    audit: false,
    hooks: [],
    disks: disks.map((key) => ({ disk: diskKey(key), since: since.get(key) ?? null, full: null })),
  }
}
function openPoint(n: number, wish?: Wish): Promise<PointInTime> {
  return driver().openPoint(context(n), vm, request(n, wish))
}
function diskOf(point: PointInTime, key: string): PointInTime['disks'][number] {
  return point.disks.find((d) => d.disk.key === key) as PointInTime['disks'][number]
}
function refsOf(point: PointInTime): Map<string, ChangeRef> {
  return new Map(point.disks.flatMap((d) => (d.next ? [[d.disk.key as string, d.next] as const] : [])))
}
async function committed(n: number, wish?: Wish): Promise<Map<string, ChangeRef>> {
  const point = await openPoint(n, wish)
  await driver().commitPoint(context(n), point, keys.map(diskKey))
  return refsOf(point)
}
async function facts(): Promise<VmFacts[]> {
  return await Array.fromAsync(driver().discover(context(1)))
}
async function extents(
  point: PointInTime,
  key: string,
  start = 0,
  end = sizes[key as keyof typeof sizes],
): Promise<{ offset: ReturnType<typeof bytes>; length: number; kind: string }[]> {
  const changed = await driver().changedExtents(context(1), point, diskKey(key), {
    start: bytes(start),
    end: bytes(end),
  })
  if (changed.status !== 'ok') throw new Error(changed.detail)
  return await Array.fromAsync(changed.extents)
}
/** The disk as a repository would rebuild it: the changed extents over the content of the parent. */
async function apply(point: PointInTime, key: string, parent: Buffer | undefined): Promise<Buffer> {
  const content = parent ? Buffer.from(parent) : Buffer.alloc(diskOf(point, key).disk.size, 0xee)
  await using reader = await driver().openReader(context(1), point, diskKey(key))
  for (const { offset, length, kind } of await extents(point, key, 0, content.length)) {
    const part = content.subarray(offset, offset + length)
    if (kind === 'zero') part.fill(0)
    else await reader.read(offset, part)
  }
  return content
}
async function expectSame(content: Buffer, key: string): Promise<void> {
  const file = join(root, `rebuilt-${key}`)
  await writeFile(file, content)
  expect(await compareImages({ file, format: 'raw' }, { file: image(key), format: 'qcow2' })).toMatchObject({
    identical: true,
  })
}

function image(key: string): string {
  return join(root, 'web', `${key}.qcow2`)
}
async function qemuImg(...args: readonly string[]): Promise<void> {
  await runProgram('qemu-img', args)
}
async function qemuIo(key: string, command: string): Promise<void> {
  const { out, err } = await runProgram('qemu-io', ['-f', 'qcow2', '-c', command, image(key)], { accept: [0, 1] })
  if (/failed|can't|error/i.test(out + err)) throw new Error(out + err)
}
function write(key: string, at: number, length: number, value: number): Promise<void> {
  return qemuIo(key, `write -P ${value} ${at} ${length}`)
}
async function randomWrite(random: (below: number) => number): Promise<void> {
  const key = keys[random(2)] as keyof typeof sizes
  const sectors = sizes[key] / 512
  const at = random(sectors - 1)
  const length = Math.min(sectors - at, random(4) === 0 ? 1 : 1 + random(2048))
  const range = `${at * 512} ${length * 512}`
  await qemuIo(
    key,
    [`write -P ${1 + random(255)} ${range}`, `write -z ${range}`, `write -z -u ${range}`, `discard ${range}`][
      random(4)
    ] as string,
  )
}
async function bitmapsOf(key: string): Promise<string[]> {
  const { out } = await runProgram('qemu-img', ['info', '-U', '--output=json', '-f', 'qcow2', image(key)])
  const info = JSON.parse(out) as { 'format-specific': { data: { bitmaps?: { name: string }[] } } }
  return (info['format-specific'].data.bitmaps ?? []).map((b) => b.name)
}
async function removeBitmaps(key: string): Promise<void> {
  for (const name of await bitmapsOf(key)) await qemuImg('bitmap', '--remove', '-f', 'qcow2', image(key), name)
}
async function replaceByCopy(key: string): Promise<void> {
  await copyFile(image(key), `${image(key)}.copy`)
  // Renamed, not copied back: a file made anew may get the inode of the one just removed.
  await rename(`${image(key)}.copy`, image(key))
}
function namesOf(n: number): string[] {
  const { record, tail } = bitmapNames(installation, tracker, pointId(n))
  return [record, tail]
}

/** A process that has the image open for writing. */
async function openWriter(key: string): Promise<AsyncDisposable & { readonly pid: number }> {
  const child = spawn('qemu-io', ['-f', 'qcow2', image(key)], { stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdin.write('write -P 3 0 512\n')
  await once(child.stdout, 'data')
  const exited = once(child, 'exit')
  return {
    pid: child.pid as number,
    [Symbol.asyncDispose]: async () => {
      child.stdin.end('quit\n')
      await exited
    },
  }
}
async function killWriter(key: string): Promise<void> {
  const writer = await openWriter(key)
  await end(writer.pid)
}
async function end(pid: number): Promise<void> {
  try {
    process.kill(pid, 'SIGKILL')
    // Until the kernel has let go of its locks.
    for (;;) {
      process.kill(pid, 0)
      const state = await readFile(`/proc/${pid}/stat`, 'utf8')
      if (/\) Z /.test(state)) return
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  } catch (error) {
    expect(['ESRCH', 'ENOENT']).toContain((error as NodeJS.ErrnoException).code)
  }
}
async function endExports(): Promise<void> {
  for (const file of await filesLeft())
    if (file.endsWith('.pid')) await end(Number(await readFile(join(root, '.holdfast', file), 'utf8')))
}
async function filesLeft(): Promise<string[]> {
  const dir = join(root, '.holdfast')
  if (!existsSync(dir)) return []
  const all = await readdir(dir, { recursive: true, withFileTypes: true })
  return all
    .filter((e) => !e.isDirectory() || e.name.startsWith('seed-'))
    .map((e) => join(e.parentPath.slice(dir.length + 1), e.name))
}

/** Ends the “process” after its k-th effect: every later one fails too, as after kill -9. */
function dieAt(k: number): { readonly effects: Effects } {
  let count = 0
  const died = (): Error => Object.assign(new Error(`died at effect ${k}`), { name: 'ProcessDied' })
  return {
    effects: {
      run: async (_what, effect) => {
        if (count >= k) throw died()
        count += 1
        const result = await effect()
        if (count >= k) throw died()
        return result
      },
      atDeath: () => () => undefined,
    },
  }
}
async function attempt(work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work()
    return false
  } catch (error) {
    if ((error as Error).name === 'ProcessDied') return true
    throw error
  }
}
/** mulberry32: small, seeded, good enough to choose places to write to. */
function generator(seed: number): (below: number) => number {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) % below
  }
}
