import { HoldfastError } from '../../base/index.ts'

/** Longest message accepted; the block graph of a VM with hundreds of nodes stays below 1 MiB. */
const MAX_LINE = 32 * 1024 * 1024

/**
 * Cuts a byte stream into JSON messages, one a line (QMP specification 2.1; QEMU guest agent reference). A message
 * longer than 32 MiB or one that is not JSON throws `ProtocolMismatch`: after it nothing on the connection can be
 * trusted. With `reset`, whatever was collected is dropped: what `0xFF` means to the agent.
 */
export class MessageSplitter {
  readonly #peer: string
  #parts: Buffer[] = []
  #length = 0

  constructor(peer: string) {
    this.#peer = peer
  }

  reset(): void {
    this.#parts = []
    this.#length = 0
  }

  push(chunk: Buffer): unknown[] {
    const out: unknown[] = []
    let rest = chunk
    for (let at = rest.indexOf(0x0a); at >= 0; at = rest.indexOf(0x0a)) {
      this.#parts.push(rest.subarray(0, at))
      const text = Buffer.concat(this.#parts).toString('utf8').trim()
      this.reset()
      rest = rest.subarray(at + 1)
      if (text !== '') out.push(this.#parse(text))
    }
    this.#length += rest.length
    if (this.#length > MAX_LINE)
      throw new HoldfastError('ProtocolMismatch', `${this.#peer} sent a message of more than 32 MiB`)
    if (rest.length > 0) this.#parts.push(rest)
    return out
  }

  #parse(text: string): unknown {
    try {
      return JSON.parse(text)
    } catch (error) {
      throw new HoldfastError('ProtocolMismatch', `${this.#peer} sent something that is not JSON`, { cause: error })
    }
  }
}
