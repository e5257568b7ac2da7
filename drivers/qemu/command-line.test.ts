import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MiB } from '../../base/index.ts'
import { accelerator, commandLine, diskNodes, runPaths } from './command-line.ts'
import type { VmDescription } from './description.ts'

const base: VmDescription = {
  v: 1,
  uuid: '6a0f4cf4-0f5c-4b2b-9d51-0d9a4a1b2c3d',
  name: 'web',
  memory: 256 * MiB,
  vcpus: 2,
  machine: 'q35',
  accel: 'tcg',
  firmware: 'bios',
  disks: [{ key: 'virtio0', file: 'a.qcow2', format: 'qcow2', size: MiB, serial: 'serial-a', bootOrder: 0 }],
  nics: [
    { mac: '52:54:00:00:00:01', network: 'user' },
    { mac: '52:54:00:00:00:02', network: 'disconnected' },
  ],
  tags: [],
  notes: '',
  owner: null,
  opKey: null,
  created: '2026-01-01T00:00:00.000Z',
}
const after = (args: readonly string[], option: string): string[] =>
  args.flatMap((a, i) => (args[i - 1] === option ? [a] : []))
const devices = (args: readonly string[]): string[] => after(args, '-device')

describe('the command line of QEMU', () => {
  test('gives each disk a file node and a format node by its key, both passing discards on, and a device of that id', () => {
    const args = commandLine('/vms/web', base)
    expect(after(args, '-blockdev').map((text) => JSON.parse(text) as object)).toEqual([
      { driver: 'file', filename: '/vms/web/a.qcow2', 'node-name': 'virtio0-file', discard: 'unmap' },
      { driver: 'qcow2', file: 'virtio0-file', 'node-name': 'virtio0-fmt', discard: 'unmap' },
    ])
    expect(devices(args)).toContain('virtio-blk-pci,drive=virtio0-fmt,id=virtio0,serial=serial-a,bootindex=0')
  })

  test('starts with nothing but what the description says, and confined', () => {
    const args = commandLine('/vms/web', base)
    expect(args).toEqual(expect.arrayContaining(['-nodefaults', '-no-user-config', '-sandbox']))
    expect(after(args, '-m')).toEqual(['256'])
    expect(after(args, '-accel')).toEqual(['tcg,thread=multi'])
    expect(after(args, '-pidfile')).toEqual(['/vms/web/pid'])
  })

  test('has two monitors, an agent and a serial port', () => {
    const chardevs = after(commandLine('/vms/web', base), '-chardev')
    expect(chardevs.map((c) => /path=([^,]+)/.exec(c)?.[1])).toEqual([
      '/vms/web/serial.log',
      '/vms/web/qmp.sock',
      '/vms/web/qmp2.sock',
      '/vms/web/ga.sock',
    ])
  })

  test('loads kernel and initramfs only where the firmware says so', () => {
    expect(commandLine('/vms/web', base)).not.toContain('-kernel')
    const direct = commandLine('/vms/web', {
      ...base,
      firmware: 'direct-kernel',
      kernel: 'k',
      initrd: '/i',
      append: 'quiet x=1,2',
    })
    expect(after(direct, '-kernel')).toEqual(['/vms/web/k'])
    expect(after(direct, '-initrd')).toEqual(['/i'])
    expect(after(direct, '-append')).toEqual(['quiet x=1,2'])
  })

  test('reaches nothing when the network is restricted, and has no NIC with none', () => {
    expect(after(commandLine('/vms/web', base), '-netdev')).toEqual(['user,id=net0'])
    const restricted = commandLine('/vms/web', base, { network: 'restricted' })
    expect(after(restricted, '-netdev')).toEqual(['user,id=net0,restrict=on'])
    expect(devices(restricted).filter((d) => d.startsWith('virtio-net'))).toHaveLength(2)
    const none = commandLine('/vms/web', base, { network: 'none' })
    expect(none.filter((a) => a.includes('net'))).toEqual([])
  })

  test('keeps every path and name whole, whatever is in it', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[ -,0-~]{1,24}$/), (odd) => {
        const args = commandLine(`/v/${odd}`, { ...base, firmware: 'direct-kernel', kernel: 'k' })
        // As QEMU reads key=value options: a doubled comma is a comma (util/keyval.c).
        const options = (text: string): string[] =>
          text
            .replaceAll(',,', '\0')
            .split(',')
            .map((o) => o.replaceAll('\0', ','))
        const paths = after(args, '-chardev').map((c) =>
          options(c)
            .find((o) => o.startsWith('path='))
            ?.slice(5),
        )
        expect(paths).toContain(`/v/${odd}/serial.log`)
        expect(after(args, '-blockdev').map((b) => (JSON.parse(b) as { filename?: string }).filename)[0]).toContain(odd)
      }),
    )
  })

  test('stays within the length of node names for every key that a description may have', () => {
    expect(diskNodes('x'.repeat(20)).file.length).toBeLessThanOrEqual(31)
  })
})

describe('where sockets lie', () => {
  test('in the folder of the VM, or where its path is too long in a short one of its own', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), (length) => {
        const dir = `/${'d'.repeat(length)}`
        const paths = runPaths(dir, base)
        expect(paths.dir === dir).toBe(length <= 65)
        for (const socket of [paths.qmp, paths.qmp2, paths.agent])
          expect(Buffer.byteLength(socket)).toBeLessThanOrEqual(107)
        expect(paths.serial).toBe(`${dir}/serial.log`)
      }),
    )
  })

  test('where the description says, once it was chosen', () => {
    expect(runPaths(`/${'d'.repeat(200)}`, { ...base, runDir: '/run/x' }).qmp).toBe('/run/x/qmp.sock')
  })
})

test('KVM is used by evidence: a processor module, never /dev/kvm', () => {
  const only = (file: string) => (path: string) => path === file
  expect(accelerator('auto', only('/sys/module/kvm_intel'))).toBe('kvm')
  expect(accelerator('auto', only('/sys/module/kvm_amd'))).toBe('kvm')
  expect(accelerator('auto', only('/dev/kvm'))).toBe('tcg')
  expect(accelerator('tcg', () => true)).toBe('tcg')
})
