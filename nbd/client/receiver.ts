import {
  Command,
  Limit,
  ReplyFlag,
  ReplyType,
  REPLY_TYPE_ERROR_BIT,
  SIMPLE_REPLY_MAGIC,
  STRUCTURED_REPLY_MAGIC,
} from '../codec/constants.ts'
import { mismatch, readU64 } from '../codec/bytes.ts'
import { CHUNK_HEADER_LENGTH, decodeErrorPayload, decodeStatusPayload, SIMPLE_REPLY_LENGTH } from '../codec/replies.ts'
import type { PendingRequest } from './pending.ts'

/** Requests of a connection by handle. */
export interface ReplyTable {
  find(hi: number, lo: number): PendingRequest | undefined
  /** The reply is complete. */
  done(request: PendingRequest): void
}

const SMALL = 64 // every header and the fixed part of every payload

/**
 * Takes the byte stream of the transmission phase apart, whatever the pieces it comes in. Content goes straight from the
 * socket's buffer into the destination; the only memory of its own is one header and, while a block status or an error
 * is under way, that payload (bounded by `Limit`). Throws ProtocolMismatch on the first breach.
 */
export class Receiver {
  readonly #table: ReplyTable
  readonly #structured: boolean
  readonly #small = Buffer.alloc(SMALL)
  /** Collects `#need` bytes into `#frame`, then calls `#next`. */
  #frame: Buffer = this.#small
  #have = 0
  #need = SIMPLE_REPLY_LENGTH
  #next: () => void = () => this.#readHeader()
  /** The reply being read. */
  #request: PendingRequest | null = null
  #done = false
  /** Content still to come, and where in the request it goes. */
  #content = 0
  #position = 0

  constructor(table: ReplyTable, structured: boolean) {
    this.#table = table
    this.#structured = structured
  }

  push(chunk: Buffer): void {
    let at = 0
    while (at < chunk.length) {
      if (this.#content > 0) {
        const take = Math.min(this.#content, chunk.length - at)
        this.#request?.fill(this.#position, chunk.subarray(at, at + take))
        this.#position += take
        this.#content -= take
        at += take
        if (this.#content === 0) this.#endChunk()
        continue
      }
      const take = Math.min(this.#need - this.#have, chunk.length - at)
      chunk.copy(this.#frame, this.#have, at, at + take)
      this.#have += take
      at += take
      if (this.#have === this.#need) this.#next()
    }
  }

  #expect(need: number, next: () => void, frame: Buffer = this.#small): void {
    this.#frame = frame
    this.#have = 0
    this.#need = need
    this.#next = next
  }

  #expectHeader(): void {
    this.#request = null
    this.#expect(SIMPLE_REPLY_LENGTH, () => this.#readHeader())
  }

  /** Both headers carry the handle; the structured one is four bytes longer. */
  #readHeader(): void {
    const magic = this.#small.readUInt32BE(0)
    if (magic === SIMPLE_REPLY_MAGIC) {
      this.#readSimple()
    } else if (magic === STRUCTURED_REPLY_MAGIC && this.#structured) {
      this.#need = CHUNK_HEADER_LENGTH
      this.#next = () => this.#readChunkHeader()
    } else {
      throw mismatch(`a reply has the wrong magic number 0x${magic.toString(16)}`)
    }
  }

  #find(): PendingRequest {
    const hi = this.#small.readUInt32BE(8)
    const lo = this.#small.readUInt32BE(12)
    const request = this.#table.find(hi, lo)
    if (!request) throw mismatch(`a reply came to a request that nobody made (handle ${hi}:${lo})`)
    return request
  }

  /** proto.md "Simple reply message". */
  #readSimple(): void {
    const request = this.#find()
    const error = this.#small.readUInt32BE(4)
    const { command, offset, length } = request.spec
    if (this.#structured && (command === Command.READ || command === Command.BLOCK_STATUS)) {
      throw mismatch(`a simple reply came to ${request.describe()} although structured replies were agreed on`)
    }
    this.#request = request
    this.#done = true
    if (error !== 0) {
      request.fault({ error, message: '', offset: null })
      this.#endChunk()
    } else if (command === Command.READ) {
      request.data(offset, length)
      this.#startContent(0, length)
    } else {
      this.#endChunk()
    }
  }

  /** proto.md "Structured reply chunk message" and "Structured reply types". */
  #readChunkHeader(): void {
    const request = this.#find()
    const flags = this.#small.readUInt16BE(4)
    const type = this.#small.readUInt16BE(6)
    const length = this.#small.readUInt32BE(16)
    this.#request = request
    this.#done = (flags & ReplyFlag.DONE) !== 0
    if (type === ReplyType.NONE) {
      if (length !== 0 || !this.#done) throw mismatch('an empty chunk has content or is not the last one')
      this.#endChunk()
    } else if (type === ReplyType.OFFSET_DATA) {
      if (length < 9) throw mismatch(`a data chunk has ${length} bytes`)
      this.#expect(8, () => {
        const offset = readU64(this.#small, 0)
        request.data(offset, length - 8)
        this.#startContent(offset - request.spec.offset, length - 8)
      })
    } else if (type === ReplyType.OFFSET_HOLE) {
      if (length !== 12) throw mismatch(`a hole chunk has ${length} bytes`)
      this.#expect(12, () => {
        request.hole(readU64(this.#small, 0), this.#small.readUInt32BE(8))
        this.#endChunk()
      })
    } else if (type === ReplyType.BLOCK_STATUS) {
      if (request.spec.command !== Command.BLOCK_STATUS)
        throw mismatch(`block status came as answer to ${request.describe()}`)
      if (length < 12 || length > Limit.STATUS_CHUNK) throw mismatch(`a block status chunk has ${length} bytes`)
      const frame = Buffer.allocUnsafe(length)
      this.#expect(
        length,
        () => {
          const { contextId, list } = decodeStatusPayload(frame)
          request.status(contextId, list)
          this.#endChunk()
        },
        frame,
      )
    } else if ((type & REPLY_TYPE_ERROR_BIT) !== 0) {
      if (length < 6 || length > Limit.ERROR_CHUNK) throw mismatch(`an error chunk has ${length} bytes`)
      const frame = Buffer.allocUnsafe(length)
      this.#expect(
        length,
        () => {
          request.fault(decodeErrorPayload(type, frame))
          this.#endChunk()
        },
        frame,
      )
    } else {
      throw mismatch(`a chunk has the unknown type ${type}`)
    }
  }

  #startContent(position: number, length: number): void {
    this.#position = position
    this.#content = length
    this.#expect(0, () => undefined)
    if (length === 0) this.#endChunk()
  }

  #endChunk(): void {
    const request = this.#request
    const done = this.#done
    this.#expectHeader()
    if (done && request) {
      request.complete()
      this.#table.done(request)
    }
  }
}
