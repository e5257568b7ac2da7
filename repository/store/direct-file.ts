import { constants } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { suitsDirectWrites } from '../../base/index.ts'
import { errnoOf } from './posix-errors.ts'
import type { PosixFs } from './posix-files.ts'

/** What goes past the page cache begins and ends at multiples of it, in the file and in memory: a page, and the largest sector. */
const BLOCK = 4096

export type PageMemory = Uint8Array<SharedArrayBuffer>

/**
 * Memory that begins at a page, to be shared with threads. V8 takes memory that may be resized from the system page by page,
 * and no other; it is never resized.
 */
export function pageMemory(bytes: number): PageMemory {
  // Without a length the view would follow the memory's, which costs at each access.
  return new Uint8Array(new SharedArrayBuffer(bytes, { maxByteLength: bytes }), 0, bytes)
}

/** How many bytes from the start of `data` can go past the page cache to a place that is a multiple of a page. */
function blocksOf(data: Uint8Array): number {
  const { buffer, byteOffset, byteLength } = data
  const isPaged = buffer instanceof SharedArrayBuffer ? buffer.growable : buffer.resizable
  return isPaged && byteOffset % BLOCK === 0 ? byteLength - (byteLength % BLOCK) : 0
}

/**
 * A file that is written once and not read soon. Where the file system does that well, whole pages of `pageMemory` go past
 * the page cache: nothing is copied, nothing that others need is pushed out of memory, and a sync at the end finds nothing left
 * to write. All else goes as usual. Durable after `datasync`.
 */
export class DirectFile implements AsyncDisposable {
  readonly #usual: FileHandle
  readonly #direct: FileHandle | undefined
  #isSuited = true

  private constructor(usual: FileHandle, direct: FileHandle | undefined) {
    this.#usual = usual
    this.#direct = direct
  }

  /**
   * Makes the file, which must not be there yet. `isWorthIt`: false where it goes through the page cache anyhow. Leaves nothing
   * if it throws.
   */
  static async create(files: PosixFs, path: string, isWorthIt = true): Promise<DirectFile> {
    const usual = await files.open(path, 'wx', 0o600)
    try {
      return new DirectFile(usual, isWorthIt ? await openDirect(files, path) : undefined)
    } catch (error) {
      await usual.close()
      // What cannot be removed now is swept later; the first error is the one to tell.
      await Promise.allSettled([files.unlink(path)])
      throw error
    }
  }

  /** All of `data`. Writes to other places may be under way. */
  async write(at: number, data: Uint8Array): Promise<void> {
    const direct = this.#isSuited && at % BLOCK === 0 ? this.#direct : undefined
    const done = direct === undefined ? 0 : await this.#past(direct, at, data.subarray(0, blocksOf(data)))
    await writeAll(this.#usual, at + done, data.subarray(done))
  }

  async truncate(size: number): Promise<void> {
    await this.#usual.truncate(size)
  }

  async datasync(): Promise<void> {
    await this.#usual.datasync()
  }

  async close(): Promise<void> {
    try {
      await this.#direct?.close()
    } finally {
      await this.#usual.close()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** How much of it was written: all, or what was before the file system said that it wants other sizes. */
  async #past(direct: FileHandle, at: number, data: Uint8Array): Promise<number> {
    for (let done = 0; done < data.byteLength;) {
      try {
        const { bytesWritten } = await direct.write(data, done, data.byteLength - done, at + done)
        done += bytesWritten
        // On a disk that is nearly full: what is left would not begin at a page.
        if (bytesWritten % BLOCK !== 0) return done
      } catch (error) {
        if (errnoOf(error) !== 'EINVAL') throw error
        this.#isSuited = false
        return done
      }
    }
    return data.byteLength
  }
}

export async function writeAll(handle: FileHandle, at: number, data: Uint8Array): Promise<void> {
  for (let done = 0; done < data.byteLength;) {
    const { bytesWritten } = await handle.write(data, done, data.byteLength - done, at + done)
    done += bytesWritten
  }
}

async function openDirect(files: PosixFs, path: string): Promise<FileHandle | undefined> {
  if (!suitsDirectWrites(await files.statfs(dirname(path)))) return undefined
  try {
    return await files.open(path, constants.O_WRONLY | constants.O_DIRECT)
  } catch (error) {
    if (errnoOf(error) === 'EINVAL') return undefined
    throw error
  }
}
