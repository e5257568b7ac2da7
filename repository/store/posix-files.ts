import * as fs from 'node:fs/promises'
import { MiB } from '../../base/index.ts'
import { DirectFile } from './direct-file.ts'
import { posixError, errnoOf } from './posix-errors.ts'

/** What the store needs of the file system; tests put failing calls in between. */
export type PosixFs = Pick<
  typeof fs,
  'open' | 'link' | 'rename' | 'unlink' | 'rmdir' | 'stat' | 'lstat' | 'readdir' | 'mkdir' | 'statfs'
>
export const realFs: PosixFs = fs

/** What is smaller is read again soon, or its sync costs more than its bytes. */
const LARGE = 4 * MiB

/** File systems that have no directory sync (CIFS, some FUSE) or nothing to sync (read-only) answer so. */
const cannotSyncDirectories = new Set(['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'EROFS', 'EBADF'])

/** Makes the names in a directory durable. */
export async function syncDirectory(files: PosixFs, path: string): Promise<void> {
  const handle = await files.open(path, 'r')
  try {
    await handle.sync()
  } catch (error) {
    if (!cannotSyncDirectories.has(errnoOf(error))) throw posixError(error, 'make durable', path)
  } finally {
    await handle.close()
  }
}

/** Writes a new file and waits until its bytes are on the medium. Leaves nothing behind if it fails. */
export async function writeDurably(files: PosixFs, path: string, body: Uint8Array): Promise<void> {
  const file = await DirectFile.create(files, path, body.length >= LARGE)
  try {
    await file.write(0, body)
    await file.datasync()
  } catch (error) {
    await file.close()
    await removeIfThere(files, path)
    throw error
  }
  await file.close()
}

/** Whether there was something to remove. */
export async function removeIfThere(files: PosixFs, path: string): Promise<boolean> {
  try {
    await files.unlink(path)
    return true
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false
    throw error
  }
}

/** For scratch folders that no two writers share. */
export async function removeFolderIfEmpty(files: PosixFs, path: string): Promise<void> {
  try {
    await files.rmdir(path)
  } catch (error) {
    if (errnoOf(error) !== 'ENOTEMPTY' && errnoOf(error) !== 'ENOENT' && errnoOf(error) !== 'EEXIST') throw error
  }
}

/** Reads exactly `length` bytes into a buffer that owns its memory, so that it can be handed to a worker thread. */
export async function readExactly(
  handle: fs.FileHandle,
  offset: number,
  length: number,
  onShort: (got: number) => Error,
): Promise<Uint8Array> {
  const into = Buffer.allocUnsafeSlow(length)
  for (let at = 0; at < length;) {
    const { bytesRead } = await handle.read(into, at, length - at, offset + at)
    if (bytesRead === 0) throw onShort(at)
    at += bytesRead
  }
  return into
}

/** Runs `work` over all items, at most `limit` at a time; throws the first error after all have ended. */
export async function inParallel<T>(
  items: Iterable<T>,
  limit: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const failures: unknown[] = []
  const source = items[Symbol.iterator]()
  const lane = async () => {
    for (let next = source.next(); !next.done && failures.length === 0; next = source.next()) {
      try {
        await work(next.value)
      } catch (error) {
        failures.push(error)
      }
    }
  }
  await Promise.all(Array.from({ length: limit }, lane))
  if (failures.length > 0) throw failures[0]
}
