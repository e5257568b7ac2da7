/** fast-check generators of valid values of every binary layout, for the property and fuzz tests beside it. */
import fc from 'fast-check'
import { crc32 } from './crc.ts'
import { encodeBlobHeader, type BlobHeader, type BlobType } from './blob.ts'
import { encodePackHeader, type PackHeader, type PackKind } from './pack.ts'
import type { Location, Page, PageEntry } from './page.ts'
import type { RootEntry } from './root-entry.ts'
import type { SegmentContent } from './segment.ts'
import { encodePackTail, type TocEntry } from './toc.ts'

export const bytesOf = (size: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: size, maxLength: size })
export const hexOf = (size: number): fc.Arbitrary<string> =>
  bytesOf(size).map((bytes) => Buffer.from(bytes).toString('hex'))
export const u32 = fc.nat({ max: 0xffffffff })
export const u53 = fc.maxSafeNat()
/** A few packs, so that entries share them. */
export const packPool = fc.uniqueArray(hexOf(32), { minLength: 1, maxLength: 5 })

export const location = (pool: readonly string[], ulenMax: number): fc.Arbitrary<Location> =>
  fc.record({
    pack: fc.constantFrom(...pool),
    slot: fc.nat({ max: 32_767 }),
    off: fc.integer({ min: 64, max: 100 * 2 ** 20 }),
    clen: fc.integer({ min: 49, max: 48 + ulenMax }),
  })

export const page: fc.Arbitrary<Page> = fc
  .record({ chunkShift: fc.integer({ min: 16, max: 22 }), pageNo: fc.nat({ max: 65_535 }), pool: packPool })
  .chain(({ chunkShift, pageNo, pool }) => {
    const chunk = fc
      .record({ id: bytesOf(32), at: location(pool, 2 ** chunkShift) })
      .map(({ id, at }): PageEntry => ({ kind: 'chunk', id, ...at }))
    const blank = fc.constantFrom<PageEntry>({ kind: 'zero' }, { kind: 'unallocated' })
    return fc
      .array(fc.oneof({ weight: 3, arbitrary: chunk }, { weight: 2, arbitrary: blank }), {
        minLength: 1,
        maxLength: 40,
      })
      .filter((entries) => entries.some((entry) => entry.kind === 'chunk' || entry.kind !== entries[0]?.kind))
      .map((entries): Page => ({ chunkShift, pageNo, entries }))
  })

export const roots: fc.Arbitrary<RootEntry[]> = packPool.chain((pool) =>
  fc.array(
    fc.oneof(
      fc
        .record({ pageId: hexOf(32), at: location(pool, 2 ** 20), clen: fc.integer({ min: 156, max: 1_245_264 }) })
        .map(({ pageId, at, clen }): RootEntry => ({ kind: 'page', pageId, ...at, clen })),
      fc.constantFrom<RootEntry>({ kind: 'zero' }, { kind: 'unallocated' }),
    ),
    { maxLength: 20 },
  ),
)

export const packHeader: fc.Arbitrary<PackHeader> = fc.record({
  kind: fc.constantFrom<PackKind>(0, 1),
  flags: fc.constantFrom(0, 1),
  repo: hexOf(16),
  random: bytesOf(16),
  createdMs: u53,
  seriesHash: bytesOf(4),
})

export const blobHeader: fc.Arbitrary<BlobHeader> = fc
  .record({
    type: fc.constantFrom<BlobType>(1, 2, 3),
    compressed: fc.boolean(),
    ulen: fc.integer({ min: 1, max: 4 * 2 ** 20 }),
    short: fc.nat(),
    keyNo: u32,
    nonce: bytesOf(12),
    id: bytesOf(32),
    crcCt: u32,
  })
  .map(({ type, compressed, ulen, short, ...rest }) => {
    const comp = type !== 2 && compressed ? 1 : 0
    return { ...rest, type, comp, aead: 1, flags: 0, ulen, clen: 48 + (comp === 1 ? 1 + (short % ulen) : ulen) }
  })

/** A whole pack with blobs of random ciphertext: right for everything that needs no keys. */
export const pack: fc.Arbitrary<{ bytes: Buffer; entries: TocEntry[]; header: PackHeader }> = fc
  .record({
    header: packHeader,
    blobs: fc.array(
      fc.record({
        content: fc.uint8Array({ minLength: 1, maxLength: 300 }),
        id: bytesOf(32),
        nonce: bytesOf(12),
        keyNo: u32,
      }),
      { minLength: 1, maxLength: 8 },
    ),
    types: fc.array(fc.constantFrom<BlobType>(1, 3), { minLength: 8, maxLength: 8 }),
  })
  .map(({ header, blobs, types }) => {
    const parts: Buffer[] = [encodePackHeader(header)]
    const entries: TocEntry[] = []
    let off = 64
    for (const [index, { content, ...rest }] of blobs.entries()) {
      const ciphertext = Buffer.concat([Buffer.alloc(48, index + 1), content])
      const type: BlobType = header.kind === 1 ? 2 : (types[index] ?? 1)
      const facts = {
        ...rest,
        type,
        comp: 0 as const,
        aead: 1,
        flags: 0,
        ulen: content.length,
        clen: ciphertext.length,
      }
      const blob = { ...facts, crcCt: crc32(ciphertext) }
      parts.push(encodeBlobHeader(blob), ciphertext)
      const { nonce: _, ...toc } = blob
      entries.push({ ...toc, off })
      off += 72 + ciphertext.length
    }
    return { bytes: Buffer.concat([...parts, encodePackTail(entries, header.repo)]), entries, header }
  })

export const segment: fc.Arbitrary<SegmentContent> = fc
  .record({
    level1: fc.boolean(),
    prefixBits: fc.integer({ min: 0, max: 16 }),
    prefix: u32,
    fanoutBits: fc.option(fc.integer({ min: 0, max: 6 })),
    names: fc.uniqueArray(hexOf(32), { maxLength: 5 }),
    meta: fc.boolean(),
    ids: fc.uniqueArray(hexOf(32), { maxLength: 60 }),
    supersedes: fc.uniqueArray(hexOf(32), { maxLength: 4 }),
    repo: hexOf(16),
    producer: hexOf(16),
    stampEpoch: u53,
    createdMs: u53,
  })
  .map((drawn): SegmentContent => {
    const { names, ids, meta, fanoutBits, repo, producer, stampEpoch, createdMs, supersedes } = drawn
    const level = drawn.level1 ? 1 : 0
    const prefixBits = level === 1 ? drawn.prefixBits : 0
    const prefix = prefixBits === 0 ? 0 : (drawn.prefix & (0xffffffff << (32 - prefixBits))) >>> 0
    const size = 64 + 48 + 60 * (72 + 56 + 100)
    const entries = ids.flatMap((id, slot) => {
      const name = names[slot % Math.max(1, names.length)]
      if (name === undefined) return []
      const bytes = Buffer.from(id, 'hex')
      const free = prefixBits === 0 ? 0xffffffff : 0xffffffff >>> prefixBits
      bytes.writeUInt32BE((prefix | (bytes.readUInt32BE(0) & free)) >>> 0)
      return [
        { id: bytes, pack: name, off: 64 + slot * 172, clen: 100, slot, type: meta ? (2 as const) : (1 as const) },
      ]
    })
    const packs = names.map((sha, index) => ({ sha, size, lockUntilDay: index, meta }))
    const rest = {
      level,
      prefixBits,
      prefix,
      repo,
      producer,
      stampEpoch,
      createdMs,
      supersedes,
      entries,
      packs,
    } as const
    return fanoutBits === null ? rest : { ...rest, fanoutBits }
  })
