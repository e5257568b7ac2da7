import { bytes, HoldfastError, MiB, type Bytes, type Millis } from '../../base/index.ts'
import { Command, CommandFlag } from '../codec/constants.ts'
import type { ByteRange, StatusExtent } from '../extents/types.ts'
import { dial } from './connection.ts'
import type { Handshake } from './handshake.ts'
import { PendingRead, PendingRequest, PendingStatus } from './pending.ts'
import { Session } from './session.ts'
import type {
  BlockSizes,
  ConnectOptions,
  DialOptions,
  ExportFeatures,
  ListedExport,
  NbdClient,
  ReadOptions,
  StatusOptions,
  WriteOptions,
  ZeroOptions,
} from './types.ts'

/** WRITE_ZEROES and TRIM carry no payload, but a target without holes writes them out within the request timeout. */
const ZERO_PIECE = 128 * MiB
const MAX_U32 = 0xffffffff

/** Connects to one export. Errors: see `NbdClient`; NotFound if the server has no such export. */
export async function connectNbd(options: ConnectOptions): Promise<NbdClient> {
  const limits = {
    requestTimeout: options.requestTimeout ?? (60_000 as Millis),
    maxInFlight: options.maxInFlight ?? 16,
    maxBytesInFlight: options.maxBytesInFlight ?? 32 * MiB,
  }
  return new Client(await Session.open(options, limits), options, limits)
}

/** Names of a server's exports. AccessDenied if its policy hides them. */
export async function listNbdExports(options: DialOptions): Promise<readonly ListedExport[]> {
  return await inquire(options, async (handshake) => await handshake.listExports())
}

/** Names of the metadata contexts that match `queries`; none: all of them, dirty bitmaps included. */
export async function listNbdContexts(
  options: DialOptions & { readonly exportName: string },
  queries: readonly string[] = [],
): Promise<readonly string[]> {
  return await inquire(options, async (handshake) => await handshake.listContexts(options.exportName, queries))
}

async function inquire<T>(options: DialOptions, ask: (handshake: Handshake) => Promise<T>): Promise<T> {
  const { answer, handshake } = await dial(options, async (handshake) => ({ answer: await ask(handshake), handshake }))
  await handshake.abort()
  return answer
}

class Client implements NbdClient {
  readonly size: Bytes
  readonly features: ExportFeatures
  readonly blockSizes: BlockSizes
  readonly contexts: readonly string[]
  readonly maxRequest: Bytes
  readonly #session: Session
  readonly #workers: number

  constructor(session: Session, options: ConnectOptions, limits: { maxInFlight: number; maxBytesInFlight: number }) {
    const { size, features, blockSizes, contexts } = session.negotiated
    const selected = new Set(contexts.values())
    const largest = Math.min(blockSizes.maximum, limits.maxBytesInFlight)
    this.#session = session
    this.#workers = limits.maxInFlight
    this.size = size
    this.features = features
    this.blockSizes = blockSizes
    this.contexts = (options.contexts ?? []).filter((name) => selected.has(name))
    this.maxRequest = bytes(Math.max(largest - (largest % blockSizes.minimum), blockSizes.minimum))
  }

  async read(at: Bytes, into: Uint8Array, options: ReadOptions = {}): Promise<void> {
    const flags = options.dontFragment ? CommandFlag.DF : 0
    if (flags !== 0) this.#need(this.features.dontFragment, 'unfragmented reads')
    await this.#split(at, into.length, this.maxRequest, options.signal, (offset, length) => {
      return new PendingRead(offset, into.subarray(offset - at, offset - at + length), flags)
    })
  }

  async write(at: Bytes, data: Uint8Array, options: WriteOptions = {}): Promise<void> {
    this.#need(!this.features.readOnly, 'writing')
    const flags = this.#fua(options)
    await this.#split(at, data.length, this.maxRequest, options.signal, (offset, length) => {
      const spec = { command: Command.WRITE, flags, offset, length }
      return new PendingRequest(spec, data.subarray(offset - at, offset - at + length))
    })
  }

  async writeZeroes(range: ByteRange, options: ZeroOptions = {}): Promise<void> {
    this.#need(!this.features.readOnly && this.features.writeZeroes, 'WRITE_ZEROES')
    const flags = this.#fua(options) | (options.noHole ? CommandFlag.NO_HOLE : 0)
    await this.#split(range.start, range.end - range.start, ZERO_PIECE, options.signal, (offset, length) => {
      return new PendingRequest({ command: Command.WRITE_ZEROES, flags, offset, length })
    })
  }

  async trim(range: ByteRange, options: WriteOptions = {}): Promise<void> {
    this.#need(!this.features.readOnly && this.features.trim, 'TRIM')
    const flags = this.#fua(options)
    await this.#split(range.start, range.end - range.start, ZERO_PIECE, options.signal, (offset, length) => {
      return new PendingRequest({ command: Command.TRIM, flags, offset, length })
    })
  }

  async flush(options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    this.#need(this.features.flush, 'FLUSH')
    const request = new PendingRequest({ command: Command.FLUSH, flags: 0, offset: 0, length: 0 })
    await this.#session.run(request, options.signal)
  }

  async blockStatus(
    range: ByteRange,
    options: StatusOptions = {},
  ): Promise<ReadonlyMap<string, readonly StatusExtent[]>> {
    const length = range.end - range.start
    this.#need(this.contexts.length > 0, 'block status (no metadata context was selected)')
    this.#checkRange(range.start, length)
    if (length === 0 || length > MAX_U32)
      throw invalid(`block status of ${length} bytes`, 'Ask for 1 byte to 4 GiB − 1.')
    const request = new PendingStatus(range.start, length, options.one ?? false, () => this.#session.contexts)
    await this.#session.run(request, options.signal)
    return request.result()
  }

  async close(): Promise<void> {
    await this.#session.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #need(has: boolean, feature: string): void {
    if (has) return
    throw new HoldfastError('Unsupported', `the NBD export does not offer ${feature}`)
  }

  #fua(options: WriteOptions): number {
    if (!options.fua) return 0
    this.#need(this.features.fua, 'FUA')
    return CommandFlag.FUA
  }

  #checkRange(at: number, length: number): void {
    const { minimum } = this.blockSizes
    if (!Number.isSafeInteger(at) || !Number.isSafeInteger(length) || at < 0 || length < 0 || at + length > this.size) {
      throw invalid(
        `${length} bytes at ${at} are outside the NBD export of ${this.size} bytes`,
        'Stay inside the export.',
      )
    }
    if (at % minimum !== 0 || length % minimum !== 0) {
      throw invalid(`${length} bytes at ${at} are not aligned`, `This export wants multiples of ${minimum} bytes.`)
    }
  }

  /** Sends a range in pieces, at most `maxInFlight` at a time. The first failure takes all other pieces back. */
  async #split(
    at: number,
    length: number,
    largest: number,
    signal: AbortSignal | undefined,
    make: (offset: number, length: number) => PendingRequest,
  ): Promise<void> {
    this.#checkRange(at, length)
    if (length === 0) return
    if (length <= largest) {
      await this.#session.run(make(at, length), signal)
      return
    }
    const group = new AbortController()
    const abort = (): void => group.abort(signal?.reason)
    signal?.addEventListener('abort', abort, { once: true })
    if (signal?.aborted) abort()
    let next = at
    const work = async (): Promise<void> => {
      while (next < at + length) {
        const offset = next
        next = Math.min(offset + largest, at + length)
        try {
          await this.#session.run(make(offset, next - offset), group.signal)
        } catch (error) {
          group.abort(error)
          throw error
        }
      }
    }
    try {
      await Promise.all(Array.from({ length: Math.min(this.#workers, Math.ceil(length / largest)) }, work))
    } finally {
      signal?.removeEventListener('abort', abort)
    }
  }
}

function invalid(message: string, hint: string): HoldfastError {
  return new HoldfastError('InvalidRequest', message, { hint })
}
