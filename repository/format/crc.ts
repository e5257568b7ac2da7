import { crc32 as zlibCrc32 } from 'node:zlib'

/** zlib's crc32 (§4.1: never Castagnoli). `previous` continues an earlier one. */
export function crc32(bytes: Uint8Array, previous = 0): number {
  return zlibCrc32(bytes, previous)
}
