import { HoldfastError } from '../base/index.ts'

const lineEnd = 10
/** Hexadecimal digits of the size of a chunk, with its line end; nothing of ours has extensions there. */
const mostLine = 16

/** Takes HTTP/1.1's chunked coding (RFC 9112, 7.1) off a body, in whatever pieces it comes. Copies nothing. */
export class Chunks {
  /** The last chunk has come; trailers are not looked at. */
  isDone = false
  /** Bytes that the chunk still has; null: its size is being read. */
  #left: number | null = null
  #line = ''

  /** The next content in [at, end) of `memory`, null where there is only framing, and where to go on. Throws ProtocolMismatch. */
  next(memory: Uint8Array, at: number, end: number): { readonly data: Uint8Array | null; readonly next: number } {
    if (this.#left !== null && this.#left > 0) {
      const until = Math.min(end, at + this.#left)
      this.#left -= until - at
      if (this.#left === 0) this.#left = null
      return { data: memory.subarray(at, until), next: until }
    }
    while (at < end && this.#left === null && !this.isDone) {
      const byte = memory[at] ?? 0
      at += 1
      if (byte === lineEnd) this.#endLine()
      else this.#line += String.fromCharCode(byte)
      if (this.#line.length > mostLine) throw misunderstood()
    }
    return { data: null, next: at }
  }

  #endLine(): void {
    const line = this.#line.trim()
    this.#line = ''
    // The line end behind the content of the chunk before.
    if (line === '' && !this.isDone) return
    if (!/^[0-9a-f]+$/i.test(line)) throw misunderstood()
    const size = Number.parseInt(line, 16)
    if (size === 0) this.isDone = true
    else this.#left = size
  }
}

function misunderstood(): HoldfastError {
  return new HoldfastError('ProtocolMismatch', 'what came over the socket of an open point is no body of an answer')
}
