import { randomBytes } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { bytes, isHoldfastError, KiB, MiB, millis, type Bytes, type HoldfastError } from '../../base/index.ts'
import { ALLOCATION_CONTEXT, AllocationFlag } from '../codec/constants.ts'
import { changedExtents } from '../extents/changed.ts'
import { span } from '../extents/ranges.ts'
import { dirtyRanges, walkContext, walkStatus } from '../extents/status.ts'
import type { Extent } from '../extents/types.ts'
import { selfSigned } from '../testing/certificate.ts'
import { eventually, run, scratchDirectory, startPeer, type Running } from '../testing/processes.ts'
import { connectNbd, listNbdContexts, listNbdExports } from './client.ts'
import { verifiedTls } from './tls.ts'
import type { ConnectOptions, NbdClient } from './types.ts'

/** Real peers: qemu-nbd, nbdkit with its filters, and QEMU's block layer (qemu-storage-daemon). */

const at = (n: number): Bytes => bytes(n)
let open: AsyncDisposableStack
let directory: Awaited<ReturnType<typeof scratchDirectory>>

beforeEach(async () => {
  open = new AsyncDisposableStack()
  directory = open.use(await scratchDirectory())
})
afterEach(async () => await open.disposeAsync())

async function peer(socket: string, command: string, ...args: string[]): Promise<Running> {
  return open.use(await startPeer(socket, command, args))
}

async function client(socket: string, options: Partial<ConnectOptions> = {}): Promise<NbdClient> {
  return open.use(await connectNbd({ address: { kind: 'unix', path: socket }, exportName: '', ...options }))
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

/** Deterministic choices, so that a failing run can be repeated. */
function dice(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

/** What nbdkit's pattern plugin serves: every eight bytes tell their offset. */
function pattern(length: number): Buffer {
  const out = Buffer.alloc(length)
  for (let offset = 0; offset < length; offset += 8) out.writeBigUInt64BE(BigInt(offset), offset)
  return out
}

/** Applies an incremental to the content it builds on. */
async function apply(base: Buffer, extents: AsyncIterable<Extent>, from: NbdClient): Promise<void> {
  for await (const { offset, length, kind } of extents) {
    if (kind === 'zero') base.fill(0, offset, offset + length)
    else await from.read(offset, base.subarray(offset, offset + length))
  }
}

describe('qemu-nbd', () => {
  it.each(['raw', 'qcow2'])(
    'takes writes, zeroes, trims and flushes of a %s image, and gives them back',
    async (format) => {
      const size = 32 * MiB
      const image = directory.file('image')
      const socket = directory.file('s')
      await run('qemu-img', 'create', '-q', '-f', format, image, String(size))
      const process = await peer(socket, 'qemu-nbd', '-t', '-f', format, '-k', socket, '--discard=unmap', image)
      const model = Buffer.alloc(size)
      const it = await client(socket, { contexts: [ALLOCATION_CONTEXT] })
      expect(it.size).toBe(size)
      const roll = dice(7)
      for (let round = 0; round < 200; round += 1) {
        const start = roll(size / 512) * 512
        const length = Math.min((1 + roll(400)) * 512, size - start)
        if (round % 3 === 0) {
          await it.writeZeroes(span(start, start + length), { noHole: round % 2 === 0 })
          model.fill(0, start, start + length)
        } else {
          const data = randomBytes(length)
          await it.write(at(start), data, { fua: round % 50 === 1 })
          data.copy(model, start)
        }
      }
      await it.trim(span(0, 65536))
      await it.writeZeroes(span(0, 65536))
      model.fill(0, 0, 65536)
      await it.flush()
      const back = new Uint8Array(new SharedArrayBuffer(size))
      await it.read(at(0), back)
      expect(Buffer.from(back).equals(model)).toBe(true)
      for await (const { offset, length, flags } of walkContext(it, ALLOCATION_CONTEXT, span(0, size))) {
        const isZero = model.subarray(offset, offset + length).every((byte) => byte === 0)
        if ((flags & AllocationFlag.ZERO) !== 0) expect(isZero).toBe(true)
      }
      await it.close()
      await process.kill()
      await run('qemu-img', 'convert', '-f', format, '-O', 'raw', image, directory.file('out'))
      expect((await readFile(directory.file('out'))).equals(model)).toBe(true)
    },
  )

  it('tells the dirty bitmap of a qcow2 image, and an incremental built from it is the image', async () => {
    const size = 64 * MiB
    const image = directory.file('image.qcow2')
    const socket = directory.file('s')
    await run('qemu-img', 'create', '-q', '-f', 'qcow2', image, String(size))
    await run('qemu-io', '-f', 'qcow2', '-c', 'write -P 17 0 40M', image)
    await run('qemu-img', 'convert', '-O', 'raw', image, directory.file('before'))
    await run('qemu-img', 'bitmap', '--add', image, 'b0')
    const roll = dice(3)
    const commands: string[] = []
    for (let round = 0; round < 60; round += 1) {
      const start = roll(size / 512 - 2048) * 512
      const length = (1 + roll(1024)) * 512
      const kind = ['write', 'write -z', 'write -z -u', 'discard'][roll(4)] ?? 'write'
      commands.push('-c', `${kind}${kind === 'write' ? ` -P ${round + 20}` : ''} ${start} ${length}`)
    }
    await run('qemu-io', '-d', 'unmap', '-f', 'qcow2', ...commands, image)
    await run('qemu-img', 'convert', '-O', 'raw', image, directory.file('after'))
    await peer(socket, 'qemu-nbd', '-r', '-t', '-f', 'qcow2', '-B', 'b0', '-k', socket, image)
    const bitmap = 'qemu:dirty-bitmap:b0'
    const contexts = await listNbdContexts({ address: { kind: 'unix', path: socket }, exportName: '' })
    expect([...contexts].sort()).toEqual([ALLOCATION_CONTEXT, bitmap])
    const it = await client(socket, { contexts: [bitmap, ALLOCATION_CONTEXT, 'qemu:dirty-bitmap:absent'] })
    expect(it.contexts).toEqual([bitmap, ALLOCATION_CONTEXT])
    const content = await readFile(directory.file('before'))
    const after = await readFile(directory.file('after'))
    const whole = span(0, it.size)
    const kinds = new Set<string>()
    const changes = changedExtents(dirtyRanges(it, bitmap, whole), (range) =>
      walkContext(it, ALLOCATION_CONTEXT, range),
    )
    await apply(
      content,
      tap(changes, (extent) => kinds.add(extent.kind)),
      it,
    )
    expect(content.equals(after)).toBe(true)
    expect(kinds).toEqual(new Set(['data', 'zero']))
    // Both contexts in one walk cut at every boundary of either.
    let reached = 0
    for await (const piece of walkStatus(it, whole)) {
      expect(piece.start).toBe(reached)
      expect(piece.flags).toHaveLength(2)
      reached = piece.end
    }
    expect(reached).toBe(size)
    // Without its zeros the incremental would have left old bytes behind: the test can see the difference.
    const careless = await readFile(directory.file('before'))
    const again = changedExtents(dirtyRanges(it, bitmap, whole), (range) => walkContext(it, ALLOCATION_CONTEXT, range))
    await apply(careless, only(again, 'data'), it)
    expect(careless.equals(after)).toBe(false)
  })

  it('killed in the middle of reads rejects them all; started again it serves the rest to a reconnecting client', async () => {
    const size = 64 * MiB
    const image = directory.file('image')
    const socket = directory.file('s')
    const content = randomBytes(size)
    await writeFile(image, content)
    const args = ['-r', '-t', '-f', 'raw', '-k', socket, image] as const
    const first = await peer(socket, 'qemu-nbd', ...args)
    const fragile = await client(socket)
    await first.kill()
    expect((await failureOf(fragile.read(at(0), new Uint8Array(4096)))).code).toBe('NetworkFailure')
    const second = await peer(socket, 'qemu-nbd', ...args)
    const sturdy = await client(socket, { maxInFlight: 2, reconnect: { attempts: 200, delay: millis(10) } })
    const back = Buffer.alloc(size)
    let done = 0
    const reading = Promise.all(
      Array.from({ length: 64 }, async (_, index) => {
        await sturdy.read(at(index * MiB), back.subarray(index * MiB, (index + 1) * MiB))
        done += 1
        if (done === 8) await second.kill()
      }),
    )
    await eventually('the server is dead', () => done >= 8 && second.child.signalCode === 'SIGKILL')
    await peer(socket, 'qemu-nbd', ...args)
    await reading
    expect(back.equals(content)).toBe(true)
  })
})

describe('nbdkit', () => {
  it('serves many named exports, without and with structured replies', async () => {
    const socket = directory.file('s')
    await peer(socket, 'nbdkit', '-f', '-U', socket, 'memory', '16M')
    const content = randomBytes(3 * MiB + 123)
    const rich = await client(socket, { contexts: [ALLOCATION_CONTEXT], exportName: 'any name' })
    await rich.write(at(777), content)
    await rich.flush()
    for (const handshake of ['go', 'export-name'] as const) {
      const it = await client(socket, { handshake })
      const back = Buffer.alloc(content.length)
      await it.read(at(777), back)
      expect(back.equals(content)).toBe(true)
    }
    const extents = await Array.fromAsync(walkContext(rich, ALLOCATION_CONTEXT, span(0, 16 * MiB)))
    expect(extents.at(-1)).toMatchObject({ flags: AllocationFlag.HOLE | AllocationFlag.ZERO })
    expect(await listNbdExports({ address: { kind: 'unix', path: socket } })).toEqual([{ name: '', description: '' }])
    const plain = directory.file('p')
    await peer(plain, 'nbdkit', '-f', '--no-sr', '-U', plain, 'pattern', '1M')
    const simple = await client(plain, { contexts: [ALLOCATION_CONTEXT] })
    expect(simple.contexts).toEqual([])
    const back = Buffer.alloc(1 * MiB)
    await simple.read(at(0), back)
    expect(back.equals(pattern(1 * MiB))).toBe(true)
  })

  it('whose size was cut short or rounded up is read to its end and not beyond', async () => {
    const socket = directory.file('s')
    await peer(socket, 'nbdkit', '-f', '-U', socket, '--filter=truncate', 'pattern', '1000000', 'round-up=64K')
    const it = await client(socket, { contexts: [ALLOCATION_CONTEXT] })
    expect(it.size).toBe(1_048_576)
    const back = Buffer.alloc(it.size)
    await it.read(at(0), back)
    expect(back.readBigUInt64BE(999_992)).toBe(999_992n)
    expect(back.subarray(1_000_000).every((byte) => byte === 0)).toBe(true)
    expect((await failureOf(it.read(at(1_048_000), new Uint8Array(1000)))).code).toBe('InvalidRequest')
  })

  it('with failing reads passes EIO through, request by request, and stays usable', async () => {
    const socket = directory.file('s')
    const trigger = directory.file('broken')
    await peer(
      socket,
      'nbdkit',
      '-f',
      '-U',
      socket,
      '--filter=error',
      'memory',
      '1M',
      'error-pread=EIO',
      'error-pread-rate=100%',
      `error-file=${trigger}`,
    )
    const it = await client(socket)
    await it.read(at(0), new Uint8Array(4096))
    await writeFile(trigger, '')
    const errors = await Promise.all(
      Array.from({ length: 20 }, async () => await failureOf(it.read(at(0), new Uint8Array(4096)))),
    )
    for (const error of errors) expect(error).toMatchObject({ code: 'SourceReadFailed', native: { code: 'EIO' } })
    await run('rm', trigger)
    await it.read(at(0), new Uint8Array(4096))
  })

  it('that is full says ENOSPC, and can still be read', async () => {
    const socket = directory.file('s')
    await peer(
      socket,
      'nbdkit',
      '-f',
      '-U',
      socket,
      '--filter=error',
      'memory',
      '1M',
      'error-pwrite=ENOSPC',
      'error-pwrite-rate=100%',
    )
    const it = await client(socket)
    expect(await failureOf(it.write(at(0), new Uint8Array(512)))).toMatchObject({
      code: 'CapacityExhausted',
      native: { code: 'ENOSPC' },
    })
    await it.read(at(0), new Uint8Array(512))
  })

  it('with half of its reads failing never returns wrong bytes', async () => {
    const socket = directory.file('s')
    await peer(
      socket,
      'nbdkit',
      '-f',
      '-U',
      socket,
      '--filter=error',
      'pattern',
      '64M',
      'error-pread=EIO',
      'error-pread-rate=30%',
    )
    const it = await client(socket)
    let failed = 0
    await Promise.all(
      Array.from({ length: 200 }, async (_, index) => {
        const back = Buffer.alloc(64 * KiB)
        try {
          await it.read(at(index * 64 * KiB), back)
        } catch (error) {
          failed += 1
          expect(isHoldfastError(error) && error.code).toBe('SourceReadFailed')
          return
        }
        for (let offset = 0; offset < back.length; offset += 8) {
          if (back.readBigUInt64BE(offset) !== BigInt(index * 64 * KiB + offset))
            throw new Error(`wrong bytes at ${offset}`)
        }
      }),
    )
    expect(failed).toBeGreaterThan(10)
    expect(failed).toBeLessThan(150)
  })

  it('that is slow is waited for, timed out or cancelled, as asked', async () => {
    const socket = directory.file('s')
    await peer(socket, 'nbdkit', '-f', '-U', socket, '--filter=delay', 'pattern', '1M', 'rdelay=1500ms')
    const patient = await client(socket)
    const cancel = new AbortController()
    const started = performance.now()
    const into = Buffer.alloc(4096, 0xee)
    const read = failureOf(patient.read(at(0), into, { signal: cancel.signal }))
    const other = Buffer.alloc(4096)
    const otherRead = patient.read(at(4096), other)
    setImmediate(() => cancel.abort(new Error('enough')))
    expect((await read).code).toBe('Cancelled')
    expect(performance.now() - started).toBeLessThan(1000)
    await otherRead
    expect(other.readBigUInt64BE(0)).toBe(4096n)
    expect(into.every((byte) => byte === 0xee)).toBe(true)
    const hasty = await client(socket, { requestTimeout: millis(100) })
    expect((await failureOf(hasty.read(at(0), into))).code).toBe('Stalled')
    expect(into.every((byte) => byte === 0xee)).toBe(true)
  })

  it('speaks TLS with us, and only with the certificate that we know', async () => {
    const socket = directory.file('s')
    const ours = selfSigned('nbd.example')
    const certificates = directory.file('pki')
    await mkdir(certificates)
    await writeFile(`${certificates}/ca-cert.pem`, ours.cert)
    await writeFile(`${certificates}/server-cert.pem`, ours.cert)
    await writeFile(`${certificates}/server-key.pem`, ours.key)
    await peer(
      socket,
      'nbdkit',
      '-f',
      '-U',
      socket,
      '--tls=require',
      `--tls-certificates=${certificates}`,
      'pattern',
      '8M',
    )
    const it = await client(socket, {
      tls: verifiedTls({ ca: ours.cert, servername: 'nbd.example' }),
      contexts: [ALLOCATION_CONTEXT],
    })
    const back = Buffer.alloc(8 * MiB)
    await it.read(at(0), back)
    expect(back.equals(pattern(8 * MiB))).toBe(true)
    const stranger = selfSigned('nbd.example')
    const tls = verifiedTls({ ca: stranger.cert, servername: 'nbd.example' })
    expect((await failureOf(client(socket, { tls }))).code).toBe('IdentityChanged')
    expect((await failureOf(client(socket))).code).toBe('AccessDenied')
  })
})

describe('the access node of QEMU (copy-before-write, snapshot-access)', () => {
  it('answers EINVAL for what is not dirty, and gives the point in time while the disk goes on', async () => {
    const size = 16 * MiB
    const qmpSocket = directory.file('q')
    const nbdSocket = directory.file('n')
    await run('qemu-img', 'create', '-q', '-f', 'qcow2', directory.file('disk'), String(size))
    await run('qemu-img', 'create', '-q', '-f', 'qcow2', directory.file('scratch'), String(size))
    await peer(
      qmpSocket,
      'qemu-storage-daemon',
      '--chardev',
      `socket,id=q,path=${qmpSocket},server=on,wait=off`,
      '--monitor',
      'chardev=q',
    )
    const qmp = await openQmp(qmpSocket)
    const node = (name: string, file: string): object => ({
      driver: 'qcow2',
      'node-name': name,
      discard: 'unmap',
      file: { driver: 'file', filename: directory.file(file), discard: 'unmap' },
    })
    const expose = async (id: string, nodeName: string, more: object): Promise<void> =>
      await qmp('block-export-add', { type: 'nbd', id, name: id, 'node-name': nodeName, ...more })
    await qmp('nbd-server-start', { addr: { type: 'unix', data: { path: nbdSocket } }, 'max-connections': 0 })
    await qmp('blockdev-add', node('na', 'disk'))
    await expose('before', 'na', { writable: true })
    const before = await client(nbdSocket, { exportName: 'before' })
    await before.write(at(0), Buffer.alloc(8 * MiB, 1))
    await qmp('block-dirty-bitmap-add', { node: 'na', name: 'pit', granularity: 65536 })
    const base = Buffer.alloc(size)
    await before.read(at(0), base)
    await before.write(at(1 * MiB), Buffer.alloc(MiB, 2))
    await before.writeZeroes(span(4 * MiB, 5 * MiB))
    await before.write(at(12 * MiB), Buffer.alloc(100, 3))
    const point = Buffer.alloc(size)
    await before.read(at(0), point)
    await before.close()
    await qmp('block-export-del', { id: 'before', mode: 'hard' })
    await qmp('block-dirty-bitmap-disable', { node: 'na', name: 'pit' })
    await qmp('blockdev-add', node('scratch', 'scratch'))
    await qmp('blockdev-add', {
      driver: 'copy-before-write',
      'node-name': 'cbw',
      file: 'na',
      target: 'scratch',
      bitmap: { node: 'na', name: 'pit' },
      'on-cbw-error': 'break-snapshot',
    })
    await qmp('blockdev-add', { driver: 'snapshot-access', 'node-name': 'acc', file: 'cbw' })
    await expose('live', 'cbw', { writable: true })
    await expose('point', 'acc', { bitmaps: [{ node: 'na', name: 'pit' }] })
    const bitmap = 'qemu:dirty-bitmap:pit'
    const dirty = await client(nbdSocket, { exportName: 'point', contexts: [bitmap] })
    const allocation = await client(nbdSocket, { exportName: 'point', contexts: [ALLOCATION_CONTEXT] })
    const both = await client(nbdSocket, { exportName: 'point', contexts: [bitmap, ALLOCATION_CONTEXT] })
    const whole = span(0, size)
    for (const it of [allocation, both]) {
      expect(await failureOf(it.blockStatus(whole))).toMatchObject({
        code: 'SourceReadFailed',
        native: { code: 'EINVAL' },
      })
    }
    expect(await failureOf(dirty.read(at(0), new Uint8Array(65536)))).toMatchObject({
      native: { code: expect.stringMatching(/EINVAL|EPERM/) as string },
    })
    // The disk goes on: over changed, zeroed and untouched places.
    const live = await client(nbdSocket, { exportName: 'live' })
    await live.write(at(0), Buffer.alloc(3 * MiB, 9))
    await live.write(at(4 * MiB), Buffer.alloc(512, 9))
    await live.write(at(12 * MiB), Buffer.alloc(MiB, 9))
    const kinds = new Set<string>()
    const changes = changedExtents(dirtyRanges(dirty, bitmap, whole), (range) =>
      walkContext(allocation, ALLOCATION_CONTEXT, range),
    )
    await apply(
      base,
      tap(changes, (extent) => kinds.add(extent.kind)),
      dirty,
    )
    expect(base.equals(point)).toBe(true)
    expect(kinds).toEqual(new Set(['data', 'zero']))
  })
})

async function* tap(
  source: AsyncIterable<Extent>,
  see: (extent: Extent) => void,
): AsyncGenerator<Extent, void, undefined> {
  for await (const extent of source) {
    see(extent)
    yield extent
  }
}

async function* only(source: AsyncIterable<Extent>, kind: Extent['kind']): AsyncGenerator<Extent, void, undefined> {
  for await (const extent of source) if (extent.kind === kind) yield extent
}

/** A monitor has one client at a time: while it still lets go of who looked whether it is there, it hangs up on the next. */
async function greeted(path: string): Promise<{ socket: Socket; lines: AsyncGenerator<string, undefined, undefined> }> {
  for (const until = Date.now() + 10_000; ; await new Promise((resolve) => setTimeout(resolve, 50))) {
    const socket = connect({ path })
    open.defer(() => void socket.destroy())
    const lines = linesOf(socket)
    const { done } = await lines.next().catch(() => ({ done: true }))
    if (done !== true) return { socket, lines }
    if (Date.now() > until) throw new Error('the monitor does not greet')
  }
}

async function* linesOf(socket: Socket): AsyncGenerator<string, undefined, undefined> {
  // An interface of readline throws what the socket says after its end where nobody can catch it.
  socket.on('error', () => undefined)
  let begun = ''
  for await (const part of socket.setEncoding('utf8') as AsyncIterable<string>) {
    const lines = (begun + part).split('\n')
    begun = lines.pop() ?? ''
    yield* lines
  }
}

/** Just enough QMP for one test: a command at a time, events skipped. */
async function openQmp(path: string): Promise<(execute: string, args: object) => Promise<void>> {
  const { socket, lines } = await greeted(path)
  const command = async (execute: string, args: object): Promise<void> => {
    socket.write(`${JSON.stringify({ execute, arguments: args })}\n`)
    for (;;) {
      const line = await lines.next()
      if (line.done) throw new Error('the monitor closed')
      const message = JSON.parse(line.value) as { return?: unknown; error?: { desc: string } }
      if (message.error) throw new Error(`${execute}: ${message.error.desc}`)
      if (message.return !== undefined) return
    }
  }
  await command('qmp_capabilities', {})
  return command
}
