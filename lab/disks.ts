import { open, rm, truncate, writeFile } from 'node:fs/promises'
import { MiB } from '../base/index.ts'
import { runProgram } from '../drivers/transport/index.ts'

/**
 * Length of the unformatted end of a data disk, where the guest's workload works on the bare device: an eighth of the
 * disk, at most 64 MiB, in whole MiB. The workload computes the same and looks for the mark before it writes.
 */
function rawEnd(size: number): number {
  return Math.min(64, Math.floor(size / (8 * MiB))) * MiB
}

/** First sector of the unformatted end; without it the workload leaves the end alone. */
const RAW_END_MARK = 'HOLDFAST-LAB-RAW-1'

/** Where the part of a data disk begins that has no file system and that nobody in the guest touches. Bytes. */
export function freeStart(size: number, free: number): number {
  return size - rawEnd(size) - free
}

/**
 * Makes a data disk: ext4 with this label, then `free` bytes of nothing, then the marked end. `size`: bytes, in whole MiB,
 * at least 64 MiB. Needs neither root nor a mount: the file system is written into a plain file, then converted.
 */
export async function makeDataDisk(
  file: string,
  format: 'qcow2' | 'raw',
  { size, free = 0, label }: { readonly size: number; readonly free?: number; readonly label: string },
): Promise<void> {
  if (size % MiB !== 0 || size < 64 * MiB)
    throw new RangeError(`a lab disk has whole MiB, at least 64, not ${size} bytes`)
  if (free % MiB !== 0 || freeStart(size, free) < 32 * MiB)
    throw new RangeError(
      `of a lab disk of ${size} bytes not ${free} can be free: whole MiB, and 32 for the file system`,
    )
  const raw = format === 'raw' ? file : `${file}.raw`
  await writeFile(raw, '')
  await truncate(raw, size)
  const options = 'lazy_itable_init=0,lazy_journal_init=0'
  await runProgram('mke2fs', [
    '-q',
    '-F',
    '-t',
    'ext4',
    '-L',
    label,
    '-E',
    options,
    raw,
    `${freeStart(size, free) / 1024}k`,
  ])
  await using handle = await open(raw, 'r+')
  await handle.write(Buffer.from(`${RAW_END_MARK}\n`.padEnd(512, '\0')), 0, 512, freeStart(size, 0))
  if (format === 'raw') return
  await runProgram('qemu-img', ['convert', '-f', 'raw', '-O', format, raw, file])
  await rm(raw)
}
