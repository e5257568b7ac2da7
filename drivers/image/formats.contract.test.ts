import { mkdtemp, mkdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { MiB, bytes } from '../../base/index.ts'
import { imageFormats, qemuName } from '../../images/index.ts'
import { contextFor, newPoint } from '../contract/series.ts'
import type { HypervisorDriver } from '../driver.ts'
import { runProgram } from '../transport/index.ts'
import type { DiskKey, Endpoint, EndpointId, PointRequest, TrackerId, VmFacts, VmRef } from '../values.ts'
import { openImage } from './driver.ts'

/** Images of other hypervisors are read as they are, and what names files outside its folder is not. */
let root: string
let driver: HypervisorDriver
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'hf-formats-'))
  const endpoint: Endpoint = {
    ...{ id: 'files' as EndpointId, platform: 'image', address: root, credentialRef: '', identity: null },
    options: { scope: 'f81d4fae-7dec-11d0-a765-00a0c91e6bf6' },
  }
  driver = openImage(endpoint)
})
afterEach(() => rm(root, { recursive: true, force: true }))

const refOf = (id: string): VmRef => ({
  ...{
    platform: 'image',
    endpoint: 'files' as EndpointId,
    scope: 'f81d4fae-7dec-11d0-a765-00a0c91e6bf6',
    id,
    name: id,
  },
})
const request = (key: string, pointId = newPoint()): PointRequest => ({
  ...{ pointId, tracker: '0123456789abcdef0123456789abcdef' as TrackerId, want: 'crash', onQuiesceFailure: 'degrade' },
  ...{ freezeLimit: 5000 as PointRequest['freezeLimit'], audit: false, hooks: [] },
  disks: [{ disk: key as DiskKey, since: null, full: null }],
})
async function factsOf(id: string): Promise<VmFacts | undefined> {
  for await (const facts of driver.discover(contextFor(refOf(id), newPoint()), [id])) return facts
  return undefined
}

test.each(imageFormats)(
  '%s is discovered, read in full as the disk that it holds, and left as it was',
  async (format) => {
    const content = randomBytes(3 * MiB)
    const raw = join(root, 'content')
    await writeFile(raw, content)
    await truncate(raw, 20 * MiB)
    await mkdir(join(root, 'web'))
    const file = join(root, 'web', `disk0.${format}`)
    // A VHD rounds its size up to a geometry unless it is told not to.
    const exact = format === 'vhd' ? ['-o', 'force_size=on'] : []
    await runProgram('qemu-img', ['convert', '-f', 'raw', '-O', qemuName(format), ...exact, raw, file])
    const before = await readFile(file)
    const facts = await factsOf('web')
    expect(facts?.disks).toMatchObject([{ key: 'disk0', format, size: 20 * MiB }])
    expect(facts?.findings).toEqual([])
    const wish = request('disk0')
    const ctx = contextFor(refOf('web'), wish.pointId)
    const point = await driver.openPoint(ctx, refOf('web'), wish)
    expect(point.disks[0]).toMatchObject({ mode: 'full' })
    {
      await using reader = await driver.openReader(ctx, point, 'disk0' as DiskKey)
      const out = new Uint8Array(20 * MiB)
      await reader.read(bytes(0), out)
      expect(Buffer.compare(out.subarray(0, content.length), content)).toBe(0)
      expect(out.subarray(content.length).every((byte) => byte === 0)).toBe(true)
    }
    const { portable } = await driver.exportConfig(ctx, point)
    expect(portable.disks).toMatchObject([{ key: 'disk0', size: 20 * MiB, storage: format }])
    await driver.abortPoint(ctx, refOf('web'), point)
    if (format !== 'qcow2') expect(Buffer.compare(await readFile(file), before)).toBe(0)
  },
)

test('layers inside the folder of the VM are read; what lies outside is named and never opened', async () => {
  const outside = join(root, 'secret')
  await writeFile(outside, Buffer.alloc(MiB, 7))
  await mkdir(join(root, 'web'))
  const create = (name: string, ...args: readonly string[]): Promise<unknown> =>
    runProgram('qemu-img', ['create', '-q', '-f', 'qcow2', '-u', ...args, join(root, 'web', name), '1M'])
  await create('disk0.qcow2', '-b', 'layers/base', '-F', 'raw')
  await create('disk1.qcow2', '-b', '../secret', '-F', 'raw')
  await create('disk2.qcow2', '-b', 'nbd://127.0.0.1:1/x', '-F', 'raw')
  await mkdir(join(root, 'web', 'layers'))
  await writeFile(join(root, 'web', 'layers', 'base'), Buffer.alloc(MiB, 9))
  const descriptor = 'createType="monolithicFlat"\nparentCID=ffffffff\nRW 8 FLAT "/etc/passwd" 0\n'
  await writeFile(join(root, 'web', 'disk3.vmdk'), `# Disk DescriptorFile\n${descriptor}`)
  await runProgram('qemu-img', ['create', '-q', '-f', 'vhdx', join(root, 'web', 'disk4.vhdx'), '64M'])
  await truncate(join(root, 'web', 'disk4.vhdx'), 2 * MiB)
  const facts = await factsOf('web')
  expect(facts?.disks.map(({ key }) => key)).toEqual(['disk0'])
  expect(facts?.findings.map(({ disk, severity }) => [disk, severity])).toEqual(
    ['disk1', 'disk2', 'disk3', 'disk4'].map((key) => [key, 'blocking']),
  )
  const said = facts?.findings.map(({ message }) => message).join('\n')
  for (const name of ['../secret', 'nbd://127.0.0.1:1/x', '/etc/passwd', 'is cut off']) expect(said).toContain(name)
  for (const key of ['disk1', 'disk2', 'disk3', 'disk4']) {
    const wish = request(key)
    const opening = driver.openPoint(contextFor(refOf('web'), wish.pointId), refOf('web'), wish)
    await expect(opening, key).rejects.toMatchObject({ code: key === 'disk4' ? 'SourceReadFailed' : 'Unsupported' })
  }
})
