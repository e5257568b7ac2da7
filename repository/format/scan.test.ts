import fc from 'fast-check'
import { expect, test } from 'vitest'
import * as arb from './arbitraries.ts'
import { encodeBlobHeader } from './blob.ts'
import { toHex } from './bytes.ts'
import { crc32 } from './crc.ts'
import { scanPack } from './scan.ts'
import type { TocEntry } from './toc.ts'

const plain = (entries: readonly TocEntry[]) => entries.map((entry) => ({ ...entry, id: toHex(entry.id) }))

test('a scan finds exactly what the TOC lists', () => {
  fc.assert(
    fc.property(arb.pack, ({ bytes, entries }) => {
      expect(plain(scanPack(bytes))).toEqual(plain(entries))
    }),
  )
})

test('a scan needs neither tail nor header of the pack', () => {
  fc.assert(
    fc.property(arb.pack, ({ bytes, entries }) => {
      const torn = Buffer.from(bytes)
      torn.fill(0xff, 0, 64)
      torn.fill(0xff, bytes.length - 48 - 56 * entries.length)
      expect(plain(scanPack(torn))).toEqual(plain(entries))
    }),
  )
})

test('a scan leaves out a blob with one flipped bit and finds all others', () => {
  fc.assert(
    fc.property(arb.pack, fc.nat(), fc.nat(), ({ bytes, entries }, which, where) => {
      const slot = which % entries.length
      const hit = entries[slot]
      if (hit === undefined) throw new Error('no such slot')
      const bit = where % ((72 + hit.clen) * 8)
      const torn = Buffer.from(bytes)
      torn.writeUInt8(torn.readUInt8(hit.off + (bit >> 3)) ^ (1 << (bit & 7)), hit.off + (bit >> 3))
      expect(plain(scanPack(torn))).toEqual(plain(entries.filter((_, index) => index !== slot)))
    }),
  )
})

test('a header inside the ciphertext of a sound blob is not taken for one', () => {
  const blob = (ciphertext: Buffer, n: number) =>
    Buffer.concat([
      encodeBlobHeader({
        type: 1,
        comp: 0,
        aead: 1,
        flags: 0,
        keyNo: n,
        ulen: ciphertext.length - 48,
        clen: ciphertext.length,
        nonce: Buffer.alloc(12),
        id: Buffer.alloc(32, n),
        crcCt: crc32(ciphertext),
      }),
      ciphertext,
    ])
  const inner = blob(Buffer.alloc(60, 1), 1)
  const outer = blob(Buffer.concat([Buffer.alloc(80, 2), inner, Buffer.alloc(9)]), 2)
  const pack = Buffer.concat([Buffer.alloc(64), outer, Buffer.alloc(200)])
  expect(scanPack(pack).map((entry) => entry.keyNo)).toEqual([2])
})

test('a pack made of overlapping headers is given up, not searched for hours', () => {
  const header = encodeBlobHeader({
    type: 1,
    comp: 0,
    aead: 1,
    flags: 0,
    keyNo: 1,
    ulen: 4 * 2 ** 20,
    clen: 4 * 2 ** 20 + 48,
    nonce: Buffer.alloc(12),
    id: Buffer.alloc(32),
    crcCt: 1,
  })
  const pack = Buffer.alloc(32 * 2 ** 20)
  for (let at = 64; at + 72 <= pack.length; at += 72) header.copy(pack, at)
  const started = performance.now()
  expect(() => scanPack(pack)).toThrow(expect.objectContaining({ code: 'FormatError' }))
  expect(performance.now() - started).toBeLessThan(5_000)
})
