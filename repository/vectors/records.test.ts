import { expect, test } from 'vitest'
import {
  canonicalJson,
  checkSegment,
  decodeCondemned,
  decodeFinal,
  decodeFloor,
  decodeRoster,
  encodeCondemned,
  encodeFinal,
  encodeFloor,
  encodeRoster,
  encodeSegment,
  matchesCondemned,
  names,
  readSegmentEntry,
  readSegmentPack,
  tombstoneKind,
} from '../format/index.ts'
import { openSession, protectJson, recordSigner, sealSession, verifyRecord } from '../keys/index.ts'
import * as given from './given.ts'
import { hex, ms, nonce, repo, ring, sha, snap } from './given.ts'

const ee = 'ee'.repeat(16)
const chunk1 = hex('b672a85fc9f4ea4c76c0720cbc8639b001f82c845e5b5bcdc2d11eda4f799909')
const chunk2 = hex('063c773e3b37d57fcf233f79329853d79a5df486c270e87cb1c1db88c33cae00')
const config = hex('954eaf238571b3589bc0a0fd883dff0e09f258c079d135c50de7cce800a39267')

test('writes a tombstone with its maintenance MAC', () => {
  const bytes = protectJson(
    tombstoneKind,
    { repo, snap, reason: 'retention', actor: 'policy', decidedMs: ms },
    ring,
    'maintenance',
  )
  const mac = '134e98c155e5461e9e846ba2db363e471e883616a46a32ed9954b8fa70d8a19b'
  const text =
    '{"actor":"policy","decidedMs":1700000000000,"kind":"tombstone","macKey":4,"reason":"retention","repo":"000102030405060708090a0b0c0d0e0f","snap":"f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0","v":1}'
  expect(bytes).toEqual(canonicalJson({ ...(JSON.parse(text) as object), mac }))
})

test('writes floor 1 byte for byte, and its MAC holds', () => {
  const bytes = encodeFloor({ repo, n: 1 }, recordSigner(ring))
  expect(bytes).toEqual(
    hex(`5231464c4f4f5200 0100 0000 04000000 000102030405060708090a0b0c0d0e0f 0100000000000000 0000000000000000
         000000000000000000000000 399e61dc 168efb72d61343a50598d5074ea98a5716389f96503ae5a03e4b2284ade97d6c`),
  )
  const floor = decodeFloor(bytes)
  expect(floor).toMatchObject({ repo, n: 1, macKey: 4 })
  expect(verifyRecord(floor, ring)).toBe('good')
})

test('writes the index segment of P1 and P2 byte for byte', () => {
  const bytes = encodeSegment({
    level: 0,
    prefixBits: 0,
    prefix: 0,
    repo,
    stampEpoch: 7,
    createdMs: ms,
    producer: ee,
    fanoutBits: 2,
    entries: [
      { id: chunk1, pack: given.P1, off: 64, clen: 560, slot: 0, type: 1 },
      { id: chunk2, pack: given.P2, off: 64, clen: 59, slot: 0, type: 1 },
      { id: config, pack: given.P2, off: 195, clen: 53, slot: 1, type: 3 },
    ],
    packs: [
      { sha: given.P2, size: 480, lockUntilDay: 0, meta: false },
      { sha: given.P1, size: 800, lockUntilDay: 0, meta: false },
    ],
    supersedes: [],
  })
  expect(bytes).toEqual(
    hex(`5231494458000000 0100 00 00 02 000000 000102030405060708090a0b0c0d0e0f 0700000000000000 0068e5cf8b010000
         03000000 02000000 00000000 00000000 90000000 20010000 70010000 70010000 eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee
         000000000000000000000000000000000000000000000000 93ae2fe4 43c60b64
         01000000 01000000 03000000 03000000
         063c773e3b37d57fcf233f79329853d79a5df486c270e87cb1c1db88c33cae00 01000000 40000000 3b000000 0000 0100
         954eaf238571b3589bc0a0fd883dff0e09f258c079d135c50de7cce800a39267 01000000 c3000000 35000000 0100 0300
         b672a85fc9f4ea4c76c0720cbc8639b001f82c845e5b5bcdc2d11eda4f799909 00000000 40000000 30020000 0000 0100
         5490cde0c25040a5342a3f2e15dd8c4083dde369e6ba75c48bffe2e8e829052a 20030000 0000 0000
         5bf632f1d22245d1d32e2909894de4e1675fc68a34b675c26895a71854517dd2 e0010000 0000 0000`),
  )
  expect(names.segment(0, 0, sha(bytes))).toBe(
    'idx/0-00/2aadc26fc9c4421896bfec4bd7819416eb4f291d24993b35f966b6f16d3318cb',
  )
  const header = checkSegment(bytes)
  expect(header).toMatchObject({ level: 0, fanoutBits: 2, stampEpoch: 7, nEntries: 3, nPacks: 2, producer: ee })
  expect(readSegmentEntry(bytes, header.entriesOff)).toEqual({
    id: chunk2,
    packOrd: 1,
    off: 64,
    clen: 59,
    slot: 0,
    type: 1,
  })
  expect(readSegmentPack(bytes, header.packsOff)).toEqual({ sha: given.P1, size: 800, lockUntilDay: 0, meta: false })
})

const run = { repo, epoch: 257, createdMs: ms, nonce: 'cc'.repeat(16), owner: '0a'.repeat(16) }

test('writes the condemned and the final set byte for byte', () => {
  const seen = [
    { epoch: 256, nonce: '01'.repeat(16) },
    { epoch: 1, nonce: '02'.repeat(16) },
  ]
  const condemned = { ...run, floorSeen: 1, seen, packs: [given.P2, given.P1] }
  const c = encodeCondemned(condemned, recordSigner(ring))
  expect(c).toEqual(
    hex(`5231474343000000 0100 0000 04000000 000102030405060708090a0b0c0d0e0f 0101000000000000 0068e5cf8b010000
         cccccccccccccccccccccccccccccccc 0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a 02000000 02000000 0100000000000000
         00000000000000000000000000000000000000000000000000000000 b2189526
         010000000000000002020202020202020202020202020202 000100000000000001010101010101010101010101010101
         5490cde0c25040a5342a3f2e15dd8c4083dde369e6ba75c48bffe2e8e829052a
         5bf632f1d22245d1d32e2909894de4e1675fc68a34b675c26895a71854517dd2
         b56cf3fa7d34b31b05c07c83903d552c1d757bf8296293bbd794dcee83fff298`),
  )
  expect(names.record('condemned', 257, 'cc'.repeat(16))).toBe('gc/001ffffffffffeff-cccccccccccccccccccccccccccccccc.c')
  const condemnedSha = '030f842140970abe05dc02aa5fe7290ca64a627c69ec931d187139c41d65da6c'
  expect(sha(c)).toBe(condemnedSha)
  const read = decodeCondemned(c)
  expect(read.seen).toEqual([seen[1], seen[0]])
  expect(read.packs).toEqual([given.P1, given.P2])
  expect(verifyRecord(read, ring)).toBe('good')

  const { owner: _, ...ofRun } = run
  const f = encodeFinal({ ...ofRun, condemnedSha, nPacks: 2, stopped: false, ordinals: [1] }, recordSigner(ring))
  expect(f).toEqual(
    hex(`5231474346000000 0100 0000 04000000 000102030405060708090a0b0c0d0e0f 0101000000000000 0068e5cf8b010000
         cccccccccccccccccccccccccccccccc 030f842140970abe05dc02aa5fe7290ca64a627c69ec931d187139c41d65da6c 02000000
         01000000 0000000000000000000000000000000000000000 4e1199d7 02
         e41240a050df52cf83dab95832108169dc5d1b929818f5201f8fa0ef570bad1b`),
  )
  const final = decodeFinal(f)
  expect(final.ordinals).toEqual([1])
  expect(matchesCondemned(final, read, sha(c))).toBe(true)
  expect(verifyRecord(final, ring)).toBe('good')
})

test('writes the roster byte for byte', () => {
  const bytes = encodeRoster({ ...run, snaps: ['f0'.repeat(16), '0f'.repeat(16)] }, recordSigner(ring))
  expect(bytes).toEqual(
    hex(`5231474352000000 0100 0000 04000000 000102030405060708090a0b0c0d0e0f 0101000000000000 0068e5cf8b010000
         cccccccccccccccccccccccccccccccc 0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a 02000000
         00000000000000000000000000000000000000000000000000000000000000000000000000000000 35c7b101
         0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0
         f23b59ea6723d52b204d5a52d7497a2597e9de99f5668e80157a26eda832f9e5`),
  )
  expect(decodeRoster(bytes).snaps).toEqual(['0f'.repeat(16), 'f0'.repeat(16)])
})

test('writes the end of a session byte for byte, and opens it under its name', () => {
  const clear = { sess: ee, part: 0, attempt: 1, seq: 2, ms, leaseSec: 3_600, stamp: 0, packs: [], segments: [] }
  const bytes = sealSession(ring, clear, { type: 'end', outcome: 'committed' }, nonce)
  const raw = JSON.parse(bytes.toString()) as { sealed?: unknown; mac?: unknown }
  expect(raw.sealed).toEqual({
    no: 3,
    nonce: '000102030405060708090a0b',
    ct: '9AdFxFUGdngBOOIfeEULRat2ptyr6N4n78CnO0j5UGGIf3ndW7e0',
  })
  expect(raw.mac).toBe('1eb4ba0068b873fddef12123aa4c23426bb1dc9958a86cc2ce5842288d62b05a')
  expect(sha(bytes)).toBe('a862b1d26d5b30d8c7436470ea2fc28a5284921cad87e24c1d7827963c868c5d')
  delete raw.sealed
  delete raw.mac
  expect(canonicalJson(raw).toString()).toBe(
    '{"attempt":1,"kind":"session","leaseSec":3600,"macKey":3,"ms":1700000000000,"packs":[],"part":0,"repo":"000102030405060708090a0b0c0d0e0f","segments":[],"seq":2,"sess":"eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee","stamp":0,"type":"end","v":1}',
  )
  const { content } = openSession(ring, bytes, names.session(ee, 0, 1, 2))
  expect(content).toEqual({ type: 'end', outcome: 'committed' })
  expect(() => openSession(ring, bytes, names.session(ee, 0, 2, 2))).toThrow('another name')
})
