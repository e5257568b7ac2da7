import { setImmediate } from 'node:timers/promises'
import { describe, expect, it, vi } from 'vitest'
import type { HoldfastError } from '../../base/index.ts'
import { bytes, isHoldfastError, millis } from '../../base/index.ts'
import { Command } from '../codec/constants.ts'
import { encodeDataChunkHeader, encodeSimpleReply, encodeStatusChunk } from '../codec/replies.ts'
import { span } from '../extents/ranges.ts'
import { eventually } from '../testing/processes.ts'
import { ALL_FEATURES, fakeServer, welcome, type FakeExport, type FakeServer, type Wire } from '../testing/wire.ts'
import { connectNbd } from './client.ts'
import type { NbdClient } from './types.ts'

/** On a machine that is busy with other things. */
vi.setConfig({ testTimeout: 30_000 })

const SIZE = 1 << 20

async function failureOf(promise: Promise<unknown>): Promise<HoldfastError> {
  try {
    await promise
  } catch (error) {
    if (isHoldfastError(error)) return error
    throw error
  }
  throw new Error('it did not fail')
}

async function serve(wire: Wire, isCut: () => boolean = () => false): Promise<void> {
  for (;;) {
    const { command, handle, offset, length } = await wire.request()
    if (command === Command.WRITE) await wire.read(length)
    if (isCut()) {
      wire.socket.destroy()
      return
    }
    if (command === Command.READ)
      wire.send(encodeDataChunkHeader(handle, true, offset, length), Buffer.alloc(length, offset / 4096))
    else wire.send(encodeSimpleReply(handle, 0))
  }
}

/** The n-th connection serves the n-th offer; each is cut after so many requests. */
async function flaky(offers: readonly (FakeExport & { readonly cutAfter?: number })[]): Promise<FakeServer> {
  return await fakeServer(async (wire, index) => {
    const offer = offers[Math.min(index, offers.length - 1)] ?? { size: SIZE }
    await welcome(wire, offer)
    let count = 0
    await serve(wire, () => {
      count += 1
      return count > (offer.cutAfter ?? Infinity)
    })
  })
}

async function client(server: FakeServer, attempts = 3, maxInFlight = 16): Promise<NbdClient> {
  return await connectNbd({
    address: server.address,
    exportName: 'disk',
    maxInFlight,
    contexts: ['base:allocation'],
    reconnect: { attempts, delay: millis(1) },
  })
}

describe('reconnecting', () => {
  it('repeats what was under way, so that the reader sees nothing of it', async () => {
    await using server = await flaky([{ size: SIZE, cutAfter: 5 }, { size: SIZE, cutAfter: 7 }, { size: SIZE }])
    await using it = await client(server)
    await Promise.all(
      Array.from({ length: 40 }, async (_, index) => {
        const into = new Uint8Array(4096)
        await it.read(bytes(index * 4096), into)
        expect(into.every((byte) => byte === index)).toBe(true)
      }),
    )
    expect(server.connections).toBe(3)
  })

  it.each([
    ['another size', { size: SIZE + 4096 }, /size 1048576 → 1052672/],
    ['other flags', { size: SIZE, flags: ALL_FEATURES | 2 }, /flags/],
    ['contexts lost', { size: SIZE, contexts: [] }, /contexts/],
    ['no structured replies', { size: SIZE, structured: false }, /structured/],
  ] as const)('refuses an export that comes back with %s', async (_, second, message) => {
    await using server = await flaky([
      { size: SIZE, contexts: ['base:allocation'], cutAfter: 0 },
      { contexts: ['base:allocation'], ...second },
    ])
    await using it = await client(server)
    const error = await failureOf(it.read(bytes(0), new Uint8Array(1)))
    expect(error.code).toBe('SizeMismatch')
    expect(error.message).toMatch(message)
    expect((await failureOf(it.read(bytes(0), new Uint8Array(1)))).code).toBe('SizeMismatch')
  })

  it('starts a half-answered request over, and forgets what was cancelled meanwhile', async () => {
    const cancel = new AbortController()
    await using server = await fakeServer(async (wire, index) => {
      await welcome(wire, { size: SIZE, contexts: ['base:allocation'] })
      if (index > 0) {
        for (;;) {
          const { command, handle, offset, length } = await wire.request()
          if (command === Command.READ)
            wire.send(encodeDataChunkHeader(handle, true, offset, length), Buffer.alloc(length, 2))
          else wire.send(encodeStatusChunk(handle, true, 1, [{ length, flags: 3 }]))
        }
      }
      const read = await wire.request()
      const status = await wire.request()
      await wire.request()
      wire.send(encodeDataChunkHeader(read.handle, false, read.offset, 100), Buffer.alloc(100, 1))
      wire.send(encodeStatusChunk(status.handle, false, 1, [{ length: 10, flags: 0 }]))
      await eventually('the third is cancelled', () => cancel.signal.aborted)
      wire.socket.end()
    })
    await using it = await client(server, 3, 3)
    const into = new Uint8Array(4096)
    const read = it.read(bytes(0), into)
    const status = it.blockStatus(span(0, SIZE))
    const third = failureOf(it.read(bytes(0), new Uint8Array(10), { signal: cancel.signal }))
    await eventually('half of the answer is there', () => into[99] === 1)
    cancel.abort()
    expect((await third).code).toBe('Cancelled')
    await read
    expect(into.every((byte) => byte === 2)).toBe(true)
    expect((await status).get('base:allocation')).toEqual([{ offset: 0, length: SIZE, flags: 3 }])
    // Its place among the three under way is free again.
    await Promise.all(Array.from({ length: 6 }, async () => await it.read(bytes(0), new Uint8Array(10))))
    expect(server.connections).toBe(2)
  })

  it('does not go on after acknowledged writes that no flush covered', async () => {
    await using server = await flaky([{ size: SIZE, cutAfter: 2 }, { size: SIZE }])
    await using it = await client(server)
    await it.write(bytes(0), new Uint8Array(512))
    await it.write(bytes(512), new Uint8Array(512))
    const error = await failureOf(it.flush())
    expect(error).toMatchObject({ code: 'NetworkFailure', data: { unflushedWrites: 2 } })
    expect(server.connections).toBe(1)
  })

  it('goes on after a flush, and after writes that were durable by themselves', async () => {
    await using server = await flaky([{ size: SIZE, cutAfter: 3 }, { size: SIZE }])
    await using it = await client(server)
    await it.write(bytes(0), new Uint8Array(512))
    await it.flush()
    await it.write(bytes(0), new Uint8Array(512), { fua: true })
    await it.write(bytes(512), new Uint8Array(512))
    expect(server.connections).toBe(2)
  })

  it('does not take a write for durable that was acknowledged while the flush was under way', async () => {
    let releaseFlush = (): void => undefined
    const flushHeld = new Promise<void>((resolve) => (releaseFlush = resolve))
    await using server = await fakeServer(async (wire) => {
      await welcome(wire, { size: SIZE })
      const flush = await wire.request()
      const write = await wire.request()
      await wire.read(write.length)
      wire.send(encodeSimpleReply(write.handle, 0))
      await flushHeld
      wire.send(encodeSimpleReply(flush.handle, 0))
      await wire.request()
      wire.socket.destroy()
    })
    await using it = await client(server)
    const flush = it.flush()
    await it.write(bytes(0), new Uint8Array(512))
    releaseFlush()
    await flush
    expect((await failureOf(it.read(bytes(0), new Uint8Array(1)))).data).toEqual({ unflushedWrites: 1 })
  })

  it('gives up after its attempts, with the first error', async () => {
    const server = await flaky([{ size: SIZE }])
    await using it = await client(server)
    await it.read(bytes(0), new Uint8Array(1))
    await server[Symbol.asyncDispose]()
    expect((await failureOf(it.read(bytes(0), new Uint8Array(1)))).code).toBe('NetworkFailure')
  })

  it('gives up on a request that kills every connection', async () => {
    await using server = await flaky([{ size: SIZE, cutAfter: 0 }])
    await using it = await client(server, 3)
    expect((await failureOf(it.read(bytes(0), new Uint8Array(1)))).code).toBe('NetworkFailure')
    expect(server.connections).toBeLessThanOrEqual(5)
  })

  it('gives up on a server that closes after every handshake, though nobody asks it anything', async () => {
    await using server = await fakeServer(async (wire) => {
      await welcome(wire, { size: SIZE, contexts: ['base:allocation'] })
      wire.socket.end()
    })
    await using it = await client(server, 3)
    await eventually('it has tried as often as it may', () => server.connections >= 4)
    expect((await failureOf(it.read(bytes(0), new Uint8Array(1)))).code).toBe('NetworkFailure')
    expect((await failureOf(it.read(bytes(0), new Uint8Array(1)))).code).toBe('NetworkFailure')
    expect(server.connections).toBe(4)
  })

  it('gives back the places of requests that were cancelled before and during it', async () => {
    const before = new AbortController()
    const during = new AbortController()
    let isAsked = false
    await using server = await fakeServer(async (wire, index) => {
      if (index > 0) await eventually('the second is cancelled', () => during.signal.aborted)
      await welcome(wire, { size: SIZE })
      if (index > 0) await serve(wire)
      await wire.request()
      isAsked = true
      await eventually('the first is cancelled', () => before.signal.aborted)
      wire.socket.end()
    })
    await using it = await client(server, 3, 1)
    const first = failureOf(it.read(bytes(0), new Uint8Array(1), { signal: before.signal }))
    await eventually('the first is under way', () => isAsked)
    before.abort()
    expect((await first).code).toBe('Cancelled')
    await eventually('the client is at its second connection', () => server.connections === 2)
    const second = failureOf(it.read(bytes(0), new Uint8Array(1), { signal: during.signal }))
    await setImmediate()
    during.abort()
    expect((await second).code).toBe('Cancelled')
    await it.read(bytes(0), new Uint8Array(1))
    await it.flush()
  })

  it('ends at once when a waiting request is cancelled, makes room for the next, and ends with the client', async () => {
    const cancel = new AbortController()
    await using server = await fakeServer(async (wire, index) => {
      if (index > 0) {
        await wire.closed()
        return
      }
      await welcome(wire, { size: SIZE })
      await wire.request()
      wire.socket.destroy()
    })
    const it = await client(server, 3, 1)
    const cancelled = failureOf(it.read(bytes(0), new Uint8Array(1), { signal: cancel.signal }))
    await eventually('the client is at its second connection', () => server.connections === 2)
    cancel.abort()
    expect((await cancelled).code).toBe('Cancelled')
    const next = new AbortController()
    const second = failureOf(it.flush({ signal: next.signal }))
    await setImmediate()
    next.abort()
    expect((await second).message).toBe('flush was cancelled')
    const closed = failureOf(it.read(bytes(0), new Uint8Array(1)))
    await it.close()
    expect((await closed).code).toBe('Cancelled')
  })
})
