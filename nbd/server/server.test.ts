import { spawnSync } from 'node:child_process'
import { stat } from 'node:fs/promises'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { bytes, HoldfastError, isHoldfastError, millis, type Bytes } from '../../base/index.ts'
import { connectNbd, listNbdContexts, listNbdExports } from '../client/client.ts'
import { verifiedTls } from '../client/tls.ts'
import type { ConnectOptions, NbdClient } from '../client/types.ts'
import { Command, CommandFlag, Info, NbdErrno, Option, OptionReply, ReplyType } from '../codec/constants.ts'
import { encodeClientFlags, GREETING_LENGTH } from '../codec/handshake.ts'
import { decodeOptionReplyHeader, encodeOption, OPTION_REPLY_HEADER_LENGTH } from '../codec/options.ts'
import { encodeInfoRequest, encodeMetaRequest } from '../codec/payloads.ts'
import { CHUNK_HEADER_LENGTH } from '../codec/replies.ts'
import { encodeRequest } from '../codec/requests.ts'
import { span } from '../extents/ranges.ts'
import { walkContext } from '../extents/status.ts'
import { selfSigned } from '../testing/certificate.ts'
import { MemorySource, readOnly } from '../testing/memory-source.ts'
import { eventually, scratchDirectory } from '../testing/processes.ts'
import { Wire } from '../testing/wire.ts'
import { serveNbd } from './server.ts'
import type { NbdServer, ServeOptions } from './types.ts'

const KB = 1024
const SIZE = 1 << 20
const at = (n: number): Bytes => bytes(n)

/** Property tests over sockets, on a machine that is busy with other things. */
vi.setConfig({ testTimeout: 30_000 })

let source: MemorySource
let errors: HoldfastError[]
let open: AsyncDisposableStack

beforeEach(() => {
  source = new MemorySource(SIZE)
  errors = []
  open = new AsyncDisposableStack()
})
afterEach(async () => await open.disposeAsync())

async function serve(options: Partial<ServeOptions> = {}): Promise<NbdServer> {
  const directory = open.use(await scratchDirectory())
  return open.use(
    await serveNbd({
      listen: { kind: 'unix', path: directory.file('s') },
      exports: [
        { name: 'disk', description: 'the lab disk', source },
        { name: 'frozen', source: readOnly(source) },
      ],
      onError: (error) => errors.push(error),
      ...options,
    }),
  )
}

async function client(server: NbdServer, options: Partial<ConnectOptions> = {}): Promise<NbdClient> {
  return open.use(
    await connectNbd({ address: server.address, exportName: 'disk', contexts: ['base:allocation'], ...options }),
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

/** A raw client after the greeting. */
async function raw(server: NbdServer): Promise<Wire> {
  const wire = await Wire.connect(server.address)
  await wire.read(GREETING_LENGTH)
  wire.send(encodeClientFlags({ fixedNewstyle: true, noZeroes: true }))
  open.defer(() => void wire.socket.destroy())
  return wire
}

async function ask(wire: Wire, option: number, data?: Buffer): Promise<number[]> {
  wire.send(encodeOption(option, data))
  const types: number[] = []
  for (;;) {
    const header = decodeOptionReplyHeader(await wire.read(OPTION_REPLY_HEADER_LENGTH))
    expect(header.option).toBe(option)
    await wire.read(header.length)
    types.push(header.type)
    if (header.type === OptionReply.ACK || header.type >= OptionReply.ERR_UNSUP) return types
  }
}

const go = encodeInfoRequest({ exportName: 'disk', infos: [Info.DESCRIPTION] })
/** A raw client in the transmission phase, without structured replies. */
async function transmitting(server: NbdServer): Promise<Wire> {
  const wire = await raw(server)
  await ask(wire, Option.GO, go)
  return wire
}

function command(wire: Wire, command: number, offset: number, length: number, flags = 0): void {
  wire.send(encodeRequest({ command, flags, offset, length, handle: { hi: 0xdeadbeef, lo: 0xcafebabe } }))
}

async function simpleError(wire: Wire): Promise<number> {
  const reply = await wire.read(16)
  expect(reply.readUInt32BE(8)).toBe(0xdeadbeef)
  expect(reply.readUInt32BE(12)).toBe(0xcafebabe)
  return reply.readUInt32BE(4)
}

describe('a server', () => {
  it('lists its exports and contexts', async () => {
    const server = await serve()
    expect(await listNbdExports({ address: server.address })).toEqual([
      { name: 'disk', description: 'the lab disk' },
      { name: 'frozen', description: '' },
    ])
    const address = { address: server.address, exportName: 'disk' }
    expect(await listNbdContexts(address)).toEqual(['base:allocation'])
    expect(await listNbdContexts(address, ['base:'])).toEqual(['base:allocation'])
    expect(await listNbdContexts(address, ['qemu:'])).toEqual([])
    expect(await failureOf(listNbdContexts({ ...address, exportName: 'none' }))).toMatchObject({ code: 'NotFound' })
  })

  it('offers what its source can do, and no more', async () => {
    const server = await serve()
    const writable = await client(server)
    expect(writable.features).toMatchObject({
      readOnly: false,
      flush: true,
      fua: true,
      trim: true,
      writeZeroes: true,
      multiConn: true,
      dontFragment: true,
    })
    expect(writable.blockSizes).toEqual({ minimum: 1, preferred: 64 * KB, maximum: 32 * 1024 * KB })
    const frozen = await client(server, { exportName: 'frozen' })
    expect(frozen.features).toMatchObject({ readOnly: true, flush: false, fua: false, trim: false, writeZeroes: false })
    expect((await failureOf(client(server, { exportName: 'none' }))).code).toBe('NotFound')
  })

  it('reads, writes, zeroes, trims and flushes', async () => {
    const it = await client(await serve())
    await it.write(at(4096), Buffer.alloc(8192, 7), { fua: true })
    await it.writeZeroes(span(8192, 12288), { noHole: true })
    await it.writeZeroes(span(0, 100))
    await it.trim(span(65536, 131072))
    await it.flush()
    const into = Buffer.alloc(16384, 1)
    await it.read(at(0), into)
    expect(into.equals(source.content.subarray(0, 16384))).toBe(true)
    expect(into[4096]).toBe(7)
    expect(source.calls.filter((call) => !call.startsWith('read'))).toEqual([
      'write 4096+8192',
      'flush',
      'zero 8192-12288 allocated',
      'zero 0-100',
      'trim 65536-131072',
      'flush',
    ])
  })

  it('sends holes as holes, and does not read them', async () => {
    source.content.fill(9, 64 * KB, 128 * KB)
    source.content.fill(9, 512 * KB, 516 * KB)
    const it = await client(await serve())
    const into = Buffer.alloc(SIZE, 0xee)
    await it.read(at(0), into)
    expect(into.equals(source.content)).toBe(true)
    expect(source.calls).toEqual(['read 65536+65536', 'read 524288+4096'])
    const whole = Buffer.alloc(SIZE, 0xee)
    await it.read(at(0), whole, { dontFragment: true })
    expect(whole.equals(source.content)).toBe(true)
    expect(source.calls.at(-1)).toBe(`read 0+${SIZE}`)
    expect(await Array.fromAsync(walkContext(it, 'base:allocation', span(0, it.size)))).toEqual([
      { offset: 0, length: 64 * KB, flags: 3 },
      { offset: 64 * KB, length: 64 * KB, flags: 0 },
      { offset: 128 * KB, length: 384 * KB, flags: 3 },
      { offset: 512 * KB, length: 4 * KB, flags: 0 },
      { offset: 516 * KB, length: SIZE - 516 * KB, flags: 3 },
    ])
    expect((await it.blockStatus(span(0, SIZE), { one: true })).get('base:allocation')).toHaveLength(1)
  })

  it('serves any content at any offset, shattered into holes or not', async () => {
    const it = await client(await serve())
    const island = fc.record({
      start: fc.nat({ max: SIZE - 1 }),
      length: fc.integer({ min: 1, max: 30_000 }),
      byte: fc.nat({ max: 3 }),
    })
    const where = fc.tuple(fc.nat({ max: SIZE }), fc.nat({ max: SIZE }))
    await fc.assert(
      fc.asyncProperty(fc.array(island, { maxLength: 60 }), where, async (islands, [a, b]) => {
        source.content.fill(0)
        for (const { start, length, byte } of islands) source.content.fill(byte, start, Math.min(start + length, SIZE))
        const range = span(Math.min(a, b), Math.max(a, b))
        const into = Buffer.alloc(range.end - range.start, 0xee)
        await it.read(range.start, into)
        expect(into.equals(source.content.subarray(range.start, range.end))).toBe(true)
        for await (const { offset, length, flags } of walkContext(it, 'base:allocation', range)) {
          const piece = source.content.subarray(offset, offset + length)
          if (flags === 3) expect(piece.every((byte) => byte === 0)).toBe(true)
        }
      }),
      { numRuns: 60 },
    )
  })

  it('answers short and goes on where a disk has more extents than one answer takes', async () => {
    for (let offset = 0; offset < SIZE; offset += 512) source.content[offset] = offset % 1024 === 0 ? 1 : 0
    Object.assign(source, { grain: 512 })
    const it = await client(await serve())
    const answer = await it.blockStatus(span(0, SIZE))
    expect(answer.get('base:allocation')).toHaveLength(1024)
    expect(await Array.fromAsync(walkContext(it, 'base:allocation', span(0, SIZE)))).toHaveLength(2048)
  })

  it('sends short holes as zeros: as a chunk they would cost more', async () => {
    Object.assign(source, { grain: 512 })
    source.content.fill(1, 0, 512)
    source.content.fill(1, 4096, 4608)
    source.content.fill(1, 12_800, 13_312)
    const it = await client(await serve())
    const into = Buffer.alloc(16_384, 0xee)
    await it.read(at(0), into)
    expect(into.equals(source.content.subarray(0, 16_384))).toBe(true)
    expect(source.calls).toEqual(['read 0+4608', 'read 12800+3584'])
  })

  it('passes errors of the source on, and goes on', async () => {
    const it = await client(await serve())
    source.onRead = (offset) => {
      if (offset === 4096) throw new HoldfastError('ChunkLost', 'chunk 17 is damaged')
      if (offset === 8192) throw Object.assign(new Error('secret detail'), { code: 'ENOSPC' })
    }
    source.content.fill(1)
    const lost = await failureOf(it.read(at(4096), new Uint8Array(10)))
    expect(lost).toMatchObject({ code: 'SourceReadFailed', native: { code: 'EIO', text: 'chunk 17 is damaged' } })
    const full = await failureOf(it.read(at(8192), new Uint8Array(10)))
    expect(full.native).toEqual({ code: 'ENOSPC', text: '' })
    await it.read(at(0), new Uint8Array(10))
    expect(errors.map((error) => error.code)).toEqual(['ChunkLost', 'SourceReadFailed'])
  })

  it('serves several clients at once', async () => {
    for (let offset = 0; offset < SIZE; offset += 4096) source.content.fill(offset / 4096 + 1, offset, offset + 4096)
    const server = await serve()
    await Promise.all(
      Array.from({ length: 8 }, async (_, index) => {
        const it = await client(server, { exportName: index % 2 ? 'disk' : 'frozen' })
        const into = Buffer.alloc(SIZE)
        await Promise.all(
          Array.from(
            { length: 16 },
            async (__, piece) =>
              await it.read(at(piece * 64 * KB), into.subarray(piece * 64 * KB, (piece + 1) * 64 * KB)),
          ),
        )
        expect(into.equals(source.content)).toBe(true)
      }),
    )
    expect(server.connections).toBe(8)
  })

  it('listens on TCP and tells its port', async () => {
    const server = await serve({ listen: { kind: 'tcp', host: '127.0.0.1', port: 0 } })
    const it = await client(server)
    await it.read(at(0), new Uint8Array(10))
    expect(server.address).toMatchObject({ kind: 'tcp', host: '127.0.0.1' })
  })

  it('replaces a socket file that nobody listens on, and refuses one in use', async () => {
    const directory = open.use(await scratchDirectory())
    const listen = { kind: 'unix', path: directory.file('d') } as const
    const first = await serve({ listen })
    expect((await failureOf(serve({ listen }))).code).toBe('Busy')
    await first.close()
    // A killed server leaves its socket file behind.
    const script = `require('net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`
    spawnSync(process.execPath, ['-e', script, listen.path])
    expect((await stat(listen.path)).isSocket()).toBe(true)
    const second = await serve({ listen })
    await (await client(second)).read(at(0), new Uint8Array(1))
    expect((await failureOf(serve({ listen: { kind: 'unix', path: `/tmp/${'x'.repeat(120)}` } }))).code).toBe(
      'InvalidRequest',
    )
  })
})

describe('TLS', () => {
  const good = selfSigned('nbd.example')

  it('carries everything, and the client checks the certificate', async () => {
    const server = await serve({ tls: good })
    const it = await client(server, { tls: verifiedTls({ ca: good.cert, servername: 'nbd.example' }) })
    await it.write(at(0), Buffer.alloc(300_000, 5))
    const into = Buffer.alloc(300_000)
    await it.read(at(0), into)
    expect(into.every((byte) => byte === 5)).toBe(true)
    expect(
      await listNbdExports({ address: server.address, tls: verifiedTls({ ca: good.cert, servername: 'nbd.example' }) }),
    ).toHaveLength(2)
  })

  it('refuses another certificate, another name and a client without TLS', async () => {
    const server = await serve({ tls: good })
    const other = selfSigned('nbd.example')
    const wrongKey = await failureOf(
      client(server, { tls: verifiedTls({ ca: other.cert, servername: 'nbd.example' }) }),
    )
    expect(wrongKey.code).toBe('IdentityChanged')
    const wrongName = await failureOf(
      client(server, { tls: verifiedTls({ ca: good.cert, servername: 'else.example' }) }),
    )
    expect(wrongName.code).toBe('IdentityChanged')
    expect((await failureOf(client(server))).code).toBe('AccessDenied')
    expect((await failureOf(client(server, { handshake: 'export-name' }))).code).toBe('NetworkFailure')
    await eventually('the server let go of all of them', () => server.connections === 0)
  })

  it('asks clients for a certificate where that is set', async () => {
    const person = selfSigned('operator.example')
    const server = await serve({ tls: { ...good, clientCa: person.cert } })
    const ours = { ca: good.cert, servername: 'nbd.example' }
    const it = await client(server, { tls: verifiedTls({ ...ours, ...person }) })
    await it.read(at(0), new Uint8Array(10))
    expect((await failureOf(client(server, { tls: verifiedTls(ours) }))).code).toMatch(/NetworkFailure|IdentityChanged/)
    await eventually('the refusal was reported', () => errors.some((error) => error.code === 'AccessDenied'))
  })
})

describe('a hostile client', () => {
  /** The server still serves others, and holds nothing of the bad one. */
  async function unharmed(server: NbdServer): Promise<void> {
    await eventually('the bad connection is gone', () => server.connections === 0)
    const it = await client(server)
    await it.read(at(0), new Uint8Array(10))
    await it.close()
  }

  it('that sends any bytes loses its connection, at whatever stage', async () => {
    const server = await serve()
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('greeting', 'options', 'requests'),
        fc.array(fc.uint8Array({ maxLength: 100 }), { maxLength: 4 }),
        async (stage, parts) => {
          const wire =
            stage === 'greeting'
              ? await Wire.connect(server.address)
              : stage === 'options'
                ? await raw(server)
                : await transmitting(server)
          for (const part of parts) wire.send(part)
          wire.socket.end()
          await wire.closed()
        },
      ),
      { numRuns: 150 },
    )
    await unharmed(server)
    for (const error of errors) expect(['ProtocolMismatch', 'NetworkFailure', 'NotFound']).toContain(error.code)
  })

  it('with unknown flags, wrong magic or endless options is cut', async () => {
    const server = await serve()
    const flags = await Wire.connect(server.address)
    flags.send(Buffer.of(0, 0, 1, 3))
    await flags.closed()
    const magic = await raw(server)
    magic.send(Buffer.alloc(16, 1))
    await magic.closed()
    const huge = await raw(server)
    const option = encodeOption(Option.GO)
    option.writeUInt32BE(0x7fffffff, 12)
    huge.send(option)
    await huge.closed()
    const nothing = await raw(server)
    nothing.send(encodeOption(Option.EXPORT_NAME, Buffer.from('no such export')))
    await nothing.closed()
    await eventually('all are reported', () => errors.length === 4)
    expect(errors.map((error) => error.code)).toEqual([
      'ProtocolMismatch',
      'ProtocolMismatch',
      'ProtocolMismatch',
      'NotFound',
    ])
    await unharmed(server)
  })

  it('with malformed options is told so and may go on', async () => {
    const server = await serve()
    const wire = await raw(server)
    expect(await ask(wire, Option.LIST, Buffer.of(1))).toEqual([OptionReply.ERR_INVALID])
    expect(await ask(wire, Option.GO, Buffer.of(0, 0, 0, 9, 1))).toEqual([OptionReply.ERR_INVALID])
    expect(await ask(wire, Option.SET_META_CONTEXT, encodeMetaRequest({ exportName: 'disk', queries: [] }))).toEqual([
      OptionReply.ERR_INVALID,
    ])
    expect(await ask(wire, 4711, Buffer.alloc(1000))).toEqual([OptionReply.ERR_UNSUP])
    expect(await ask(wire, Option.STARTTLS)).toEqual([OptionReply.ERR_UNSUP])
    expect(await ask(wire, Option.INFO, encodeInfoRequest({ exportName: 'none', infos: [] }))).toEqual([
      OptionReply.ERR_UNKNOWN,
    ])
    expect(await ask(wire, Option.GO, go)).toEqual([
      OptionReply.INFO,
      OptionReply.INFO,
      OptionReply.INFO,
      OptionReply.ACK,
    ])
    command(wire, Command.READ, 0, 16)
    expect(await simpleError(wire)).toBe(0)
  })

  it('with unsound requests gets the error of the specification', async () => {
    const server = await serve()
    const wire = await transmitting(server)
    const cases = [
      [Command.READ, SIZE, 1, 0, NbdErrno.EINVAL],
      [Command.READ, 0xffffffff, 0xffffffff, 0, NbdErrno.EINVAL],
      [Command.READ, 0, 33 << 20, 0, NbdErrno.EINVAL],
      [Command.READ, 0, 16, CommandFlag.DF, NbdErrno.EINVAL],
      [Command.READ, 0, 16, 0x8000, NbdErrno.EINVAL],
      [Command.WRITE_ZEROES, SIZE - 1, 2, 0, NbdErrno.ENOSPC],
      [Command.TRIM, 0, 0xffffffff, 0, NbdErrno.ENOSPC],
      [Command.FLUSH, 0, 1, 0, NbdErrno.EINVAL],
      [Command.BLOCK_STATUS, 0, 16, 0, NbdErrno.EINVAL],
      [Command.CACHE, 0, 16, 0, NbdErrno.EINVAL],
      [77, 0, 0, 0, NbdErrno.EINVAL],
    ] as const
    for (const [which, offset, length, flags, expected] of cases) {
      command(wire, which, offset, length, flags)
      expect([which, offset, await simpleError(wire)]).toEqual([which, offset, expected])
    }
    // The payload of a refused write is read away, and the conversation stays in step.
    command(wire, Command.WRITE, SIZE, 512)
    wire.send(Buffer.alloc(512, 0x25))
    expect(await simpleError(wire)).toBe(NbdErrno.ENOSPC)
    expect(source.calls).toEqual([])
  })

  it('gets no block status of an export other than the one it selected a context for', async () => {
    const wire = await raw(await serve())
    await ask(wire, Option.STRUCTURED_REPLY)
    const meta = encodeMetaRequest({ exportName: 'frozen', queries: ['base:allocation'] })
    expect(await ask(wire, Option.SET_META_CONTEXT, meta)).toEqual([OptionReply.META_CONTEXT, OptionReply.ACK])
    await ask(wire, Option.GO, go)
    command(wire, Command.BLOCK_STATUS, 0, 4096)
    const reply = await wire.read(CHUNK_HEADER_LENGTH + 4)
    expect(reply.readUInt16BE(6)).toBe(ReplyType.ERROR)
    expect(reply.readUInt32BE(CHUNK_HEADER_LENGTH)).toBe(NbdErrno.EINVAL)
  })

  it('cannot write to a read-only export', async () => {
    const wire = await raw(await serve())
    await ask(wire, Option.GO, encodeInfoRequest({ exportName: 'frozen', infos: [] }))
    for (const which of [Command.WRITE, Command.WRITE_ZEROES, Command.TRIM]) {
      command(wire, which, 0, 4)
      if (which === Command.WRITE) wire.send(Buffer.alloc(4))
      expect(await simpleError(wire)).toBe(NbdErrno.EPERM)
    }
    expect(source.calls).toEqual([])
  })

  it('that announces a write beyond the maximum is cut before a byte of it is kept', async () => {
    const server = await serve()
    const wire = await transmitting(server)
    command(wire, Command.WRITE, 0, 0xffffffff)
    await wire.closed()
    expect(errors[0]?.message).toContain('4294967295 bytes')
    await unharmed(server)
  })

  it('that never finishes the handshake or a payload is cut in time', async () => {
    const server = await serve({ limits: { handshakeTimeout: millis(500), stallTimeout: millis(100) } })
    const silent = await raw(server)
    await silent.closed()
    const half = await transmitting(server)
    command(half, Command.WRITE, 0, 4096)
    half.send(Buffer.alloc(100))
    await half.closed()
    await eventually('both are reported', () => errors.length === 2)
    expect(errors.map((error) => error.code)).toEqual(['Stalled', 'Stalled'])
    await unharmed(server)
  })

  it('that does not take its replies makes the server wait, not grow, and is cut in the end', async () => {
    source.content.fill(1)
    const server = await serve({ limits: { maxBytesInFlight: 4 * SIZE, stallTimeout: millis(300) } })
    const wire = await transmitting(server)
    wire.socket.pause()
    for (let count = 0; count < 500; count += 1) command(wire, Command.READ, 0, SIZE)
    await eventually('the limit is reached', () => source.calls.length >= 4)
    await eventually('the client is cut', () => server.connections === 0)
    // Four were allowed at once; the kernel's socket buffers took at most one more.
    expect(source.calls.length).toBeLessThanOrEqual(6)
    expect(errors.map((error) => error.code)).toContain('Stalled')
    await unharmed(server)
  })

  it('that sends more requests than allowed at once has to wait', async () => {
    let release = (): void => undefined
    const held = new Promise<void>((resolve) => (release = resolve))
    source.onRead = async () => await held
    source.content.fill(1)
    const server = await serve({ limits: { maxInFlight: 3 } })
    const wire = await transmitting(server)
    for (let count = 0; count < 10; count += 1) command(wire, Command.READ, 0, 16)
    await eventually('three are under way', () => source.readsUnderWay === 3)
    expect(source.calls).toHaveLength(3)
    release()
    for (let count = 0; count < 10; count += 1) {
      expect(await simpleError(wire)).toBe(0)
      await wire.read(16)
    }
  })

  it('that leaves has its reads cancelled', async () => {
    source.content.fill(1)
    source.onRead = async (_, signal) =>
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
    const server = await serve()
    const wire = await transmitting(server)
    command(wire, Command.READ, 0, 16)
    await eventually('the read is under way', () => source.readsUnderWay === 1)
    wire.socket.destroy()
    await eventually('the read is cancelled', () => source.readsUnderWay === 0)
    await eventually('the connection is gone', () => server.connections === 0)
    expect(errors).toEqual([])
  })

  it('in numbers finds the door closed', async () => {
    const server = await serve({ limits: { maxConnections: 2 } })
    await raw(server)
    await raw(server)
    const third = await Wire.connect(server.address)
    await third.closed()
    expect(errors.map((error) => error.code)).toEqual(['SlotsExhausted'])
  })
})

describe('stopping', () => {
  it('answers what is under way, refuses what still comes, and takes no new client', async () => {
    let release = (): void => undefined
    const held = new Promise<void>((resolve) => (release = resolve))
    source.onRead = async () => await held
    source.content.fill(3)
    const server = await serve()
    const it = await client(server)
    const into = new Uint8Array(10)
    const read = it.read(at(0), into)
    await eventually('the read is under way', () => source.readsUnderWay === 1)
    const closed = server.close()
    expect(await failureOf(it.write(at(0), new Uint8Array(1)))).toMatchObject({
      code: 'NetworkFailure',
      native: { code: 'ESHUTDOWN' },
    })
    release()
    await read
    await closed
    expect(into[0]).toBe(3)
    expect(source.calls.filter((call) => call.startsWith('write'))).toEqual([])
    expect((await failureOf(client(server))).code).toBe('NetworkFailure')
    expect(server.connections).toBe(0)
  })

  it('cuts after the grace period what does not end', async () => {
    source.content.fill(3)
    source.onRead = async (_, signal) =>
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
    const server = await serve()
    const it = await client(server)
    const read = failureOf(it.read(at(0), new Uint8Array(10)))
    await eventually('the read is under way', () => source.readsUnderWay === 1)
    await server.close(millis(20))
    expect((await read).code).toBe('NetworkFailure')
  })
})
