import type { HoldfastError } from '../../base/index.ts'
import { bytes } from '../../base/index.ts'
import { Command, CommandFlag } from '../codec/constants.ts'
import { mismatch } from '../codec/bytes.ts'
import type { ErrorPayload, StatusDescriptor } from '../codec/replies.ts'
import type { StatusExtent } from '../extents/types.ts'
import { commandError } from './errors.ts'
import { Coverage } from './coverage.ts'

export interface CommandSpec {
  readonly command: number
  readonly flags: number
  readonly offset: number
  readonly length: number
}

/**
 * One request from the moment it is decided on until its reply is complete or its connection gone. It may be sent more
 * than once (`restart`), it settles once. Abandoned, it stays in the table so that its reply can be told from garbage,
 * but nothing reaches the caller any more.
 */
export class PendingRequest {
  readonly spec: CommandSpec
  /** Sent after the header. */
  readonly payload: Uint8Array | null
  /** Whether the kernel has the whole payload. */
  isSent: boolean
  /** On the connection of the moment. */
  handle = 0
  /** How often it was sent. */
  sends = 0
  /** Bytes it holds of the client's budget. */
  readonly cost: number
  #caller: { resolve: () => void; reject: (error: HoldfastError) => void } | null = null
  #error: ErrorPayload | null = null

  constructor(spec: CommandSpec, payload: Uint8Array | null = null) {
    this.spec = spec
    this.payload = payload
    this.isSent = payload === null
    this.cost = spec.command === Command.READ ? spec.length : (payload?.length ?? 0)
  }

  /** Settles with the reply. Call once. */
  async settled(): Promise<void> {
    return await new Promise<void>((resolve, reject) => {
      this.#caller = { resolve, reject }
    })
  }

  get isAbandoned(): boolean {
    return this.#caller === null
  }

  restart(): void {
    this.isSent = this.payload === null
    this.#error = null
  }

  /** Announces `length` bytes of content at absolute `offset`. */
  data(_offset: number, _length: number): void {
    throw mismatch(`data came as answer to ${this.describe()}`)
  }
  /** Content announced before; `position` is relative to the request. */
  fill(_position: number, _chunk: Buffer): void {
    throw mismatch(`data came as answer to ${this.describe()}`)
  }
  hole(_offset: number, _length: number): void {
    throw mismatch(`a hole came as answer to ${this.describe()}`)
  }
  status(_contextId: number, _list: readonly StatusDescriptor[]): void {
    throw mismatch(`block status came as answer to ${this.describe()}`)
  }
  fault(error: ErrorPayload): void {
    const { offset } = error
    if (offset !== null && (offset < this.spec.offset || offset > this.spec.offset + this.spec.length)) {
      throw mismatch('an error lies outside its request')
    }
    this.#error ??= error
  }
  /** Throws if the reply claims success without being complete. */
  protected check(): void {}

  /** The reply is complete. */
  complete(): void {
    const error = this.#error
    if (!error) this.check()
    const caller = this.#caller
    this.#caller = null
    if (error) caller?.reject(commandError(this.spec.command, error, this.describe()))
    else caller?.resolve()
  }

  /** The caller is answered now; a reply that still comes is read and dropped. */
  abandon(error: HoldfastError): void {
    const caller = this.#caller
    this.#caller = null
    caller?.reject(error)
  }

  describe(): string {
    const { command, offset, length } = this.spec
    const name = NAMES[command] ?? `command ${command}`
    return command === Command.FLUSH ? name : `${name} of ${length} bytes at ${offset}`
  }
}

const NAMES: { readonly [command: number]: string } = {
  [Command.READ]: 'read',
  [Command.WRITE]: 'write',
  [Command.FLUSH]: 'flush',
  [Command.TRIM]: 'trim',
  [Command.WRITE_ZEROES]: 'zeroing',
  [Command.BLOCK_STATUS]: 'block status',
}

export class PendingRead extends PendingRequest {
  #into: Uint8Array
  #coverage: Coverage

  constructor(offset: number, into: Uint8Array, flags: number) {
    super({ command: Command.READ, flags, offset, length: into.length })
    this.#into = into
    this.#coverage = new Coverage(into.length)
  }

  override restart(): void {
    super.restart()
    this.#coverage = new Coverage(this.#into.length)
  }

  override data(offset: number, length: number): void {
    this.#coverage.add(offset - this.spec.offset, length)
  }

  override fill(position: number, chunk: Buffer): void {
    if (!this.isAbandoned) this.#into.set(chunk, position)
  }

  override hole(offset: number, length: number): void {
    const start = offset - this.spec.offset
    this.#coverage.add(start, length)
    if (!this.isAbandoned) this.#into.fill(0, start, start + length)
  }

  protected override check(): void {
    if (!this.#coverage.isComplete())
      throw mismatch(`the server answered ${this.describe()} in part and called it whole`)
  }
}

/** Extents per context, clipped to the request. */
export class PendingStatus extends PendingRequest {
  readonly #contexts: () => ReadonlyMap<number, string>
  readonly #found = new Map<string, StatusExtent[]>()

  /** `contexts`: ids on the connection of the moment. */
  constructor(offset: number, length: number, one: boolean, contexts: () => ReadonlyMap<number, string>) {
    super({ command: Command.BLOCK_STATUS, flags: one ? CommandFlag.REQ_ONE : 0, offset, length })
    this.#contexts = contexts
  }

  override restart(): void {
    super.restart()
    this.#found.clear()
  }

  override status(contextId: number, list: readonly StatusDescriptor[]): void {
    const name = this.#contexts().get(contextId)
    if (name === undefined) throw mismatch(`block status came for context ${contextId}, which was not selected`)
    if (this.#found.has(name)) throw mismatch(`block status came twice for ${name}`)
    const one = (this.spec.flags & CommandFlag.REQ_ONE) !== 0
    if (one && list.length > 1) throw mismatch('the server sent more than the one extent asked for')
    this.#found.set(name, this.#clip(list))
  }

  /** proto.md "BLOCK_STATUS": the last descriptor may reach beyond the request. */
  #clip(list: readonly StatusDescriptor[]): StatusExtent[] {
    const end = this.spec.offset + this.spec.length
    const out: StatusExtent[] = []
    let offset = this.spec.offset
    for (const { length, flags } of list) {
      if (offset >= end) throw mismatch('block status goes on beyond its request')
      const clipped = Math.min(length, end - offset)
      out.push({ offset: bytes(offset), length: bytes(clipped), flags })
      offset += clipped
    }
    return out
  }

  protected override check(): void {
    for (const name of this.#contexts().values()) {
      if (!this.#found.has(name)) throw mismatch(`the server left out ${name} in a block status`)
    }
  }

  result(): ReadonlyMap<string, readonly StatusExtent[]> {
    return this.#found
  }
}
