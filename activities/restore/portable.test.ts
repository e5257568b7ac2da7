import { expect, test } from 'vitest'
import { GiB, bytes } from '../../base/index.ts'
import type { DiskKey, PortableVm } from '../../drivers/index.ts'
import type { OpenPoint } from '../../repository/index.ts'
import { namesPassed } from '../inventory/restore-look.ts'
import { targetSpec } from './portable.ts'
import type { RestorePlace } from './types.ts'

const disk = (key: string, storage?: string): PortableVm['disks'][number] => ({
  ...{ key: key as DiskKey, size: bytes(GiB), sectorSize: 512, bus: 'virtio', bootOrder: null },
  ...(storage !== undefined && { storage }),
})
const nic = (network: string) => ({ mac: '52:54:00:00:00:01', model: 'virtio', network, vlan: null })
const vm: PortableVm = {
  ...{ v: 1, name: 'web', vcpus: 2, memory: bytes(GiB), firmware: 'bios', tpm: false, clock: 'utc' },
  disks: [disk('a', 'ssd'), disk('b', 'hdd'), disk('c')],
  nics: [nic('prod'), nic('lab'), nic('mgmt')],
  guest: { family: 'linux', hint: null },
}
const info = { stem: 's', vm: { platform: 'qemu' }, disks: vm.disks.map(({ key: id }) => ({ id })) }
const point = { info } as unknown as OpenPoint
const names = { networks: { prod: 'prod-dr', lab: null }, storages: { ssd: 'tier-1', '*': 'tier-2' } }
const beside: RestorePlace = { place: { kind: 'new', name: 'x' }, identity: 'new', isolated: false }
const spec = (place: RestorePlace) => {
  const { networks, disks } = targetSpec(point, vm, place, 'qemu')
  return [networks, disks.map(({ storage }) => storage)]
}

test('names of the point become those of the target, what nobody named keeps its own', () => {
  expect(spec({ ...beside, ...names })).toEqual([
    { prod: 'prod-dr', lab: null, mgmt: 'mgmt' },
    ['tier-1', 'tier-2', 'tier-2'],
  ])
  expect(spec({ ...beside, storages: { ssd: 'tier-1' } })[1]).toEqual(['tier-1', '', ''])
  expect(spec(beside)).toEqual([{ prod: 'prod', lab: 'lab', mgmt: 'mgmt' }, ['', '', '']])
  expect(spec({ ...beside, ...names, isolated: true })[0]).toEqual({ prod: null, lab: null, mgmt: null })
})

test('a check says what becomes of each name, and nothing where nobody said anything', () => {
  expect(namesPassed({ ...beside, ...names, disks: ['a'] }, vm)).toEqual([
    {
      title: 'Names at the other site',
      detail: 'network prod is prod-dr there, network lab is not connected there, disk a of ssd goes to tier-1',
    },
  ])
  expect(namesPassed(beside, vm)).toEqual([])
})
