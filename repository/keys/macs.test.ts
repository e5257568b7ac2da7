import { expect, test } from 'vitest'
import {
  canonicalJson,
  decodeFloor,
  encodeFloor,
  holdKind,
  tombstoneKind,
  validatedKind,
  type JsonObject,
} from '../format/index.ts'
import { content, repo, ring, snap } from '../vectors/given.ts'
import { openJson, protectJson, recordSigner, signJson, verifyRecord } from './macs.ts'
import { createKeyRing } from './ring.ts'

const tombstone = { repo, snap, reason: 'operator', actor: 'a', decidedMs: 1 } as const
const bytes = protectJson(tombstoneKind, tombstone, ring, 'maintenance')
const without = (type: string) =>
  createKeyRing({ ...content, keys: content.keys.filter((entry) => entry.type !== type) })

test('an object with a good MAC counts', () => {
  expect(openJson(tombstoneKind, bytes, ring, 'maintenance')).toEqual({
    counts: true,
    mac: 'good',
    value: { ...tombstone, macKey: 4 },
  })
})

test('no flipped bit leaves an object that counts', () => {
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const altered = Buffer.from(bytes)
    altered.writeUInt8(altered.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
    expect(openJson(tombstoneKind, altered, ring, 'maintenance')).toMatchObject({ counts: false, mac: 'bad' })
  }
})

test('a writer MAC does not make a tombstone, nor a maintenance MAC a validation', () => {
  const { mac: _, ...raw } = JSON.parse(bytes.toString()) as JsonObject
  const byWriter = signJson({ ...raw, macKey: 3 }, ring, 'writer')
  expect(openJson(tombstoneKind, byWriter, ring, 'maintenance')).toMatchObject({ counts: false, mac: 'bad' })
  expect(openJson(tombstoneKind, byWriter, ring, 'writer')).toMatchObject({ counts: true })
})

test('an object of one kind does not count as another', () => {
  const hold = protectJson(holdKind, { repo, snap, type: 'pin', actor: '', reason: '', ms: 1 }, ring, 'maintenance')
  expect(openJson(tombstoneKind, hold, ring, 'maintenance')).toMatchObject({ counts: false, mac: 'bad' })
})

test('an unknown member is under the MAC, and is ignored', () => {
  const { mac: _, ...raw } = JSON.parse(bytes.toString()) as JsonObject
  const longer = signJson({ ...raw, note: ['x'] }, ring, 'maintenance')
  expect(openJson(tombstoneKind, longer, ring, 'maintenance')).toMatchObject({ counts: true })
  const { note: __, ...shorter } = JSON.parse(longer.toString()) as JsonObject
  expect(openJson(tombstoneKind, canonicalJson(shorter), ring, 'maintenance')).toMatchObject({ counts: false })
})

test('a genuine object of a newer version is unsupported; a forged one is only bad', () => {
  const { mac: _, ...raw } = JSON.parse(bytes.toString()) as JsonObject
  const newer = signJson({ ...raw, v: 2 }, ring, 'maintenance')
  expect(() => openJson(tombstoneKind, newer, ring, 'maintenance')).toThrow(
    expect.objectContaining({ code: 'FormatUnsupported' }),
  )
  const forged = canonicalJson({ ...raw, v: 2, mac: '00'.repeat(32) })
  expect(openJson(tombstoneKind, forged, ring, 'maintenance')).toMatchObject({ counts: false, mac: 'bad' })
})

test('who holds no maintenance key cannot tell, and is told so', () => {
  expect(openJson(tombstoneKind, bytes, without('MK'), 'maintenance')).toMatchObject({
    counts: false,
    mac: 'unverifiable',
  })
  expect(openJson(tombstoneKind, Buffer.from('junk'), without('MK'), 'maintenance')).toMatchObject({ mac: 'bad' })
})

test('a MAC by a key number that is not in the sets is bad', () => {
  const { mac, ...raw } = JSON.parse(bytes.toString()) as JsonObject
  const renumbered = canonicalJson({ ...raw, macKey: 9, mac: mac ?? '' })
  expect(openJson(tombstoneKind, renumbered, ring, 'maintenance')).toMatchObject({ counts: false, mac: 'bad' })
})

test('a binary record is good, bad or unverifiable likewise', () => {
  const floor = encodeFloor({ repo, n: 5 }, recordSigner(ring))
  expect(verifyRecord(decodeFloor(floor), ring)).toBe('good')
  expect(verifyRecord(decodeFloor(floor), without('MK'))).toBe('unverifiable')
  for (let at = floor.length - 32; at < floor.length; at++) {
    const altered = Buffer.from(floor)
    altered.writeUInt8(altered.readUInt8(at) ^ 1, at)
    expect(verifyRecord(decodeFloor(altered), ring)).toBe('bad')
  }
})

test('protecting an object refuses members that a reader would refuse', () => {
  const fields = { repo, snap, mSha256: 'x', mBytes: 1, stamp: 0, passes: 1, rescued: 0, validatedMs: 1, attempt: 1 }
  expect(() => protectJson(validatedKind, fields, ring, 'writer')).toThrow('mSha256')
})
