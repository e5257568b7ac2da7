import { once } from 'node:events'
import { setImmediate } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { bytes, HoldfastError, isHoldfastError, millis, type Bytes } from '../../base/index.ts'
import { Command, NbdErrno, Option, OptionReply, ReplyType, TransmissionFlag } from '../codec/constants.ts'
import { CLIENT_FLAGS_LENGTH, encodeExportNameReply, encodeGreeting } from '../codec/handshake.ts'
import { decodeOptionHeader, encodeOptionReply, OPTION_HEADER_LENGTH } from '../codec/options.ts'
import { encodeServerReply } from '../codec/payloads.ts'
import { encodeChunkHeader, encodeDataChunkHeader, encodeErrorChunk, encodeSimpleReply } from '../codec/replies.ts'
import type { RequestHeader } from '../codec/requests.ts'
import { span } from '../extents/ranges.ts'
import { eventually } from '../testing/processes.ts'
import { ALL_FEATURES, fakeServer, welcome, type FakeExport, type Wire } from '../testing/wire.ts'
import { connectNbd, listNbdExports } from './client.ts'
import type { ConnectOptions, NbdClient } from './types.ts'

/** On a machine that is busy with other things. */
vi.setConfig({ testTimeout: 30_000 })

const KB = 1024
const at = (n: number): Bytes => bytes(n)

/** A client of a server that plays `offer`, then `script` for each connection. */
async function against(
  offer: FakeExport,
  script: (wire: Wire, index: number) => Promise<void>,
  options: Partial<ConnectOptions> = {},
): Promise<{ client: NbdClient; server: { readonly connections: number } } & AsyncDisposable> {
  const server = await fakeServer(async (wire, index) => {
    await welcome(wire, offer)
    await script(wire, index)
  })
  const client = await connectNbd({ address: server.address, exportName: 'disk', ...options })
  return {
    client,
    server,
    [Symbol.asyncDispose]: async () => {
      await client.close()
      await server[Symbol.asyncDispose]()
    },
  }
}

function answer(wire: Wire, request: RequestHeader, byte: number): void {
  wire.send(
    encodeDataChunkHeader(request.handle, true, request.offset, request.length),
    Buffer.alloc(request.length, byte),
  )
}

async function failureOf(promise: Promise<unknown>): Promise<HoldfastError> {
  try {
    await promise
  } catch (error) {
    if (isHoldfastError(error)) return error
    throw error
  }
  throw new Error('it did not fail')
}

describe('connecting', () => {
  async function connectTo(
    script: (wire: Wire) => Promise<void>,
    options: Partial<ConnectOptions> = {},
  ): Promise<HoldfastError> {
    await using server = await fakeServer(script)
    return await failureOf(connectNbd({ address: server.address, exportName: 'secret-session-name', ...options }))
  }
  const greet = async (wire: Wire): Promise<void> => {
    wire.send(encodeGreeting({ fixedNewstyle: true, noZeroes: true }))
    await wire.read(CLIENT_FLAGS_LENGTH)
  }
  const option = async (wire: Wire): Promise<number> => {
    const header = decodeOptionHeader(await wire.read(OPTION_HEADER_LENGTH))
    await wire.read(header.length)
    return header.option
  }
  /** Answers every option with `reply`. */
  const always = (reply: (option: number) => Buffer) => async (wire: Wire) => {
    await greet(wire)
    for (;;) wire.send(reply(await option(wire)))
  }

  it('to nobody is a NetworkFailure with the native code', async () => {
    const error = await failureOf(connectNbd({ address: { kind: 'unix', path: '/nonexistent/s' }, exportName: '' }))
    expect(error).toMatchObject({ code: 'NetworkFailure', native: { code: 'ENOENT' } })
    const path = `/tmp/${'x'.repeat(120)}`
    expect(await failureOf(connectNbd({ address: { kind: 'unix', path }, exportName: '' }))).toMatchObject({
      code: 'InvalidRequest',
    })
  })

  it('to something that is no NBD server is a mismatch', async () => {
    expect(await connectTo(async (wire) => wire.send(Buffer.from('SSH-2.0-OpenSSH_9.2\r\n')))).toMatchObject({
      code: 'ProtocolMismatch',
      message: 'NBD: this is no NBD server',
    })
    const oldstyle = encodeGreeting({ fixedNewstyle: true, noZeroes: true })
    oldstyle.writeUInt32BE(0x00420281, 8)
    expect((await connectTo(async (wire) => wire.send(oldstyle))).message).toContain('oldstyle')
  })

  it('to a server that hangs up in the middle is a NetworkFailure', async () => {
    const error = await connectTo(async (wire) => {
      wire.send(Buffer.from('NBDMAG'))
      wire.socket.end()
    })
    expect(error).toMatchObject({ code: 'NetworkFailure', native: { code: 'ECONNRESET' } })
  })

  it('to a server that says nothing ends at the connect timeout', async () => {
    const error = await connectTo(async (wire) => await wire.closed(), { connectTimeout: millis(50) })
    expect(error).toMatchObject({ code: 'NetworkFailure', native: { code: 'ETIMEDOUT' } })
  })

  it('ends at once when the signal aborts, with its reason', async () => {
    const cancel = new AbortController()
    const error = await connectTo(
      async (wire) => {
        cancel.abort(new Error('operator pressed stop'))
        await wire.closed()
      },
      { signal: cancel.signal },
    )
    expect(error).toMatchObject({ code: 'Cancelled', cause: { message: 'operator pressed stop' } })
    const gone = await failureOf(
      connectNbd({ address: { kind: 'unix', path: '/nonexistent' }, exportName: '', signal: cancel.signal }),
    )
    expect(gone.code).toBe('Cancelled')
  })

  it('to an unknown export is NotFound, and the name stays out of the message', async () => {
    const error = await connectTo(
      always((of) =>
        of === Option.GO
          ? encodeOptionReply(of, OptionReply.ERR_UNKNOWN, Buffer.from("export 'secret-session-name' not present"))
          : encodeOptionReply(of, OptionReply.ACK),
      ),
    )
    expect(error.code).toBe('NotFound')
    expect(JSON.stringify(error)).not.toContain('secret-session-name')
  })

  it('to a server that demands TLS says so', async () => {
    const error = await connectTo(always((of) => encodeOptionReply(of, OptionReply.ERR_TLS_REQD)))
    expect(error.code).toBe('AccessDenied')
    expect(error.hint).toContain('TLS')
  })

  it('with TLS asked for refuses a server that has none, before it names the export', async () => {
    const asked: number[] = []
    await using server = await fakeServer(async (wire) => {
      await greet(wire)
      for (;;) {
        const of = await option(wire)
        asked.push(of)
        wire.send(encodeOptionReply(of, OptionReply.ERR_UNSUP))
      }
    })
    const tls = async (): Promise<never> => await Promise.reject(new Error('must not be reached'))
    const error = await failureOf(connectNbd({ address: server.address, exportName: 'x', tls }))
    expect(error.code).toBe('Unsupported')
    expect(asked).toEqual([Option.STARTTLS])
  })

  it('refuses plain bytes after STARTTLS was acknowledged', async () => {
    const tls = async (): Promise<never> => await Promise.reject(new Error('must not be reached'))
    const error = await connectTo(
      always((of) => Buffer.concat([encodeOptionReply(of, OptionReply.ACK), encodeOptionReply(8, OptionReply.ACK)])),
      { tls },
    )
    expect(error.message).toContain('plain bytes')
  })

  it.each([
    ['replies to another option', () => encodeOptionReply(99, OptionReply.ACK), /came after option/],
    ['wrong magic', () => Buffer.alloc(20, 7), /magic/],
    [
      'acknowledgements with data',
      (of: number) => encodeOptionReply(of, OptionReply.ACK, Buffer.of(1)),
      /carries data/,
    ],
    ['no size', (of: number) => encodeOptionReply(of, OptionReply.ACK), /without the size/],
  ])('to a server with %s is a mismatch', async (_, reply, message) => {
    const error = await connectTo(always(reply))
    expect(error.code).toBe('ProtocolMismatch')
    expect(error.message).toMatch(message)
  })

  it('bounds what a reply may announce and how many may come', async () => {
    const huge = encodeOptionReply(Option.STRUCTURED_REPLY, OptionReply.ACK)
    huge.writeUInt32BE(0xfffffff0, 16)
    expect((await connectTo(always(() => huge))).message).toContain('4294967280 bytes')
    await using flood = await fakeServer(async (wire) => {
      await greet(wire)
      const of = await option(wire)
      const entry = encodeOptionReply(
        of,
        OptionReply.SERVER,
        encodeServerReply({ name: 'x'.repeat(4000), description: '' }),
      )
      // `once` rejects when the client cuts the connection, which ends the script.
      for (;;) if (!wire.socket.write(entry)) await once(wire.socket, 'drain')
    })
    expect((await failureOf(listNbdExports({ address: flood.address }))).message).toMatch(/endless replies|floods/)
  })

  it('falls back to EXPORT_NAME where GO is unknown, and uses nothing else when asked for it', async () => {
    const asked: number[] = []
    await using server = await fakeServer(async (wire) => {
      wire.send(encodeGreeting({ fixedNewstyle: true, noZeroes: false }))
      await wire.read(CLIENT_FLAGS_LENGTH)
      for (;;) {
        const of = await option(wire)
        asked.push(of)
        if (of === Option.EXPORT_NAME) break
        wire.send(encodeOptionReply(of, OptionReply.ERR_UNSUP))
      }
      wire.send(encodeExportNameReply(1 << 20, ALL_FEATURES, false))
      for (;;) {
        const request = await wire.request()
        wire.send(encodeSimpleReply(request.handle, 0), Buffer.alloc(request.length, 3))
      }
    })
    for (const handshake of ['go', 'export-name'] as const) {
      await using client = await connectNbd({
        address: server.address,
        exportName: 'd',
        handshake,
        contexts: ['base:allocation'],
      })
      const into = Buffer.alloc(10)
      await client.read(at(0), into)
      expect(into).toEqual(Buffer.alloc(10, 3))
      expect(client.contexts).toEqual([])
    }
    expect(asked).toEqual([Option.STRUCTURED_REPLY, Option.GO, Option.EXPORT_NAME, Option.EXPORT_NAME])
  })

  it('survives any bytes as handshake', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 80 }), { maxLength: 4 }),
        fc.boolean(),
        async (parts, polite) => {
          const error = await connectTo(async (wire) => {
            if (polite) {
              await greet(wire)
              await option(wire)
            }
            for (const part of parts) wire.send(part)
            wire.socket.end()
          })
          expect(['ProtocolMismatch', 'NetworkFailure', 'NotFound', 'AccessDenied', 'Unsupported']).toContain(
            error.code,
          )
        },
      ),
      { numRuns: 100 },
    )
  })
})

describe('requests', () => {
  it('are pipelined up to the limits and matched by handle in any order', async () => {
    let most = 0
    await using it = await against(
      { size: 1 << 20 },
      async (wire) => {
        let open: RequestHeader[] = []
        for (;;) {
          open.push(await wire.request())
          most = Math.max(most, open.length)
          if (open.length < 4) continue
          for (const request of open.toReversed()) answer(wire, request, request.offset / (64 * KB))
          open = []
        }
      },
      { maxInFlight: 4 },
    )
    const reads = Array.from({ length: 16 }, async (_, index) => {
      const into = new Uint8Array(64 * KB)
      await it.client.read(at(index * 64 * KB), into)
      expect(into.every((byte) => byte === index)).toBe(true)
    })
    await Promise.all(reads)
    expect(most).toBe(4)
  })

  it('larger than the server takes are split, and land where they belong', async () => {
    const sizes: number[] = []
    await using it = await against(
      { size: 1 << 20, blockSizes: { minimum: 512, preferred: 4096, maximum: 64 * KB } },
      async (wire) => {
        for (;;) {
          const request = await wire.request()
          sizes.push(request.length)
          answer(wire, request, request.offset / (64 * KB))
        }
      },
    )
    const into = new Uint8Array(new SharedArrayBuffer(200 * KB))
    await it.client.read(at(0), into)
    expect(sizes).toEqual([64 * KB, 64 * KB, 64 * KB, 8 * KB])
    expect(into.every((byte, index) => byte === Math.floor(index / (64 * KB)))).toBe(true)
  })

  it('of which one piece fails, fail as a whole and leave the buffer alone afterwards', async () => {
    const late: RequestHeader[] = []
    let held: Wire | null = null
    await using it = await against(
      { size: 1 << 20, blockSizes: { minimum: 1, preferred: 4096, maximum: KB } },
      async (wire) => {
        held = wire
        for (;;) {
          const request = await wire.request()
          if (request.offset === KB) wire.send(encodeErrorChunk(request.handle, NbdErrno.EIO, 'bad sector'))
          else late.push(request)
        }
      },
    )
    const into = new Uint8Array(4 * KB)
    const error = await failureOf(it.client.read(at(0), into))
    expect(error).toMatchObject({ code: 'SourceReadFailed', native: { code: 'EIO', text: 'bad sector' } })
    expect(error.message).toBe('read of 1024 bytes at 1024 failed: EIO: bad sector')
    for (const request of late) answer(held as unknown as Wire, request, 9)
    // The late answers are drained: the connection goes on in step.
    await failureOf(it.client.read(at(KB), new Uint8Array(10)))
    expect(into.every((byte) => byte === 0)).toBe(true)
  })

  it('outside the export or not aligned never leave the client', async () => {
    await using it = await against(
      { size: 8192, blockSizes: { minimum: 512, preferred: 4096, maximum: 65536 } },
      async (wire) => await wire.closed(),
    )
    for (const [from, length] of [
      [0, 8704],
      [8192, 512],
      [100, 512],
      [0, 100],
      [-512, 512],
      [2 ** 53, 512],
    ] as const) {
      expect((await failureOf(it.client.read(from as Bytes, new Uint8Array(length)))).code).toBe('InvalidRequest')
    }
    expect((await failureOf(it.client.blockStatus(span(0, 512)))).code).toBe('Unsupported')
    await it.client.read(at(8192), new Uint8Array(0))
  })

  it('that the export does not offer are refused by name', async () => {
    await using it = await against(
      { size: 8192, flags: TransmissionFlag.HAS_FLAGS | TransmissionFlag.READ_ONLY },
      async (wire) => await wire.closed(),
    )
    const attempts = [
      it.client.write(at(0), new Uint8Array(1)),
      it.client.writeZeroes(span(0, 1)),
      it.client.trim(span(0, 1)),
      it.client.flush(),
      it.client.read(at(0), new Uint8Array(1), { dontFragment: true }),
    ]
    for (const attempt of attempts) expect((await failureOf(attempt)).code).toBe('Unsupported')
  })

  it('carry their flags and payloads', async () => {
    const seen: { command: number; flags: number; length: number }[] = []
    await using it = await against({ size: 1 << 20 }, async (wire) => {
      for (;;) {
        const { command, flags, length, handle } = await wire.request()
        seen.push({ command, flags, length })
        if (command === Command.WRITE) expect(await wire.read(length)).toEqual(Buffer.from('hello'))
        wire.send(encodeSimpleReply(handle, 0))
      }
    })
    await it.client.write(at(5), Buffer.from('hello'), { fua: true })
    await it.client.writeZeroes(span(0, 4096), { noHole: true })
    await it.client.trim(span(0, 4096))
    await it.client.flush()
    expect(seen).toEqual([
      { command: Command.WRITE, flags: 1, length: 5 },
      { command: Command.WRITE_ZEROES, flags: 2, length: 4096 },
      { command: Command.TRIM, flags: 0, length: 4096 },
      { command: Command.FLUSH, flags: 0, length: 0 },
    ])
  })

  it.each([
    [NbdErrno.ENOSPC, 'CapacityExhausted', 'ENOSPC'],
    [NbdErrno.EPERM, 'AccessDenied', 'EPERM'],
    [NbdErrno.EIO, 'TargetWriteFailed', 'EIO'],
    [NbdErrno.EINVAL, 'TargetWriteFailed', 'EINVAL'],
    [NbdErrno.ESHUTDOWN, 'NetworkFailure', 'ESHUTDOWN'],
    [NbdErrno.ENOTSUP, 'Unsupported', 'ENOTSUP'],
    [4711, 'TargetWriteFailed', 'E4711'],
  ] as const)('refused with error %i are %s, the native code kept', async (error, code, native) => {
    await using it = await against({ size: 4096 }, async (wire) => {
      const request = await wire.request()
      await wire.read(request.length)
      wire.send(encodeSimpleReply(request.handle, error))
      await wire.closed()
    })
    expect(await failureOf(it.client.write(at(0), new Uint8Array(512)))).toMatchObject({
      code,
      native: { code: native },
    })
  })
})

describe('cancelling', () => {
  it('a read rejects at once; its answer is drained and never reaches the buffer', async () => {
    const cancel = new AbortController()
    let proceed = (): void => undefined
    const wait = new Promise<void>((resolve) => (proceed = resolve))
    await using it = await against({ size: 1 << 20 }, async (wire) => {
      const request = await wire.request()
      wire.send(
        encodeDataChunkHeader(request.handle, true, request.offset, request.length),
        Buffer.alloc(request.length / 2, 5),
      )
      await wait
      wire.send(Buffer.alloc(request.length / 2, 5))
      answer(wire, await wire.request(), 6)
    })
    const into = new Uint8Array(64 * KB)
    const read = it.client.read(at(0), into, { signal: cancel.signal })
    await eventually('half of the answer is there', () => into[32 * KB - 1] === 5)
    cancel.abort()
    expect((await failureOf(read)).code).toBe('Cancelled')
    const snapshot = Uint8Array.from(into)
    proceed()
    const next = new Uint8Array(10)
    await it.client.read(at(0), next)
    expect(next).toEqual(new Uint8Array(10).fill(6))
    expect(into).toEqual(snapshot)
    expect(it.server.connections).toBe(1)
  })

  it('throws the reason itself if it is one of our errors', async () => {
    await using it = await against({ size: 4096 }, async (wire) => await wire.closed())
    const reason = new HoldfastError('PointBroken', 'the point is gone')
    expect(await failureOf(it.client.read(at(0), new Uint8Array(1), { signal: AbortSignal.abort(reason) }))).toBe(
      reason,
    )
  })

  it('a request that waits for its turn lets the others pass', async () => {
    const cancel = new AbortController()
    await using it = await against(
      { size: 4096 },
      async (wire) => {
        const first = await wire.request()
        await eventually('the second was cancelled', () => cancel.signal.aborted)
        answer(wire, first, 1)
        answer(wire, await wire.request(), 3)
      },
      { maxInFlight: 1 },
    )
    const into = [new Uint8Array(1), new Uint8Array(1), new Uint8Array(1)] as const
    const reads = [
      it.client.read(at(0), into[0]),
      it.client.read(at(1), into[1], { signal: cancel.signal }),
      it.client.read(at(2), into[2]),
    ] as const
    cancel.abort()
    expect((await failureOf(reads[1])).code).toBe('Cancelled')
    await Promise.all([reads[0], reads[2]])
    expect(into.map((buffer) => buffer[0])).toEqual([1, 0, 3])
  })

  it('a write whose bytes are still ours cuts the connection', async () => {
    const cancel = new AbortController()
    await using it = await against({ size: 32 << 20 }, async (wire) => {
      wire.socket.pause()
      await wire.closed()
    })
    const write = it.client.write(at(0), new Uint8Array(16 << 20), { signal: cancel.signal })
    const other = it.client.read(at(0), new Uint8Array(1))
    await setImmediate()
    cancel.abort()
    expect((await failureOf(write)).code).toBe('Cancelled')
    expect(await failureOf(other)).toMatchObject({ code: 'NetworkFailure', cause: { code: 'Cancelled' } })
  })
})

describe('a connection that fails', () => {
  it('in the middle of an answer rejects everything, now and later', async () => {
    await using it = await against({ size: 1 << 20 }, async (wire) => {
      const request = await wire.request()
      wire.send(encodeDataChunkHeader(request.handle, true, request.offset, request.length), Buffer.alloc(100))
      wire.socket.end()
    })
    const errors = await Promise.all([
      failureOf(it.client.read(at(0), new Uint8Array(1000))),
      failureOf(it.client.read(at(0), new Uint8Array(1000))),
    ])
    for (const error of errors) expect(error.code).toBe('NetworkFailure')
    expect((await failureOf(it.client.read(at(0), new Uint8Array(1)))).code).toBe('NetworkFailure')
    expect((await failureOf(it.client.flush())).code).toBe('NetworkFailure')
  })

  it('rejects those who wait for their turn too', async () => {
    await using it = await against(
      { size: 1 << 20 },
      async (wire) => {
        await wire.request()
        wire.socket.destroy()
      },
      { maxInFlight: 1 },
    )
    const reads = Array.from({ length: 5 }, async () => await failureOf(it.client.read(at(0), new Uint8Array(10))))
    for (const error of await Promise.all(reads)) expect(error.code).toBe('NetworkFailure')
  })

  it('by silence is Stalled after the request timeout', async () => {
    await using it = await against({ size: 4096 }, async (wire) => await wire.closed(), { requestTimeout: millis(50) })
    expect(await failureOf(it.client.read(at(0), new Uint8Array(1)))).toMatchObject({
      code: 'Stalled',
      native: { code: 'ETIMEDOUT' },
    })
  })

  it('by a breach of the protocol is not opened again', async () => {
    await using it = await against(
      { size: 4096 },
      async (wire) => {
        await wire.request()
        wire.send(Buffer.alloc(64, 0x55))
      },
      { reconnect: { attempts: 5, delay: millis(1) } },
    )
    expect((await failureOf(it.client.read(at(0), new Uint8Array(1)))).code).toBe('ProtocolMismatch')
    expect(it.server.connections).toBe(1)
  })

  it('under any bytes rejects what is under way and harms nothing else', async () => {
    const part = fc.oneof(
      fc.uint8Array({ maxLength: 60 }).map((data) => Buffer.from(data)),
      fc
        .tuple(fc.nat({ max: 3 }), fc.constantFrom(...Object.values(ReplyType)), fc.boolean(), fc.nat({ max: 64 }))
        .map(([lo, type, done, length]) =>
          Buffer.concat([encodeChunkHeader({ hi: 0, lo }, type, done, length), Buffer.alloc(length)]),
        ),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(part, { minLength: 1, maxLength: 6 }), async (parts) => {
        await using it = await against({ size: 4096 }, async (wire) => {
          await wire.request()
          wire.send(...parts)
          wire.socket.end()
        })
        const results = await Promise.allSettled([
          it.client.read(at(0), new Uint8Array(16)),
          it.client.read(at(16), new Uint8Array(16)),
        ])
        for (const result of results)
          if (result.status === 'rejected') expect(isHoldfastError(result.reason)).toBe(true)
        expect(isHoldfastError(await failureOf(it.client.read(at(0), new Uint8Array(1))))).toBe(true)
      }),
      { numRuns: 100 },
    )
  })
})

describe('closing', () => {
  it('rejects what is under way as cancelled, and says goodbye when nothing is', async () => {
    const last: number[] = []
    await using server = await fakeServer(async (wire) => {
      await welcome(wire, { size: 4096 })
      for (;;) last.push((await wire.request()).command)
    })
    const busy = await connectNbd({ address: server.address, exportName: '' })
    const read = failureOf(busy.read(at(0), new Uint8Array(1)))
    await busy.close()
    expect((await read).code).toBe('Cancelled')
    expect((await failureOf(busy.read(at(0), new Uint8Array(1)))).code).toBe('Cancelled')
    const idle = await connectNbd({ address: server.address, exportName: '' })
    await idle.close()
    await idle.close()
    await eventually('the server saw the goodbye', () => last.includes(Command.DISC))
  })
})
