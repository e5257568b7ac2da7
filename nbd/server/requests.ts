import { bytes, isHoldfastError } from '../../base/index.ts'
import { AllocationFlag, Command, CommandFlag, NbdErrno, ReplyType, TransmissionFlag } from '../codec/constants.ts'
import {
  encodeChunkHeader,
  encodeDataChunkHeader,
  encodeErrorChunk,
  encodeHoleChunk,
  encodeSimpleReply,
  encodeStatusChunk,
  type StatusDescriptor,
} from '../codec/replies.ts'
import type { RequestHeader } from '../codec/requests.ts'
import { coverRange, mergeExtents } from '../extents/changed.ts'
import { span } from '../extents/ranges.ts'
import type { Extent } from '../extents/types.ts'
import type { Channel } from './channel.ts'
import { ALLOCATION_ID, BLOCK_SIZES, type Agreed } from './negotiate.ts'
import type { BlockSource } from './types.ts'

/** proto.md lets a server answer short; more than this is asked for again. */
const MAX_DESCRIPTORS = 1024
/** Pieces of one read; what comes after is sent as data. */
const MAX_PIECES = 64
/** A shorter hole costs more as a chunk than as zeros. */
const MIN_HOLE = 4096

/** The error number for a request that is wrong in itself, or 0. proto.md "Error values". */
export function refusalOf(request: RequestHeader, agreed: Agreed): number {
  const { command, flags, offset, length } = request
  const offered = (flag: number): boolean => (agreed.flags & flag) !== 0
  const allowed = allowedFlags(command, agreed)
  if (allowed === null || (flags & ~allowed) !== 0) return NbdErrno.EINVAL
  const writes = command === Command.WRITE || command === Command.WRITE_ZEROES || command === Command.TRIM
  if (writes && offered(TransmissionFlag.READ_ONLY)) return NbdErrno.EPERM
  if (command === Command.WRITE_ZEROES && !offered(TransmissionFlag.SEND_WRITE_ZEROES)) return NbdErrno.EINVAL
  if (command === Command.TRIM && !offered(TransmissionFlag.SEND_TRIM)) return NbdErrno.EINVAL
  if (command === Command.FLUSH) {
    return offered(TransmissionFlag.SEND_FLUSH) && offset === 0 && length === 0 ? 0 : NbdErrno.EINVAL
  }
  if (command === Command.BLOCK_STATUS && (!agreed.allocationContext || length === 0)) return NbdErrno.EINVAL
  if (command === Command.READ && length > BLOCK_SIZES.maximum) return NbdErrno.EINVAL
  if (offset + length > agreed.export.source.size) return writes ? NbdErrno.ENOSPC : NbdErrno.EINVAL
  return 0
}

/** null: no such command here. */
function allowedFlags(command: number, agreed: Agreed): number | null {
  const fua = (agreed.flags & TransmissionFlag.SEND_FUA) !== 0 ? CommandFlag.FUA : 0
  switch (command) {
    case Command.READ:
      return fua | (agreed.structured ? CommandFlag.DF : 0)
    case Command.WRITE_ZEROES:
      return fua | CommandFlag.NO_HOLE
    case Command.BLOCK_STATUS:
      return fua | CommandFlag.REQ_ONE
    case Command.WRITE:
    case Command.TRIM:
    case Command.FLUSH:
      return fua
    default:
      return null
  }
}

/** Executes sound requests and sends their replies; throws only when the connection is gone. */
export class Executor {
  readonly #channel: Channel
  readonly #agreed: Agreed
  readonly #signal: AbortSignal
  readonly #onError: (error: unknown) => void

  constructor(channel: Channel, agreed: Agreed, signal: AbortSignal, onError: (error: unknown) => void) {
    this.#channel = channel
    this.#agreed = agreed
    this.#signal = signal
    this.#onError = onError
  }

  async refuse(request: RequestHeader, error: number, message = ''): Promise<void> {
    const { handle } = request
    // A simple reply is allowed for everything but reads, yet only the structured one carries a message.
    await this.#channel.send(
      this.#agreed.structured ? encodeErrorChunk(handle, error, message) : encodeSimpleReply(handle, error),
    )
  }

  async execute(request: RequestHeader, payload: Buffer | null): Promise<void> {
    let reply: Uint8Array[][]
    try {
      reply = await this.#perform(request, payload)
    } catch (error) {
      this.#onError(error)
      await this.refuse(request, errnoOf(error), isHoldfastError(error) ? error.message : '')
      return
    }
    for (const message of reply) await this.#channel.send(...message)
  }

  /** The messages of the reply. Nothing is sent before everything has succeeded. */
  async #perform(request: RequestHeader, payload: Buffer | null): Promise<Uint8Array[][]> {
    const { source } = this.#agreed.export
    const { command, flags, handle, offset, length } = request
    const range = span(offset, offset + length)
    switch (command) {
      case Command.READ:
        return await this.#read(request)
      case Command.BLOCK_STATUS: {
        const list = await this.#status(range.start, length, (flags & CommandFlag.REQ_ONE) !== 0)
        return [[encodeStatusChunk(handle, true, ALLOCATION_ID, list)]]
      }
      case Command.WRITE:
        if (payload) await source.write?.(range.start, payload, this.#signal)
        break
      case Command.WRITE_ZEROES:
        await source.zero?.(range, (flags & CommandFlag.NO_HOLE) !== 0, this.#signal)
        break
      case Command.TRIM:
        await source.trim?.(range, this.#signal)
        break
    }
    if (command === Command.FLUSH || (flags & CommandFlag.FUA) !== 0) await source.flush?.(this.#signal)
    const { structured } = this.#agreed
    return [[structured ? encodeChunkHeader(handle, ReplyType.NONE, true, 0) : encodeSimpleReply(handle, 0)]]
  }

  async #read(request: RequestHeader): Promise<Uint8Array[][]> {
    const { handle, offset, length, flags } = request
    const { source } = this.#agreed.export
    if (!this.#agreed.structured) {
      return [[encodeSimpleReply(handle, 0), await readPiece(source, offset, length, this.#signal)]]
    }
    const pieces = await this.#pieces(offset, length, (flags & CommandFlag.DF) !== 0)
    const chunks = await Promise.all(
      pieces.map(async (piece, index) => {
        const isLast = index === pieces.length - 1
        if (piece.kind === 'zero') return [encodeHoleChunk(handle, isLast, piece.offset, piece.length)]
        const data = await readPiece(source, piece.offset, piece.length, this.#signal)
        return [encodeDataChunkHeader(handle, isLast, piece.offset, piece.length), data]
      }),
    )
    return chunks.length > 0 ? chunks : [[encodeChunkHeader(handle, ReplyType.NONE, true, 0)]]
  }

  /** What of a read is a hole; one piece if the client forbids fragments and the range is mixed. */
  async #pieces(offset: number, length: number, unfragmented: boolean): Promise<Extent[]> {
    if (length === 0) return []
    const range = span(offset, offset + length)
    const whole: Extent = { offset: range.start, length: bytes(length), kind: 'data' }
    const status = this.#agreed.export.source.blockStatus?.(range, this.#signal)
    if (!status) return [whole]
    const pieces: Extent[] = []
    for await (const extent of mergeExtents(withoutSmallHoles(mergeExtents(coverRange(range, status))))) {
      if (unfragmented && (extent.offset !== range.start || extent.length !== length)) return [whole]
      if (pieces.length === MAX_PIECES - 1) {
        pieces.push({ offset: extent.offset, length: bytes(range.end - extent.offset), kind: 'data' })
        break
      }
      pieces.push(extent)
    }
    return pieces
  }

  async #status(offset: number, length: number, one: boolean): Promise<StatusDescriptor[]> {
    const range = span(offset, offset + length)
    const status = this.#agreed.export.source.blockStatus?.(range, this.#signal) ?? []
    const list: StatusDescriptor[] = []
    for await (const extent of mergeExtents(coverRange(range, status))) {
      const flags = extent.kind === 'zero' ? AllocationFlag.HOLE | AllocationFlag.ZERO : 0
      list.push({ length: extent.length, flags })
      if (one || list.length === MAX_DESCRIPTORS) break
    }
    return list
  }
}

async function readPiece(source: BlockSource, offset: number, length: number, signal: AbortSignal): Promise<Buffer> {
  const data = Buffer.allocUnsafeSlow(length)
  if (length > 0) await source.read(bytes(offset), data, signal)
  return data
}

async function* withoutSmallHoles(source: AsyncIterable<Extent>): AsyncGenerator<Extent, void, undefined> {
  for await (const extent of source) yield extent.length < MIN_HOLE ? { ...extent, kind: 'data' } : extent
}

function errnoOf(error: unknown): number {
  const code = isHoldfastError(error) ? error.code : (error as NodeJS.ErrnoException | null)?.code
  switch (code) {
    case 'CapacityExhausted':
    case 'ENOSPC':
    case 'EDQUOT':
    case 'EFBIG':
      return NbdErrno.ENOSPC
    case 'AccessDenied':
    case 'EPERM':
    case 'EACCES':
      return NbdErrno.EPERM
    case 'Unsupported':
    case 'ENOTSUP':
      return NbdErrno.ENOTSUP
    default:
      return NbdErrno.EIO
  }
}
