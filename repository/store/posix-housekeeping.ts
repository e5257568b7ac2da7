import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { MiB } from '../../base/index.ts'
import { errnoOf, posixError } from './posix-errors.ts'
import { removeIfThere, type PosixFs } from './posix-files.ts'

const SWEEP_AFTER_MS = 24 * 3_600_000

/** A process that lives for weeks looks after its roots again this often. */
const AGAIN_AFTER_MS = 3_600_000

/** Roots that this process has looked after, and when. */
const done = new Map<string, { readonly at: number; readonly work: Promise<void> }>()

/**
 * §14.2: sweeps `tmp/` of files older than 24 h, and keeps `.reserve`, which is given up when the disk is full so that
 * small objects (records, journals, manifests) can still be written.
 */
export class Housekeeping {
  readonly #files: PosixFs
  readonly #root: string
  readonly #reserveBytes: number
  readonly #clock: () => number

  constructor(files: PosixFs, root: string, options: { readonly reserveBytes: number; readonly clock: () => number }) {
    this.#files = files
    this.#root = root
    this.#reserveBytes = options.reserveBytes
    this.#clock = options.clock
  }

  /** Before the first put of a process at this root, and hourly. */
  async beforePut(): Promise<void> {
    const key = `${this.#reserveBytes} ${this.#root}`
    const now = this.#clock()
    let last = done.get(key)
    if (last === undefined || now - last.at >= AGAIN_AFTER_MS) {
      last = { at: now, work: this.#lookAfter() }
      done.set(key, last)
    }
    try {
      await last.work
    } catch (error) {
      done.delete(key)
      throw posixError(error, 'write to', this.#root)
    }
  }

  /** Whether there was a reserve to give up. It is made again within the hour, when there is space. */
  async giveUpReserve(): Promise<boolean> {
    return await removeIfThere(this.#files, this.#reservePath)
  }

  get #reservePath(): string {
    return join(this.#root, '.reserve')
  }

  async #lookAfter(): Promise<void> {
    const temporary = join(this.#root, 'tmp')
    await this.#files.mkdir(temporary, { recursive: true, mode: 0o700 })
    for (const name of await this.#files.readdir(temporary)) await this.#sweep(join(temporary, name))
    await this.#reserve()
  }

  async #sweep(path: string): Promise<void> {
    try {
      const { mtimeMs } = await this.#files.stat(path)
      if (this.#clock() - mtimeMs > SWEEP_AFTER_MS) await removeIfThere(this.#files, path)
    } catch (error) {
      // Another process has published or swept it.
      if (errnoOf(error) !== 'ENOENT') throw error
    }
  }

  async #reserve(): Promise<void> {
    if (this.#reserveBytes === 0) return
    try {
      if ((await this.#files.stat(this.#reservePath)).size >= this.#reserveBytes) return
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error
    }
    const { bavail, bsize } = await this.#files.statfs(this.#root)
    // Not from the last space there is: the disk would be full at once.
    if (bavail * bsize < 4 * this.#reserveBytes) return
    await this.#fill()
  }

  /** Incompressible bytes: a file of zeroes reserves nothing on a compressing file system. */
  async #fill(): Promise<void> {
    const block = randomBytes(Math.min(MiB, this.#reserveBytes))
    const handle = await this.#files.open(this.#reservePath, 'w', 0o600)
    try {
      for (let at = 0; at < this.#reserveBytes; at += block.length) await handle.write(block, 0, block.length, at)
    } catch (error) {
      if (errnoOf(error) !== 'ENOSPC') throw error
      await removeIfThere(this.#files, this.#reservePath)
    } finally {
      await handle.close()
    }
  }
}
