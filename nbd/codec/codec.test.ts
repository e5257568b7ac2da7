import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isHoldfastError } from '../../base/index.ts'
import { decodeString, encodeText } from './bytes.ts'
import { Limit, ReplyType } from './constants.ts'
import {
  decodeClientFlags,
  decodeExportNameReply,
  decodeGreeting,
  encodeClientFlags,
  encodeExportNameReply,
  encodeGreeting,
} from './handshake.ts'
import { decodeOptionHeader, decodeOptionReplyHeader, encodeOption, encodeOptionReply } from './options.ts'
import {
  decodeInfoReply,
  decodeInfoRequest,
  decodeMetaContext,
  decodeMetaRequest,
  decodeServerReply,
  encodeInfoReply,
  encodeInfoRequest,
  encodeMetaContext,
  encodeMetaRequest,
  encodeServerReply,
} from './payloads.ts'
import {
  CHUNK_HEADER_LENGTH,
  decodeErrorPayload,
  decodeStatusPayload,
  encodeErrorChunk,
  encodeStatusChunk,
} from './replies.ts'
import { decodeRequest, encodeRequest, REQUEST_LENGTH } from './requests.ts'

const u16 = fc.integer({ min: 0, max: 0xffff })
const u32 = fc.integer({ min: 0, max: 0xffffffff })
const u53 = fc.maxSafeNat()
const text = fc.string({ unit: 'grapheme', maxLength: 200 }).filter((value) => !value.includes('\0'))
const flags = fc.record({ fixedNewstyle: fc.boolean(), noZeroes: fc.boolean() })
const handle = fc.record({ hi: u32, lo: u32 })

/** Decodes, or says ProtocolMismatch; anything else is a crash. */
function survives(decode: () => unknown): void {
  try {
    decode()
  } catch (error) {
    if (!isHoldfastError(error) || error.code !== 'ProtocolMismatch') throw error
  }
}

describe('frames come back as they were sent', () => {
  it('keeps greetings and client flags', () => {
    fc.assert(
      fc.property(flags, (value) => {
        expect(decodeGreeting(encodeGreeting(value))).toEqual(value)
      }),
    )
    fc.assert(
      fc.property(flags, (value) => {
        expect(decodeClientFlags(encodeClientFlags(value))).toEqual(value)
      }),
    )
  })

  it('keeps the answer to EXPORT_NAME with and without its zeros', () => {
    fc.assert(
      fc.property(u53, u16, fc.boolean(), (size, bits, noZeroes) => {
        const data = encodeExportNameReply(size, bits, noZeroes)
        expect(data.length).toBe(noZeroes ? 10 : 134)
        expect(decodeExportNameReply(data)).toEqual({ size, flags: bits })
      }),
    )
  })

  it('keeps options and their replies', () => {
    fc.assert(
      fc.property(u32, u32, fc.uint8Array({ maxLength: 300 }), (option, type, data) => {
        const payload = Buffer.from(data)
        expect(decodeOptionHeader(encodeOption(option, payload))).toEqual({ option, length: data.length })
        expect(decodeOptionReplyHeader(encodeOptionReply(option, type, payload))).toEqual({
          option,
          type,
          length: data.length,
        })
      }),
    )
  })

  it('keeps names, queries and contexts', () => {
    fc.assert(
      fc.property(
        text,
        fc.array(u16, { maxLength: 20 }),
        fc.array(text, { maxLength: 20 }),
        u32,
        (name, infos, queries, id) => {
          expect(decodeInfoRequest(encodeInfoRequest({ exportName: name, infos }))).toEqual({ exportName: name, infos })
          expect(decodeMetaRequest(encodeMetaRequest({ exportName: name, queries }))).toEqual({
            exportName: name,
            queries,
          })
          expect(decodeMetaContext(encodeMetaContext({ id, name }))).toEqual({ id, name })
          expect(decodeServerReply(encodeServerReply({ name, description: 'disk 1' }))).toEqual({
            name,
            description: 'disk 1',
          })
        },
      ),
    )
  })

  it('keeps infos, and sizes up to 2^53−1', () => {
    fc.assert(
      fc.property(u53, u16, fc.nat({ max: 16 }), fc.nat({ max: 16 }), (size, bits, low, high) => {
        const exported = { type: 'export', size, flags: bits } as const
        const sizes = {
          type: 'block-size',
          minimum: 2 ** low,
          preferred: 2 ** (low + high),
          maximum: 2 ** 25 * 2 ** low,
        } as const
        expect(decodeInfoReply(encodeInfoReply(exported))).toEqual(exported)
        if (sizes.preferred <= 0xffffffff && sizes.maximum <= 0xffffffff) {
          expect(decodeInfoReply(encodeInfoReply(sizes))).toEqual(sizes)
        }
      }),
    )
  })

  it('keeps requests with every handle', () => {
    fc.assert(
      fc.property(u16, u16, handle, u53, u32, (bits, command, of, offset, length) => {
        const request = { flags: bits, command, handle: of, offset, length }
        expect(decodeRequest(encodeRequest(request))).toEqual(request)
      }),
    )
  })

  it('keeps block status and errors', () => {
    const list = fc.array(fc.record({ length: fc.integer({ min: 1, max: 0xffffffff }), flags: u32 }), {
      minLength: 1,
      maxLength: 50,
    })
    fc.assert(
      fc.property(handle, u32, list, (of, contextId, descriptors) => {
        const chunk = encodeStatusChunk(of, true, contextId, descriptors)
        expect(decodeStatusPayload(chunk.subarray(CHUNK_HEADER_LENGTH))).toEqual({ contextId, list: descriptors })
      }),
    )
    fc.assert(
      fc.property(handle, fc.integer({ min: 1, max: 200 }), (of, error) => {
        const chunk = encodeErrorChunk(of, error, 'disk on fire')
        const payload = decodeErrorPayload(ReplyType.ERROR, chunk.subarray(CHUNK_HEADER_LENGTH))
        expect(payload).toEqual({ error, message: 'disk on fire', offset: null })
      }),
    )
  })
})

describe('hostile bytes', () => {
  const bytesOf = (length: number): fc.Arbitrary<Buffer> =>
    fc.uint8Array({ minLength: length, maxLength: length }).map((data) => Buffer.from(data))
  const anything = fc.uint8Array({ maxLength: 400 }).map((data) => Buffer.from(data))

  it('end in ProtocolMismatch and in nothing else', () => {
    fc.assert(
      fc.property(anything, u16, (data, type) => {
        survives(() => decodeInfoRequest(data))
        survives(() => decodeInfoReply(data))
        survives(() => decodeMetaRequest(data))
        survives(() => decodeMetaContext(data))
        survives(() => decodeServerReply(data))
        survives(() => decodeStatusPayload(data))
        survives(() => decodeErrorPayload(type, data))
      }),
      { numRuns: 2000 },
    )
    fc.assert(
      fc.property(bytesOf(REQUEST_LENGTH), (data) => {
        survives(() => decodeGreeting(data))
        survives(() => decodeOptionHeader(data))
        survives(() => decodeOptionReplyHeader(data))
        survives(() => decodeExportNameReply(data))
        survives(() => decodeClientFlags(data))
        survives(() => decodeRequest(data))
      }),
    )
  })

  it('that are cut off anywhere end in ProtocolMismatch', () => {
    const whole = encodeMetaRequest({ exportName: 'disk', queries: ['base:allocation', 'qemu:dirty-bitmap:a'] })
    for (let length = 0; length < whole.length; length += 1) {
      expect(() => decodeMetaRequest(whole.subarray(0, length))).toThrow(/truncated/)
    }
    expect(() => decodeMetaRequest(Buffer.concat([whole, Buffer.of(0)]))).toThrow(/longer/)
  })

  it('cannot announce more than the limits', () => {
    const option = encodeOption(7)
    option.writeUInt32BE(Limit.OPTION + 1, 12)
    expect(() => decodeOptionHeader(option)).toThrow(/65537 bytes/)
    const reply = encodeOptionReply(7, 1)
    reply.writeUInt32BE(0xffffffff, 16)
    expect(() => decodeOptionReplyHeader(reply)).toThrow(/4294967295 bytes/)
    expect(() => decodeString(Buffer.alloc(Limit.STRING + 1, 'a'), 'a name')).toThrow(/4097 bytes/)
    expect(() => decodeString(Buffer.from('a\0b'), 'a name')).toThrow(/NUL/)
    expect(() => decodeString(Buffer.of(0xff, 0xfe), 'a name')).toThrow(/UTF-8/)
    const many = encodeMetaRequest({ exportName: '', queries: [] })
    many.writeUInt32BE(0xffffffff, 4)
    expect(() => decodeMetaRequest(many)).toThrow(/4294967295 metadata queries/)
  })

  it('cannot claim impossible sizes', () => {
    const size = encodeInfoReply({ type: 'export', size: 0, flags: 1 })
    size.fill(0xff, 2, 10)
    expect(() => decodeInfoReply(size)).toThrow(/2\^53/)
    for (const [minimum, preferred, maximum] of [
      [0, 4096, 65536],
      [3, 4096, 65536],
      [131072, 131072, 131072],
      [512, 100, 65536],
      [4096, 4096, 512],
    ] as const) {
      const info = encodeInfoReply({ type: 'block-size', minimum, preferred, maximum })
      expect(() => decodeInfoReply(info)).toThrow(/impossible block sizes/)
    }
  })

  it('has at most 128 Ki descriptors taken from one block status, as if the answer were short', () => {
    const payload = Buffer.alloc(4 + 8 * (Limit.STATUS_EXTENTS + 5), 1)
    expect(decodeStatusPayload(payload).list.length).toBe(Limit.STATUS_EXTENTS)
  })

  it('beyond 2^53 as an offset is a request outside of every export', () => {
    const request = encodeRequest({ flags: 0, command: 0, handle: { hi: 1, lo: 2 }, offset: 0, length: 1 })
    request.fill(0xff, 16, 24)
    expect(decodeRequest(request).offset).toBe(Infinity)
  })
})

it('cuts long messages between characters', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.nat({ max: 20 }), (value, limit) => {
      const cut = encodeText(value, limit)
      expect(cut.length).toBeLessThanOrEqual(limit)
      expect(value.replaceAll('\0', ' ').startsWith(cut.toString('utf8'))).toBe(true)
    }),
  )
})
