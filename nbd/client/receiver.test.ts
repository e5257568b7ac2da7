import { setImmediate } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { HoldfastError, isHoldfastError } from '../../base/index.ts'
import { Command, NbdErrno, ReplyType } from '../codec/constants.ts'
import {
  encodeChunkHeader,
  encodeDataChunkHeader,
  encodeErrorChunk,
  encodeHoleChunk,
  encodeSimpleReply,
  encodeStatusChunk,
} from '../codec/replies.ts'
import { Coverage } from './coverage.ts'
import { PendingRead, PendingRequest, PendingStatus } from './pending.ts'
import { Receiver } from './receiver.ts'

const OFFSET = 1_000_000
const contexts = new Map([[1, 'base:allocation']])

/** A read (handle 1), a flush (2) and a block status (3) under way. */
function table(length = 100): {
  receiver: Receiver
  into: Uint8Array
  outcome: Map<number, string>
  requests: Map<number, PendingRequest>
} {
  const into = new Uint8Array(length).fill(0xee)
  const requests = new Map<number, PendingRequest>([
    [1, new PendingRead(OFFSET, into, 0)],
    [2, new PendingRequest({ command: Command.FLUSH, flags: 0, offset: 0, length: 0 })],
    [3, new PendingStatus(OFFSET, length, false, () => contexts)],
  ])
  const outcome = new Map<number, string>()
  for (const [handle, request] of requests) {
    request.handle = handle
    request.settled().then(
      () => outcome.set(handle, 'ok'),
      (error: Error) => outcome.set(handle, error.message),
    )
  }
  const receiver = new Receiver(
    {
      find: (hi, lo) => (hi === 0 ? requests.get(lo) : undefined),
      done: (request) => requests.delete(request.handle),
    },
    true,
  )
  return { receiver, into, outcome, requests }
}

const h = (lo: number): { hi: number; lo: number } => ({ hi: 0, lo })
const data = (offset: number, length: number, done: boolean, byte = 7): Buffer =>
  Buffer.concat([encodeDataChunkHeader(h(1), done, OFFSET + offset, length), Buffer.alloc(length, byte)])

/** A whole conversation: fragments out of order, replies in between, an error. */
const conversation = Buffer.concat([
  data(50, 20, false, 5),
  encodeSimpleReply(h(2), 0),
  data(0, 50, false, 1),
  encodeStatusChunk(h(3), false, 1, [
    { length: 30, flags: 3 },
    { length: 500, flags: 0 },
  ]),
  encodeHoleChunk(h(1), false, OFFSET + 70, 30),
  encodeChunkHeader(h(3), ReplyType.NONE, true, 0),
  encodeChunkHeader(h(1), ReplyType.NONE, true, 0),
])

describe('the reply stream', () => {
  it('means the same in whatever pieces it arrives', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 60 }), async (cuts) => {
        const { receiver, into, outcome, requests } = table()
        let at = 0
        for (const cut of [...cuts, conversation.length]) {
          // As the socket does: the same buffer again and again.
          const piece = Buffer.from(conversation.subarray(at, at + cut))
          receiver.push(piece)
          piece.fill(0xaa)
          at = Math.min(at + cut, conversation.length)
        }
        await setImmediate()
        const status = requests.get(3)
        expect([...into]).toEqual([
          ...Array<number>(50).fill(1),
          ...Array<number>(20).fill(5),
          ...Array<number>(30).fill(0),
        ])
        expect(outcome).toEqual(
          new Map([
            [1, 'ok'],
            [2, 'ok'],
            [3, 'ok'],
          ]),
        )
        expect(status).toBeUndefined()
      }),
    )
  })

  it('of random bytes ends in ProtocolMismatch and in nothing else', () => {
    const part = fc.oneof(
      fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
      fc
        .tuple(
          fc.integer({ min: 0, max: 4 }),
          fc.constantFrom(0, 1, 2, 3, 5, 0x8001, 0x8002, 0x8003),
          fc.boolean(),
          fc.nat({ max: 40 }),
        )
        .map(([handle, type, done, length]) =>
          Buffer.concat([encodeChunkHeader(h(handle), type, done, length), Buffer.alloc(length, 1)]),
        ),
      fc
        .tuple(fc.integer({ min: 0, max: 4 }), fc.nat({ max: 30 }))
        .map(([handle, error]) => encodeSimpleReply(h(handle), error)),
      fc
        .tuple(fc.nat({ max: 120 }), fc.nat({ max: 120 }), fc.boolean())
        .map(([offset, length, done]) => data(offset, length, done)),
      fc
        .tuple(fc.nat({ max: 120 }), fc.nat({ max: 120 }), fc.boolean())
        .map(([at, length, done]) => encodeHoleChunk(h(1), done, OFFSET + at, length)),
    )
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
        const { receiver } = table()
        try {
          receiver.push(Buffer.concat(parts))
        } catch (error) {
          if (!isHoldfastError(error) || error.code !== 'ProtocolMismatch') throw error
        }
      }),
      { numRuns: 3000 },
    )
  })

  it('with an error completes the one request and goes on', async () => {
    const { receiver, outcome } = table()
    receiver.push(encodeErrorChunk(h(1), NbdErrno.EIO, 'bad sector'))
    receiver.push(encodeSimpleReply(h(2), NbdErrno.ENOSPC))
    // An unknown error type is an error all the same (proto.md "Structured reply types").
    const unknown = encodeErrorChunk(h(3), NbdErrno.EINVAL, 'no')
    unknown.writeUInt16BE(0x8123, 6)
    receiver.push(unknown)
    await setImmediate()
    expect(outcome.get(1)).toBe(`read of 100 bytes at ${OFFSET} failed: EIO: bad sector`)
    expect(outcome.get(2)).toBe('flush failed: ENOSPC')
    expect(outcome.get(3)).toContain('EINVAL: no')
  })

  const breaches: readonly (readonly [string, RegExp, () => readonly Buffer[]])[] = [
    ['the wrong magic', /magic/, () => [Buffer.alloc(16, 1)]],
    ['a handle that nobody gave', /nobody made/, () => [encodeChunkHeader(h(9), ReplyType.NONE, true, 0)]],
    ['a second reply to one request', /nobody made/, () => [encodeSimpleReply(h(2), 0), encodeSimpleReply(h(2), 0)]],
    ['a simple reply to a read', /structured replies were agreed on/, () => [encodeSimpleReply(h(1), 0)]],
    ['data before the request', /outside/, () => [data(-1, 10, false)]],
    ['data after the request', /outside/, () => [data(91, 10, false)]],
    ['more data than the request', /outside/, () => [data(0, 101, true)]],
    ['a hole after the request', /outside/, () => [encodeHoleChunk(h(1), false, OFFSET + 99, 2)]],
    ['an empty hole', /outside/, () => [encodeHoleChunk(h(1), false, OFFSET, 0)]],
    ['an empty data chunk', /has 8 bytes/, () => [data(0, 0, false)]],
    ['a 4 GiB hole', /outside/, () => [encodeHoleChunk(h(1), true, OFFSET, 0xffffffff)]],
    ['overlapping data', /overlap/, () => [data(0, 50, false), data(49, 10, false)]],
    ['a hole over data', /overlap/, () => [data(10, 50, false), encodeHoleChunk(h(1), false, OFFSET, 11)]],
    ['success with bytes missing', /in part/, () => [data(0, 99, true)]],
    ['success without a byte', /in part/, () => [encodeChunkHeader(h(1), ReplyType.NONE, true, 0)]],
    [
      'data for a flush',
      /data came/,
      () => [Buffer.concat([encodeDataChunkHeader(h(2), true, 0, 4), Buffer.alloc(4)])],
    ],
    ['a hole for a flush', /hole came/, () => [encodeHoleChunk(h(2), true, 0, 4)]],
    [
      'block status for a read',
      /block status came/,
      () => [encodeStatusChunk(h(1), true, 1, [{ length: 1, flags: 0 }])],
    ],
    [
      'a context that was not selected',
      /not selected/,
      () => [encodeStatusChunk(h(3), true, 2, [{ length: 1, flags: 0 }])],
    ],
    ['an empty block status', /has 4 bytes/, () => [encodeStatusChunk(h(3), true, 1, [])]],
    ['an empty descriptor', /descriptor is empty/, () => [encodeStatusChunk(h(3), true, 1, [{ length: 0, flags: 0 }])]],
    [
      'block status beyond the request',
      /beyond its request/,
      () => [
        encodeStatusChunk(h(3), true, 1, [
          { length: 100, flags: 0 },
          { length: 1, flags: 0 },
        ]),
      ],
    ],
    [
      'a context twice',
      /came twice/,
      () => [
        encodeStatusChunk(h(3), false, 1, [{ length: 1, flags: 0 }]),
        encodeStatusChunk(h(3), true, 1, [{ length: 1, flags: 0 }]),
      ],
    ],
    ['a context left out', /left out/, () => [encodeChunkHeader(h(3), ReplyType.NONE, true, 0)]],
    [
      'a block status of 4 GiB',
      /has 4294967292 bytes/,
      () => [encodeChunkHeader(h(3), ReplyType.BLOCK_STATUS, true, 0xfffffffc)],
    ],
    ['an error of 1 MiB', /has 1048576 bytes/, () => [encodeChunkHeader(h(1), ReplyType.ERROR, true, 1048576)]],
    ['an error that is none', /no error/, () => [encodeErrorChunk(h(1), 0, 'fine')]],
    ['an empty chunk that is not the last', /not the last/, () => [encodeChunkHeader(h(1), ReplyType.NONE, false, 0)]],
    ['an unknown type', /unknown type 77/, () => [encodeChunkHeader(h(1), 77, false, 0)]],
  ]
  it.each(breaches)('with %s is a mismatch', (_, message, bytes) => {
    const { receiver, outcome } = table()
    expect(() => receiver.push(Buffer.concat(bytes()))).toThrow(message)
    expect(outcome.get(1)).toBeUndefined()
  })

  it('with a message longer than its chunk is a mismatch', () => {
    const { receiver } = table()
    const chunk = encodeErrorChunk(h(1), 5, 'text')
    chunk.writeUInt16BE(5, 24)
    expect(() => receiver.push(chunk)).toThrow(/truncated/)
  })

  it('leaves the buffer alone once the request is abandoned, and stays in step', async () => {
    const { receiver, into, requests, outcome } = table()
    const reply = data(0, 100, true)
    receiver.push(reply.subarray(0, 60))
    const snapshot = Uint8Array.from(into)
    requests.get(1)?.abandon(new HoldfastError('Cancelled', 'cancelled'))
    receiver.push(reply.subarray(60))
    receiver.push(encodeSimpleReply(h(2), 0))
    await setImmediate()
    expect(into).toEqual(snapshot)
    expect(outcome.get(1)).toBe('cancelled')
    expect(outcome.get(2)).toBe('ok')
  })
})

describe('Coverage', () => {
  it('accepts every order of disjoint chunks, and completes with the last', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 1, max: 199 }), { maxLength: 30 }),
        fc.array(fc.nat(), { minLength: 31, maxLength: 31 }),
        (cuts, order) => {
          const marks = [0, ...cuts.toSorted((a, b) => a - b), 200]
          const chunks = marks.slice(1).map((end, index) => ({ start: marks[index] ?? 0, end, key: order[index] ?? 0 }))
          const coverage = new Coverage(200)
          for (const { start, end } of chunks.toSorted((a, b) => a.key - b.key)) {
            expect(coverage.isComplete()).toBe(false)
            coverage.add(start, end - start)
            expect(() => coverage.add(start, end - start)).toThrow(/overlap/)
          }
          expect(coverage.isComplete()).toBe(true)
        },
      ),
    )
  })

  it('refuses a reply shattered into islands without end', () => {
    const coverage = new Coverage(100_000)
    expect(() => {
      for (let at = 0; at < 100_000; at += 2) coverage.add(at, 1)
    }).toThrow(/shattered/)
  })
})
