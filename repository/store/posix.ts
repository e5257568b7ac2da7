import type { FileHandle } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { bytes, HoldfastError, MiB, millis, type Millis } from '../../base/index.ts'
import { isObjectName, type ObjectName } from '../format/names.ts'
import { errnoOf, posixError, readError } from './posix-errors.ts'
import { readExactly, realFs, removeFolderIfEmpty, removeIfThere, syncDirectory, type PosixFs } from './posix-files.ts'
import { listPosix } from './posix-list.ts'
import { Housekeeping } from './posix-housekeeping.ts'
import { PosixRoot } from './posix-root.ts'
import { PosixWriter, temporaryPath } from './posix-writer.ts'
import {
  throwIfAborted,
  tooLarge,
  type ObjectInfo,
  type ObjectStore,
  type PutOptions,
  type StoreCapabilities,
} from './store.ts'

export interface PosixOptions {
  readonly files?: PosixFs
  /** Bytes of the file that is given up when the disk is full. Default 64 MiB; 0: none. */
  readonly reserveBytes?: number
  readonly clock?: () => number
  /** Objects in one page of a listing. */
  readonly page?: number
  /** §14.3: what to wait before a listing is believed, where the probe saw that it lags. Default 0. */
  readonly settleMs?: number
}

/**
 * §14.2, posix: a local directory, NFS or SMB. An object is written and synced under `tmp/`, then linked to its name, so a
 * torn file never has one. Deferred puts are linked at `flush`, each directory synced once.
 */
export class PosixStore implements ObjectStore {
  readonly #root: PosixRoot
  readonly #files: PosixFs
  readonly #writer: PosixWriter
  readonly #page: number
  readonly #settleMs: number
  /** Deletions under way, by their folder of scratch objects. */
  readonly #scratch = new Map<string, number>()

  constructor(root: string, options: PosixOptions = {}) {
    this.#files = options.files ?? realFs
    this.#root = new PosixRoot(this.#files, resolve(root))
    this.#page = options.page ?? 4096
    this.#settleMs = options.settleMs ?? 0
    const { reserveBytes = 64 * MiB, clock = Date.now } = options
    const housekeeping = new Housekeeping(this.#files, this.#root.path, { reserveBytes, clock })
    this.#writer = new PosixWriter(this.#files, this.#root, housekeeping)
  }

  get capabilities(): StoreCapabilities {
    return {
      kind: 'posix',
      putIfAbsent: this.#writer.hasHardLinks ? 'native' : 'emulated',
      serverChecksum: 'none',
      listing: this.#settleMs > 0 ? 'degraded' : 'linearizable',
      settle: millis(this.#settleMs),
      defer: true,
      versioned: false,
      objectLock: 'none',
    }
  }

  /** Makes the directory, `tmp/` and the 256 folders of `pack/`: done once, at init. Again: yes. */
  async layOut(): Promise<void> {
    try {
      await this.#files.mkdir(this.#root.path, { recursive: true, mode: 0o700 })
      await this.#root.check()
      await this.#files.mkdir(join(this.#root.path, 'tmp'), { recursive: true, mode: 0o700 })
      for (let n = 0; n < 256; n++) {
        await this.#files.mkdir(join(this.#root.path, 'pack', n.toString(16).padStart(2, '0')), { recursive: true })
      }
      await syncDirectory(this.#files, join(this.#root.path, 'pack'))
      await syncDirectory(this.#files, this.#root.path)
      await syncDirectory(this.#files, dirname(this.#root.path))
    } catch (error) {
      throw posixError(error, 'create', this.#root.path)
    }
  }

  async putIfAbsent(name: ObjectName, body: Uint8Array, options: PutOptions): Promise<'created' | 'exists'> {
    this.#checkName(name)
    throwIfAborted(options.signal)
    return await this.#writer.put(name, body, options)
  }

  async flush(): Promise<void> {
    await this.#writer.flush()
  }

  async discard(): Promise<void> {
    await this.#writer.discard()
  }

  async getRange(name: ObjectName, offset: number, length: number, signal: AbortSignal): Promise<Uint8Array> {
    return await this.#read(name, signal, async (handle) => {
      const short = (size: number) =>
        new HoldfastError('FormatError', `${name} ends at byte ${size}, ${offset + length} was asked for`)
      // A length that came from a damaged object is not worth the memory.
      const { size } = await handle.stat()
      if (offset + length > size) throw short(size)
      return await readExactly(handle, offset, length, (got) => short(offset + got))
    })
  }

  async get(name: ObjectName, max: number, signal: AbortSignal): Promise<Uint8Array> {
    return await this.#read(name, signal, async (handle) => {
      const { size } = await handle.stat()
      if (size > max) throw tooLarge(name, size, max)
      return await readExactly(handle, 0, size, (got) => {
        return new HoldfastError('FormatError', `${name} ends at byte ${got} and not at ${size}`)
      })
    })
  }

  async #read(
    name: ObjectName,
    signal: AbortSignal,
    read: (handle: FileHandle) => Promise<Uint8Array>,
  ): Promise<Uint8Array> {
    this.#checkName(name)
    throwIfAborted(signal)
    const path = this.#path(name)
    try {
      const handle = await this.#files.open(path, 'r')
      try {
        return await read(handle)
      } finally {
        await handle.close()
      }
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') await this.#root.check()
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
      await this.#root.check()
      return undefined
    }
  }

  async list(prefix: string, cursor = ''): Promise<{ objects: ObjectInfo[]; next?: string }> {
    if (prefix !== '' && !isObjectName(prefix.replace(/\/$/, ''))) throw new TypeError(`not a prefix: ${prefix}`)
    await this.#root.check()
    const page = await listPosix(this.#files, this.#root.path, prefix, cursor, this.#page)
    await this.#root.check()
    return page
  }

  async delete(name: ObjectName): Promise<void> {
    this.#checkName(name)
    const path = this.#path(name)
    try {
      if (name.startsWith('probe-tmp/')) await this.#deleteScratch(path)
      else if (await removeIfThere(this.#files, path)) await syncDirectory(this.#files, dirname(path))
      else await this.#root.check()
    } catch (error) {
      throw posixError(error, 'remove', path)
    }
  }

  /** Of several at once the last one takes the folder away. */
  async #deleteScratch(path: string): Promise<void> {
    const folder = dirname(path)
    this.#scratch.set(folder, (this.#scratch.get(folder) ?? 0) + 1)
    let others = 0
    try {
      if (!(await removeIfThere(this.#files, path))) await this.#root.check()
    } finally {
      others = (this.#scratch.get(folder) ?? 1) - 1
      if (others === 0) this.#scratch.delete(folder)
      else this.#scratch.set(folder, others)
    }
    if (others === 0) await removeFolderIfEmpty(this.#files, folder)
  }

  async now(): Promise<Millis> {
    await this.#root.check()
    const path = temporaryPath(this.#root)
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

  #checkName(name: ObjectName): void {
    if (!isObjectName(name) || name.startsWith('tmp/')) throw new TypeError(`not the name of an object: ${name}`)
  }

  #path(name: ObjectName): string {
    return join(this.#root.path, name)
  }
}
