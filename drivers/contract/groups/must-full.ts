import { expect } from 'vitest'
import { KiB, MiB, bytes } from '../../../base/index.ts'
import type { HypervisorDriver } from '../../driver.ts'
import { bitmapNames } from '../../names.ts'
import type { ChangeRef, MustFullReason, PointInTime } from '../../values.ts'
import type { ContractVm } from '../rig.ts'
import { Series, contextFor, extentsOf, installation, newPoint } from '../series.ts'
import type { Bench } from '../suite.ts'
import { first, someWrites } from './shared.ts'

/** A reason for the first disk, that of the second being another; the next round is incremental again. */
interface Case {
  readonly number: string
  readonly title: string
  readonly prepare: (vm: ContractVm, series: Series) => Promise<void>
  readonly first: MustFullReason | null
  readonly second: MustFullReason | null
}

const lostInMemory = 'reference-missing' as const

const cases: readonly Case[] = [
  {
    number: '16a',
    title: 'a clean end of the VM keeps what is stored in the disk, and loses what is in memory',
    prepare: (vm) => vm.restart('clean'),
    first: null,
    second: lostInMemory,
  },
  {
    number: '16b',
    title: 'a crash loses a tracker that was never stored',
    prepare: (vm) => vm.restart('crash'),
    first: 'reference-missing',
    second: lostInMemory,
  },
  {
    number: '16c',
    title: 'a crash makes a tracker inconsistent that had been stored before',
    prepare: async (vm) => {
      await vm.restart('clean')
      await vm.restart('crash')
    },
    first: 'reference-inconsistent',
    second: lostInMemory,
  },
  {
    number: '16d',
    title: 'another volume behind the same key',
    prepare: async (vm) => {
      await vm.stop()
      await vm.replaceVolume(first(vm).key)
      await vm.start()
    },
    first: 'volume-changed',
    second: lostInMemory,
  },
  {
    number: '16e',
    title: 'grown',
    prepare: (vm) => vm.resize(first(vm).key, first(vm).size + 4 * MiB),
    first: 'size-changed',
    second: null,
  },
  {
    number: '16f',
    title: 'shrunk and grown back, which leaves no other trace',
    prepare: async (vm) => {
      const { key, size } = first(vm)
      await vm.resize(key, size - 8 * MiB)
      await vm.resize(key, size)
    },
    first: 'size-changed',
    second: null,
  },
  {
    number: '16g',
    title: 'an overlay put on top by somebody else',
    prepare: async (vm) => {
      await vm.overlay(first(vm).key)
      await vm.write(someWrites(vm, 77))
    },
    first: 'foreign-snapshot',
    second: null,
  },
]

export function mustFullGroup({ check }: Bench): void {
  for (const c of cases)
    check(c.number, `${c.title}: the right reason, only that disk, and the right bytes`, async (vm, driver) => {
      const series = new Series(vm, driver)
      await vm.write([...someWrites(vm, 1), tail(vm)])
      await series.round()
      await vm.write(someWrites(vm, 2))
      await c.prepare(vm, series)
      const { point } = await series.round()
      expect(reasons(point)).toEqual([c.first, c.second])
      await vm.write(someWrites(vm, 3))
      expect(reasons((await series.round()).point)).toEqual([null, null])
    })

  check('16h', 'a reference that names another point, tracker or volume is not believed', async (vm, driver) => {
    const series = new Series(vm, driver)
    await series.round()
    const ctx = contextFor(vm.ref, newPoint())
    const good = series.refs.get(first(vm).key)
    if (!good) throw new Error('the round gave no reference')
    const other = newPoint()
    const reference = async (change: Partial<ChangeRef>): Promise<MustFullReason | null | undefined> => {
      const request = series.request(newPoint())
      const disks = request.disks.map((d) => (d.disk === first(vm).key ? { ...d, since: { ...good, ...change } } : d))
      return (await driver.preflight(ctx, vm.ref, { ...request, disks })).disks[0]?.why
    }
    expect(await reference({})).toBeNull()
    const token = bitmapNames(installation, series.tracker, other).record
    expect(await reference({ point: other, token })).toBe('reference-of-another-point')
    expect(await reference({ token })).toBe('reference-of-another-point')
    expect(await reference({ size: bytes(good.size + 512) })).toBe('size-changed')
    expect(await reference({ volume: 'another' })).toBe('volume-changed')
    expect(await reference({ epoch: 'another' })).toBe('epoch-changed')
  })

  check('16i', 'an older head of the repository: full, and nothing is lost', async (vm, driver) => {
    const series = new Series(vm, driver)
    await series.round()
    const [refs, content] = [new Map(series.refs), new Map(series.content)]
    await vm.write(someWrites(vm, 1))
    await series.round()
    for (const [key, ref] of refs) series.refs.set(key, ref)
    for (const [key, image] of content) series.content.set(key, image)
    expect(reasons((await series.round()).point)).toEqual(['reference-of-another-point', 'reference-of-another-point'])
  })

  check('17', 'a new disk in the middle of a series is full, the others are incremental', async (vm, driver) => {
    const series = new Series(vm, driver)
    await vm.write(someWrites(vm, 1))
    await series.round()
    await vm.stop()
    await vm.addDisk()
    await vm.start()
    await vm.write(someWrites(vm, 2))
    const { point } = await series.round()
    expect(reasons(point)[0]).toBeNull()
    expect(reasons(point).at(-1)).toBe('no-parent')
  })

  check('18', 'a failed full leaves the old reference usable', async (vm, driver) => {
    const series = new Series(vm, driver)
    await series.round()
    await vm.write(someWrites(vm, 1))
    const failed = await series.round({
      request: { full: 'full-interval' },
      end: 'abort',
      during: () => vm.write(someWrites(vm, 2)),
    })
    expect(reasons(failed.point)).toEqual(['full-interval', 'full-interval'])
    expect(reasons((await series.round()).point)).toEqual([null, null])
  })

  check('19', 'two series on one VM do not disturb each other', async (vm, driver) => {
    const [a, b] = [new Series(vm, driver, 'plan a'), new Series(vm, driver, 'plan b')]
    await series3(vm, a, b)
    expect(reasons((await a.round()).point)).toEqual([null, null])
    expect(reasons((await b.round()).point)).toEqual([null, null])
  })

  check('16j', 'a disk switched to audit reads everywhere and still tells what changed', async (vm, driver) => {
    const series = new Series(vm, driver)
    await vm.write(someWrites(vm, 1))
    await series.round()
    await vm.write([{ disk: first(vm).key, kind: 'data', at: MiB, length: 4 * KiB, value: 3 }])
    const { point, ctx, truth } = await series.open({ audit: true })
    const { key } = first(vm)
    const disk = point.disks[0]
    expect([disk?.mode, disk?.readable]).toEqual(['incremental', 'all'])
    const extents = await extentsOf(driver, ctx, point, key)
    expect(extents.length).toBeGreaterThan(0)
    await readsUnchanged(driver, { point, ctx }, key, truth.get(key))
    await driver.abortPoint(ctx, vm.ref, null)
  })
}

async function series3(vm: ContractVm, a: Series, b: Series): Promise<void> {
  await vm.write(someWrites(vm, 1))
  await a.round()
  await vm.write(someWrites(vm, 2))
  await b.round()
  await vm.write(someWrites(vm, 3))
  await a.round({ end: 'abort' })
  await vm.write(someWrites(vm, 4))
}

async function readsUnchanged(
  driver: HypervisorDriver,
  at: { readonly point: PointInTime; readonly ctx: ReturnType<typeof contextFor> },
  key: ContractVm['disks'][number]['key'],
  truth: Uint8Array | undefined,
): Promise<void> {
  await using reader = await driver.openReader(at.ctx, at.point, key)
  const into = new Uint8Array(reader.size)
  for (let offset = 0; offset < into.length; offset += MiB)
    await reader.read(bytes(offset), into.subarray(offset, offset + MiB))
  expect(Buffer.compare(into, truth ?? new Uint8Array())).toBe(0)
}

/** Something at the very end: what shrinking takes away. */
function tail(vm: ContractVm): { disk: string; kind: 'data'; at: number; length: number; value: number } {
  const { key, size } = first(vm)
  return { disk: key, kind: 'data', at: size - 64 * KiB, length: 64 * KiB, value: 0x77 }
}

export function reasons(point: PointInTime): (MustFullReason | null)[] {
  return point.disks.map((d) => (d.mode === 'full' ? d.why : null))
}
