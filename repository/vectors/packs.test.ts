import { expect, test } from 'vitest'
import {
  blobAad,
  canonicalJson,
  checkPackKind,
  decodePackHeader,
  decodePackTail,
  decodePage,
  decodeZstdFrame,
  encodePage,
  imageRoot,
  names,
  parseName,
  rev16,
  scanPack,
  type Page,
} from '../format/index.ts'
import { blobKey, sha256 } from '../keys/index.ts'
import { checkedPage, openBlob, sealBlob, type BlobInput } from '../workers/index.ts'
import * as given from './given.ts'
import { hex, nonce, packOf, ring, sha, times } from './given.ts'

const plain = times(512, 0x5a)
const chunkId = hex('b672a85fc9f4ea4c76c0720cbc8639b001f82c845e5b5bcdc2d11eda4f799909')
const long = times(4_096, 0x5a)
const frame = hex('28b52ffd60000f0380005a')
const config = Buffer.from('<vm/>')

const seal = (input: BlobInput): Buffer => {
  const into = Buffer.alloc(72 + 48 + input.payload.length)
  return into.subarray(0, sealBlob(ring, input, into))
}
const sealed = (type: 1 | 3, content: Buffer, payload = content) => {
  const innerHash = sha256(content)
  const id = ring.identity().contentId(type, innerHash) ?? Buffer.alloc(0)
  return seal({
    type,
    id,
    innerHash,
    ulen: content.length,
    comp: payload === content ? 0 : 1,
    payload,
    nonce,
  })
}

/** Page 0 of a disk of 3 MiB + 512 whose last chunk is the one of P1. */
const page: Page = {
  chunkShift: 20,
  pageNo: 0,
  entries: [
    { kind: 'zero' },
    { kind: 'unallocated' },
    { kind: 'zero' },
    { kind: 'chunk', id: chunkId, pack: given.P1, slot: 0, off: 64, clen: 560 },
  ],
}
const pageBlob = () => {
  const content = encodePage(page)
  const id = ring.identity().pageId(page)
  return seal({
    type: 2,
    id,
    innerHash: sha256(content),
    ulen: content.length,
    comp: 0,
    payload: content,
    nonce,
  })
}

test('seals a chunk byte for byte', () => {
  expect(sha256(plain)).toEqual(hex('a863e21577e54cd763729803a621804da4b5030afa35bcf879ea3b3413488a66'))
  expect(ring.identity().chunkId(sha256(plain))).toEqual(chunkId)
  expect(blobKey(given.dek, 1, 1, chunkId)).toEqual(
    hex('423af3f7f48293d0814db34292a071c97bf3ba7c8b58e0861c3ce8002b7538b9'),
  )
  const blob = sealed(1, plain)
  expect(blob.subarray(0, 72)).toEqual(
    hex(`424c4231 01000100 02000000 00020000 30020000 000102030405060708090a0b
         b672a85fc9f4ea4c76c0720cbc8639b001f82c845e5b5bcdc2d11eda4f799909 dfc30ab3 209abce7`),
  )
  expect(blobAad(blob)).toEqual(blob.subarray(0, 64))
  expect(blob.length).toBe(632)
  expect(sha(blob)).toBe('be86edc301c955fa4015dbc19756c3a270242dd83f38a7ba59557856c46e3adb')
  expect(openBlob(ring, blob, { type: 1, id: chunkId, clen: 560, ulen: 512 })).toEqual(plain)
})

test('builds pack P1 byte for byte, and reads its TOC and its blobs back', () => {
  const blob = sealed(1, plain)
  const pack = packOf(0, 'a0a1a2a3a4a5a6a7a8a9aaabacadaeaf', blob)
  expect(pack.length).toBe(800)
  expect(pack.subarray(0, 64)).toEqual(
    hex(`52315041434b0000 0100 00 00 40000000 000102030405060708090a0b0c0d0e0f a0a1a2a3a4a5a6a7a8a9aaabacadaeaf
         0068e5cf8b010000 c0c1c2c3 07ed3f39`),
  )
  expect(pack.subarray(696, 752)).toEqual(
    Buffer.concat([chunkId, hex('40000000 30020000 00020000 02000000 dfc30ab3 01000100')]),
  )
  expect(pack.subarray(752)).toEqual(
    hex('523150544f430000 b8020000 38000000 01000000 278305d2 000102030405060708090a0b0c0d0e0f 00000000 2e22cad0'),
  )
  expect(sha(pack)).toBe(given.P1)
  expect(names.pack(given.P1)).toBe('pack/54/5490cde0c25040a5342a3f2e15dd8c4083dde369e6ba75c48bffe2e8e829052a')
  const tail = decodePackTail(pack, pack.length)
  const entries = 'entries' in tail ? tail.entries : []
  expect(entries).toMatchObject([{ off: 64, clen: 560, ulen: 512, keyNo: 2, type: 1, comp: 0, aead: 1, flags: 0 }])
  expect(scanPack(pack)).toEqual(entries)
  checkPackKind(decodePackHeader(pack).kind, entries)
})

test('decodes the compressed blob of the appendix, and builds P2', () => {
  expect(decodeZstdFrame(frame, 4_096, 'frame')).toEqual(long)
  expect(sha256(long)).toEqual(hex('f302957da5220938a7e3e51a8718c79b9e00dc13ab2119e8cfc978f041720382'))
  const blob = sealed(1, long, frame)
  expect(blob).toEqual(
    hex(`424c4231 01010100 02000000 00100000 3b000000 000102030405060708090a0b
         063c773e3b37d57fcf233f79329853d79a5df486c270e87cb1c1db88c33cae00 4aaf8df6 4cec66cd
         22ac582225753484d7516e0b2c88cfadc0003d2918346c29c8445896b9eccdd80f3a0ee8e8d48d910f55eb6fd4f863fc6bd62068a6a5c0468e6eec`),
  )
  const id = hex('063c773e3b37d57fcf233f79329853d79a5df486c270e87cb1c1db88c33cae00')
  expect(openBlob(ring, blob, { type: 1, id, clen: 59 })).toEqual(long)
  const configBlob = sealed(3, config)
  expect(sha256(config)).toEqual(hex('750ea59c46220cf857e5ceb32e209888906c2e9bf1523c27452a177088858089'))
  const configId = hex('954eaf238571b3589bc0a0fd883dff0e09f258c079d135c50de7cce800a39267')
  expect(openBlob(ring, configBlob, { type: 3, id: configId, clen: 53, ulen: 5 })).toEqual(config)
  const pack = packOf(0, 'b0b1b2b3b4b5b6b7b8b9babbbcbdbebf', blob, configBlob)
  expect(pack.length).toBe(480)
  expect(sha(pack)).toBe(given.P2)
})

test('builds the page, its id, the image root and P3 byte for byte', () => {
  const content = encodePage(page)
  expect(content.length).toBe(240)
  expect(sha(content)).toBe('989ff593ff3168a5ddda4ca7f17c7042f6d1fe565c9cb38aebcb0057846d8897')
  expect(decodePage(content)).toEqual(page)
  const pageId = '4f0ee81363f9ac69920194f420bac1fe959f723e79ce52a79a14155989fcd378'
  expect(ring.identity().pageId(page)).toEqual(hex(pageId))
  const root = { kind: 'page', pageId, pack: given.P3, slot: 0, off: 64, clen: 288 } as const
  expect(imageRoot(3_146_240, [root])).toBe('ff1ef07be437d7aea9c9b770c726c9292881413ac5cf17e2228c03a3cf4a1b2e')
  const pack = packOf(1, 'd0d1d2d3d4d5d6d7d8d9dadbdcdddedf', pageBlob())
  expect(pack.length).toBe(528)
  expect(sha(pack)).toBe(given.P3)
  const wanted = { id: hex(pageId), clen: 288, pageNo: 0, diskBytes: 3_146_240 }
  const opened = openBlob(ring, pack.subarray(64, 64 + 72 + 288), { ...wanted, type: 2 })
  expect(checkedPage(ring, opened, wanted)).toEqual(page)
})

test('computes the image root of a disk with a page, a ZERO page and an UNALLOCATED page', () => {
  const first = { kind: 'page', pageId: 'e0'.repeat(32), pack: given.P3, slot: 0, off: 64, clen: 288 } as const
  expect(imageRoot(2 ** 31 + 512, [first, { kind: 'zero' }, { kind: 'unallocated' }])).toBe(
    '0a5bbeeb05de799c802808b0426ced954e62203312688b4fc40517dfe5385a32',
  )
})

test('reverses numbers for names', () => {
  expect(rev16(1_700_000_000_000)).toBe('001ffe74301a9800')
  expect(rev16(1)).toBe('001fffffffffffff')
  expect(parseName('floor/001fffffffffffff')).toEqual({ kind: 'floor', n: 1 })
})

test('writes canonical JSON in the order of RFC 8785', () => {
  expect(canonicalJson({ b: [1, null, true], a: { '\u20ac': 'ä"\n', $: -1 } }).toString()).toBe(
    '{"a":{"$":-1,"€":"ä\\"\\n"},"b":[1,null,true]}',
  )
})
