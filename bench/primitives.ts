import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'
import { constants, crc32, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { MiB } from '../base/index.ts'

/** Milliseconds of one core for each MiB of content, on these contents. */
export interface Cost {
  /** A chunk that is new: hashed, compressed, decompressed and hashed again, sealed, hashed as part of its pack. */
  readonly write: number
  /** A chunk that is known already: hashed. */
  readonly find: number
  /** A chunk that is read back: opened, decompressed, hashed. */
  readonly read: number
}

const LEVEL = 1

/**
 * What the primitives that the format prescribes cost one thread that does nothing else (docs/repository-format.md §6.2, §6.4,
 * §7.8). No pipeline can be faster than all cores doing only this: its ceiling. CPU time, not wall time.
 */
export function primitiveCost(contents: readonly Uint8Array[]): Cost {
  let [write, find, read, bytes] = [0, 0, 0, 0]
  const key = randomBytes(32)
  for (const content of contents) {
    const nonce = randomBytes(12)
    bytes += content.length
    find += cpu(() => sha256(content))
    let sealed = Buffer.alloc(0)
    let isCompressed = false
    let tag = Buffer.alloc(0)
    write += cpu(() => {
      const frame = zstdCompressSync(content, { params: { [constants.ZSTD_c_compressionLevel]: LEVEL } })
      isCompressed = frame.length <= content.length - content.length / 32
      const payload = isCompressed ? frame : content
      sha256(isCompressed ? zstdDecompressSync(frame) : content)
      const cipher = createCipheriv('aes-256-gcm', key, nonce)
      sealed = cipher.update(payload)
      cipher.final()
      tag = cipher.getAuthTag()
      crc32(sealed)
      sha256(sealed)
    })
    read += cpu(() => {
      const decipher = createDecipheriv('aes-256-gcm', key, nonce).setAuthTag(tag)
      const payload = decipher.update(sealed)
      decipher.final()
      crc32(sealed)
      sha256(isCompressed ? zstdDecompressSync(payload) : payload)
    })
  }
  const each = (ms: number): number => ms / (bytes / MiB)
  return { write: each(write + find), find: each(find), read: each(read) }
}

/** CPU milliseconds that `work` took. */
function cpu(work: () => unknown): number {
  const before = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

function sha256(content: Uint8Array): Buffer {
  return createHash('sha256').update(content).digest()
}
