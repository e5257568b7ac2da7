import { randomBytes } from 'node:crypto'
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { HoldfastError, KiB, MiB, millis } from '../../base/index.ts'
import { selfSigned } from '../testing/certificate.ts'
import { MemorySource, readOnly } from '../testing/memory-source.ts'
import { run, scratchDirectory } from '../testing/processes.ts'
import { serveNbd } from './server.ts'
import type { NbdServer, ServeOptions } from './types.ts'

/** Real clients of our server: libnbd's nbdinfo and nbdcopy, and QEMU's block layer in qemu-img and qemu-io. */

const SIZE = 64 * MiB
let open: AsyncDisposableStack
let directory: Awaited<ReturnType<typeof scratchDirectory>>
let source: MemorySource
let errors: HoldfastError[]

beforeEach(async () => {
  open = new AsyncDisposableStack()
  directory = open.use(await scratchDirectory())
  errors = []
  // Random islands in a sea of zeros.
  source = new MemorySource(SIZE, 64 * KiB)
  for (let start = 0; start < SIZE; start += 3 * MiB) randomBytes(MiB + start / 64).copy(source.content, start)
})
afterEach(async () => await open.disposeAsync())

async function serve(options: Partial<ServeOptions> = {}): Promise<NbdServer> {
  return open.use(
    await serveNbd({
      listen: { kind: 'unix', path: directory.file('s') },
      exports: [
        { name: 'disk', description: 'a disk of the lab', source },
        { name: 'frozen', source: readOnly(source) },
      ],
      onError: (error) => errors.push(error),
      ...options,
    }),
  )
}

function uri(name: string): string {
  return `nbd+unix:///${name}?socket=${directory.file('s')}`
}

interface NbdInfo {
  readonly exports: readonly {
    readonly 'export-name': string
    readonly 'export-size': number
    readonly contexts: readonly string[]
    readonly is_read_only: boolean
    readonly can_multi_conn: boolean
    readonly can_df: boolean
    readonly can_zero: boolean
    readonly block_size_minimum: number
    readonly block_size_preferred: number
    readonly block_size_maximum: number
  }[]
}

describe('nbdinfo and nbdcopy', () => {
  it('see the exports as they are', async () => {
    await serve()
    const info = JSON.parse(await run('nbdinfo', '--list', '--json', uri(''))) as NbdInfo
    const common = {
      'export-size': SIZE,
      contexts: ['base:allocation'],
      can_multi_conn: true,
      can_df: true,
      block_size_minimum: 1,
      block_size_preferred: 65536,
      block_size_maximum: 32 * MiB,
    }
    expect(info.exports).toMatchObject([
      { ...common, 'export-name': 'disk', is_read_only: false, can_zero: true },
      { ...common, 'export-name': 'frozen', is_read_only: true, can_zero: false },
    ])
    expect(errors).toEqual([])
  })

  it('see the same holes that are there', async () => {
    await serve()
    const map = JSON.parse(await run('nbdinfo', '--map', '--json', uri('frozen'))) as {
      offset: number
      length: number
      type: number
    }[]
    let reached = 0
    for (const { offset, length, type } of map) {
      expect(offset).toBe(reached)
      reached += length
      const isZero = source.content.subarray(offset, offset + length).every((byte) => byte === 0)
      expect(type).toBe(isZero ? 3 : 0)
    }
    expect(reached).toBe(SIZE)
  })

  it.each([1, 4])('copy a disk out over %i connections, sparse as it was, and back in', async (connections) => {
    await serve()
    const out = directory.file('out')
    await run('nbdcopy', `--connections=${connections}`, uri('frozen'), out)
    expect((await readFile(out)).equals(source.content)).toBe(true)
    expect((await stat(out)).blocks * 512).toBeLessThan(SIZE * 0.6)
    const changed = randomBytes(SIZE)
    changed.fill(0, 10 * MiB, 30 * MiB)
    await writeFile(out, changed)
    await run('nbdcopy', '--flush', `--connections=${connections}`, out, uri('disk'))
    expect(source.content.equals(changed)).toBe(true)
    expect(source.calls.at(-1)).toBe('flush')
    expect(errors).toEqual([])
  })

  it('cannot write to a read-only export', async () => {
    await serve()
    await writeFile(directory.file('in'), randomBytes(MiB))
    await expect(run('nbdcopy', directory.file('in'), uri('frozen'))).rejects.toThrow(
      /read-only|Operation not permitted/i,
    )
  })

  it('connect by TLS', async () => {
    const ours = selfSigned('localhost')
    const certificates = directory.file('pki')
    await mkdir(certificates)
    await writeFile(`${certificates}/ca-cert.pem`, ours.cert)
    const server = await serve({ tls: ours, listen: { kind: 'tcp', host: '127.0.0.1', port: 0 } })
    const port = server.address.kind === 'tcp' ? server.address.port : 0
    const secure = `nbds://localhost:${port}/frozen?tls-certificates=${certificates}`
    await run('nbdcopy', secure, directory.file('out'))
    expect((await readFile(directory.file('out'))).equals(source.content)).toBe(true)
    await expect(run('nbdinfo', `nbd://localhost:${port}/frozen`)).rejects.toThrow(/TLS/i)
  })
})

describe('QEMU', () => {
  it('converts, compares and maps', async () => {
    await serve()
    const image = directory.file('image.qcow2')
    await run('qemu-img', 'convert', '-f', 'raw', '-O', 'qcow2', uri('frozen'), image)
    await run('qemu-img', 'compare', '-f', 'raw', '-F', 'qcow2', uri('frozen'), image)
    const map = JSON.parse(await run('qemu-img', 'map', '--output=json', '-f', 'raw', uri('frozen'))) as {
      start: number
      length: number
      zero: boolean
      data: boolean
    }[]
    for (const { start, length, zero, data } of map) {
      expect(zero).toBe(!data)
      if (zero) expect(source.content.subarray(start, start + length).every((byte) => byte === 0)).toBe(true)
    }
    expect(map.filter((entry) => entry.zero).length).toBeGreaterThan(5)
    source.content[SIZE - 1] = (source.content[SIZE - 1] ?? 0) ^ 1
    await expect(run('qemu-img', 'compare', '-f', 'raw', '-F', 'qcow2', uri('frozen'), image)).rejects.toThrow(
      /mismatch/,
    )
    expect(errors).toEqual([])
  })

  it('writes an image into a writable export', async () => {
    await serve()
    const image = directory.file('image')
    const content = randomBytes(SIZE)
    content.fill(0, 5 * MiB, 25 * MiB)
    await writeFile(image, content)
    await run('qemu-img', 'convert', '-n', '-f', 'raw', '-O', 'raw', image, uri('disk'))
    expect(source.content.equals(content)).toBe(true)
    await run(
      'qemu-io',
      '-f',
      'raw',
      '-c',
      'write -P 7 1M 64k',
      '-c',
      'write -z -u 2M 1M',
      '-c',
      'discard 3M 1M',
      '-c',
      'write -f -P 8 513 100',
      '-c',
      'flush',
      uri('disk'),
    )
    expect(source.content.subarray(MiB, MiB + 64 * KiB).every((byte) => byte === 7)).toBe(true)
    expect(source.content.subarray(2 * MiB, 3 * MiB).every((byte) => byte === 0)).toBe(true)
    expect(source.content.subarray(513, 613).every((byte) => byte === 8)).toBe(true)
    expect(source.calls).toContain(`trim ${3 * MiB}-${4 * MiB}`)
    await run(
      'qemu-io',
      '-f',
      'raw',
      '-c',
      'read -P 7 1M 64k',
      '-c',
      'read -P 0 2M 1M',
      '-c',
      'read -P 8 513 100',
      uri('disk'),
    )
  })

  it('is told of a read that fails, and goes on with others', async () => {
    await serve()
    source.onRead = (at) => {
      if (at >= 32 * MiB) throw new HoldfastError('ChunkLost', 'chunk 5 is lost')
    }
    source.content.fill(1)
    await expect(run('qemu-io', '-f', 'raw', '-r', '-c', 'read 32M 4k', uri('frozen'))).rejects.toThrow(
      /Input\/output error/,
    )
    await run('qemu-io', '-f', 'raw', '-r', '-c', 'read -P 1 0 1M', uri('frozen'))
    expect(errors.map((error) => error.code)).toContain('ChunkLost')
  })

  it('that waits for a lost server finds the same export in its successor, and the copy is whole', async () => {
    const listen = { kind: 'unix', path: directory.file('s') } as const
    source.content.fill(0)
    randomBytes(SIZE).copy(source.content)
    let reads = 0
    const first = await serve({ listen })
    const restarted = Promise.withResolvers<NbdServer>()
    source.onRead = () => {
      reads += 1
      if (reads !== 10) return
      restarted.resolve(first.close(millis(0)).then(async () => await serve({ listen })))
    }
    const spec = JSON.stringify({
      driver: 'raw',
      file: { driver: 'nbd', server: { type: 'unix', path: listen.path }, export: 'frozen', 'reconnect-delay': 30 },
    })
    const out = directory.file('out')
    await run('qemu-img', 'convert', '-O', 'raw', `json:${spec}`, out)
    expect((await readFile(out)).equals(source.content)).toBe(true)
    expect((await restarted.promise).connections).toBeLessThanOrEqual(1)
  })
})
