import { expect } from 'vitest'
import { instant } from '../../../base/index.ts'
import type { OwnedObject, OwnerMark } from '../../values.ts'
import { CutAfter } from '../cut.ts'
import { Series, contextFor, newPoint } from '../series.ts'
import type { Bench } from '../suite.ts'
import { someWrites } from './shared.ts'

export function ownershipGroup({ check, rig }: Bench): void {
  check(
    '43',
    'a second installation is refused with the owner’s name, also when both claim at once',
    async (vm, driver) => {
      const ctx = contextFor(vm.ref, newPoint())
      const mark = (name: string, tag: string): OwnerMark => ({
        installation: tag,
        name,
        since: instant(Date.UTC(2026, 0, 1)),
      })
      const [a, b] = await Promise.all([
        driver.claim(ctx, vm.ref, mark('north', 'the contract suite')),
        driver.claim(ctx, vm.ref, mark('south', 'zzzzzz')),
      ])
      expect([a.ours, b.ours].filter(Boolean)).toHaveLength(1)
      expect(a.owner).toEqual(b.owner)
      expect((await driver.claim(ctx, vm.ref, a.owner)).ours).toBe(true)
      const [facts] = await Array.fromAsync(driver.discover(ctx, [vm.ref.id]))
      expect(facts?.owner).toEqual(a.owner)
      const stranger = a.ours ? { ...ctx, installation: 'zzzzzz' } : ctx
      const request = new Series(vm, driver).request(newPoint())
      await expect(driver.openPoint(stranger, vm.ref, request)).rejects.toMatchObject({
        code: 'ForeignOwner',
        message: expect.stringContaining(a.owner.name) as string,
      })
      const { findings } = await driver.preflight(stranger, vm.ref, request)
      expect(findings).toContainEqual(expect.objectContaining({ code: 'foreign-owner', severity: 'blocking' }))
      expect(await vm.leftovers()).toEqual([])
    },
  )

  check('43b', 'a VM is taken over on purpose only from the installation that was named', async (vm, driver) => {
    const ctx = contextFor(vm.ref, newPoint())
    const since = instant(Date.UTC(2026, 0, 1))
    const [north, south] = ['north', 'south'].map((name) => ({ installation: `${name} id`, name, since })) as [
      OwnerMark,
      OwnerMark,
    ]
    expect((await driver.claim(ctx, vm.ref, north, 'whoever')).ours).toBe(true)
    expect(await driver.claim(ctx, vm.ref, south, 'east')).toEqual({ owner: north, ours: false })
    expect(await driver.claim(ctx, vm.ref, south, 'north')).toEqual({ owner: south, ours: true })
    expect(await driver.claim(ctx, vm.ref, south, 'north')).toEqual({ owner: south, ours: true })
    expect(await driver.claim(ctx, vm.ref, north, south.installation)).toEqual({ owner: north, ours: true })
    expect(await vm.leftovers()).toEqual([])
  })

  check(
    '44',
    'listOwned finds what killed rounds leave, removeOwned clears it; foreign objects and the reference stay',
    async (vm, driver) => {
      const foreign = await vm.plantForeign()
      const series = new Series(vm, driver)
      await series.round()
      const references = [...(await vm.references())].sort()
      const seen = new Set<string>()
      // A process that dies at ever later effects leaves ever more; every kind that it left must be in the listing.
      for (let k = 0; ; k += 3) {
        const cut = new CutAfter(k)
        await using dying = await rig.open(vm.endpoint, cut)
        const id = newPoint()
        await vm.write(someWrites(vm, k, 1))
        await Promise.allSettled([dying.openPoint(contextFor(vm.ref, id), vm.ref, series.request(id))])
        const ctx = contextFor(vm.ref, newPoint())
        const left = (await Array.fromAsync(driver.listOwned(ctx))).filter((o) => !isReference(o, references))
        for (const o of left) seen.add(o.kind)
        expect(left.length === 0).toBe((await vm.leftovers()).length === 0 && (await vm.isRunning()))
        for (const o of left) await driver.removeOwned(ctx, o)
        for (const o of left) await driver.removeOwned(ctx, o)
        expect(await vm.leftovers()).toEqual([])
        expect(await vm.isRunning()).toBe(true)
        expect([...(await vm.references())].sort()).toEqual(references)
        if (!cut.isDead) break
      }
      for (const kind of ['lock', 'scratch', 'export', 'bitmap']) expect([...seen]).toContain(kind)
      await foreign()
      await series.round()
    },
  )

  check('44b', 'removeOwned refuses what does not carry our mark', async (vm, driver) => {
    const series = new Series(vm, driver)
    const { ctx } = await series.open()
    const owned = await Array.fromAsync(driver.listOwned(ctx))
    expect(owned.length).toBeGreaterThan(0)
    const stranger = { ...ctx, installation: 'zzzzzz' }
    expect(await Array.fromAsync(driver.listOwned(stranger))).toEqual([])
    for (const object of owned)
      await expect(driver.removeOwned(stranger, object)).rejects.toMatchObject({ code: 'NotOurs' })
    expect((await Array.fromAsync(driver.listOwned(ctx))).length).toBe(owned.length)
    await driver.abortPoint(ctx, vm.ref, null)
  })
}

function isReference(object: OwnedObject, references: readonly string[]): boolean {
  return object.kind === 'bitmap' && references.some((name) => object.id.endsWith(`/${name}`))
}
