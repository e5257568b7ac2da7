import { dirname } from 'node:path'
import { HoldfastError } from '../../base/index.ts'
import { errnoOf, posixError } from './posix-errors.ts'
import { syncDirectory, type PosixFs } from './posix-files.ts'

/** The directory that a posix store is, and the folders in it. */
export class PosixRoot {
  readonly path: string
  readonly #files: PosixFs
  #identity: { readonly dev: number; readonly ino: number } | undefined
  /** Folders whose name is durable. */
  readonly #folders = new Set<string>()

  constructor(files: PosixFs, path: string) {
    this.#files = files
    this.path = path
  }

  /** A share that was unmounted leaves an empty directory behind: nothing in it proves that anything is absent. */
  async check(): Promise<void> {
    let found: { readonly dev: number; readonly ino: number }
    try {
      const status = await this.#files.stat(this.path)
      found = { dev: status.dev, ino: status.ino }
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw posixError(error, 'reach', this.path)
      throw new HoldfastError('RepositoryMissing', `the directory ${this.path} does not exist`, { cause: error })
    }
    this.#identity ??= found
    if (found.dev !== this.#identity.dev || found.ino !== this.#identity.ino) {
      throw new HoldfastError('StoreUnavailable', `another file system than before is mounted at ${this.path}`, {
        hint: 'Mount the repository again; nothing was read or written in between.',
      })
    }
  }

  /** A folder counts once its name is durable too, whoever made it. */
  async makeFolder(folder: string): Promise<void> {
    if (this.#folders.has(folder)) return
    await this.#files.mkdir(folder, { recursive: true })
    for (let at = folder; at !== this.path && !this.#folders.has(at); at = dirname(at)) {
      await this.sync(dirname(at))
      this.#folders.add(at)
    }
  }

  /** Makes the names in a folder durable. */
  async sync(folder: string): Promise<void> {
    try {
      await syncDirectory(this.#files, folder)
    } catch (error) {
      throw posixError(error, 'make durable', folder)
    }
  }
}
