import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { bounds } from './bounds.ts'
import { buffer, free } from './bytes.ts'
import { demand, formatError } from './errors.ts'

/** What a frame's header says (RFC 8878 §3.1.1). */
interface FrameHeader {
  readonly headerLength: number
  readonly contentSize: number
  readonly windowSize: number
  readonly singleSegment: boolean
}

/**
 * Decompresses exactly one frame under the rules of §4.12: content size present and equal to `size`, no checksum, no
 * dictionary, window ≤ 8 MiB (single-segment: the content is the window), no byte before or after it, no skippable frame.
 * Memory is bounded by `size`, which the caller has checked. Throws FormatError.
 */
export function decodeZstdFrame(frame: Uint8Array, size: number, what: string): Buffer {
  checkZstdFrame(frame, size, what)
  let content: Buffer
  try {
    content = zstdDecompressSync(frame, { maxOutputLength: size, chunkSize: size + 64 })
  } catch (cause) {
    throw formatError(what, 'the zstd frame does not decode', cause)
  }
  demand(content.length === size, what, `the zstd frame gives ${content.length} bytes instead of ${size}`)
  return content
}

/** All rules of §4.12 that can be checked without decoding. */
export function checkZstdFrame(frame: Uint8Array, size: number, what: string): void {
  const from = buffer(frame)
  const header = parseFrameHeader(from, what)
  demand(header.contentSize === size, what, `the zstd frame states ${header.contentSize} bytes instead of ${size}`)
  demand(header.singleSegment || header.windowSize <= bounds.zstd.window, what, 'the zstd window is larger than 8 MiB')
  const end = frameEnd(from, header.headerLength, what)
  demand(end === from.length, what, `${from.length - end} bytes after the zstd frame`)
}

/** One frame, content size in it, no checksum, no dictionary (§6.4). */
export function encodeZstdFrame(content: Uint8Array, level: number): Buffer {
  return zstdCompressSync(content, {
    pledgedSrcSize: content.length,
    // One piece of memory that can be freed, instead of many small ones: a frame is at most 1/256 longer than its content.
    chunkSize: content.length + (content.length >>> 7) + 1024,
    params: {
      [constants.ZSTD_c_compressionLevel]: level,
      [constants.ZSTD_c_contentSizeFlag]: 1,
      [constants.ZSTD_c_checksumFlag]: 0,
      [constants.ZSTD_c_dictIDFlag]: 0,
    },
  })
}

/** §6.4: payload of a blob; stored as it is if compression does not save at least 1/32. */
export function compressPayload(
  content: Uint8Array,
  level: number,
): { readonly comp: 0 | 1; readonly payload: Uint8Array } {
  const frame = encodeZstdFrame(content, level)
  if (frame.length <= content.length - content.length / 32) return { comp: 1, payload: frame }
  free(frame)
  return { comp: 0, payload: content }
}

function parseFrameHeader(from: Buffer, what: string): FrameHeader {
  demand(from.length >= 6 && from.readUInt32LE(0) === 0xfd2fb528, what, 'not a zstd frame')
  const descriptor = from.readUInt8(4)
  const singleSegment = (descriptor & 0x20) !== 0
  demand((descriptor & 0x08) === 0, what, 'the zstd frame sets a reserved bit')
  demand((descriptor & 0x04) === 0, what, 'the zstd frame has a checksum')
  demand((descriptor & 0x03) === 0, what, 'the zstd frame needs a dictionary')
  const sizeField = [singleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0
  demand(sizeField > 0, what, 'the zstd frame does not state its content size')
  const sizeAt = singleSegment ? 5 : 6
  demand(from.length >= sizeAt + sizeField, what, 'the zstd frame header is cut off')
  const contentSize =
    sizeField === 8
      ? Number(from.readBigUInt64LE(sizeAt))
      : from.readUIntLE(sizeAt, sizeField) + (sizeField === 2 ? 256 : 0)
  const windowByte = from.readUInt8(5)
  const base = 2 ** (10 + (windowByte >> 3))
  const windowSize = singleSegment ? contentSize : base + (base / 8) * (windowByte & 7)
  return { headerLength: sizeAt + sizeField, contentSize, windowSize, singleSegment }
}

/** Walks the block headers (RFC 8878 §3.1.1.2) to the end of the frame. */
function frameEnd(from: Buffer, start: number, what: string): number {
  for (let at = start; ;) {
    demand(at + 3 <= from.length, what, 'the zstd frame is cut off')
    const header = from.readUIntLE(at, 3)
    const type = (header >> 1) & 3
    demand(type !== 3, what, 'the zstd frame has a block of reserved type')
    // An RLE block (1) stores one byte, whatever size it states.
    at += 3 + (type === 1 ? 1 : header >> 3)
    demand(at <= from.length, what, 'the zstd frame is cut off')
    if ((header & 1) === 1) return at
  }
}
