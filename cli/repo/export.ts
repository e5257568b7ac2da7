import { open, rename, rm, stat, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { HoldfastError, MiB } from '../../base/index.ts'
import type { ImageFormat, ImageStream } from '../../images/index.ts'
import type { DiskReader } from '../../repository/index.ts'

/** Where a disk is written to; called with ascending offsets. Each call has taken the bytes when it resolves. */
interface Sink extends AsyncDisposable {
  write(at: number, data: Uint8Array): Promise<void>
  /** Nothing more comes: the rest reads as zeros. */
  finish(size: number): Promise<void>
}

type ByteStream = NodeJS.WritableStream
type ExportTarget = { readonly file: string; readonly force: boolean } | { readonly stream: ByteStream }

/**
 * Writes a disk as raw image. In a new file holes stay holes; a block device gets its zeros written; `stream` gets every
 * byte in order. Every chunk is checked on the way, so a damaged one ends the export and never writes wrong bytes.
 */
export async function exportDisk(
  reader: DiskReader,
  target: ExportTarget,
  signal: AbortSignal,
  onProgress: (done: number, total: number) => void,
): Promise<{ readonly size: number; readonly dataBytes: number }> {
  const size = reader.info.bytes
  await using sink =
    'stream' in target ? new StreamSink(target.stream, size) : await fileSink(target.file, target.force, size)
  let dataBytes = 0
  for await (const { offset, data } of reader.stream(0, size, signal)) {
    signal.throwIfAborted()
    await sink.write(offset, data)
    dataBytes += data.byteLength
    onProgress(offset + data.byteLength, size)
  }
  await sink.finish(size)
  onProgress(size, size)
  return { size, dataBytes }
}

/**
 * Writes an image that comes in order, as `exportDisk` does: whole or not at all, its zeros left out of a new file.
 * `size` null: nobody knows it before. Throws InvalidRequest for a device,
 * which holds a disk (`raw`) and no other image of one.
 */
export async function saveImage(
  format: ImageFormat,
  { size, stream }: ImageStream,
  target: ExportTarget,
  signal: AbortSignal,
  onProgress: (done: number) => void,
): Promise<{ readonly bytes: number }> {
  await using sink =
    'stream' in target ? new StreamSink(target.stream, size ?? 0) : await fileSink(target.file, target.force, size ?? 0)
  if (format !== 'raw' && sink instanceof DeviceSink)
    throw new HoldfastError('InvalidRequest', 'an image of this format is no disk that a device could hold', {
      hint: 'Export it as raw, or name a new file.',
    })
  let at = 0
  for await (const data of stream) {
    signal.throwIfAborted()
    if (!isZero(data)) await sink.write(at, data)
    at += data.byteLength
    onProgress(at)
  }
  if (size !== null && at !== size)
    throw new HoldfastError('SourceReadFailed', `the image ended after ${at} of ${size} bytes`, {
      hint: 'Nothing of it is kept. Export it again.',
    })
  await sink.finish(at)
  return { bytes: at }
}

const zeros = new Uint8Array(1024 * 1024)

function isZero(data: Uint8Array): boolean {
  return data.byteLength <= zeros.byteLength && Buffer.compare(data, zeros.subarray(0, data.byteLength)) === 0
}

async function fileSink(file: string, force: boolean, size: number): Promise<Sink> {
  const known = await stat(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (known?.isBlockDevice() === true) {
    if (!force)
      throw new HoldfastError('NameTaken', `${file} is a device: its content would be lost`, {
        hint: 'Say so with --force.',
      })
    return new DeviceSink(await open(file, 'r+'))
  }
  if (known && !known.isFile()) {
    throw new HoldfastError('InvalidRequest', `${file} is neither a file nor a block device`, {
      hint: 'Give a new file or a block device; into a pipe, write to - instead.',
    })
  }
  if (known && !force)
    throw new HoldfastError('NameTaken', `${file} is there already`, { hint: 'Choose another name, or say --force.' })
  const partial = `${file}.partial`
  await rm(partial, { force: true })
  const handle = await open(partial, 'wx', 0o600)
  await handle.truncate(size)
  return new FileSink(handle, partial, file)
}

async function writeAll(handle: FileHandle, at: number, data: Uint8Array): Promise<void> {
  for (let done = 0; done < data.byteLength;) {
    const { bytesWritten } = await handle.write(data, done, data.byteLength - done, at + done)
    done += bytesWritten
  }
}

/** So that the name is there after a power loss, too. Some file systems cannot, and do it by themselves. */
async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path, 'r')
  await folder.sync().catch((error: NodeJS.ErrnoException) => {
    if (!['EINVAL', 'ENOTSUP', 'EOPNOTSUPP'].includes(error.code ?? '')) throw error
  })
}

/** Writes under way at once: the kernel copies one while the next is on its way; more would wait for the inode. */
const FLYING = 2
/** Dirty memory is given to the disk in steps of so many bytes, beside the decoding, not all of it at the end. */
const FLUSH_BYTES = 256 * MiB

/** Gets its name when it is whole; an interrupted export leaves nothing that looks like one. */
class FileSink implements Sink {
  readonly #handle: FileHandle
  readonly #partial: string
  readonly #file: string
  readonly #flying = new Set<Promise<void>>()
  /** Memory of writes that have landed. */
  readonly #spare: Uint8Array[] = []
  #flushing: Promise<void> | undefined
  #dirty = 0
  #failure: { readonly error: unknown } | undefined
  #isWhole = false

  constructor(handle: FileHandle, partial: string, file: string) {
    this.#handle = handle
    this.#partial = partial
    this.#file = file
  }

  /** The caller's memory is free again when this resolves: what flies is a copy. */
  async write(at: number, data: Uint8Array): Promise<void> {
    while (this.#flying.size >= FLYING) await Promise.race(this.#flying)
    this.#rethrow()
    const known = this.#spare.pop()
    const memory = known !== undefined && known.byteLength >= data.byteLength ? known : new Uint8Array(data.byteLength)
    memory.set(data)
    const flight = this.#noting(writeAll(this.#handle, at, memory.subarray(0, data.byteLength))).then(() => {
      this.#spare.push(memory)
      this.#flying.delete(flight)
    })
    this.#flying.add(flight)
    this.#dirty += data.byteLength
    if (this.#dirty < FLUSH_BYTES || this.#flushing !== undefined) return
    this.#dirty = 0
    this.#flushing = this.#noting(this.#handle.datasync()).then(() => void (this.#flushing = undefined))
  }

  async #landed(): Promise<void> {
    await Promise.all(this.#flying)
    await this.#flushing
  }

  async #noting(work: Promise<void>): Promise<void> {
    try {
      await work
    } catch (error) {
      this.#failure ??= { error }
    }
  }

  #rethrow(): void {
    if (this.#failure !== undefined) throw this.#failure.error
  }

  async finish(size: number): Promise<void> {
    await this.#landed()
    this.#rethrow()
    await this.#handle.truncate(size)
    await this.#handle.sync()
    await rename(this.#partial, this.#file)
    this.#isWhole = true
    await syncFolder(dirname(this.#file))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#landed()
    await this.#handle.close()
    if (!this.#isWhole) await rm(this.#partial, { force: true })
  }
}

/** Not known to hold zeros: what is a hole in the point is written as zeros. */
class DeviceSink implements Sink {
  readonly #handle: FileHandle
  #position = 0

  constructor(handle: FileHandle) {
    this.#handle = handle
  }
  async #zeroTo(end: number): Promise<void> {
    while (this.#position < end) {
      const part = zeros.subarray(0, Math.min(zeros.byteLength, end - this.#position))
      await writeAll(this.#handle, this.#position, part)
      this.#position += part.byteLength
    }
  }
  async write(at: number, data: Uint8Array): Promise<void> {
    await this.#zeroTo(at)
    await writeAll(this.#handle, at, data)
    this.#position = at + data.byteLength
  }
  async finish(size: number): Promise<void> {
    await this.#zeroTo(size)
    await this.#handle.sync()
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close()
  }
}

/** A pipe: every byte in order, no faster than it is read. */
class StreamSink implements Sink {
  readonly #stream: ByteStream
  readonly #size: number
  #position = 0

  constructor(stream: ByteStream, size: number) {
    this.#stream = stream
    this.#size = size
  }
  /** Waits until the bytes are out, so that none counts as written that nobody took; then the buffer is free again. */
  async #push(data: Uint8Array): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#stream.write(data, (error) => {
        if (error) reject(this.#broken(error))
        else resolve()
      })
    })
    this.#position += data.byteLength
  }
  #broken(cause: Error): HoldfastError {
    const went = `${this.#position} of ${this.#size} bytes`
    return new HoldfastError('TargetWriteFailed', `the disk is not whole: its reader stopped after ${went}`, {
      cause,
      hint: 'Throw away what arrived, look why the reader ended, and export again.',
    })
  }
  async #zeroTo(end: number): Promise<void> {
    while (this.#position < end) await this.#push(zeros.subarray(0, Math.min(zeros.byteLength, end - this.#position)))
  }
  async write(at: number, data: Uint8Array): Promise<void> {
    await this.#zeroTo(at)
    await this.#push(data)
  }
  async finish(size: number): Promise<void> {
    await this.#zeroTo(size)
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.resolve()
  }
}
