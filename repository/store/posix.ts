import { randomBytes } from 'node:crypto'
import { dirname, join, resolve } from 'node:path'
import { bytes, HoldfastError, MiB, millis, type Millis } from '../../base/index.ts'
import { isObjectName, parseName, type ObjectName } from '../format/names.ts'
import { errnoOf, posixError, readError } from './posix-errors.ts'
import {
  inParallel,
  readExactly,
  realFs,
  removeFolderIfEmpty,
  removeIfThere,
  syncDirectory,
  writeDurably,
  type PosixFs,
} from './posix-files.ts'
import { listPosix } from './posix-list.ts'
import { Housekeeping } from './posix-housekeeping.ts'
import { throwIfAborted, type ObjectInfo, type ObjectStore, type PutOptions, type StoreCapabilities } from './store.ts'

export interface PosixOptions {
  readonly files?: PosixFs
  /** Bytes of the file that is given up when the disk is full. Default 64 MiB; 0: none. */
  readonly reserveBytes?: number
  /** Objects in one page of a listing. */
  readonly page?: number
}

interface Deferred {
  readonly name: ObjectName
  readonly temporary: string
  readonly size: number
}

/** Answers of `link` where a file system has no hard links (SMB, FAT). */
const noHardLinks = new Set(['EPERM', 'EOPNOTSUPP', 'ENOTSUP', 'ENOSYS', 'EMLINK'])
/** Bodies up to this size may use the space that the reserve gives back: records, journals, manifests, not packs. */
const RESERVED_FOR = MiB

/**
 * §14.2, posix: a local directory, NFS or SMB. An object is written and synced under `tmp/`, then linked to its name, so a
 * torn file never has one. Deferred puts are linked at `flush`, each directory synced once.
 */
export class PosixStore implements ObjectStore {
  readonly #root: string
  readonly #files: PosixFs
  readonly #housekeeping: Housekeeping
  readonly #page: number
  #hardLinks = true
  #identity: { readonly dev: number; readonly ino: number } | undefined
  #deferred: Deferred[] = []
  #flushing: Promise<void> = Promise.resolve()

  constructor(root: string, options: PosixOptions = {}) {
    this.#root = resolve(root)
    this.#files = options.files ?? realFs
    this.#page = options.page ?? 4096
    this.#housekeeping = new Housekeeping(this.#files, this.#root, options.reserveBytes ?? 64 * MiB)
  }

  get capabilities(): StoreCapabilities {
    return {
      kind: 'posix',
      putIfAbsent: this.#hardLinks ? 'native' : 'emulated',
      serverChecksum: 'none',
      listing: 'linearizable',
      settle: millis(0),
      defer: true,
      versioned: false,
      objectLock: 'none',
    }
  }

  /** Makes the directory, `tmp/` and the 256 folders of `pack/`: done once, at init. Again: yes. */
  async layOut(): Promise<void> {
    try {
      await this.#files.mkdir(this.#root, { recursive: true, mode: 0o700 })
      await this.#checkRoot()
      await this.#files.mkdir(join(this.#root, 'tmp'), { recursive: true, mode: 0o700 })
      for (let n = 0; n < 256; n++) {
        await this.#files.mkdir(join(this.#root, 'pack', n.toString(16).padStart(2, '0')), { recursive: true })
      }
      await syncDirectory(this.#files, join(this.#root, 'pack'))
      await syncDirectory(this.#files, this.#root)
      await syncDirectory(this.#files, dirname(this.#root))
    } catch (error) {
      throw posixError(error, 'create', this.#root)
    }
  }

  async putIfAbsent(name: ObjectName, body: Uint8Array, options: PutOptions): Promise<'created' | 'exists'> {
    this.#checkName(name)
    throwIfAborted(options.signal)
    await this.#checkRoot()
    await this.#housekeeping.beforeFirstPut()
    const temporary = await this.#writeTemporary(name, body)
    if (options.signal.aborted) {
      await removeIfThere(this.#files, temporary)
      throwIfAborted(options.signal)
    }
    const put = { name, temporary, size: body.length }
    if (options.defer === true) {
      this.#deferred.push(put)
      return 'created'
    }
    const outcome = await this.#publish(put)
    await this.#sync(dirname(this.#path(name)))
    return outcome
  }

  async flush(): Promise<void> {
    // One at a time: a put that an earlier flush failed to publish stays deferred, and fails whoever flushes next too.
    const before = this.#flushing
    const mine = before.then(
      () => this.#flushNow(),
      () => this.#flushNow(),
    )
    this.#flushing = mine
    await mine
  }

  async getRange(
    name: ObjectName,
    offset: number,
    length: number | undefined,
    signal: AbortSignal,
  ): Promise<Uint8Array> {
    this.#checkName(name)
    throwIfAborted(signal)
    const path = this.#path(name)
    try {
      const handle = await this.#files.open(path, 'r')
      try {
        const wanted = length ?? (await handle.stat()).size - offset
        const short = (size: number) =>
          new HoldfastError(
            'FormatError',
            `${name} ends at byte ${size}, ${offset + Math.max(wanted, 0)} was asked for`,
          )
        if (wanted < 0) throw short(offset + wanted)
        return await readExactly(handle, offset, wanted, (got) => short(offset + got))
      } finally {
        await handle.close()
      }
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') await this.#checkRoot()
      throw readError(error, name, path)
    }
  }

  async head(name: ObjectName): Promise<ObjectInfo | undefined> {
    this.#checkName(name)
    const path = this.#path(name)
    try {
      const { size, mtimeMs } = await this.#files.stat(path)
      return { name, size: bytes(size), modified: millis(Math.floor(mtimeMs)) }
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT' && errnoOf(error) !== 'ENOTDIR') throw posixError(error, 'look at', path)
      await this.#checkRoot()
      return undefined
    }
  }

  async list(prefix: string, cursor = ''): Promise<{ objects: ObjectInfo[]; next?: string }> {
    if (prefix !== '' && !isObjectName(prefix.replace(/\/$/, ''))) throw new TypeError(`not a prefix: ${prefix}`)
    await this.#checkRoot()
    const page = await listPosix(this.#files, this.#root, prefix, cursor, this.#page)
    await this.#checkRoot()
    return page
  }

  async delete(name: ObjectName): Promise<void> {
    this.#checkName(name)
    const path = this.#path(name)
    try {
      if (!(await removeIfThere(this.#files, path))) await this.#checkRoot()
      else if (name.startsWith('probe-tmp/')) await removeFolderIfEmpty(this.#files, dirname(path))
      else await syncDirectory(this.#files, dirname(path))
    } catch (error) {
      throw posixError(error, 'remove', path)
    }
  }

  async now(): Promise<Millis> {
    await this.#checkRoot()
    const path = this.#temporaryPath()
    try {
      await this.#files.mkdir(dirname(path), { recursive: true, mode: 0o700 })
      const handle = await this.#files.open(path, 'wx', 0o600)
      try {
        return millis(Math.floor((await handle.stat()).mtimeMs))
      } finally {
        await handle.close()
        await removeIfThere(this.#files, path)
      }
    } catch (error) {
      throw posixError(error, 'write', path)
    }
  }

  /** Steps 1 and 2. After a failed sync the bytes go into another file: syncing the same one again proves nothing. */
  async #writeTemporary(name: ObjectName, body: Uint8Array): Promise<string> {
    for (let attempt = 1; ; attempt++) {
      const path = this.#temporaryPath()
      try {
        await writeDurably(this.#files, path, body)
        return path
      } catch (error) {
        const errno = errnoOf(error)
        if (errno === 'ENOENT' && attempt === 1) {
          await this.#files.mkdir(dirname(path), { recursive: true, mode: 0o700 })
          continue
        }
        const full = errno === 'ENOSPC' || errno === 'EDQUOT'
        const gained = full && (await this.#housekeeping.giveUpReserve())
        const again = full ? gained && body.length <= RESERVED_FOR : errno === 'EIO'
        if (!again || attempt > 2) throw posixError(error, `write ${body.length} bytes of ${name} to`, this.#root)
      }
    }
  }

  /** Steps 3 and 4; the caller syncs the directory. */
  async #publish({ name, temporary, size }: Deferred): Promise<'created' | 'exists'> {
    const path = this.#path(name)
    try {
      await this.#makeFolder(dirname(path))
      const outcome = await this.#link(name, temporary, path, size)
      await removeIfThere(this.#files, temporary)
      return outcome
    } catch (error) {
      if (errnoOf(error) === 'ENOSPC') await this.#housekeeping.giveUpReserve()
      throw posixError(error, 'create', path)
    }
  }

  async #link(name: ObjectName, temporary: string, path: string, size: number): Promise<'created' | 'exists'> {
    if (this.#hardLinks) {
      try {
        await this.#files.link(temporary, path)
        return 'created'
      } catch (error) {
        const errno = errnoOf(error)
        if (errno === 'EEXIST') return await this.#whoseName(name, temporary, path, size)
        if (!noHardLinks.has(errno)) throw error
        this.#hardLinks = false
      }
    }
    if ((await this.head(name)) !== undefined) return await this.#whoseName(name, temporary, path, size)
    await this.#files.rename(temporary, path)
    return 'created'
  }

  /** Over NFS a link that was sent twice finds its own first success: then the temporary file has two names. */
  async #whoseName(name: ObjectName, temporary: string, path: string, size: number): Promise<'created' | 'exists'> {
    const [mine, theirs] = await Promise.all([this.#files.stat(temporary), this.#files.stat(path)])
    if (mine.ino === theirs.ino && mine.dev === theirs.dev) return 'created'
    const kind = parseName(name)?.kind
    if ((kind === 'pack' || kind === 'segment') && theirs.size !== size) {
      throw new HoldfastError('StoreChecksumMismatch', `${name} exists with ${theirs.size} bytes instead of ${size}`, {
        hint: 'The object in the repository is damaged; run repo verify.',
      })
    }
    return 'exists'
  }

  async #flushNow(): Promise<void> {
    const puts = this.#deferred
    this.#deferred = []
    const folders = new Set<string>()
    const remaining = new Set(puts)
    try {
      await inParallel(puts, 8, async (put) => {
        await this.#publish(put)
        folders.add(dirname(this.#path(put.name)))
        remaining.delete(put)
      })
      await inParallel(folders, 8, (folder) => this.#sync(folder))
    } catch (error) {
      // Linked but perhaps not durable counts as not done: published once more, it is found to exist.
      this.#deferred.unshift(...remaining)
      this.#unsynced.push(...folders)
      throw error
    }
    await inParallel(this.#unsynced.splice(0), 8, (folder) => this.#sync(folder))
  }
  readonly #unsynced: string[] = []

  /** A folder counts once its name is durable too, whoever made it. */
  async #makeFolder(folder: string): Promise<void> {
    if (this.#folders.has(folder)) return
    await this.#files.mkdir(folder, { recursive: true })
    for (let at = folder; at !== this.#root && !this.#folders.has(at); at = dirname(at)) {
      await this.#sync(dirname(at))
      this.#folders.add(at)
    }
  }
  readonly #folders = new Set<string>()

  async #sync(folder: string): Promise<void> {
    try {
      await syncDirectory(this.#files, folder)
    } catch (error) {
      throw posixError(error, 'make durable', folder)
    }
  }

  /** A share that was unmounted leaves an empty directory behind: nothing in it proves that anything is absent. */
  async #checkRoot(): Promise<void> {
    let found: { readonly dev: number; readonly ino: number }
    try {
      const status = await this.#files.stat(this.#root)
      found = { dev: status.dev, ino: status.ino }
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw posixError(error, 'reach', this.#root)
      throw new HoldfastError('RepositoryMissing', `the directory ${this.#root} does not exist`, { cause: error })
    }
    this.#identity ??= found
    if (found.dev !== this.#identity.dev || found.ino !== this.#identity.ino) {
      throw new HoldfastError('StoreUnavailable', `another file system than before is mounted at ${this.#root}`, {
        hint: 'Mount the repository again; nothing was read or written in between.',
      })
    }
  }

  #checkName(name: ObjectName): void {
    if (!isObjectName(name) || name.startsWith('tmp/')) throw new TypeError(`not the name of an object: ${name}`)
  }

  #path(name: ObjectName): string {
    return join(this.#root, name)
  }

  #temporaryPath(): string {
    return join(this.#root, 'tmp', randomBytes(16).toString('hex'))
  }
}
