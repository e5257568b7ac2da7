import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { open, readFile, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { MiB } from '../../base/index.ts'
import { crc32c } from '../crc32c.ts'
import type { ImageFormat } from '../types.ts'
import { lookAtImage, qemuName } from './index.ts'

const run = promisify(execFile)
let dir: string
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'hf-look-'))
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const at = (name: string): string => join(dir, name)

/** As QEMU makes it, with content in two places. */
async function made(name: string, format: ImageFormat, options = ''): Promise<string> {
  const file = at(name)
  await run('qemu-img', ['create', '-q', '-f', qemuName(format), ...(options ? ['-o', options] : []), file, '64M'])
  const write = ['-c', 'write -P 7 1M 2M', '-c', 'write -P 9 50M 1M']
  if (!options.includes('streamOptimized')) await run('qemu-io', ['-f', qemuName(format), ...write, file])
  return file
}

it.each([
  ['raw', ''],
  ['qcow2', ''],
  ['qcow2', 'extended_l2=on'],
  ['qcow2', 'compat=0.10'],
  ['vmdk', ''],
  ['vmdk', 'subformat=streamOptimized'],
  ['vhdx', ''],
  ['vhd', ''],
  ['vhd', 'subformat=fixed'],
] as const)('knows a whole %s (%s) and finds no other file in it', async (format, options) => {
  const file = await made(`whole-${format}-${options.replaceAll('=', '-')}.img`, format, options)
  expect(await lookAtImage(file)).toEqual({ format, references: [] })
})

it('names the backing file of a qcow2, and its data file', async () => {
  await run('qemu-img', [
    'create',
    '-q',
    '-f',
    'qcow2',
    '-u',
    '-b',
    '/etc/shadow',
    '-F',
    'raw',
    at('backed.qcow2'),
    '64M',
  ])
  expect(await lookAtImage(at('backed.qcow2'))).toEqual({ format: 'qcow2', references: ['/etc/shadow'] })
  await run('qemu-img', [
    'create',
    '-q',
    '-f',
    'qcow2',
    '-o',
    `data_file=${at('outside.raw')}`,
    at('data.qcow2'),
    '64M',
  ])
  expect((await lookAtImage(at('data.qcow2'))).references).toEqual([at('outside.raw')])
})

it('names what a vmdk names: extents, a parent, a descriptor that another one hides', async () => {
  await run('qemu-img', ['create', '-q', '-f', 'vmdk', '-o', 'subformat=monolithicFlat', at('flat.vmdk'), '64M'])
  expect((await lookAtImage(at('flat.vmdk'))).references).toEqual(['flat-flat.vmdk'])
  const descriptor = '# Disk DescriptorFile\nversion=1\nCID=12345678\nparentCID=ffffffff\ncreateType="monolithicFlat"\n'
  writeFileSync(at('passwd.vmdk'), `${descriptor}RW 8 FLAT "/etc/passwd" 0\n`)
  expect((await lookAtImage(at('passwd.vmdk'))).references).toEqual(['/etc/passwd'])
  const file = await made('parent.vmdk', 'vmdk')
  const bytes = await readFile(file)
  const where = bytes.indexOf('parentCID=ffffffff')
  bytes.write('parentCID=11111111', where, 'latin1')
  writeFileSync(at('child.vmdk'), bytes)
  expect((await lookAtImage(at('child.vmdk'))).references).toEqual(['a parent that it does not name'])
  // Without a capacity readers take the embedded descriptor for the disk.
  bytes.writeBigUInt64LE(0n, 12)
  writeFileSync(at('empty.vmdk'), bytes)
  await expect(lookAtImage(at('empty.vmdk'))).rejects.toMatchObject({ code: 'SourceReadFailed' })
})

it.each(['vhdx', 'vhd', 'vmdk', 'qcow2'] as const)('refuses a %s that is cut off, wherever', async (format) => {
  const file = await made(`cut.${format}`, format)
  const { size } = await stat(file)
  const whole = await readFile(file)
  for (const left of [size - MiB, Math.floor(size / 2), 300 * 1024, 600, 300]) {
    if (left >= size) continue
    writeFileSync(file, whole.subarray(0, left))
    await expect(lookAtImage(file), `${left} of ${size}`).rejects.toMatchObject({ code: 'SourceReadFailed' })
  }
})

it('names the disk that another one is a difference to', async () => {
  const file = await made('diff.vhd', 'vhd')
  const bytes = await readFile(file)
  bytes.writeUInt32BE(4, bytes.length - 512 + 60)
  writeFileSync(file, bytes)
  expect((await lookAtImage(file)).references).toEqual(['the disk that it is a difference to'])
})

it('refuses a vhdx that was not closed, and one of which no header is whole', async () => {
  const file = await made('open.vhdx', 'vhdx')
  const whole = await readFile(file)
  const headers = (change: (header: Buffer) => void): void => {
    const bytes = Buffer.from(whole)
    for (const offset of [64 * 1024, 128 * 1024]) change(bytes.subarray(offset, offset + 4096))
    writeFileSync(file, bytes)
  }
  headers((header) => {
    header.fill(7, 48, 64)
    header.writeUInt32LE(0, 4)
    header.writeUInt32LE(crc32c(header), 4)
  })
  await expect(lookAtImage(file)).rejects.toMatchObject({ code: 'Unsupported' })
  headers((header) => header.fill(7, 48, 64))
  await expect(lookAtImage(file)).rejects.toMatchObject({ code: 'SourceReadFailed' })
})

it('ends at tables that lie about where they are', async () => {
  const file = await made('wild.qcow2', 'qcow2')
  await using handle = await open(file, 'r+')
  for (const offset of [36, 40]) {
    const before = await readFile(file)
    await handle.write(Buffer.alloc(8, 0x7f), 0, 8, offset)
    await expect(lookAtImage(file)).rejects.toMatchObject({ code: 'SourceReadFailed' })
    await handle.write(before, offset, 8, offset)
  }
})

it('tells what is no image apart from a raw disk', async () => {
  writeFileSync(at('disk.vhdx'), Buffer.alloc(MiB))
  await expect(lookAtImage(at('disk.vhdx'))).rejects.toMatchObject({ code: 'SourceReadFailed' })
  writeFileSync(at('disk.gz'), Buffer.from([0x1f, 0x8b, 8, 0, ...Array<number>(600).fill(0)]))
  await expect(lookAtImage(at('disk.gz'))).rejects.toMatchObject({ code: 'Unsupported' })
  await expect(lookAtImage(dir)).rejects.toMatchObject({ code: 'InvalidRequest' })
  await expect(lookAtImage(at('nothing'))).rejects.toMatchObject({ code: 'NotFound' })
  writeFileSync(at('short.img'), Buffer.alloc(10))
  expect((await lookAtImage(at('short.img'))).format).toBe('raw')
})

it('takes no image for a raw disk that is called one: whoever wrote its first sector may have been its guest', async () => {
  const file = await made('disk.raw', 'qcow2')
  await expect(lookAtImage(file)).rejects.toMatchObject({
    code: 'InvalidRequest',
    hint: expect.stringContaining('by its format') as string,
  })
})

it('reads a table that a qcow2 names very often only once, and none that no disk has', async () => {
  const file = await made('often.qcow2', 'qcow2')
  const image = await readFile(file)
  const [l1, l1At] = [image.readUInt32BE(36), Number(image.readBigUInt64BE(40))]
  expect(l1).toBe(1)
  // A table of four million entries at the end of the file, each of which names the one table that there is.
  const entries = Buffer.alloc(32 * MiB)
  for (let n = 0; n < entries.length; n += 8) image.copy(entries, n, l1At, l1At + 8)
  image.writeUInt32BE(entries.length / 8, 36)
  image.writeBigUInt64BE(BigInt(image.length), 40)
  writeFileSync(file, Buffer.concat([image, entries]))
  expect(await lookAtImage(file)).toEqual({ format: 'qcow2', references: [] })
  image.writeUInt32BE(entries.length / 8 + 1, 36)
  writeFileSync(file, Buffer.concat([image, entries]))
  await expect(lookAtImage(file)).rejects.toMatchObject({ code: 'SourceReadFailed' })
})
