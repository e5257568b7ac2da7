import { open, rm, stat, type FileHandle } from 'node:fs/promises'
import { HoldfastError, KiB, MiB } from '../../base/index.ts'
import type { ImageFormat, ImageStream } from '../../images/index.ts'
import { DirectFile, realFs, writeAll, type DiskReader } from '../../repository/index.ts'
import { FileSink, type Sink } from './file-sink.ts'

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
    for (const { offset, length } of contentOf(data))
      await sink.write(at + offset, data.subarray(offset, offset + length))
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

const zeros = new Uint8Array(MiB)
/** Zeros are looked for in pieces of so many bytes. */
const PIECE = 64 * KiB

function isZero(data: Uint8Array): boolean {
  return Buffer.compare(data, zeros.subarray(0, data.byteLength)) === 0
}

/** Where it is not zero, in runs as long as they come. */
function* contentOf(
  data: Uint8Array,
): Generator<{ readonly offset: number; readonly length: number }, void, undefined> {
  let from = 0
  for (let at = 0; at < data.byteLength; at += PIECE) {
    const end = Math.min(data.byteLength, at + PIECE)
    if (!isZero(data.subarray(at, end))) continue
    if (at > from) yield { offset: from, length: at - from }
    from = end
  }
  if (data.byteLength > from) yield { offset: from, length: data.byteLength - from }
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
  const written = await DirectFile.create(realFs, partial)
  await written.truncate(size)
  return new FileSink(written, partial, file)
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
