import { join } from 'node:path'
import type { Recipe } from '../../appliance/index.ts'

/**
 * The micro-VM that opens file systems: the kernel's own for most, NTFS by a program, and OpenSSH's SFTP server as the one
 * that is asked. Plain, not compressed: decompressing costs more than reading.
 */
export const filesGuest: Recipe = {
  name: 'files',
  release: { name: 'holdfast-files', title: 'Holdfast micro-VM for files' },
  packages: [
    ...['busybox-static', 'dash', 'util-linux', 'mount', 'openssh-sftp-server'],
    ...['mdadm', 'lvm2', 'btrfs-progs', 'ntfs-3g'],
  ],
  modules: [
    ...['virtio_pci', 'virtio_blk', 'virtio_console'],
    ...['ext4', 'xfs', 'btrfs', 'vfat', 'exfat', 'isofs', 'udf', 'fuse'],
    ...['nls_cp437', 'nls_ascii', 'nls_iso8859_1', 'nls_utf8'],
    ...['dm_mod', 'dm_snapshot', 'dm_mirror', 'linear', 'raid0', 'raid1', 'raid10', 'raid456'],
  ],
  programs: [
    ...['bin/dash', 'bin/mount', 'sbin/blkid', 'usr/lib/openssh/sftp-server'],
    ...['sbin/mdadm', 'sbin/lvm', 'bin/btrfs', 'bin/ntfs-3g'],
  ],
  folder: join(import.meta.dirname, 'files'),
  files: { init: 'init', 'lvm.conf': 'etc/lvm/lvm.conf', passwd: 'etc/passwd' },
  mountPoints: ['vol'],
  isCompressed: false,
  code: [import.meta.dirname],
}
