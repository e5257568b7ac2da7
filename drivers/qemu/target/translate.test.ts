import { expect, test } from 'vitest'
import { GiB, bytes } from '../../../base/index.ts'
import type { DiskKey, PortableVm } from '../../values.ts'
import { translate } from './translate.ts'

const plain: PortableVm = {
  ...{ v: 1, name: 'web', vcpus: 2, memory: bytes(GiB), firmware: 'bios', tpm: false, clock: 'utc' },
  disks: [{ key: 'virtio0' as DiskKey, size: bytes(GiB), sectorSize: 512, bus: 'virtio', bootOrder: 0 }],
  nics: [{ mac: '52:54:00:00:00:01', model: 'virtio', network: 'user', vlan: null }],
  guest: { family: 'linux', hint: null },
}
const disk = plain.disks[0] as PortableVm['disks'][number]
const nic = plain.nics[0] as PortableVm['nics'][number]
const codes = (vm: Partial<PortableVm>, networks = {}): string[] =>
  translate({ vm: { ...plain, ...vm }, networks, nativeConfigRef: null, disks: [] }).map(
    ({ code, severity }) => `${severity} ${code}`,
  )

test('a machine like its own is taken as it is', () => {
  expect(codes({})).toEqual([])
})

test('what could not start is blocked, also what would fail only later', () => {
  expect(codes({ firmware: 'uefi' })).toEqual(['blocking firmware'])
  expect(codes({ firmware: 'direct-kernel' })).toEqual(['blocking kernel'])
  expect(codes({ tpm: true })).toEqual(['blocking tpm'])
  expect(codes({ disks: [{ ...disk, key: 'scsi0:1' as DiskKey }] })).toEqual(['blocking disk-name'])
  expect(codes({ disks: Array.from({ length: 27 }, (_, n) => ({ ...disk, key: `d${n}` as DiskKey })) })).toEqual([
    'blocking size',
  ])
  expect(codes({ nics: Array.from({ length: 9 }, () => nic) })).toEqual(['blocking size'])
})

test('what the guest will see changed is told before', () => {
  expect(codes({ disks: [{ ...disk, bus: 'scsi', sectorSize: 4096 }] })).toEqual(['warning bus', 'warning sectors'])
  expect(codes({ nics: [{ ...nic, model: 'vmxnet3', vlan: 12 }] })).toEqual(['warning nic', 'warning vlan'])
  expect(codes({ clock: 'localtime' })).toEqual(['warning clock'])
  expect(codes({}, { lan: 'lan' })).toEqual(['warning network'])
  expect(codes({ guest: { family: 'other', hint: 'only the disks are known' } })).toEqual(['warning guess'])
})

test('Windows is told which drivers it needs', () => {
  const vm: PortableVm = { ...plain, guest: { family: 'windows', hint: null }, disks: [{ ...disk, bus: 'sata' }] }
  expect(translate({ vm, networks: {}, nativeConfigRef: null, disks: [] })[0]?.hint).toContain('viostor')
})

test('a storage that is named for a disk is said to mean nothing here', () => {
  const of = (storage: string) =>
    translate({
      ...{ vm: plain, networks: {}, nativeConfigRef: null },
      disks: [{ key: disk.key, storage, thin: true }],
    }).map(({ code, severity, disk: key }) => `${severity} ${code} ${key}`)
  expect([of(''), of('ssd')]).toEqual([[], ['warning storage virtio0']])
})
