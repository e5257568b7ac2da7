import { constants, zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compressPayload, decodeZstdFrame, encodeZstdFrame } from './zstd.ts'

const content = Buffer.from('the same words again and again, '.repeat(64))
const frame = encodeZstdFrame(content, 1)

test('one frame of any content and level decodes to it', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 3_000 }), fc.integer({ min: 1, max: 19 }), (bytes, level) => {
      expect(decodeZstdFrame(encodeZstdFrame(bytes, level), bytes.length, 'frame')).toEqual(Buffer.from(bytes))
    }),
  )
})

test('a chunk of 4 MiB compressed at any level keeps to the window bound', { timeout: 60_000 }, () => {
  const large = Buffer.alloc(4 * 2 ** 20)
  for (let i = 0; i < large.length; i += 4) large.writeUInt32LE(Math.imul(i >>> 7, 2_654_435_761) >>> 0, i)
  for (const level of [1, 9, 22]) {
    expect(decodeZstdFrame(encodeZstdFrame(large, level), large.length, 'frame').equals(large)).toBe(true)
  }
})

const checksum = zstdCompressSync(content, {
  pledgedSrcSize: content.length,
  params: { [constants.ZSTD_c_checksumFlag]: 1 },
})
const noSize = zstdCompressSync(content, { params: { [constants.ZSTD_c_contentSizeFlag]: 0 } })
const skippable = Buffer.from('502a4d1804000000deadbeef', 'hex')
// Frame header: dictionary id 7; a window of 16 MiB; a reserved bit; a block of reserved type; content size 2^56.
const dictionary = Buffer.from('28b52ffd2107051d000068656c6c6f', 'hex')
const wide = Buffer.concat([Buffer.from('28b52ffd4070', 'hex'), frame.subarray(6)])
const bit = Buffer.from(frame)
bit.writeUInt8(bit.readUInt8(4) | 8, 4)

test.each([
  ['a checksum', checksum, content.length, 'checksum'],
  ['no content size', noSize, content.length, 'content size'],
  ['a dictionary', dictionary, 5, 'dictionary'],
  ['a window of 16 MiB', wide, content.length, 'zstd'],
  ['a reserved bit', bit, content.length, 'reserved bit'],
  ['a block of reserved type', Buffer.from('28b52ffd2005070000', 'hex'), 5, 'reserved type'],
  ['a skippable frame before it', Buffer.concat([skippable, frame]), content.length, 'not a zstd frame'],
  ['a skippable frame after it', Buffer.concat([frame, skippable]), content.length, 'after the zstd frame'],
  ['a second frame after it', Buffer.concat([frame, frame]), content.length, 'after the zstd frame'],
  ['one byte after it', Buffer.concat([frame, Buffer.of(0)]), content.length, 'after the zstd frame'],
  ['its last byte missing', frame.subarray(0, -1), content.length, 'cut off'],
  ['another content size', frame, content.length + 1, 'states'],
  [
    'a content size beyond all memory',
    Buffer.from('28b52ffde0000000000000ff0005000000', 'hex'),
    content.length,
    'states',
  ],
  ['an older magic', Buffer.concat([Buffer.of(0x27), frame.subarray(1)]), content.length, 'not a zstd frame'],
  ['no bytes at all', Buffer.alloc(0), 1, 'not a zstd frame'],
])('a frame with %s is a format error', (_, bytes, size, why) => {
  expect(() => decodeZstdFrame(bytes, size, 'frame')).toThrow(
    expect.objectContaining({ code: 'FormatError', message: expect.stringContaining(why) as string }),
  )
})

test('a frame that holds more than it states is not expanded', () => {
  // States 5 bytes in a single segment, holds an RLE block of 128 KiB.
  const bomb = Buffer.from('28b52ffd2005030010aa', 'hex')
  expect(() => decodeZstdFrame(bomb, 5, 'frame')).toThrow(expect.objectContaining({ code: 'FormatError' }))
})

test('an altered frame gives an error or content of the stated length, and nothing else', () => {
  fc.assert(
    fc.property(fc.nat({ max: frame.length * 8 - 1 }), (bitNo) => {
      const altered = Buffer.from(frame)
      altered.writeUInt8(altered.readUInt8(bitNo >> 3) ^ (1 << (bitNo & 7)), bitNo >> 3)
      try {
        expect(decodeZstdFrame(altered, content.length, 'frame')).toHaveLength(content.length)
      } catch (error) {
        expect(error).toMatchObject({ code: 'FormatError' })
      }
    }),
    { numRuns: 300 },
  )
})

test('content is stored as it is unless compression saves at least 1/32', () => {
  const noise = Buffer.alloc(6_400)
  for (let i = 0; i < noise.length; i++) noise[i] = Math.imul(i + 1, 2_654_435_761) >>> 24
  expect(compressPayload(content, 1)).toEqual({ comp: 1, payload: frame })
  const kept = compressPayload(Buffer.concat([noise.map((b, i) => b ^ (i * i))]), 1)
  expect(kept.comp).toBe(0)
})
