import { randomBytes } from 'node:crypto'
import { dirname, join } from 'node:path'
import { HoldfastError, MiB } from '../../base/index.ts'
import { parseName, type ObjectName } from '../format/names.ts'
import { errnoOf, posixError } from './posix-errors.ts'
import { inParallel, removeIfThere, writeDurably, type PosixFs } from './posix-files.ts'
import type { Housekeeping } from './posix-housekeeping.ts'
import type { PosixRoot } from './posix-root.ts'
import { throwIfAborted, type PutOptions } from './store.ts'

/** An object that is written and synced, and has no name yet. */
interface Prepared {
  readonly name: ObjectName
  readonly temporary: string
  readonly size: number
}

/** Answers of `link` where a file system has no hard links (SMB, FAT). */
const noHardLinks = new Set(['EPERM', 'EOPNOTSUPP', 'ENOTSUP', 'ENOSYS', 'EMLINK'])
/** Bodies up to this size may use the space that the reserve gives back: records, journals, manifests; packs never. */
const RESERVED_FOR = MiB

/** §14.2: how one connection of a posix store writes, in the steps that are numbered there. */
export class PosixWriter {
  readonly #files: PosixFs
  readonly #root: PosixRoot
  readonly #housekeeping: Housekeeping
  #hardLinks = true
  #deferred: Prepared[] = []
  /** Folders with links that a flush could not make durable. */
  readonly #unsynced: string[] = []
  #flushing: Promise<void> = Promise.resolve()
  /** Deferred puts under way, and how often the connection was discarded: one that began before leaves nothing. */
  readonly #writing = new Set<Promise<void>>()
  #discards = 0

  constructor(files: PosixFs, root: PosixRoot, housekeeping: Housekeeping) {
    this.#files = files
    this.#root = root
    this.#housekeeping = housekeeping
  }

  /** As far as is known: the first put finds out. */
  get hasHardLinks(): boolean {
    return this.#hardLinks
  }

  async put(name: ObjectName, body: Uint8Array, { defer, signal }: PutOptions): Promise<'created' | 'exists'> {
    if (defer === true) {
      const writing = this.#defer(name, body, signal)
      this.#writing.add(writing)
      try {
        await writing
        return 'created'
      } finally {
        this.#writing.delete(writing)
      }
    }
    const put = await this.#prepare(name, body, signal)
    try {
      const outcome = await this.#publish(put)
      await this.#root.sync(dirname(this.#path(name)))
      return outcome
    } catch (error) {
      // What cannot be removed now is swept after a day; the first error is the one to tell.
      await Promise.allSettled([removeIfThere(this.#files, put.temporary)])
      throw error
    }
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

  async discard(): Promise<void> {
    this.#discards += 1
    await Promise.allSettled([this.#flushing, ...this.#writing])
    const given = this.#deferred.splice(0)
    this.#unsynced.splice(0)
    try {
      await inParallel(given, 8, async ({ temporary }) => void (await removeIfThere(this.#files, temporary)))
    } catch (error) {
      throw posixError(error, 'remove what was being written in', join(this.#root.path, 'tmp'))
    }
  }

  async #defer(name: ObjectName, body: Uint8Array, signal: AbortSignal): Promise<void> {
    const discards = this.#discards
    const put = await this.#prepare(name, body, signal)
    if (discards === this.#discards) this.#deferred.push(put)
    else {
      await removeIfThere(this.#files, put.temporary)
      throw new HoldfastError('Cancelled', `${name} was given up while it was written`)
    }
  }

  /** Written and synced under its temporary name. Leaves nothing if it throws. */
  async #prepare(name: ObjectName, body: Uint8Array, signal: AbortSignal): Promise<Prepared> {
    await this.#root.check()
    await this.#housekeeping.beforePut()
    const temporary = await this.#writeTemporary(name, body)
    if (signal.aborted) {
      await removeIfThere(this.#files, temporary)
      throwIfAborted(signal)
    }
    return { name, temporary, size: body.length }
  }

  /** Steps 1 and 2. After a failed sync the bytes go into another file: syncing the same one again proves nothing. */
  async #writeTemporary(name: ObjectName, body: Uint8Array): Promise<string> {
    for (let attempt = 1; ; attempt++) {
      const path = temporaryPath(this.#root)
      try {
        await writeDurably(this.#files, path, body)
        return path
      } catch (error) {
        const errno = errnoOf(error)
        if (errno === 'ENOENT' && attempt === 1) {
          await this.#files.mkdir(dirname(path), { recursive: true, mode: 0o700 })
          continue
        }
        const again = errno === 'EIO' || (await this.#madeRoom(error, name, body.length))
        if (!again || attempt > 2) throw posixError(error, `write ${body.length} bytes of ${name} to`, this.#root.path)
      }
    }
  }

  /** Steps 3 and 4; the caller syncs the directory. */
  async #publish({ name, temporary, size }: Prepared): Promise<'created' | 'exists'> {
    const path = this.#path(name)
    for (;;) {
      try {
        await this.#root.makeFolder(dirname(path))
        const outcome = await this.#link(name, temporary, path, size)
        await removeIfThere(this.#files, temporary)
        return outcome
      } catch (error) {
        if (!(await this.#madeRoom(error, name, size))) throw posixError(error, 'create', path)
      }
    }
  }

  /** Whether the disk was full and the reserve, which can be given up once, has made room for this object. */
  async #madeRoom(error: unknown, name: ObjectName, size: number): Promise<boolean> {
    const errno = errnoOf(error)
    if (errno !== 'ENOSPC' && errno !== 'EDQUOT') return false
    if (size > RESERVED_FOR || parseName(name)?.kind === 'pack') return false
    return await this.#housekeeping.giveUpReserve()
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
    if (await isThere(this.#files, path)) return await this.#whoseName(name, temporary, path, size)
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
      await inParallel(folders, 8, (folder) => this.#root.sync(folder))
    } catch (error) {
      // Linked but perhaps not durable counts as not done: published once more, it is found to exist.
      this.#deferred.unshift(...remaining)
      this.#unsynced.push(...folders)
      throw error
    }
    await inParallel(this.#unsynced.splice(0), 8, (folder) => this.#root.sync(folder))
  }

  #path(name: ObjectName): string {
    return join(this.#root.path, name)
  }
}

export function temporaryPath(root: PosixRoot): string {
  return join(root.path, 'tmp', randomBytes(16).toString('hex'))
}

async function isThere(files: PosixFs, path: string): Promise<boolean> {
  try {
    await files.stat(path)
    return true
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false
    throw error
  }
}
