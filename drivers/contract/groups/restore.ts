import { expect } from 'vitest'
import { MiB, bytes, millis } from '../../../base/index.ts'
import type { HypervisorDriver, OpContext } from '../../driver.ts'
import type { NativeConfig, RestoreTarget, TargetSpec, TargetVm } from '../../facets.ts'
import type { VmRef } from '../../values.ts'
import { places } from '../../../tests/support/sampling.ts'
import { CutAfter } from '../cut.ts'
import type { ContractVm } from '../rig.ts'
import { Series, contextFor, expectSame, extentsOf, newPoint } from '../series.ts'
import type { Bench } from '../suite.ts'
import { first, someWrites } from './shared.ts'

/** A point with its content and configuration, as a repository would hold it. */
interface Stored {
  readonly images: ReadonlyMap<string, Uint8Array>
  readonly spec: TargetSpec
  readonly native: readonly NativeConfig[]
}

async function store(vm: ContractVm, driver: HypervisorDriver): Promise<Stored> {
  const series = new Series(vm, driver)
  const opened = await series.open()
  const images = await series.read(opened)
  const { portable, native } = await driver.exportConfig(opened.ctx, opened.point)
  const parts = await Array.fromAsync(native)
  await driver.abortPoint(opened.ctx, vm.ref, opened.point)
  return {
    images,
    native: parts.map(({ name, bytes }) => ({ name, bytes })),
    spec: {
      place: { kind: 'new', name: 'restored', host: null, folder: null },
      vm: { ...portable, name: 'restored' },
      nativeConfigRef: 'the point',
      disks: portable.disks.map(({ key }) => ({ key, storage: '', thin: true })),
      identity: 'new',
      networks: {},
    },
  }
}

async function fill(
  target: RestoreTarget,
  ctx: OpContext,
  made: TargetVm,
  images: ReadonlyMap<string, Uint8Array>,
): Promise<void> {
  for (const { key } of made.disks) {
    const image = images.get(key) ?? new Uint8Array()
    await using writer = await target.openWriter(ctx, made, key)
    for (let at = 0; at < image.length; at += 64 * 1024) {
      const piece = image.subarray(at, at + 64 * 1024)
      if (piece.some((b) => b !== 0)) await writer.write(bytes(at), piece)
      else if (!writer.startsZero) await writer.zero({ start: bytes(at), end: bytes(at + piece.length) })
    }
    await writer.finish()
  }
}

/** The disks of a VM of this driver that is off, by a point of its own: another path than the writer's. */
async function diskContents(
  vm: ContractVm,
  driver: HypervisorDriver,
  ref: VmRef,
): Promise<{ images: ReadonlyMap<string, Uint8Array>; stored: number }> {
  const facts = await Array.fromAsync(driver.discover(contextFor(ref, newPoint()), [ref.id]))
  const keys = facts.find((f) => f.vm.id === ref.id)?.disks.map((d) => d.key) ?? []
  const pointId = newPoint()
  const ctx = contextFor(ref, pointId)
  const series = new Series(vm, driver, 'restored')
  const request = { ...series.request(pointId), disks: keys.map((disk) => ({ disk, since: null, full: null })) }
  const point = await driver.openPoint(ctx, ref, request)
  const images = await series.read({ point, ctx, truth: new Map() })
  let stored = 0
  for (const key of keys)
    for (const e of await extentsOf(driver, ctx, point, key)) stored += e.kind === 'data' ? e.length : 0
  await driver.abortPoint(ctx, ref, point)
  return { images, stored }
}

export function restoreGroup({ check, rig }: Bench): void {
  const targetOf = (driver: HypervisorDriver): RestoreTarget => {
    if (!driver.target) throw new Error('the driver has no restore side')
    return driver.target
  }

  check(
    '46',
    'create is idempotent, what was written reads back equal, and after handOver the VM is not ours',
    async (vm, driver) => {
      await vm.write(someWrites(vm, 1))
      const point = await store(vm, driver)
      const target = targetOf(driver)
      const ctx = contextFor(vm.ref, newPoint())
      expect((await target.check(ctx, point.spec)).findings.filter((f) => f.severity === 'blocking')).toEqual([])
      const made = await target.create(ctx, point.spec, point.native)
      expect(await target.create(ctx, point.spec, point.native)).toEqual(made)
      await fill(target, ctx, made, point.images)
      expect(await target.create(ctx, point.spec, point.native)).toEqual(made)
      const ref = await target.finalize(ctx, made)
      expect(await target.finalize(ctx, made)).toEqual(ref)
      await target.handOver(ctx, made)
      await target.handOver(ctx, made)
      expect(await target.finalize(ctx, made)).toEqual(ref)
      const { images } = await diskContents(vm, driver, ref)
      for (const [key, image] of point.images) expectSame(images.get(key), image, `restored disk ${key}`)
      // Given away: nothing of ours any more, and not ours to destroy.
      expect((await Array.fromAsync(driver.listOwned(ctx))).filter((o) => o.vm?.id === ref.id)).toEqual([])
      await expect(target.destroy(ctx, made)).rejects.toMatchObject({ code: 'NotOurs' })
      const taken = await target.check(contextFor(vm.ref, newPoint()), point.spec)
      expect(taken.findings).toContainEqual(expect.objectContaining({ severity: 'blocking', code: 'name' }))
      await expect(target.create(contextFor(vm.ref, newPoint()), point.spec, point.native)).rejects.toMatchObject({
        code: 'NameTaken',
      })
    },
  )

  check(
    '46b',
    'create killed after each effect and called again makes the same VM; destroy leaves nothing',
    async (vm, driver) => {
      await vm.write(someWrites(vm, 1))
      const point = await store(vm, driver)
      const before = (await Array.fromAsync(driver.discover(contextFor(vm.ref, newPoint())))).length
      for (const k of places(rig.stride)) {
        const cut = new CutAfter(k)
        await using dying = await rig.open(vm.endpoint, cut)
        const ctx = contextFor(vm.ref, newPoint())
        await Promise.allSettled([targetOf(dying).create(ctx, point.spec, point.native)])
        const made = await targetOf(driver).create(ctx, point.spec, point.native)
        expect(made.disks.map((d) => d.size)).toEqual(vm.disks.map((d) => d.size))
        expect(
          (await Array.fromAsync(driver.listOwned(ctx))).filter((o) => o.opKey === ctx.opKey).map((o) => o.kind),
        ).toContain('vm')
        expect((await targetOf(driver).destroy(ctx, made)).residue).toEqual([])
        expect((await targetOf(driver).destroy(ctx, made)).residue).toEqual([])
        expect((await Array.fromAsync(driver.discover(ctx))).length).toBe(before)
        expect((await Array.fromAsync(driver.listOwned(ctx))).filter((o) => o.opKey === ctx.opKey)).toEqual([])
        if (!cut.isDead) break
      }
    },
  )

  check('47', 'startsZero is true on a fresh volume and false on one that was written', async (vm, driver) => {
    const point = await store(vm, driver)
    const target = targetOf(driver)
    const ctx = contextFor(vm.ref, newPoint())
    const made = await target.create(ctx, point.spec, point.native)
    const key = first(vm).key
    const starts = async (write: boolean): Promise<boolean> => {
      await using writer = await target.openWriter(ctx, made, key)
      const { startsZero } = writer
      if (write) await writer.write(bytes(MiB), new Uint8Array(512).fill(9))
      if (write) await writer.finish()
      return startsZero
    }
    expect(await starts(true)).toBe(true)
    expect(await starts(false)).toBe(false)
    await using writer = await target.openWriter(ctx, made, key)
    await writer.zero({ start: bytes(0), end: writer.size })
    await writer.finish()
    await writer[Symbol.asyncDispose]()
    expect(await starts(false)).toBe(true)
    await target.destroy(ctx, made)
  })

  check('48', 'a backup of the restored VM is as sparse as one of the original', async (vm, driver) => {
    await vm.write([{ disk: first(vm).key, kind: 'data', at: 0, length: 3 * MiB, value: 1 }])
    const original = await store(vm, driver)
    const target = targetOf(driver)
    const ctx = contextFor(vm.ref, newPoint())
    const made = await target.create(ctx, original.spec, original.native)
    await fill(target, ctx, made, original.images)
    const ref = await target.finalize(ctx, made)
    const { stored } = await diskContents(vm, driver, ref)
    expect(stored).toBeGreaterThanOrEqual(3 * MiB)
    expect(stored).toBeLessThanOrEqual(3 * MiB + 128 * 1024)
  })

  check(
    '49',
    'replace makes new volumes beside the old, swaps them at finalize, and revert puts the old ones back',
    async (vm, driver) => {
      await vm.write(someWrites(vm, 1))
      const point = await store(vm, driver)
      await vm.write(someWrites(vm, 2))
      const newer = new Map(vm.disks.map((d) => [d.key as string, vm.content(d.key)]))
      const target = targetOf(driver)
      const ctx = contextFor(vm.ref, newPoint())
      const spec: TargetSpec = { ...point.spec, place: { kind: 'replace', vm: vm.ref, safetyPoint: newPoint() } }
      const made = await target.create(ctx, spec, point.native)
      expect(made.replaced).toEqual(vm.ref)
      await fill(target, ctx, made, point.images)
      await expect(target.finalize(ctx, made)).rejects.toMatchObject({ code: 'StillInUse' })
      await vm.stop()
      const same = async (images: ReadonlyMap<string, Uint8Array>, ref: VmRef): Promise<void> => {
        const now = await diskContents(vm, driver, ref)
        for (const [key, image] of images) expectSame(now.images.get(key), image, `disk ${key}`)
      }
      await same(newer, vm.ref)
      const ref = await target.finalize(ctx, made)
      expect(ref).toEqual(vm.ref)
      await same(point.images, ref)
      await expect(target.destroy(ctx, made)).rejects.toMatchObject({ code: 'NotOurs' })
      await target.revert(ctx, made)
      await target.revert(ctx, made)
      await same(newer, ref)
      expect((await target.destroy(ctx, made)).residue).toEqual([])
      await same(newer, ref)
      expect(await vm.leftovers()).toEqual([])
    },
  )

  check('49c', 'a single disk is exchanged; the others and the machine stay as they are', async (vm, driver) => {
    const [first, ...others] = vm.disks
    if (first === undefined || others.length === 0) throw new Error('the rig has one disk')
    await vm.write(someWrites(vm, 1))
    const point = await store(vm, driver)
    await vm.write(someWrites(vm, 2))
    const newer = new Map(vm.disks.map((d) => [d.key as string, vm.content(d.key)]))
    const target = targetOf(driver)
    const ctx = contextFor(vm.ref, newPoint())
    const { spec: whole } = point
    const spec: TargetSpec = {
      ...whole,
      place: { kind: 'replace', vm: vm.ref, safetyPoint: newPoint(), keepsRest: true },
      vm: { ...whole.vm, disks: whole.vm.disks.filter(({ key }) => key === first.key) },
      disks: whole.disks.filter(({ key }) => key === first.key),
    }
    const made = await target.create(ctx, spec, point.native)
    await expect(target.openWriter(ctx, made, others[0]?.key ?? first.key)).rejects.toMatchObject({ code: 'NotFound' })
    const images = new Map([...point.images].filter(([key]) => key === first.key))
    await fill(target, ctx, { ...made, disks: made.disks.filter(({ key }) => key === first.key) }, images)
    await vm.stop()
    const ref = await target.finalize(ctx, made)
    const seen = await diskContents(vm, driver, ref)
    expect([...seen.images.keys()].sort()).toEqual([...newer.keys()].sort())
    for (const [key, image] of newer)
      expectSame(seen.images.get(key), key === first.key ? (images.get(key) ?? image) : image, `disk ${key}`)
    await target.revert(ctx, made)
    expect((await target.destroy(ctx, made)).residue).toEqual([])
    const back = await diskContents(vm, driver, ref)
    for (const [key, image] of newer) expectSame(back.images.get(key), image, `disk ${key}`)
    expect(await vm.leftovers()).toEqual([])
  })

  check('46c', 'a new VM that was started can be destroyed until it is handed over', async (vm, driver) => {
    const point = await store(vm, driver)
    const target = targetOf(driver)
    const ctx = contextFor(vm.ref, newPoint())
    const made = await target.create(ctx, point.spec, point.native)
    await fill(target, ctx, made, point.images)
    const ref = await target.finalize(ctx, made)
    expect((await driver.power(ctx, ref, 'running', millis(30_000))).after).toBe('running')
    expect((await target.destroy(ctx, made)).residue).toEqual([])
    expect(await Array.fromAsync(driver.discover(ctx, [ref.id]))).toEqual([])
    expect((await Array.fromAsync(driver.listOwned(ctx))).filter((o) => o.opKey === ctx.opKey)).toEqual([])
  })

  check('49b', 'a replaced VM that was started goes back once it is off', async (vm, driver) => {
    await vm.write(someWrites(vm, 1))
    const point = await store(vm, driver)
    await vm.write(someWrites(vm, 2))
    const newer = new Map(vm.disks.map((d) => [d.key as string, vm.content(d.key)]))
    const target = targetOf(driver)
    const ctx = contextFor(vm.ref, newPoint())
    const spec: TargetSpec = { ...point.spec, place: { kind: 'replace', vm: vm.ref, safetyPoint: newPoint() } }
    const made = await target.create(ctx, spec, point.native)
    await fill(target, ctx, made, point.images)
    await vm.stop()
    const ref = await target.finalize(ctx, made)
    await driver.power(ctx, ref, 'running', millis(30_000))
    await expect(target.revert(ctx, made)).rejects.toMatchObject({ code: 'StillInUse' })
    await driver.power(ctx, ref, 'off', millis(30_000))
    await driver.power(ctx, ref, 'off', millis(30_000))
    await target.revert(ctx, made)
    expect((await target.destroy(ctx, made)).residue).toEqual([])
    const { images } = await diskContents(vm, driver, ref)
    for (const [key, image] of newer) expectSame(images.get(key), image, `disk ${key}`)
    expect(await vm.leftovers()).toEqual([])
  })

  check(
    '50',
    'no network card is connected before finalize, and an isolated boot reaches nothing',
    async (vm, driver) => {
      const point = await store(vm, driver)
      const target = targetOf(driver)
      const ctx = contextFor(vm.ref, newPoint())
      const nic = { mac: '52:54:00:12:34:56', model: 'virtio', network: 'user', vlan: null }
      const spec: TargetSpec = { ...point.spec, vm: { ...point.spec.vm, nics: [nic] }, networks: { user: 'user' } }
      const made = await target.create(ctx, spec, point.native)
      expect(await vm.networksOf(made.vm)).toEqual(['disconnected'])
      await target.bootIsolated(ctx, made.vm, { kind: 'restricted', name: 'drill' })
      await target.bootIsolated(ctx, made.vm, { kind: 'restricted', name: 'drill' })
      expect((await driver.power(ctx, made.vm, 'off', millis(10_000))).before).toBe('running')
      const ref = await target.finalize(ctx, made)
      expect(await vm.networksOf(ref)).toEqual(['user'])
      await target.handOver(ctx, made)
      await expect(target.bootIsolated(ctx, ref, { kind: 'none', name: 'drill' })).rejects.toMatchObject({
        code: 'NotOurs',
      })
      await expect(target.bootIsolated(ctx, vm.ref, { kind: 'none', name: 'drill' })).rejects.toMatchObject({
        code: 'NotOurs',
      })
    },
  )

  check('45', 'destroy refuses what does not carry our mark', async (vm, driver) => {
    const target = targetOf(driver)
    const ctx = contextFor(vm.ref, newPoint())
    const pretended: TargetVm = { vm: vm.ref, opKey: ctx.opKey, disks: [], replaced: null }
    await expect(target.destroy(ctx, pretended)).rejects.toMatchObject({ code: 'NotOurs' })
    const point = await store(vm, driver)
    const made = await target.create(ctx, point.spec, point.native)
    await expect(target.destroy({ ...ctx, installation: 'zzzzzz' }, made)).rejects.toMatchObject({ code: 'NotOurs' })
    await expect(target.destroy(ctx, { ...made, opKey: contextFor(vm.ref, newPoint()).opKey })).rejects.toMatchObject({
      code: 'NotOurs',
    })
    expect((await target.destroy(ctx, made)).residue).toEqual([])
    expect(await vm.isRunning()).toBe(true)
  })
}
