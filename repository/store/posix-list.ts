import type { Dirent } from 'node:fs'
import { join } from 'node:path'
import { bytes, millis } from '../../base/index.ts'
import { isObjectName } from '../format/names.ts'
import { errnoOf, posixError } from './posix-errors.ts'
import { inParallel, syncDirectory, type PosixFs } from './posix-files.ts'
import type { ObjectInfo } from './store.ts'

/**
 * §14.2: names under `prefix` after `cursor` in ascending byte order. Every directory that was read is synced before the
 * result is returned: a name must not be acted upon that a power loss could still take back.
 */
export async function listPosix(
  files: PosixFs,
  root: string,
  prefix: string,
  cursor: string,
  page: number,
): Promise<{ objects: ObjectInfo[]; next?: string }> {
  const visited: string[] = []
  const names: string[] = []
  const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1)
  await walk({ files, root, prefix, cursor, page, visited, names }, folder)
  const more = names.length > page
  names.length = Math.min(names.length, page)

  const found = new Map<string, ObjectInfo>()
  await inParallel(names, 16, async (name) => {
    try {
      const { size, mtimeMs } = await files.stat(join(root, name))
      found.set(name, { name, size: bytes(size), modified: millis(Math.floor(mtimeMs)) })
    } catch (error) {
      // Deleted since its directory was read: it did not exist through the whole listing.
      if (errnoOf(error) !== 'ENOENT') throw posixError(error, 'look at', join(root, name))
    }
  })
  await inParallel(visited, 16, async (path) => {
    try {
      await syncDirectory(files, path)
    } catch (error) {
      throw posixError(error, 'make durable', path)
    }
  })
  const objects = names.flatMap((name) => found.get(name) ?? [])
  const last = names.at(-1)
  return more && last !== undefined ? { objects, next: last } : { objects }
}

interface Walk {
  readonly files: PosixFs
  readonly root: string
  readonly prefix: string
  readonly cursor: string
  readonly page: number
  readonly visited: string[]
  readonly names: string[]
}

/** `folder` is '' or ends with a slash. Stops when one name more than a page has been found. */
async function walk(context: Walk, folder: string): Promise<void> {
  const { prefix, cursor, page, names } = context
  for (const { key, isFolder } of await entriesOf(context, folder)) {
    if (names.length > page) return
    if (isFolder) {
      const canMatch = key.startsWith(prefix) || prefix.startsWith(key)
      const allBefore = cursor > key && !cursor.startsWith(key)
      if (canMatch && !allBefore) await walk(context, key)
    } else if (key > cursor && key.startsWith(prefix) && isObjectName(key)) names.push(key)
  }
}

/** Sorted as whole names: a folder sorts with its slash. `tmp/` and names with a leading dot are the store's own. */
async function entriesOf(
  { files, root, visited }: Walk,
  folder: string,
): Promise<{ readonly key: string; readonly isFolder: boolean }[]> {
  const path = join(root, folder)
  let entries: Dirent[]
  try {
    entries = await files.readdir(path, { withFileTypes: true })
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return []
    throw posixError(error, 'list', path)
  }
  visited.push(path)
  const found: { key: string; isFolder: boolean }[] = []
  for (const entry of entries) {
    if (entry.name.startsWith('.') || (folder === '' && entry.name === 'tmp')) continue
    const isFolder = entry.isSymbolicLink() ? await leadsToFolder(files, join(path, entry.name)) : entry.isDirectory()
    const key = folder + entry.name + (isFolder ? '/' : '')
    // A folder whose name no object can have holds none; it may not even be readable (lost+found).
    if (!isFolder || isObjectName(folder + entry.name)) found.push({ key, isFolder })
  }
  return found.sort((a, b) => (a.key < b.key ? -1 : 1))
}

async function leadsToFolder(files: PosixFs, path: string): Promise<boolean> {
  try {
    return (await files.stat(path)).isDirectory()
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false
    throw posixError(error, 'look at', path)
  }
}
