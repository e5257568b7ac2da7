import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BLOB_CHUNK, BLOB_CONFIG, BLOB_PAGE, compressPayload, crc32, encodePage, type Page } from '../format/index.ts'
import { content as keys, P1, ring } from '../vectors/given.ts'
import { createKeyRing, sha256, type KeyRing } from '../keys/index.ts'
import { checkedPage, compressAndSeal, openBlob, sealBlob, type BlobInput } from './blobs.ts'

const seal = (input: BlobInput): Buffer => {
  const into = Buffer.alloc(72 + 48 + input.payload.length)
  return into.subarray(0, sealBlob(ring, input, into))
}
const openPage = (
  of: KeyRing,
  blob: Uint8Array,
  wanted: { id: Uint8Array; clen: number; pageNo: number; diskBytes: number },
) => checkedPage(of, openBlob(of, blob, { ...wanted, type: BLOB_PAGE }), wanted)

const sealed = (content: Uint8Array, type: 1 | 3 = BLOB_CHUNK, level = 1) => {
  const innerHash = sha256(content)
  const id = ring.identity().contentId(type, innerHash) ?? Buffer.alloc(0)
  const into = Buffer.alloc(72 + 48 + content.length)
  const blob = into.subarray(0, compressAndSeal(ring, { type, id, innerHash, content, level }, into))
  return { blob, id, wanted: { type, id, clen: blob.length - 72 } }
}

test('any content that was sealed opens again, chunk or config, compressed or not', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array({ minLength: 1, maxLength: 3_000 }),
        fc.nat({ max: 255 }).map((b) => new Uint8Array(3_000).fill(b)),
      ),
      fc.constantFrom<1 | 3>(BLOB_CHUNK, BLOB_CONFIG),
      (content, type) => {
        const { blob, wanted } = sealed(content, type)
        expect(openBlob(ring, blob, { ...wanted, ulen: content.length })).toEqual(Buffer.from(content))
      },
    ),
  )
})

test('no flipped bit anywhere in a blob is ever accepted, even where the CRCs are made to fit', () => {
  const content = Buffer.from('some guest data '.repeat(40))
  const { blob, wanted } = sealed(content)
  for (let bit = 0; bit < blob.length * 8; bit++) {
    for (const fix of [false, true]) {
      const altered = Buffer.from(blob)
      altered.writeUInt8(altered.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
      if (fix) {
        altered.writeUInt32LE(crc32(altered.subarray(72)), 64)
        altered.writeUInt32LE(crc32(altered.subarray(0, 68)), 68)
        // crcCt and crcHdr lie outside the AAD; putting them right undoes a flip there.
        if (altered.equals(blob)) continue
      } else if (bit >= 64 * 8 && bit < 68 * 8) continue
      expect(() => openBlob(ring, altered, wanted)).toThrow(
        // KeyUnknown: with the header's CRC made to fit, a flip in the key number names a key that does not exist.
        expect.objectContaining({
          code: expect.stringMatching(/^(FormatError|FormatUnsupported|KeyUnknown)$/) as string,
        }),
      )
    }
  }
})

test('a truncated blob is never accepted', () => {
  const { blob, wanted } = sealed(Buffer.from('some guest data '.repeat(4)))
  for (let length = 0; length < blob.length; length++) {
    expect(() => openBlob(ring, blob.subarray(0, length), wanted)).toThrow(
      expect.objectContaining({ code: 'FormatError' }),
    )
  }
})

test('a sound blob in the place of another one is refused', () => {
  const one = sealed(Buffer.from('content one'))
  const two = sealed(Buffer.from('content two'))
  expect(() => openBlob(ring, two.blob, one.wanted)).toThrow('another blob')
  expect(() => openBlob(ring, one.blob, { ...one.wanted, type: BLOB_CONFIG })).toThrow('another blob')
  expect(() => openBlob(ring, one.blob, { ...one.wanted, ulen: 12 })).toThrow('instead of 12')
})

test('content that a key holder stored under a wrong id is refused on reading', () => {
  const content = Buffer.from('not what the id says')
  const id = Buffer.alloc(32, 9)
  const forged = seal({
    type: BLOB_CHUNK,
    id,
    innerHash: sha256(content),
    ulen: content.length,
    comp: 0,
    payload: content,
  })
  expect(() => openBlob(ring, forged, { type: BLOB_CHUNK, id, clen: forged.length - 72 })).toThrow('another id')
})

test('content that differs from its inner hash is refused: memory that flipped a bit before sealing', () => {
  const content = Buffer.from('flipped after hashing')
  const innerHash = sha256(Buffer.from('what it was'))
  const id = ring.identity().chunkId(innerHash)
  const blob = seal({ type: BLOB_CHUNK, id, innerHash, ulen: content.length, comp: 0, payload: content })
  expect(() => openBlob(ring, blob, { type: BLOB_CHUNK, id, clen: blob.length - 72 })).toThrow('inner hash')
})

test('a frame that gives another length than the header says is refused', () => {
  const content = Buffer.alloc(1_000, 1)
  const innerHash = sha256(content)
  const id = ring.identity().chunkId(innerHash)
  const { payload } = compressPayload(content, 1)
  const blob = seal({ type: BLOB_CHUNK, id, innerHash, ulen: 999, comp: 1, payload })
  expect(() => openBlob(ring, blob, { type: BLOB_CHUNK, id, clen: blob.length - 72 })).toThrow('states 1000 bytes')
})

test('a blob of another repository with other keys does not open', () => {
  const other = createKeyRing({
    ...keys,
    keys: keys.keys.map((entry) => (entry.type === 'DEK' ? { ...entry, key: '99'.repeat(32) } : entry)),
  })
  const { blob, wanted } = sealed(Buffer.from('content'))
  expect(() => openBlob(other, blob, wanted)).toThrow('does not open')
  const without = createKeyRing({ ...keys, keys: keys.keys.filter((entry) => entry.type !== 'DEK') })
  expect(() => openBlob(without, blob, wanted)).toThrow(
    expect.objectContaining({ code: 'KeyUnknown', message: expect.stringContaining('DEK 2') as string }),
  )
})

test('a page is opened only as the page that its reference means', () => {
  const page: Page = {
    chunkShift: 20,
    pageNo: 1,
    entries: [{ kind: 'chunk', id: Buffer.alloc(32, 5), pack: P1, slot: 0, off: 64, clen: 100 }, { kind: 'zero' }],
  }
  const content = encodePage(page)
  const id = ring.identity().pageId(page)
  const blob = seal({
    type: BLOB_PAGE,
    id,
    innerHash: sha256(content),
    ulen: content.length,
    comp: 0,
    payload: content,
  })
  const wanted = { id, clen: blob.length - 72, pageNo: 1, diskBytes: 2 ** 30 + 2 ** 21 }
  expect(openPage(ring, blob, wanted)).toEqual(page)
  expect(() => openPage(ring, blob, { ...wanted, pageNo: 0 })).toThrow('page number 1 instead of 0')
  expect(() => openPage(ring, blob, { ...wanted, diskBytes: 2 ** 30 + 512 })).toThrow('2 entries instead of 1')

  const hinted: Page = {
    ...page,
    entries: page.entries.map((e) => (e.kind === 'chunk' ? { ...e, off: 999, slot: 3 } : e)),
  }
  expect(ring.identity().pageId(hinted)).toEqual(id)
  const swapped: Page = { ...page, entries: [...page.entries].reverse() }
  const bytes = encodePage(swapped)
  const lie = seal({ type: 2, id, innerHash: sha256(bytes), ulen: bytes.length, comp: 0, payload: bytes })
  expect(() => openPage(ring, lie, wanted)).toThrow('another page id')
})

test('content may be sealed where it stands', () => {
  for (const content of [Buffer.alloc(5_000, 7), Buffer.from(sha256(Buffer.of(1)))]) {
    const memory = Buffer.alloc(72 + 48 + content.length)
    memory.set(content)
    const innerHash = sha256(content)
    const id = ring.identity().chunkId(innerHash)
    const place = { type: BLOB_CHUNK, id, innerHash, content: memory.subarray(0, content.length), level: 1 } as const
    const length = compressAndSeal(ring, place, memory)
    expect(openBlob(ring, memory.subarray(0, length), { type: BLOB_CHUNK, id, clen: length - 72 })).toEqual(content)
  }
})

test('content that changed between hashing and sealing is not stored', () => {
  const content = Buffer.from('what it became')
  const innerHash = sha256(Buffer.from('what it was'))
  const input = { type: BLOB_CHUNK, id: ring.identity().chunkId(innerHash), innerHash, content, level: 1 } as const
  expect(() => compressAndSeal(ring, input, Buffer.alloc(500))).toThrow('changed in memory')
})
