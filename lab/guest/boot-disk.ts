import { open, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { MiB } from '../../base/index.ts'
import { runProgram } from '../../drivers/transport/index.ts'

/** The guest's own console on screen and serial port; the last one named is where init speaks. */
export const KERNEL_ARGUMENTS = 'console=tty0 console=ttyS0 quiet panic=5'

const boot = { start: 1 * MiB, size: 48 * MiB }
const data = { start: boot.start + boot.size, size: 159 * MiB }
export const BOOT_DISK_SIZE = data.start + data.size
const SECTOR = 512

/**
 * A disk that the BIOS boots without help: an MBR, a FAT partition with SYSLINUX, kernel and initramfs, and an ext4
 * partition labelled `data0`. All of it is written into plain files: no root, no loop device, no mount. The programs come
 * from the unpacked packages in `tree`; kernel and initramfs are those in `folder`, where `boot.qcow2` is left.
 */
export async function buildBootDisk(tree: string, folder: string): Promise<void> {
  const work = join(folder, 'boot')
  const [fat, raw] = [`${work}.fat`, `${work}.raw`]
  const bin = (name: string): string => join(tree, name)
  // syslinux starts mcopy and mattrib by name; the epoch pins the times that mtools writes.
  const env = {
    ...process.env,
    PATH: `${bin('usr/bin')}:${process.env['PATH'] ?? ''}`,
    MTOOLS_SKIP_CHECK: '1',
    SOURCE_DATE_EPOCH: '0',
  }
  const config = `DEFAULT holdfast\nPROMPT 0\nLABEL holdfast\n  KERNEL /vmlinuz\n  INITRD /initrd.zst\n  APPEND ${KERNEL_ARGUMENTS}\n`
  await writeFile(`${work}.cfg`, config)

  await writeEmpty(fat, boot.size)
  // -h: sectors before the partition; SYSLINUX finds its own sectors by it.
  const format = ['-F', '32', '-n', 'BOOT', '-i', '484f4c44', '-h', String(boot.start / SECTOR), '--invariant', fat]
  await runProgram(bin('sbin/mkfs.fat'), format, { env })
  await runProgram(bin('usr/bin/syslinux'), ['--install', fat], { env })
  const copies = [
    ['vmlinuz', 'vmlinuz'],
    ['initrd', 'initrd.zst'],
    ['boot.cfg', 'syslinux.cfg'],
  ] as const
  for (const [from, to] of copies)
    await runProgram(bin('usr/bin/mcopy'), ['-i', fat, join(folder, from), `::${to}`], { env })

  await writeEmpty(raw, BOOT_DISK_SIZE)
  await writeAt(raw, 0, masterBootRecord(await readFile(bin('usr/lib/syslinux/mbr/mbr.bin'))))
  await writeAt(raw, boot.start, await readFile(fat))
  const ext4 = ['-q', '-F', '-t', 'ext4', '-L', 'data0', '-U', '484f4c44-4641-5354-8000-000000000001']
  const extended = `offset=${data.start},hash_seed=484f4c44-4641-5354-8000-000000000002,lazy_itable_init=0,lazy_journal_init=0`
  await runProgram('mke2fs', [...ext4, '-E', extended, raw, `${data.size / 1024}k`])
  await runProgram('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', raw, `${work}.qcow2`])
  for (const file of [fat, raw, `${work}.cfg`]) await rm(file)
}

/** Boot code of SYSLINUX and two partitions: FAT32 LBA (0x0c), active, and Linux (0x83). CHS fields say "use LBA". */
export function masterBootRecord(code: Uint8Array): Buffer {
  const mbr = Buffer.alloc(SECTOR)
  mbr.set(code.subarray(0, 440))
  mbr.writeUInt32LE(0x484f4c44, 440)
  const partition = (at: number, active: boolean, type: number, range: { start: number; size: number }): void => {
    mbr.set([active ? 0x80 : 0, 0xfe, 0xff, 0xff, type, 0xfe, 0xff, 0xff], at)
    mbr.writeUInt32LE(range.start / SECTOR, at + 8)
    mbr.writeUInt32LE(range.size / SECTOR, at + 12)
  }
  partition(446, true, 0x0c, boot)
  partition(462, false, 0x83, data)
  mbr.writeUInt16LE(0xaa55, 510)
  return mbr
}

async function writeEmpty(file: string, size: number): Promise<void> {
  await writeFile(file, '')
  await truncate(file, size)
}

async function writeAt(file: string, at: number, bytes: Uint8Array): Promise<void> {
  await using handle = await open(file, 'r+')
  await handle.write(bytes, 0, bytes.length, at)
}
