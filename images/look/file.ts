import type { FileHandle } from 'node:fs/promises'
import { HoldfastError, MiB, formatBytes } from '../../base/index.ts'

/** A table is read in parts of so many bytes. */
const partBytes = MiB

/** An image whose headers are read, with every bound checked: what it says of itself is not believed. */
export class ImageFile {
  readonly path: string
  readonly size: number
  readonly #handle: FileHandle

  constructor(path: string, handle: FileHandle, size: number) {
    this.path = path
    this.size = size
    this.#handle = handle
  }

  /** Bytes of the file. Throws SourceReadFailed where it ends before. */
  async part(at: number, length: number): Promise<Buffer> {
    if (!Number.isSafeInteger(at) || at < 0 || length < 0 || length > 16 * MiB)
      throw this.nonsense('a table lies nowhere')
    if (at + length > this.size) throw this.cutOff(at + length)
    const out = Buffer.alloc(length)
    for (let done = 0; done < length;) {
      const { bytesRead } = await this.#handle.read(out, done, length - done, at + done)
      if (bytesRead === 0) throw this.cutOff(at + length)
      done += bytesRead
    }
    return out
  }

  /** Up to `length` bytes as text, fewer where the file ends. */
  async text(at: number, length: number): Promise<string> {
    if (at >= this.size) return ''
    return (await this.part(at, Math.min(length, this.size - at))).toString('latin1')
  }

  /** A table of any length, in parts of whole entries. */
  async *table(at: number, bytes: number, entryBytes: number): AsyncGenerator<Buffer, void, undefined> {
    const step = partBytes - (partBytes % entryBytes)
    for (let done = 0; done < bytes; done += step) yield await this.part(at + done, Math.min(step, bytes - done))
  }

  /** Something lies at [.., end) that the file does not have. */
  cutOff(end: number): HoldfastError {
    return new HoldfastError(
      'SourceReadFailed',
      `${this.path} is cut off: it has ${formatBytes(this.size)}, and something of it lies at ${formatBytes(end)}`,
      { hint: 'Copy it again from where it came from.' },
    )
  }

  nonsense(what: string): HoldfastError {
    return new HoldfastError('SourceReadFailed', `${this.path} cannot be read: ${what}`, {
      hint: 'The image is damaged, or no image. Look at it with qemu-img check.',
    })
  }

  unsupported(what: string, hint: string): HoldfastError {
    return new HoldfastError('Unsupported', `${this.path} ${what}`, { hint })
  }
}
