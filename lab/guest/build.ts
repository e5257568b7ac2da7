import { join } from 'node:path'
import { buildAppliance, type Appliance, type BuildOptions, type Recipe } from '../../appliance/index.ts'
import { buildBootDisk } from './boot-disk.ts'

/** The lab's guest, built and cached. Files are never changed once they are there. */
export interface Guest extends Appliance {
  /** qcow2 of a small disk with boot loader, kernel and initramfs: boots by BIOS without help. */
  readonly bootDisk: string
}
export type GuestOptions = BuildOptions

/** From these only single files are taken for the boot disk. */
const bootPrograms = ['syslinux', 'syslinux-common', 'mtools', 'dosfstools']

const recipe: Recipe = {
  name: 'lab',
  release: { name: 'holdfast-lab', title: 'Holdfast lab guest' },
  packages: ['busybox-static', 'qemu-guest-agent', 'sqlite3', 'util-linux', 'procps', 'dash', ...bootPrograms],
  // File systems beyond ext4 for disks that were not made here.
  modules: [
    ...['virtio_pci', 'virtio_blk', 'virtio_scsi', 'sd_mod', 'virtio_net', 'virtio_console', 'button', 'evdev'],
    ...['ext4', 'xfs', 'btrfs', 'vfat', 'nls_cp437', 'nls_ascii', 'nls_iso8859_1', 'nls_utf8'],
    ...['dm_mod', 'dm_snapshot'],
  ],
  programs: [
    'usr/sbin/qemu-ga',
    'usr/bin/sqlite3',
    'sbin/blkdiscard',
    'usr/bin/fallocate',
    'sbin/blkid',
    'usr/bin/pkill',
    'sbin/fsfreeze',
    'bin/dash',
  ],
  folder: join(import.meta.dirname, 'files'),
  files: {
    init: 'init',
    'mount-disks': 'usr/sbin/mount-disks',
    shutdown: 'sbin/shutdown',
    'power-button': 'etc/acpi/PWRF/00000080',
    workload: 'usr/bin/workload',
    'check-integrity': 'usr/bin/check-integrity',
    'audit-verify': 'usr/bin/audit-verify',
    'audit-lib': 'usr/lib/holdfast/audit-lib',
  },
  mountPoints: ['data'],
  isCompressed: true,
  code: [import.meta.dirname],
  finish: async (tree, folder, progress) => {
    progress('making the boot disk')
    await buildBootDisk(tree, folder)
  },
}

/** The guest for the recipe above, as `buildAppliance` says. */
export async function buildGuest(options: GuestOptions = {}): Promise<Guest> {
  const appliance = await buildAppliance(recipe, options)
  return { ...appliance, bootDisk: join(appliance.folder, 'boot.qcow2') }
}
