import { KiB, MiB } from '../../base/index.ts'

/** §4.12: what every decoder enforces before it reserves memory. Sizes in bytes. */
export const bounds = {
  name: 200,
  json: { object: 64 * KiB, fmt: MiB, keys: MiB, bad: 8 * MiB, session: 32 * MiB, point: 512 * KiB, depth: 16 },
  pack: { min: 289, max: 128 * MiB, blobs: 32_768, toc: 1_835_008 },
  blob: { ulen: 4 * MiB, clenMin: 49 },
  page: { min: 108, max: 1_245_216, entries: 16_384, shiftMin: 16, shiftMax: 22 },
  config: { part: 4 * MiB, parts: 256, configs: 1_024 },
  manifest: {
    body: 64 * MiB,
    json: 4 * MiB,
    jsonRaw: 16 * MiB,
    disks: 256,
    pagesPerDisk: 65_536,
    roots: 1_048_576,
    packs: 262_144,
  },
  segment: {
    size: 256 * MiB,
    entries: 5_000_000,
    packs: 1_048_576,
    supersedes: 65_536,
    prefixBits: 16,
    fanoutBits: 20,
  },
  condemned: { packs: 1_048_576, seen: 4_096 },
  roster: 4_194_304,
  argon2: { mMin: 19 * KiB, mMax: 2 * MiB, tMax: 64, pMax: 16 },
  zstd: { window: 8 * MiB },
} as const

/** 2^30: bytes of a disk that one page maps (§4.3). */
export const PAGE_SHIFT = 30
export const PAGE_BYTES = 2 ** PAGE_SHIFT
/** Default chunk: 1 MiB (§6.1). */
export const CHUNK_SHIFT = 20
/** Default target of a pack (§4.2). */
export const PACK_TARGET = 32 * MiB
/** Blob header plus the AEAD's and the inner hash's share of the ciphertext: `clen = 48 + payload` (§4.2). */
export const BLOB_HEADER = 72
export const BLOB_OVERHEAD = 48
