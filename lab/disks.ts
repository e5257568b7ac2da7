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

/**
 * Makes a data disk: ext4 with this label, then the marked end. `size`: bytes, in whole MiB, at least 64 MiB.
 * Needs neither root nor a mount: the file system is written into a plain file, then converted.
 */
export async function makeDataDisk(file: string, format: 'qcow2' | 'raw', size: number, label: string): Promise<void> {
  if (size % MiB !== 0 || size < 64 * MiB)
    throw new RangeError(`a lab disk has whole MiB, at least 64, not ${size} bytes`)
  const raw = format === 'raw' ? file : `${file}.raw`
  await writeFile(raw, '')
  await truncate(raw, size)
  const formatted = size - rawEnd(size)
  const options = 'lazy_itable_init=0,lazy_journal_init=0'
  await runProgram('mke2fs', ['-q', '-F', '-t', 'ext4', '-L', label, '-E', options, raw, `${formatted / 1024}k`])
  await using handle = await open(raw, 'r+')
  await handle.write(Buffer.from(`${RAW_END_MARK}\n`.padEnd(512, '\0')), 0, 512, formatted)
  if (format === 'raw') return
  await runProgram('qemu-img', ['convert', '-f', 'raw', '-O', format, raw, file])
  await rm(raw)
}
