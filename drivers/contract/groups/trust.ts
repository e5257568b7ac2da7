import { expect } from 'vitest'
import { bytes } from '../../../base/index.ts'
import type { HypervisorDriver } from '../../driver.ts'
import type { Extent } from '../../values.ts'
import { Series, expectSame } from '../series.ts'
import type { Bench } from '../suite.ts'
import { first, someWrites } from './shared.ts'

export function trustGroup({ check }: Bench): void {
  check('40', 'checkPoint says broken when the point has been taken down behind our back', async (vm, driver) => {
    const series = new Series(vm, driver)
    await series.round()
    await vm.write(someWrites(vm, 1))
    const opened = await series.open()
    expect(await driver.checkPoint(opened.ctx, opened.point)).toEqual({ status: 'intact' })
    await driver.abortPoint(opened.ctx, vm.ref, null)
    expect(await driver.checkPoint(opened.ctx, opened.point)).toMatchObject({ status: 'broken' })
  })

  check(
    '41',
    'negative controls: a driver that drops one changed extent, or calls zeros data, or data zeros, is caught',
    async (vm, driver) => {
      const spoilers: readonly ((extents: Extent[]) => Extent[])[] = [
        (extents) => extents.filter((_, i) => i !== extents.findIndex((e) => e.kind === 'data')),
        (extents) => extents.filter((_, i) => i !== extents.findIndex((e) => e.kind === 'zero')),
        (extents) => extents.map((e): Extent => ({ ...e, kind: 'zero' })),
        (extents) =>
          extents.map((e) =>
            e.length > 65_536 ? { ...e, length: bytes(e.length - 65_536) } : { ...e, length: bytes(0) },
          ),
      ]
      const { key } = first(vm)
      for (const spoil of spoilers) {
        const honest = new Series(vm, driver)
        await vm.write([{ disk: key, kind: 'data', at: 1 << 20, length: 1 << 20, value: 1 }])
        await honest.round()
        await vm.write([
          { disk: key, kind: 'zeroes', at: 1 << 20, length: 1 << 19, value: 0 },
          { disk: key, kind: 'data', at: 3 << 20, length: 1 << 19, value: 2 },
        ])
        const liar = new Series(vm, lying(driver, spoil))
        for (const [k, ref] of honest.refs) liar.refs.set(k, ref)
        for (const [k, image] of honest.content) liar.content.set(k, image)
        const opened = await liar.open()
        const images = await liar.read(opened)
        const compare = (): void => {
          for (const [k, truth] of opened.truth) expectSame(images.get(k), truth, `disk ${k}`)
        }
        expect(compare).toThrow(/differs at/)
        await driver.abortPoint(opened.ctx, vm.ref, opened.point)
      }
    },
  )
}

function lying(driver: HypervisorDriver, spoil: (extents: Extent[]) => Extent[]): HypervisorDriver {
  return {
    ...driver,
    async changedExtents(ctx, point, disk, range) {
      const answer = await driver.changedExtents(ctx, point, disk, range)
      if (answer.status !== 'ok') return answer
      const { extents } = answer
      const spoilt = async function* (): AsyncGenerator<Extent> {
        yield* spoil(await Array.fromAsync(extents)).filter((e) => e.length > 0)
      }
      return { status: 'ok', extents: spoilt() }
    },
  }
}
