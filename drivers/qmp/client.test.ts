import type { Socket } from 'node:net'
import { describe, expect, test } from 'vitest'
import { HoldfastError } from '../../base/index.ts'
import { isAbsent } from '../errors.ts'
import { QmpClient } from './client.ts'
import { FakePeer } from './testing/fake-peer.ts'

const greeting =
  '{"QMP": {"version": {"qemu": {"micro": 22, "minor": 2, "major": 7}, "package": ""}, "capabilities": ["oob"]}}\r\n'
type Request = { readonly id: number; readonly execute: string; readonly arguments?: unknown }

function monitor(answer: (request: Request, socket: Socket) => void): Promise<FakePeer> {
  return FakePeer.listen(
    (socket) => socket.write(greeting),
    (line, socket) => {
      const request = JSON.parse(line) as Request
      if (request.execute === 'qmp_capabilities') socket.write(`{"return": {}, "id": ${request.id}}\r\n`)
      else answer(request, socket)
    },
  )
}

describe('a QMP connection', () => {
  test('negotiates, tells the version, and gives each command its own answer, in pieces and out of order', async () => {
    const held: Request[] = []
    await using peer = await monitor((request, socket) => {
      held.push(request)
      if (held.length < 2) return
      const text = held
        .toReversed()
        .map((r) => `{"return": "${r.execute}", "id": ${r.id}}\r\n`)
        .join('')
      for (const byte of text) socket.write(byte)
    })
    await using client = await QmpClient.connect(peer.path)
    expect(client.version).toBe('7.2.22')
    expect(await Promise.all([client.execute('one'), client.execute('two')])).toEqual(['one', 'two'])
  })

  test('an error of QEMU keeps its class and words, and gets the code of what they mean', async () => {
    const cases = [
      ['GenericError', 'NBD server already running', 'Busy'],
      ['GenericError', "Bitmap 'x' is inconsistent and cannot be used", 'ChangeRefInvalid'],
      ['GenericError', 'Bitmap already exists: x', 'ChangeRefInvalid'],
      ['GenericError', 'Could not create: No space left on device', 'CapacityExhausted'],
      ['GenericError', 'Failed to get "write" lock', 'AccessBlocked'],
      ['CommandNotFound', 'The command frobnicate has not been found', 'Unsupported'],
      ['GenericError', 'Something new', 'HypervisorRefused'],
    ] as const
    for (const [nativeClass, text, code] of cases) {
      await using peer = await monitor((request, socket) =>
        socket.write(`${JSON.stringify({ id: request.id, error: { class: nativeClass, desc: text } })}\r\n`),
      )
      await using client = await QmpClient.connect(peer.path)
      await expect(client.execute('act')).rejects.toMatchObject({ code, native: { code: nativeClass, text } })
    }
  })

  test('what QEMU says of a thing that is not there is absence; all else is not', async () => {
    const absent = [
      "Export 'e' is not found",
      "Failed to find node with node-name='n'",
      'Job not found',
      "Dirty bitmap 'b' not found",
      'NBD server not running',
    ]
    for (const text of [
      ...absent,
      'Permission denied',
      "Node 'n' is busy: block device is in use by block job: backup",
    ]) {
      const error = new HoldfastError('HypervisorRefused', 'x', { native: { code: 'GenericError', text } })
      expect(isAbsent(error)).toBe(absent.includes(text))
    }
    expect(isAbsent(new HoldfastError('NotFound', 'no text of QEMU'))).toBe(false)
  })

  test('what QEMU still had for the client before comes ahead of the greeting and is nobody’s', async () => {
    const early = '{"event": "STOP", "data": {}, "timestamp": {}}\r\n{"return": {}, "id": 7}\r\n'
    await using peer = await FakePeer.listen(
      (socket) => socket.write(early + greeting),
      (line, socket) => {
        const { id, execute } = JSON.parse(line) as Request
        socket.write(`{"return": "${execute}", "id": ${id}}\r\n`)
      },
    )
    await using client = await QmpClient.connect(peer.path)
    expect(client.version).toBe('7.2.22')
    expect(await client.execute('one')).toBe('one')
  })

  test('a monitor that does not greet is held by somebody else', async () => {
    await using peer = await FakePeer.listen(
      () => undefined,
      () => undefined,
    )
    await expect(QmpClient.connect(peer.path, { limit: 30 })).rejects.toMatchObject({ code: 'Busy', retryAfter: 2000 })
  })

  test('a command that is not answered in time ends the connection: a late answer can reach nobody', async () => {
    await using peer = await monitor(() => undefined)
    await using client = await QmpClient.connect(peer.path)
    const other = client.execute('other', undefined, { limit: 60_000 })
    const settled = Promise.allSettled([other])
    await expect(client.execute('hang', undefined, { limit: 20 })).rejects.toMatchObject({ code: 'HypervisorTimeout' })
    expect(client.isOpen).toBe(false)
    expect((await settled)[0].status).toBe('rejected')
  })

  test('an abort rejects at once with its own reason, and the connection goes on', async () => {
    await using peer = await monitor((request, socket) => {
      if (request.execute === 'second') socket.write(`{"return": 2, "id": ${request.id}}\r\n`)
    })
    await using client = await QmpClient.connect(peer.path)
    const controller = new AbortController()
    const first = client.execute('first', undefined, { signal: controller.signal })
    const why = new HoldfastError('Cancelled', 'the operator')
    controller.abort(why)
    await expect(first).rejects.toBe(why)
    expect(await client.execute('second')).toBe(2)
  })

  test('a connection that is cut rejects what waits, for answers and for events', async () => {
    await using peer = await monitor((_request, socket) => socket.destroy())
    await using client = await QmpClient.connect(peer.path)
    const event = Promise.allSettled([client.waitFor(client.mark(), () => true, 'an event')])
    await expect(client.execute('act')).rejects.toMatchObject({ code: 'NetworkFailure', data: { gone: true } })
    expect((await event)[0].status).toBe('rejected')
    await expect(client.execute('again')).rejects.toMatchObject({ code: 'NetworkFailure' })
  })

  test('events are kept from a mark on, and can be waited for', async () => {
    await using peer = await monitor((request, socket) =>
      socket.write(
        `{"event": "STOP", "timestamp": {}}\r\n{"return": {}, "id": ${request.id}}\r\n{"event": "RESUME", "data": {"a": 1}}\r\n`,
      ),
    )
    await using client = await QmpClient.connect(peer.path)
    const mark = client.mark()
    await client.execute('stop')
    expect(client.since(mark)[0]).toEqual({ event: 'STOP', data: {} })
    expect(await client.waitFor(mark, (e) => e.event === 'RESUME', 'RESUME')).toEqual({
      event: 'RESUME',
      data: { a: 1 },
    })
    await expect(client.waitFor(mark, (e) => e.event === 'NEVER', 'NEVER', 10)).rejects.toMatchObject({
      code: 'HypervisorTimeout',
    })
  })

  test('a peer that speaks something else, or without end, ends the connection', async () => {
    await using garbage = await monitor((_request, socket) => socket.write('this is not JSON\r\n'))
    await using client = await QmpClient.connect(garbage.path)
    await expect(client.execute('act')).rejects.toMatchObject({ code: 'ProtocolMismatch' })
    await using other = await FakePeer.listen(
      (socket) => socket.write('{"hello": "world"}\n'),
      () => undefined,
    )
    await expect(QmpClient.connect(other.path)).rejects.toMatchObject({ code: 'ProtocolMismatch' })
    await using endless = await monitor((_request, socket) => {
      const more = (): void => {
        if (socket.destroyed) return
        socket.write('x'.repeat(1 << 20), () => setImmediate(more))
      }
      more()
    })
    await using flooded = await QmpClient.connect(endless.path)
    await expect(flooded.execute('act')).rejects.toMatchObject({ code: 'ProtocolMismatch' })
  })

  test('no socket means that nobody is there', async () => {
    await expect(QmpClient.connect('/nonexistent/qmp.sock')).rejects.toMatchObject({
      code: 'NetworkFailure',
      data: { gone: true },
    })
  })
})
