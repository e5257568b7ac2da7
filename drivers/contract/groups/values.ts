import { expect } from 'vitest'
import { Series, contextFor, newPoint } from '../series.ts'
import type { Bench } from '../suite.ts'
import type { ContractVm } from '../rig.ts'

export function valuesGroup({ check, module }: Bench): void {
  check('1', 'every wire value survives JSON unchanged and keeps its limits', async (vm, driver) => {
    const series = new Series(vm, driver)
    const ctx = contextFor(vm.ref, newPoint())
    const { capabilities, ...probe } = await driver.probe(ctx)
    await series.round()
    const { point, ctx: round } = await series.open()
    const owned = await Array.fromAsync(driver.listOwned(ctx))
    const facts = await Array.fromAsync(driver.discover(ctx))
    const preflight = await driver.preflight(ctx, vm.ref, series.request(newPoint()))
    for (const value of [capabilities, probe, point, owned, facts, preflight, module.evidence])
      expect(JSON.parse(JSON.stringify(value))).toEqual(value)
    expect(JSON.stringify(point.locator).length).toBeLessThanOrEqual(1024)
    for (const disk of point.disks) {
      expect(JSON.stringify(disk.locator).length).toBeLessThanOrEqual(400)
      // rulings 4: the reference without its kind is the manifest's `changeRef.id`, at most 1 KiB.
      expect(JSON.stringify(disk.next).length).toBeLessThanOrEqual(1024)
    }
    await driver.abortPoint(round, vm.ref, point)
  })

  check('4', 'probe, discover, preflight and listOwned change nothing', async (vm, driver) => {
    const series = new Series(vm, driver)
    await series.round()
    const ctx = contextFor(vm.ref, newPoint())
    const before = await outside(vm)
    await driver.probe(ctx)
    await Array.fromAsync(driver.discover(ctx))
    await driver.preflight(ctx, vm.ref, series.request(newPoint(), { want: 'filesystem' }))
    await Array.fromAsync(driver.listOwned(ctx))
    expect(await outside(vm)).toEqual(before)
  })

  check('5', 'an unreadable VM is yielded with a finding, and the others are there', async (vm, driver) => {
    await vm.addUnreadable()
    const facts = await Array.fromAsync(driver.discover(contextFor(vm.ref, newPoint())))
    expect(facts.find((f) => f.vm.id === vm.ref.id)?.findings).toEqual([])
    const spoilt = facts.filter((f) => f.vm.id !== vm.ref.id)
    expect(spoilt).toHaveLength(1)
    expect(spoilt[0]?.findings[0]).toMatchObject({ severity: 'blocking' })
    expect(spoilt[0]?.findings[0]?.hint).not.toBe('')
  })

  check(
    '6',
    'facets are there exactly when the capability record says so; an unsupported reader is Unsupported',
    async (vm, driver) => {
      const { capabilities: c } = await driver.probe(contextFor(vm.ref, newPoint()))
      expect(driver.target !== null).toBe(c.restore)
      expect(driver.guest !== null).toBe(c.guestCommand !== 'none' || c.screenshot)
      expect(driver.instant !== null).toBe(c.instant)
      expect(driver.standby !== null).toBe(c.standby)
      expect(driver.replication !== null).toBe(c.nativeReplication)
      const { point, ctx } = await new Series(vm, driver).open()
      for (const disk of point.disks) {
        expect(c.readers).toContain(disk.reader)
        await expect(driver.openReader(ctx, point, disk.disk.key, ['sas'])).rejects.toMatchObject({
          code: 'Unsupported',
        })
      }
      await driver.abortPoint(ctx, vm.ref, null)
    },
  )
}

async function outside(vm: ContractVm): Promise<unknown> {
  return {
    references: [...(await vm.references())].sort(),
    leftovers: [...(await vm.leftovers())].sort(),
    running: await vm.isRunning(),
    content: vm.disks.map((d) => vm.content(d.key).length),
  }
}
