import { readdir, statfs } from 'node:fs/promises'
import { HoldfastError } from '../../base/index.ts'
import { errnoOf, posixError } from './posix-errors.ts'

/** Names in a directory; none if there is no such directory. */
export async function posixEntries(path: string): Promise<string[]> {
  try {
    return await readdir(path)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return []
    if (errnoOf(error) === 'ENOTDIR') {
      throw new HoldfastError('RepositoryForeign', `${path} is not a directory`, { cause: error })
    }
    throw posixError(error, 'list', path)
  }
}

/** Size and free space of the file system under a directory; undefined where it has neither. */
export async function posixCapacity(
  path: string,
): Promise<{ readonly capacityBytes: number; readonly freeBytes: number } | undefined> {
  try {
    const { blocks, bavail, bsize } = await statfs(path)
    return { capacityBytes: blocks * bsize, freeBytes: bavail * bsize }
  } catch (error) {
    if (errnoOf(error) === 'ENOSYS' || errnoOf(error) === 'ENOTSUP') return undefined
    throw posixError(error, 'look at', path)
  }
}
