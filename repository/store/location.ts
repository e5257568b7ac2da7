import { readdir, statfs } from 'node:fs/promises'
import { HoldfastError } from '../../base/index.ts'
import type { RepositoryLocation } from '../types.ts'
import { errnoOf, posixError } from './posix-errors.ts'
import { PosixStore } from './posix.ts'
import type { Connect, ObjectStore } from './store.ts'

/** How to reach the store at a location; every call is a connection of its own. */
export function connectTo(location: RepositoryLocation): Connect {
  return (): ObjectStore => new PosixStore(location.path)
}

/** Makes what the store needs before its first object. Again: yes. */
export async function layOut(location: RepositoryLocation): Promise<void> {
  await new PosixStore(location.path).layOut()
}

/** What an empty or interrupted repository consists of; anything else at its place is somebody else's. */
const own = new Set(['tmp', 'fmt', 'fmt.1', 'fmt.2', 'keys', 'pack', 'floor', 'probe', 'probe-tmp'])
/** Left by file systems and operating systems in directories that are otherwise empty. */
const harmless = new Set(['lost+found', '.reserve'])

/** Names at the location that no repository in the making has. Empty: it can be used. */
export async function foreignEntries(location: RepositoryLocation): Promise<string[]> {
  try {
    const names = await readdir(location.path)
    return names.filter((name) => !own.has(name) && !harmless.has(name))
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return []
    if (errnoOf(error) === 'ENOTDIR') {
      throw new HoldfastError('RepositoryForeign', `${location.path} is not a directory`, { cause: error })
    }
    throw posixError(error, 'list', location.path)
  }
}

/** Size and free space of the file system under a location; undefined where it cannot be known. */
export async function capacityOf(
  location: RepositoryLocation,
): Promise<{ readonly capacityBytes: number; readonly freeBytes: number } | undefined> {
  try {
    const { blocks, bavail, bsize } = await statfs(location.path)
    return { capacityBytes: blocks * bsize, freeBytes: bavail * bsize }
  } catch (error) {
    if (errnoOf(error) === 'ENOSYS' || errnoOf(error) === 'ENOTSUP') return undefined
    throw posixError(error, 'look at', location.path)
  }
}
