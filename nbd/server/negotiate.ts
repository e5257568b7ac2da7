import { HoldfastError, isHoldfastError } from '../../base/index.ts'
import { ALLOCATION_CONTEXT, Info, Limit, Option, OptionReply, TransmissionFlag } from '../codec/constants.ts'
import { mismatch } from '../codec/bytes.ts'
import { CLIENT_FLAGS_LENGTH, decodeClientFlags, encodeExportNameReply, encodeGreeting } from '../codec/handshake.ts'
import { decodeOptionHeader, encodeOptionReply, OPTION_HEADER_LENGTH } from '../codec/options.ts'
import {
  decodeInfoRequest,
  decodeMetaRequest,
  encodeInfoReply,
  encodeMetaContext,
  encodeServerReply,
} from '../codec/payloads.ts'
import type { Channel } from './channel.ts'
import type { NbdExport, ServerTls } from './types.ts'

export interface Agreed {
  readonly export: NbdExport
  readonly flags: number
  readonly structured: boolean
  readonly allocationContext: boolean
}

export const ALLOCATION_ID = 1
export const BLOCK_SIZES = { minimum: 1, preferred: 64 * 1024, maximum: Limit.REQUEST } as const
/** A client that lists and inspects thousands of exports is fine; one that never decides is not. */
const MAX_OPTIONS = 20_000

/** The server's side of option haggling. Resolves with null if the client ends it. */
export class Negotiation {
  readonly #channel: Channel
  readonly #exports: ReadonlyMap<string, NbdExport>
  readonly #tls: ServerTls | undefined
  #isSecure = false
  #structured = false
  #noZeroes = false
  /** Export for which base:allocation was selected. */
  #contextFor: string | null = null

  constructor(channel: Channel, exports: ReadonlyMap<string, NbdExport>, tls: ServerTls | undefined) {
    this.#channel = channel
    this.#exports = exports
    this.#tls = tls
  }

  async run(): Promise<Agreed | null> {
    await this.#channel.send(encodeGreeting({ fixedNewstyle: true, noZeroes: true }))
    const flags = await this.#channel.readOrEnd(CLIENT_FLAGS_LENGTH)
    if (!flags) return null
    this.#noZeroes = decodeClientFlags(flags).noZeroes
    for (let count = 0; count < MAX_OPTIONS; count += 1) {
      const frame = await this.#channel.readOrEnd(OPTION_HEADER_LENGTH)
      if (!frame) return null
      const header = decodeOptionHeader(frame)
      const data = await this.#channel.read(header.length)
      if (header.option === Option.ABORT) {
        await this.#channel.send(encodeOptionReply(Option.ABORT, OptionReply.ACK))
        return null
      }
      const agreed = await this.#answer(header.option, data)
      if (agreed) return agreed
    }
    throw mismatch('the client haggles without end')
  }

  async #answer(option: number, data: Buffer): Promise<Agreed | null> {
    if (this.#tls && !this.#isSecure && option !== Option.STARTTLS) {
      if (option === Option.EXPORT_NAME) throw mismatch('the client asked for an export before TLS')
      await this.#reply(option, OptionReply.ERR_TLS_REQD)
      return null
    }
    try {
      return await this.#dispatch(option, data)
    } catch (error) {
      if (option === Option.EXPORT_NAME || !isHoldfastError(error) || error.code !== 'ProtocolMismatch') throw error
      await this.#reply(option, OptionReply.ERR_INVALID, Buffer.from(error.message))
      return null
    }
  }

  async #dispatch(option: number, data: Buffer): Promise<Agreed | null> {
    switch (option) {
      case Option.EXPORT_NAME:
        return await this.#exportName(data)
      case Option.GO:
      case Option.INFO:
        return await this.#describe(option, data)
      case Option.LIST:
        expectEmpty(data)
        for (const { name, description } of this.#exports.values()) {
          await this.#reply(option, OptionReply.SERVER, encodeServerReply({ name, description: description ?? '' }))
        }
        await this.#reply(option, OptionReply.ACK)
        return null
      case Option.STRUCTURED_REPLY:
        expectEmpty(data)
        this.#structured = true
        await this.#reply(option, OptionReply.ACK)
        return null
      case Option.LIST_META_CONTEXT:
      case Option.SET_META_CONTEXT:
        await this.#contexts(option, data)
        return null
      case Option.STARTTLS:
        await this.#startTls(data)
        return null
      default:
        await this.#reply(option, OptionReply.ERR_UNSUP)
        return null
    }
  }

  async #reply(option: number, type: number, data?: Buffer): Promise<void> {
    await this.#channel.send(encodeOptionReply(option, type, data))
  }

  /** proto.md "NBD_OPT_EXPORT_NAME": no error can be returned, only the session ended. */
  async #exportName(data: Buffer): Promise<Agreed> {
    const found = this.#exports.get(data.toString('utf8'))
    if (!found) throw new HoldfastError('NotFound', 'an NBD client asked for an export that is not there')
    const agreed = this.#agree(found)
    await this.#channel.send(encodeExportNameReply(found.source.size, agreed.flags, this.#noZeroes))
    return agreed
  }

  /** INFO and GO. The size is always told, and so are the block sizes: clients need not ask. */
  async #describe(option: number, data: Buffer): Promise<Agreed | null> {
    const request = decodeInfoRequest(data)
    const found = this.#exports.get(request.exportName)
    if (!found) {
      await this.#reply(option, OptionReply.ERR_UNKNOWN)
      return null
    }
    const agreed = this.#agree(found)
    const size = encodeInfoReply({ type: 'export', size: found.source.size, flags: agreed.flags })
    await this.#reply(option, OptionReply.INFO, size)
    await this.#reply(option, OptionReply.INFO, encodeInfoReply({ type: 'block-size', ...BLOCK_SIZES }))
    if (request.infos.includes(Info.DESCRIPTION) && found.description !== undefined) {
      const text = encodeInfoReply({ type: 'description', text: found.description })
      await this.#reply(option, OptionReply.INFO, text)
    }
    await this.#reply(option, OptionReply.ACK)
    return option === Option.GO ? agreed : null
  }

  #agree(found: NbdExport): Agreed {
    return {
      export: found,
      flags: transmissionFlags(found, this.#structured),
      structured: this.#structured,
      allocationContext: this.#contextFor === found.name,
    }
  }

  async #contexts(option: number, data: Buffer): Promise<void> {
    if (!this.#structured) throw mismatch('metadata contexts need structured replies first')
    const { exportName, queries } = decodeMetaRequest(data)
    if (option === Option.SET_META_CONTEXT) this.#contextFor = null
    if (!this.#exports.has(exportName)) {
      await this.#reply(option, OptionReply.ERR_UNKNOWN)
      return
    }
    const lists = option === Option.LIST_META_CONTEXT
    const wanted = lists
      ? queries.length === 0 || queries.includes('base:') || queries.includes(ALLOCATION_CONTEXT)
      : queries.includes(ALLOCATION_CONTEXT)
    if (wanted) {
      const context = { id: lists ? 0 : ALLOCATION_ID, name: ALLOCATION_CONTEXT }
      await this.#reply(option, OptionReply.META_CONTEXT, encodeMetaContext(context))
      if (!lists) this.#contextFor = exportName
    }
    await this.#reply(option, OptionReply.ACK)
  }

  async #startTls(data: Buffer): Promise<void> {
    expectEmpty(data)
    if (!this.#tls) {
      await this.#reply(Option.STARTTLS, OptionReply.ERR_UNSUP)
      return
    }
    if (this.#isSecure) throw mismatch('STARTTLS inside TLS')
    await this.#reply(Option.STARTTLS, OptionReply.ACK)
    await this.#channel.upgrade(this.#tls)
    this.#isSecure = true
  }
}

function expectEmpty(data: Buffer): void {
  if (data.length > 0) throw mismatch('an option that takes no data has some')
}

/** proto.md "Transmission flags". The source is shared by all connections, so CAN_MULTI_CONN always holds. */
function transmissionFlags({ source }: NbdExport, structured: boolean): number {
  const writable = source.write !== undefined
  return (
    TransmissionFlag.HAS_FLAGS |
    TransmissionFlag.CAN_MULTI_CONN |
    (writable ? 0 : TransmissionFlag.READ_ONLY) |
    (source.flush ? TransmissionFlag.SEND_FLUSH | TransmissionFlag.SEND_FUA : 0) |
    (writable && source.trim ? TransmissionFlag.SEND_TRIM : 0) |
    (writable && source.zero ? TransmissionFlag.SEND_WRITE_ZEROES : 0) |
    (structured ? TransmissionFlag.SEND_DF : 0)
  )
}
