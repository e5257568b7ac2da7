import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { MiB } from '../../base/index.ts'
import {
  createDescription,
  encodeDescription,
  parseDescription,
  readDescription,
  writeDescription,
  type VmDescription,
} from './description.ts'

const good: VmDescription = {
  v: 1,
  uuid: '6a0f4cf4-0f5c-4b2b-9d51-0d9a4a1b2c3d',
  name: 'web',
  memory: 256 * MiB,
  vcpus: 1,
  machine: 'q35',
  accel: 'auto',
  firmware: 'direct-kernel',
  kernel: 'vmlinuz',
  disks: [
    { key: 'virtio0', file: 'a.qcow2', format: 'qcow2', size: MiB, serial: 'a', bootOrder: 0 },
    { key: 'virtio1', file: 'b.raw', format: 'raw', size: 512, serial: 'b', bootOrder: null },
  ],
  nics: [],
  tags: [],
  notes: '',
  owner: null,
  opKey: null,
  created: '2026-01-01T00:00:00.000Z',
}
const [first, second] = good.disks as [VmDescription['disks'][0], VmDescription['disks'][0]]

describe('a VM description', () => {
  test('comes back from its text unchanged', () => {
    expect(parseDescription(JSON.parse(encodeDescription(good)), 'x')).toEqual(good)
  })

  const wrong: readonly (readonly [string, object, RegExp])[] = [
    ['another version', { v: 2 }, /v:/],
    ['an unknown field, which may be a misspelt one', { memroy: 1 }, /memroy/],
    ['a size that no disk can have', { disks: [{ ...first, size: 1000 }] }, /disks\.0\.size/],
    ['a disk key that is too long for a node name', { disks: [{ ...first, key: 'x'.repeat(21) }] }, /disks\.0\.key/],
    [
      'a key with a character that means something to QEMU',
      { disks: [{ ...first, key: 'virtio0,x=y' }] },
      /disks\.0\.key/,
    ],
    ['a serial that the device would cut', { disks: [{ ...first, serial: 's'.repeat(21) }] }, /disks\.0\.serial/],
    ['two disks with one key', { disks: [first, { ...second, key: 'virtio0' }] }, /same key/],
    ['two disks in one file', { disks: [first, { ...second, file: 'a.qcow2' }] }, /same file/],
    ['two disks with one serial', { disks: [first, { ...second, serial: 'a' }] }, /same serial/],
    ['two disks booted first', { disks: [first, { ...second, bootOrder: 0 }] }, /boot order/],
    ['direct-kernel without a kernel', { kernel: undefined }, /kernel/],
    ['a kernel for a BIOS', { firmware: 'bios' }, /direct-kernel only/],
    ['a name with a line break', { name: 'a\nb' }, /name/],
  ]
  test.each(wrong)('with %s is refused, and the field is named', (_what, change, message) => {
    expect(() => parseDescription({ ...good, ...change }, 'the file')).toThrow(message)
    expect(() => parseDescription({ ...good, ...change }, 'the file')).toThrow(
      expect.objectContaining({ code: 'ConfigInvalid' }),
    )
  })
})

describe('the file of a VM description', () => {
  let dir: string
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'hf-description-'))
  })
  afterEach(() => rm(dir, { recursive: true, force: true }))

  test('is made once: a second VM in the folder is refused and the first stays', async () => {
    await createDescription(dir, good)
    await expect(createDescription(dir, { ...good, name: 'other' })).rejects.toMatchObject({ code: 'NameTaken' })
    expect(await readDescription(dir)).toEqual(good)
    expect(await readdir(dir)).toEqual(['vm.json'])
  })

  test('is replaced as a whole and leaves no other file', async () => {
    await createDescription(dir, good)
    await writeDescription(dir, { ...good, notes: 'changed' })
    expect((await readDescription(dir)).notes).toBe('changed')
    expect(await readdir(dir)).toEqual(['vm.json'])
  })

  test('is not touched by a description that is wrong', async () => {
    await createDescription(dir, good)
    await expect(writeDescription(dir, { ...good, memory: 1 })).rejects.toMatchObject({ code: 'ConfigInvalid' })
    expect(await readDescription(dir)).toEqual(good)
    expect(await readdir(dir)).toEqual(['vm.json'])
  })

  test('tells an absent VM from one that cannot be understood', async () => {
    await expect(readDescription(join(dir, 'none'))).rejects.toMatchObject({ code: 'NotFound' })
    await writeFile(join(dir, 'vm.json'), '{')
    await expect(readDescription(dir)).rejects.toMatchObject({ code: 'ConfigInvalid' })
  })
})
