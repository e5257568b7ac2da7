import { mkdir, mkdtemp, open, rm, writeFile } from 'node:fs/promises'
import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { MiB, bytes } from '../../../base/index.ts'
import { contextFor, newPoint } from '../../contract/series.ts'
import type { HypervisorDriver } from '../../driver.ts'
import type { NativeConfig, TargetSpec } from '../../facets.ts'
import { openImage } from '../../image/driver.ts'
import { runProgram } from '../../transport/index.ts'
import type { DiskKey, Endpoint, EndpointId, PointRequest, TrackerId, VmRef } from '../../values.ts'
import { openQemu } from '../driver.ts'

/** A point of one driver becomes a VM of the other one, by what every point carries: the portable configuration. */
let root: string
let images: HypervisorDriver
let qemu: HypervisorDriver
const size = 12 * MiB
const content = randomBytes(2 * MiB)

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'hf-across-'))
  const endpoint = (platform: 'image' | 'qemu', scope: string): Endpoint => ({
    ...{ id: platform as EndpointId, platform, address: join(root, platform), credentialRef: '', identity: null },
    options: { scope },
  })
  for (const platform of ['image', 'qemu']) await mkdir(join(root, platform))
  images = openImage(endpoint('image', 'f81d4fae-7dec-11d0-a765-00a0c91e6bf6'))
  qemu = openQemu(endpoint('qemu', 'f81d4fae-7dec-11d0-a765-00a0c91e6bf7'))
})
afterEach(() => rm(root, { recursive: true, force: true }))

async function refOf(driver: HypervisorDriver, id: string): Promise<VmRef> {
  const ctx = contextFor(
    { platform: driver.endpoint.platform, endpoint: driver.endpoint.id, scope: '', id, name: id },
    newPoint(),
  )
  for await (const { vm, findings } of driver.discover(ctx)) {
    expect(findings.filter(({ severity }) => severity === 'blocking')).toEqual([])
    if (vm.name === id) return vm
  }
  throw new Error(`no ${id}`)
}

/** Everything of a VM that is off: its disks and its configuration. */
async function taken(
  driver: HypervisorDriver,
  vm: VmRef,
): Promise<{ disks: Map<string, Uint8Array>; spec: TargetSpec; native: NativeConfig[] }> {
  const pointId = newPoint()
  const ctx = contextFor(vm, pointId)
  const request: PointRequest = {
    ...{
      pointId,
      tracker: '0123456789abcdef0123456789abcdef' as TrackerId,
      want: 'crash',
      onQuiesceFailure: 'degrade',
    },
    ...{ freezeLimit: 5000 as PointRequest['freezeLimit'], audit: false, hooks: [] },
    disks: [{ disk: 'disk0' as DiskKey, since: null, full: null }],
  }
  const point = await driver.openPoint(ctx, vm, request)
  const disks = new Map<string, Uint8Array>()
  for (const { disk } of point.disks) {
    await using reader = await driver.openReader(ctx, point, disk.key)
    const out = new Uint8Array(disk.size)
    await reader.read(bytes(0), out)
    disks.set(disk.key, out)
  }
  const { portable, native } = await driver.exportConfig(ctx, point)
  const parts = await Array.fromAsync(native)
  await driver.abortPoint(ctx, vm, point)
  const spec: TargetSpec = {
    place: { kind: 'new', name: 'moved', host: null, folder: null },
    ...{ vm: { ...portable, name: 'moved' }, nativeConfigRef: null, identity: 'new' },
    disks: portable.disks.map(({ key }) => ({ key, storage: '', thin: true })),
    networks: Object.fromEntries(portable.nics.map(({ network }) => [network, network])),
  }
  return { disks, spec, native: parts.map(({ name, bytes: value }) => ({ name, bytes: value })) }
}

async function made(
  driver: HypervisorDriver,
  spec: TargetSpec,
  disks: ReadonlyMap<string, Uint8Array>,
): Promise<string[]> {
  const { target } = driver
  if (target === null) throw new Error('no target')
  const ctx = contextFor(
    { platform: driver.endpoint.platform, endpoint: driver.endpoint.id, scope: '', id: 'moved', name: 'moved' },
    newPoint(),
  )
  const { findings } = await target.check(ctx, spec)
  expect(findings.filter(({ severity }) => severity === 'blocking')).toEqual([])
  const vm = await target.create(ctx, spec, null)
  for (const { key } of vm.disks) {
    await using writer = await target.openWriter(ctx, vm, key)
    const all = disks.get(key) ?? new Uint8Array()
    for (let at = 0; at < all.length; at += MiB) await writer.write(bytes(at), all.subarray(at, at + MiB))
    await writer.finish()
  }
  await target.finalize(ctx, vm)
  await target.handOver(ctx, vm)
  return findings.map(({ code }) => code)
}

test('a VMDK becomes a VM of QEMU, and that one images again: disks equal, what was guessed is told', async () => {
  const raw = join(root, 'raw')
  await writeFile(raw, content)
  await using handle = await open(raw, 'r+')
  await handle.truncate(size)
  await mkdir(join(root, 'image', 'old'))
  await runProgram('qemu-img', ['convert', '-f', 'raw', '-O', 'vmdk', raw, join(root, 'image', 'old', 'disk0.vmdk')])

  const from = await taken(images, await refOf(images, 'old'))
  expect(await made(qemu, from.spec, from.disks)).toEqual(['guess'])
  const there = await taken(qemu, await refOf(qemu, 'moved'))
  expect(there.spec.vm).toMatchObject({ firmware: 'bios', disks: [{ key: 'disk0', size, bus: 'virtio' }] })
  expect(Buffer.compare(there.disks.get('disk0') ?? Buffer.alloc(0), from.disks.get('disk0') ?? Buffer.alloc(1))).toBe(
    0,
  )

  expect(await made(images, there.spec, there.disks)).toEqual([])
  const back = await taken(images, await refOf(images, 'moved'))
  expect(Buffer.compare(back.disks.get('disk0') ?? Buffer.alloc(0), from.disks.get('disk0') ?? Buffer.alloc(1))).toBe(0)
  expect(back.spec.vm).toMatchObject({
    vcpus: there.spec.vm.vcpus,
    memory: there.spec.vm.memory,
    disks: [{ bus: 'virtio' }],
  })
})

test('what images cannot keep, and what QEMU cannot start, is said before anything is made', async () => {
  const spec: TargetSpec = {
    place: { kind: 'new', name: 'moved', host: null, folder: null },
    vm: {
      ...{
        v: 1,
        name: 'moved',
        vcpus: 2,
        memory: bytes(300 * MiB + 1),
        firmware: 'direct-kernel',
        tpm: false,
        clock: 'localtime',
      },
      disks: [{ key: 'sda' as DiskKey, size: bytes(size), sectorSize: 512, bus: 'sata', bootOrder: 0 }],
      ...{ nics: [], guest: { family: 'windows', hint: null } },
    },
    ...{
      nativeConfigRef: null,
      disks: [{ key: 'sda' as DiskKey, storage: '', thin: true }],
      identity: 'new',
      networks: {},
    },
  }
  const ctx = contextFor(
    { platform: 'image', endpoint: 'image' as EndpointId, scope: '', id: 'moved', name: 'moved' },
    newPoint(),
  )
  const said = async (driver: HypervisorDriver, vm: Partial<TargetSpec['vm']>): Promise<string[]> => {
    const checked = await driver.target?.check(ctx, { ...spec, vm: { ...spec.vm, ...vm } })
    return (checked?.findings ?? []).map(({ code, severity }) => `${severity} ${code}`)
  }
  expect(await said(images, {})).toEqual(['warning kernel'])
  expect(await said(qemu, {})).toEqual(['blocking kernel', 'warning bus', 'warning clock'])
  expect(await said(qemu, { firmware: 'uefi', tpm: true })).toContain('blocking firmware')
  // An odd number of bytes of memory is no reason to fail when the VM is made.
  expect(
    await made(qemu, { ...spec, vm: { ...spec.vm, firmware: 'bios' } }, new Map([['sda', new Uint8Array(size)]])),
  ).toEqual(['bus', 'clock'])
})
