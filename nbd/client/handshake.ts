import { bytes, HoldfastError, type Bytes } from '../../base/index.ts'
import { Info, Limit, Option, OptionReply, TransmissionFlag } from '../codec/constants.ts'
import { decodeText, mismatch } from '../codec/bytes.ts'
import {
  decodeExportNameReply,
  decodeGreeting,
  encodeClientFlags,
  exportNameReplyLength,
  GREETING_LENGTH,
  type HandshakeFlags,
} from '../codec/handshake.ts'
import { decodeOptionReplyHeader, encodeOption, OPTION_REPLY_HEADER_LENGTH } from '../codec/options.ts'
import {
  decodeInfoReply,
  decodeMetaContext,
  decodeServerReply,
  encodeInfoRequest,
  encodeMetaRequest,
} from '../codec/payloads.ts'
import { encodeString } from '../codec/bytes.ts'
import { optionError } from './errors.ts'
import type { Transport } from './transport.ts'
import type { BlockSizes, ConnectOptions, ExportFeatures, ListedExport, TlsUpgrade } from './types.ts'

/** What the two sides agreed on. */
export interface Negotiated {
  readonly size: Bytes
  readonly flags: number
  readonly features: ExportFeatures
  readonly blockSizes: BlockSizes
  readonly structured: boolean
  /** Ids in replies to the names asked for. */
  readonly contexts: ReadonlyMap<number, string>
}

interface Answer {
  readonly replies: readonly { readonly type: number; readonly data: Buffer }[]
  /** The error reply that ended the answer, or null after ACK. */
  readonly error: { readonly type: number; readonly text: string } | null
}

const SILENT_BLOCK_SIZES: BlockSizes = { minimum: 1, preferred: 4096, maximum: Limit.REQUEST }

/** The client's side of option haggling over one connection, proto.md "Fixed newstyle negotiation". */
export class Handshake {
  readonly #transport: Transport
  readonly #flags: HandshakeFlags
  #structured = false

  private constructor(transport: Transport, flags: HandshakeFlags) {
    this.#transport = transport
    this.#flags = flags
  }

  /** Greeting, flags, and TLS before anything else is said. */
  static async begin(transport: Transport, tls: TlsUpgrade | undefined, signal: AbortSignal): Promise<Handshake> {
    const flags = decodeGreeting(await transport.readExactly(GREETING_LENGTH))
    transport.send(encodeClientFlags(flags), null)
    const handshake = new Handshake(transport, flags)
    if (tls) {
      const answer = await handshake.#ask(Option.STARTTLS)
      if (answer.error) throw optionError(answer.error.type, answer.error.text, 'TLS', transport.peer)
      await transport.upgrade(tls, signal)
    }
    return handshake
  }

  async #ask(option: number, data?: Buffer, secret = ''): Promise<Answer> {
    if (!this.#flags.fixedNewstyle) {
      throw new HoldfastError('Unsupported', `the NBD server at ${this.#transport.peer} knows no options`, {
        hint: 'It may still serve the handshake "export-name".',
      })
    }
    this.#transport.send(encodeOption(option, data), null)
    const replies: { type: number; data: Buffer }[] = []
    let total = 0
    for (;;) {
      const header = decodeOptionReplyHeader(await this.#transport.readExactly(OPTION_REPLY_HEADER_LENGTH))
      if (header.option !== option) throw mismatch(`a reply to option ${header.option} came after option ${option}`)
      const payload = header.length > 0 ? await this.#transport.readExactly(header.length) : Buffer.alloc(0)
      if (header.type === OptionReply.ACK) {
        if (payload.length > 0) throw mismatch('an acknowledgement carries data')
        return { replies, error: null }
      }
      if (header.type >= 0x80000000) {
        const text = decodeText(payload)
        return {
          replies,
          error: { type: header.type, text: secret === '' ? text : text.replaceAll(secret, '‹export›') },
        }
      }
      total += payload.length
      if (replies.length >= Limit.OPTION_REPLIES || total > Limit.LISTING) {
        throw mismatch(`endless replies to option ${option}`)
      }
      replies.push({ type: header.type, data: payload })
    }
  }

  #refused(error: { type: number; text: string }, what: string): HoldfastError {
    return optionError(error.type, error.text, what, this.#transport.peer)
  }

  async negotiate(options: ConnectOptions): Promise<Negotiated> {
    if (options.handshake === 'export-name') return await this.#exportName(options.exportName, new Map())
    await this.#askForStructuredReplies()
    const contexts = await this.#selectContexts(options)
    const answer = await this.#ask(
      Option.GO,
      encodeInfoRequest({ exportName: options.exportName, infos: [Info.BLOCK_SIZE] }),
      options.exportName,
    )
    if (answer.error?.type === OptionReply.ERR_UNSUP) return await this.#exportName(options.exportName, contexts)
    if (answer.error) throw this.#refused(answer.error, 'the export')
    return this.#readGoAnswer(answer, contexts)
  }

  #readGoAnswer(answer: Answer, contexts: ReadonlyMap<number, string>): Negotiated {
    let exported: { size: number; flags: number } | null = null
    let blockSizes = SILENT_BLOCK_SIZES
    for (const reply of answer.replies) {
      if (reply.type !== OptionReply.INFO) throw mismatch(`GO was answered with reply type ${reply.type}`)
      const info = decodeInfoReply(reply.data)
      if (info.type === 'export') exported = info
      if (info.type === 'block-size') {
        blockSizes = { minimum: info.minimum, preferred: info.preferred, maximum: info.maximum }
      }
    }
    if (!exported) throw mismatch('GO was acknowledged without the size of the export')
    return this.#settle(exported, blockSizes, contexts)
  }

  async #exportName(exportName: string, contexts: ReadonlyMap<number, string>): Promise<Negotiated> {
    this.#transport.send(encodeOption(Option.EXPORT_NAME, encodeString(exportName, 'the export name')), null)
    const reply = await this.#transport.readExactly(exportNameReplyLength(this.#flags.noZeroes))
    return this.#settle(decodeExportNameReply(reply), SILENT_BLOCK_SIZES, contexts)
  }

  #settle(
    exported: { size: number; flags: number },
    blockSizes: BlockSizes,
    contexts: ReadonlyMap<number, string>,
  ): Negotiated {
    if ((exported.flags & TransmissionFlag.HAS_FLAGS) === 0) throw mismatch('the export has no transmission flags')
    const features = readFeatures(exported.flags)
    return {
      size: bytes(exported.size),
      flags: exported.flags,
      features,
      blockSizes,
      structured: this.#structured,
      contexts,
    }
  }

  async #askForStructuredReplies(): Promise<void> {
    const answer = await this.#ask(Option.STRUCTURED_REPLY)
    if (answer.error?.type === OptionReply.ERR_TLS_REQD) throw this.#refused(answer.error, 'to talk without TLS')
    this.#structured = answer.error === null
  }

  async #selectContexts(options: ConnectOptions): Promise<ReadonlyMap<number, string>> {
    const queries = options.contexts ?? []
    if (queries.length === 0 || !this.#structured) return new Map()
    const answer = await this.#askForContexts(Option.SET_META_CONTEXT, options.exportName, queries)
    const found = new Map<number, string>()
    for (const context of answer) {
      if (!queries.includes(context.name)) throw mismatch(`the server selected a context that nobody asked for`)
      if (found.has(context.id)) throw mismatch('two metadata contexts have the same id')
      found.set(context.id, context.name)
    }
    if (new Set(found.values()).size !== found.size) throw mismatch('a metadata context was selected twice')
    return found
  }

  async #askForContexts(
    option: number,
    exportName: string,
    queries: readonly string[],
  ): Promise<{ id: number; name: string }[]> {
    const answer = await this.#ask(option, encodeMetaRequest({ exportName, queries }), exportName)
    if (answer.error?.type === OptionReply.ERR_UNSUP) return []
    if (answer.error) throw this.#refused(answer.error, 'metadata contexts of the export')
    return answer.replies.map((reply) => {
      if (reply.type !== OptionReply.META_CONTEXT)
        throw mismatch(`contexts were answered with reply type ${reply.type}`)
      return decodeMetaContext(reply.data)
    })
  }

  async listContexts(exportName: string, queries: readonly string[]): Promise<string[]> {
    await this.#askForStructuredReplies()
    if (!this.#structured) return []
    const contexts = await this.#askForContexts(Option.LIST_META_CONTEXT, exportName, queries)
    return contexts.map((context) => context.name)
  }

  async listExports(): Promise<ListedExport[]> {
    const answer = await this.#ask(Option.LIST)
    if (answer.error) throw this.#refused(answer.error, 'to list its exports')
    return answer.replies.map((reply) => {
      if (reply.type !== OptionReply.SERVER) throw mismatch(`LIST was answered with reply type ${reply.type}`)
      return decodeServerReply(reply.data)
    })
  }

  /** Ends a session that never enters transmission. The server may close without an answer. */
  async abort(): Promise<void> {
    await this.#transport.finish(encodeOption(Option.ABORT))
  }
}

function readFeatures(flags: number): ExportFeatures {
  const has = (flag: number): boolean => (flags & flag) !== 0
  return {
    readOnly: has(TransmissionFlag.READ_ONLY),
    flush: has(TransmissionFlag.SEND_FLUSH),
    fua: has(TransmissionFlag.SEND_FUA),
    rotational: has(TransmissionFlag.ROTATIONAL),
    trim: has(TransmissionFlag.SEND_TRIM),
    writeZeroes: has(TransmissionFlag.SEND_WRITE_ZEROES),
    dontFragment: has(TransmissionFlag.SEND_DF),
    multiConn: has(TransmissionFlag.CAN_MULTI_CONN),
  }
}
