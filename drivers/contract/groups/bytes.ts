import { expect } from 'vitest'
import { KiB, MiB, bytes } from '../../../base/index.ts'
import type { GuestWrite } from '../rig.ts'
import { Series, expectSame, extentsOf } from '../series.ts'
import type { Bench } from '../suite.ts'
import { first, someWrites } from './shared.ts'

export function bytesGroup({ check }: Bench): void {
  check('7', 'a full equals the independent image, every disk and every byte', async (vm, driver) => {
    await vm.write(someWrites(vm, 1))
    const { point } = await new Series(vm, driver).round()
    expect(point.disks.map((d) => [d.mode, d.why])).toEqual(vm.disks.map(() => ['full', 'no-parent']))
  })

  check('9', 'changed and zero extents cover every true difference', async (vm, driver) => {
    const series = new Series(vm, driver)
    await vm.write(someWrites(vm, 1))
    await series.round()
    await vm.write(someWrites(vm, 2))
    const { point, ctx, truth } = await series.open()
    for (const { disk, mode } of point.disks) {
      expect(mode).toBe('incremental')
      const [was, is] = [series.content.get(disk.key), truth.get(disk.key)]
      const covered = new Uint8Array(disk.size)
      for (const e of await extentsOf(driver, ctx, point, disk.key)) covered.fill(1, e.offset, e.offset + e.length)
      expect(is?.findIndex((byte, i) => byte !== was?.[i] && covered[i] === 0)).toBe(-1)
      // And it is no full in disguise.
      expect(covered.reduce((n, c) => n + c, 0)).toBeLessThan(disk.size)
    }
    await driver.abortPoint(ctx, vm.ref, null)
  })

  check(
    '10',
    'extents are sorted, disjoint, merged and inside; a full is gap-free; split ranges give the same union',
    async (vm, driver) => {
      const series = new Series(vm, driver)
      for (const seed of [1, 2]) {
        await vm.write(someWrites(vm, seed))
        const { point, ctx } = await series.open()
        for (const { disk, mode } of point.disks) {
          const whole = await extentsOf(driver, ctx, point, disk.key)
          let end = 0
          let kind = ''
          for (const e of whole) {
            expect(e.length).toBeGreaterThan(0)
            expect(e.offset).toBeGreaterThanOrEqual(end)
            if (mode === 'full') expect(e.offset).toBe(end)
            if (e.offset === end) expect(e.kind).not.toBe(kind)
            ;[end, kind] = [e.offset + e.length, e.kind]
          }
          expect(end).toBeLessThanOrEqual(disk.size)
          if (mode === 'full') expect(end).toBe(disk.size)
          const cuts = [0, 512, 100 * KiB + 512, 3 * MiB + 7 * 512, disk.size]
          const map = new Uint8Array(disk.size)
          const again = new Uint8Array(disk.size)
          const paint = (on: Uint8Array, list: typeof whole): void => {
            for (const e of list) on.fill(e.kind === 'zero' ? 1 : 2, e.offset, e.offset + e.length)
          }
          paint(map, whole)
          for (const [i, start] of cuts.slice(0, -1).entries()) {
            const range = { start: bytes(start), end: bytes(cuts[i + 1] ?? disk.size) }
            const part = await extentsOf(driver, ctx, point, disk.key, range)
            for (const e of part) {
              expect(e.offset).toBeGreaterThanOrEqual(range.start)
              expect(e.offset + e.length).toBeLessThanOrEqual(range.end)
            }
            paint(again, part)
          }
          expectSame(again, map, `disk ${disk.key}: union of split ranges`)
        }
        const images = await series.read({ point, ctx, truth: new Map() })
        series.store(
          { point, ctx, truth: new Map() },
          images,
          vm.disks.map((d) => d.key),
        )
        await driver.commitPoint(
          ctx,
          point,
          vm.disks.map((d) => d.key),
        )
      }
    },
  )

  check(
    '11',
    'data that became zero, or was discarded, is a zero extent and comes back as zeros',
    async (vm, driver) => {
      const series = new Series(vm, driver)
      const { key } = first(vm)
      const region = (at: number, kind: GuestWrite['kind']): GuestWrite => ({
        disk: key,
        kind,
        at,
        length: MiB,
        value: 0x5a,
      })
      await vm.write([region(MiB, 'data'), region(3 * MiB, 'data'), region(5 * MiB, 'data')])
      await series.round()
      await vm.write([region(MiB, 'zeroes'), region(3 * MiB, 'discard')])
      const { point } = await series.round({
        during: async () => vm.write([region(5 * MiB, 'discard'), region(MiB, 'data')]),
      })
      expect(point.disks.find((d) => d.disk.key === key)?.mode).toBe('incremental')
      const image = series.content.get(key)
      for (const at of [MiB, 3 * MiB]) expect(image?.subarray(at, at + MiB).every((b) => b === 0)).toBe(true)
      // Recorded as zeros, not merely read as such: next time, with no writer in between, the same range says so.
      await vm.write([region(MiB, 'zeroes')])
      const next = await series.open()
      const extents = await extentsOf(driver, next.ctx, next.point, key, { start: bytes(MiB), end: bytes(2 * MiB) })
      expect(extents).toEqual([{ offset: MiB, length: MiB, kind: 'zero' }])
      await driver.abortPoint(next.ctx, vm.ref, null)
    },
  )

  check(
    '12',
    'a reader gives the same bytes concurrently, unaligned, in one piece, and to the last byte',
    async (vm, driver) => {
      await vm.write(someWrites(vm, 3))
      const { point, ctx, truth } = await new Series(vm, driver).open()
      for (const { disk } of point.disks) {
        const expected = truth.get(disk.key) ?? new Uint8Array()
        await using reader = await driver.openReader(ctx, point, disk.key)
        expect(reader.size).toBe(disk.size)
        const ranges = [
          [0, disk.size],
          [0, reader.alignment],
          [disk.size - reader.alignment, disk.size],
          [MiB - 512, MiB + 512],
          ...Array.from({ length: 24 }, (_, i) => [i * 131 * 512, i * 131 * 512 + 97 * 512]),
        ] as const
        await Promise.all(
          ranges.map(async ([start = 0, end = 0]) => {
            const into = new Uint8Array(end - start)
            await reader.read(bytes(start), into)
            expectSame(into, expected.subarray(start, end), `${disk.key} ${start} … ${end}`)
          }),
        )
      }
      await driver.abortPoint(ctx, vm.ref, null)
    },
  )

  check('13', 'where a map says zero, the bytes are zero; the map has no gap', async (vm, driver) => {
    await vm.write(someWrites(vm, 4))
    const { point, ctx, truth } = await new Series(vm, driver).open()
    for (const { disk } of point.disks) {
      await using reader = await driver.openReader(ctx, point, disk.key)
      if (!reader.map) continue
      let end = 0
      let zeros = 0
      for await (const e of reader.map({ start: bytes(0), end: disk.size })) {
        expect(e.offset).toBe(end)
        end = e.offset + e.length
        if (e.kind === 'data') continue
        zeros += e.length
        expect(
          truth
            .get(disk.key)
            ?.subarray(e.offset, end)
            .every((b) => b === 0),
        ).toBe(true)
      }
      expect(end).toBe(disk.size)
      expect(zeros).toBeGreaterThan(0)
    }
    await driver.abortPoint(ctx, vm.ref, null)
  })

  check(
    '14',
    'writes of the guest during the read are invisible in the point and are in the next',
    async (vm, driver) => {
      const series = new Series(vm, driver)
      await vm.write(someWrites(vm, 5))
      for (const seed of [6, 7, 8]) await series.round({ during: () => vm.write(someWrites(vm, seed)) })
      await series.round()
    },
  )
}
