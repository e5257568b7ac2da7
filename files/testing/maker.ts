import { copyFile, mkdir, rename, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { HoldfastError } from '../../base/index.ts'
import { buildAppliance, cacheFolder, type Recipe } from '../../appliance/index.ts'
import { runProgram } from '../../drivers/transport/index.ts'

const folder = join(import.meta.dirname, 'maker')

/** A machine with every tool that makes disks: the host has no device-mapper, no RAID, and no root to spare. */
const recipe: Recipe = {
  name: 'maker',
  release: { name: 'holdfast-maker', title: 'Maker of test disks' },
  packages: [
    ...['busybox-static', 'dash', 'util-linux', 'mount', 'fdisk', 'e2fsprogs', 'xfsprogs', 'dosfstools'],
    ...['mdadm', 'lvm2', 'btrfs-progs', 'ntfs-3g'],
  ],
  modules: [
    ...[
      'virtio_pci',
      'virtio_blk',
      'ext4',
      'xfs',
      'btrfs',
      'vfat',
      'fuse',
      'nls_cp437',
      'nls_ascii',
      'nls_iso8859_1',
      'nls_utf8',
    ],
    ...['dm_mod', 'raid0', 'raid1'],
  ],
  programs: [
    ...['bin/dash', 'bin/mount', 'bin/umount', 'sbin/sfdisk', 'sbin/mke2fs', 'sbin/mkfs.xfs', 'sbin/mkfs.fat'],
    ...['sbin/mdadm', 'sbin/lvm', 'bin/btrfs', 'sbin/mkfs.btrfs', 'bin/ntfs-3g', 'sbin/mkntfs'],
  ],
  folder,
  files: { init: 'init', 'lvm.conf': 'etc/lvm/lvm.conf' },
  mountPoints: ['mnt'],
  isCompressed: false,
  code: [],
}

/** Raw disks by name, with their sizes in MiB. */
const disks = {
  ...{ gpt: 440, mbr: 480, lvm: 560, mda: 128, mdb: 128, bare: 64, bta: 128, btb: 128, crash: 400, many: 96 },
} as const
export type LayoutDisk = keyof typeof disks

/** The disks of `maker/layouts`, made once and kept in the cache: sparse raw files. Takes a minute the first time. */
export async function layouts(): Promise<{ readonly [name in LayoutDisk]: string }> {
  const hash = createHash('sha256').update(JSON.stringify([recipe, disks]))
  for (const file of ['init', 'layouts', 'lvm.conf']) hash.update(await readFile(join(folder, file)))
  const dir = join(cacheFolder(), 'layouts', hash.digest('hex').slice(0, 16))
  const files = Object.fromEntries(Object.keys(disks).map((name) => [name, join(dir, `${name}.img`)]))
  if (!existsSync(dir)) await make(dir)
  return files as { readonly [name in LayoutDisk]: string }
}

async function make(dir: string): Promise<void> {
  const appliance = await buildAppliance(recipe)
  const work = `${dir}.${process.pid}`
  await rm(work, { recursive: true, force: true })
  await mkdir(work, { recursive: true })
  const script = join(work, 'script')
  await copyFile(join(folder, 'layouts'), script)
  const { size } = await stat(script)
  await writeFile(script, '\n'.repeat(512 - (size % 512)), { flag: 'a' })
  for (const [name, mib] of Object.entries(disks)) {
    await writeFile(join(work, `${name}.img`), '')
    await truncate(join(work, `${name}.img`), mib * 1024 * 1024)
  }
  const drive = (file: string, serial: string): string[] => [
    ...['-drive', `file=${file},format=raw,if=none,id=${serial},cache=unsafe`],
    ...['-device', `virtio-blk-pci,drive=${serial},serial=${serial}`],
  ]
  const { out } = await runProgram(
    'qemu-system-x86_64',
    [
      ...['-M', 'q35', '-accel', 'tcg,thread=multi', '-cpu', 'max', '-m', '512', '-nodefaults', '-no-user-config'],
      ...['-no-reboot', '-display', 'none', '-nic', 'none', '-serial', 'stdio'],
      ...['-kernel', appliance.kernel, '-initrd', appliance.initrd, '-append', 'console=ttyS0 quiet panic=-1'],
      ...drive(script, 'script'),
      ...Object.keys(disks).flatMap((name) => drive(join(work, `${name}.img`), name)),
    ],
    { limit: 8 * 60_000 },
  )
  if (!/^made\r?$/m.test(out))
    throw new HoldfastError('Internal', `the test disks were not made: ${out.slice(-20_000)}`)
  await rm(script)
  try {
    await rename(work, dir)
  } catch (error) {
    // Another test was first.
    await rm(work, { recursive: true, force: true })
    if (!existsSync(dir)) throw error
  }
}
