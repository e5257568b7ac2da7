import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { Option, OptionReply, TransmissionFlag } from '../codec/constants.ts'
import { CLIENT_FLAGS_LENGTH, encodeGreeting } from '../codec/handshake.ts'
import { decodeOptionHeader, encodeOptionReply, OPTION_HEADER_LENGTH } from '../codec/options.ts'
import { decodeMetaRequest, encodeInfoReply, encodeMetaContext } from '../codec/payloads.ts'
import { decodeRequest, REQUEST_LENGTH, type RequestHeader } from '../codec/requests.ts'
import type { NbdAddress } from '../address.ts'
import { scratchDirectory } from './processes.ts'

/** A raw end of a connection, for tests that play a peer byte by byte. */
export class Wire {
  readonly socket: Socket
  #bytes = Buffer.alloc(0)
  #isEnded = false
  #wake: (() => void) | null = null

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk])
      this.#wake?.()
    })
    socket.on('close', () => {
      this.#isEnded = true
      this.#wake?.()
    })
    // A reset by the other side is what many tests provoke; `closed` tells them.
    socket.on('error', () => this.#wake?.())
  }

  static async connect(address: NbdAddress): Promise<Wire> {
    const socket = address.kind === 'unix' ? connect(address.path) : connect(address.port, address.host)
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject))
    return new Wire(socket)
  }

  /** Exactly `length` bytes; throws if the other side closes before. */
  async read(length: number): Promise<Buffer> {
    while (this.#bytes.length < length) {
      if (this.#isEnded) throw new Error('the other side closed')
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
    const out = this.#bytes.subarray(0, length)
    this.#bytes = this.#bytes.subarray(length)
    return out
  }

  /** Resolves when the other side has closed; what it said before is thrown away. */
  async closed(): Promise<void> {
    while (!this.#isEnded) await new Promise<void>((resolve) => (this.#wake = resolve))
  }

  send(...parts: readonly Uint8Array[]): void {
    for (const part of parts) this.socket.write(part)
  }

  async request(): Promise<RequestHeader> {
    return decodeRequest(await this.read(REQUEST_LENGTH))
  }
}

export interface FakeServer extends AsyncDisposable {
  readonly address: NbdAddress
  readonly connections: number
}

/** Runs `script` for every connection; `index` counts them from 0. */
export async function fakeServer(script: (wire: Wire, index: number) => Promise<void>): Promise<FakeServer> {
  const directory = await scratchDirectory()
  const path = join(directory.path, 's')
  const sockets = new Set<Socket>()
  let count = 0
  const server = createServer((socket) => {
    sockets.add(socket)
    const index = count
    count += 1
    // The script ends early when the client hangs up, which is the client's right.
    script(new Wire(socket), index).catch(() => socket.destroy())
  })
  await new Promise<void>((resolve) => server.listen(path, resolve))
  return {
    address: { kind: 'unix', path },
    get connections() {
      return count
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise<void>((resolve) => server.close(() => resolve()))
      await directory[Symbol.asyncDispose]()
    },
  }
}

export interface FakeExport {
  readonly size: number
  readonly flags?: number
  readonly structured?: boolean
  /** Ids from 1, in this order. */
  readonly contexts?: readonly string[]
  readonly blockSizes?: { readonly minimum: number; readonly preferred: number; readonly maximum: number }
}

export const ALL_FEATURES =
  TransmissionFlag.HAS_FLAGS |
  TransmissionFlag.SEND_FLUSH |
  TransmissionFlag.SEND_FUA |
  TransmissionFlag.SEND_TRIM |
  TransmissionFlag.SEND_WRITE_ZEROES |
  TransmissionFlag.SEND_DF

/** Plays the handshake like a decent server, up to the transmission phase. */
export async function welcome(wire: Wire, offer: FakeExport): Promise<void> {
  wire.send(encodeGreeting({ fixedNewstyle: true, noZeroes: true }))
  await wire.read(CLIENT_FLAGS_LENGTH)
  for (;;) {
    const { option, length } = decodeOptionHeader(await wire.read(OPTION_HEADER_LENGTH))
    const data = await wire.read(length)
    const reply = (type: number, payload?: Buffer): void => wire.send(encodeOptionReply(option, type, payload))
    if (option === Option.STRUCTURED_REPLY && offer.structured !== false) {
      reply(OptionReply.ACK)
    } else if (option === Option.SET_META_CONTEXT) {
      const { queries } = decodeMetaRequest(data)
      offer.contexts?.forEach((name, index) => {
        if (queries.includes(name)) reply(OptionReply.META_CONTEXT, encodeMetaContext({ id: index + 1, name }))
      })
      reply(OptionReply.ACK)
    } else if (option === Option.GO) {
      reply(OptionReply.INFO, encodeInfoReply({ type: 'export', size: offer.size, flags: offer.flags ?? ALL_FEATURES }))
      if (offer.blockSizes) reply(OptionReply.INFO, encodeInfoReply({ type: 'block-size', ...offer.blockSizes }))
      reply(OptionReply.ACK)
      return
    } else {
      reply(OptionReply.ERR_UNSUP)
    }
  }
}
