import { createHash, randomBytes } from 'node:crypto'
import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { HoldfastError } from '../../base/index.ts'
import { SegmentFile } from './segment-file.ts'

/** Segments as files on this host. Nothing here is ever evidence: each file is checked against its name when it is opened. */
export class SegmentCache {
  readonly #folder: string
  #made: Promise<unknown> | undefined

  constructor(cacheDir: string, repo: string) {
    this.#folder = join(cacheDir, repo, 'idx')
  }

  path(sha: string): string {
    return join(this.#folder, sha)
  }

  /** Size of the file if it is there and its bytes have this SHA-256; a damaged one is removed. */
  async sound(sha: string): Promise<number | undefined> {
    let handle: fs.FileHandle
    try {
      handle = await fs.open(this.path(sha), 'r')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw this.#failed('read', error)
    }
    try {
      const hash = createHash('sha256')
      const window = Buffer.allocUnsafe(256 * 1024)
      let size = 0
      for (;;) {
        const { bytesRead } = await handle.read(window, 0, window.length, size)
        if (bytesRead === 0) break
        hash.update(window.subarray(0, bytesRead))
        size += bytesRead
      }
      if (hash.digest('hex') === sha) return size
    } finally {
      await handle.close()
    }
    await fs.rm(this.path(sha), { force: true })
    return undefined
  }

  async add(sha: string, content: Uint8Array): Promise<void> {
    const temporary = await this.#write(content)
    try {
      await fs.rename(temporary, this.path(sha))
    } catch (error) {
      throw this.#failed('write', error)
    }
  }

  /** Path of a new file that no lookup finds. */
  async #write(content: Uint8Array): Promise<string> {
    try {
      this.#made ??= fs.mkdir(this.#folder, { recursive: true, mode: 0o700 })
      await this.#made
      const temporary = join(this.#folder, `.${randomBytes(8).toString('hex')}`)
      await fs.writeFile(temporary, content, { mode: 0o600 })
      return temporary
    } catch (error) {
      this.#made = undefined
      throw this.#failed('write', error)
    }
  }

  /** Opens a segment whose file has no name any more: it is gone with the process, whatever becomes of that. */
  async unlisted(content: Uint8Array): Promise<SegmentFile> {
    const path = await this.#write(content)
    try {
      return new SegmentFile(createHash('sha256').update(content).digest('hex'), path, content.length)
    } finally {
      await fs.rm(path, { force: true })
    }
  }

  async remove(sha: string): Promise<void> {
    await fs.rm(this.path(sha), { force: true })
  }

  /** Names of the files that are there, damaged or not. */
  async names(): Promise<string[]> {
    try {
      return (await fs.readdir(this.#folder)).filter((name) => /^[0-9a-f]{64}$/.test(name))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
      throw this.#failed('read', error)
    }
  }

  #failed(action: string, cause: unknown): HoldfastError {
    const errno = (cause as NodeJS.ErrnoException).code
    const code = errno === 'ENOSPC' || errno === 'EDQUOT' ? 'CapacityExhausted' : 'AccessBlocked'
    return new HoldfastError(code, `cannot ${action} the index cache in ${this.#folder}: ${String(errno)}`, {
      cause,
      hint: `The cache is disposable: make space or give access to ${this.#folder}, or name another cache directory.`,
    })
  }
}
