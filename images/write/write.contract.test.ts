import { execFile } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { createWriteStream, mkdtempSync, rmSync } from 'node:fs'
import { open, readFile, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { GiB, KiB, MiB, TiB } from '../../base/index.ts'
import { qemuName } from '../look/index.ts'
import { imageFormats, type ImageFormat, type ImageSource } from '../types.ts'
import { streamImage } from './index.ts'

const run = promisify(execFile)
let dir: string
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'hf-images-'))
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const identity = createHash('sha256').update('a disk').digest()
const { signal } = new AbortController()

interface Piece {
  readonly offset: number
  readonly data: Buffer
}

/** A disk with content in these places; the map says so by the MiB, as a repository does. */
function disk(size: number, pieces: readonly Piece[]): ImageSource {
  return {
    size,
    async *runs() {
      let at = 0
      for (const { offset, data } of pieces) {
        const [start, end] = [
          Math.floor(offset / MiB) * MiB,
          Math.min(size, Math.ceil((offset + data.length) / MiB) * MiB),
        ]
        if (start > at) yield { offset: at, length: start - at, kind: 'hole' as const }
        if (end > Math.max(at, start))
          yield { offset: Math.max(at, start), length: end - Math.max(at, start), kind: 'data' as const }
        at = Math.max(at, end)
      }
      if (at < size) yield { offset: at, length: size - at, kind: 'hole' as const }
    },
    async *stream() {
      const memory = Buffer.alloc(3 * MiB)
      for (const { offset, data } of pieces) {
        data.copy(memory)
        yield { offset, data: memory.subarray(0, data.length) }
      }
    },
  }
}

async function written(format: ImageFormat, source: ImageSource): Promise<{ file: string; size: number | null }> {
  const file = join(
    dir,
    `${createHash('sha1').update(`${format}${source.size}${Math.random()}`).digest('hex')}.${format}`,
  )
  const { size, stream } = await streamImage(format, source, { identity, signal })
  // Copies: the memory of a part is used again, and a pipeline asks for the next one before it is written.
  const copies = async function* (): AsyncGenerator<Buffer> {
    for await (const part of stream) yield Buffer.from(part)
  }
  await pipeline(copies, createWriteStream(file))
  return { file, size }
}

async function rawFile(size: number, pieces: readonly Piece[]): Promise<string> {
  const file = join(dir, `${randomBytes(6).toString('hex')}.expected`)
  await using handle = await open(file, 'wx')
  await handle.truncate(size)
  for (const { offset, data } of pieces) await handle.write(data, 0, data.length, offset)
  return file
}

/** Throws with what qemu-img says about a difference. */
async function compare(format: ImageFormat, file: string, expected: string): Promise<string> {
  return (await run('qemu-img', ['compare', '-f', qemuName(format), '-F', 'raw', file, expected])).stdout.trim()
}

const odd = 37 * MiB + 3 * 512
const scattered = [
  { offset: 0, data: randomBytes(512) },
  { offset: 3 * MiB + 4096, data: randomBytes(MiB + 512) },
  { offset: 20 * MiB, data: Buffer.concat([randomBytes(64 * KiB), Buffer.alloc(128 * KiB), randomBytes(64 * KiB)]) },
  { offset: odd - 1024, data: randomBytes(1024) },
]

describe.each(imageFormats)('%s', (format) => {
  it('is read by qemu-img as the disk that it was made of, and has the size that was told', async () => {
    const { file, size } = await written(format, disk(odd, scattered))
    expect(await compare(format, file, await rawFile(odd, scattered))).toBe('Images are identical.')
    const { stdout } = await run('qemu-img', ['info', '--output=json', '-f', qemuName(format), file])
    expect((JSON.parse(stdout) as { 'virtual-size': number })['virtual-size']).toBe(odd)
    if (size !== null) expect((await stat(file)).size).toBe(size)
    else expect(format).toBe('vmdk')
  })

  it('of an empty disk is one, and of one that is full to its end', async () => {
    const empty = await written(format, disk(8 * MiB, []))
    expect(await compare(format, empty.file, await rawFile(8 * MiB, []))).toBe('Images are identical.')
    const all = Array.from({ length: 3 }, (_, n) => ({ offset: n * MiB, data: randomBytes(MiB) }))
    const full = await written(format, disk(3 * MiB, all))
    expect(await compare(format, full.file, await rawFile(3 * MiB, all))).toBe('Images are identical.')
  })

  it('ends when the disk cannot be read', async () => {
    const source = disk(odd, scattered)
    const broken: ImageSource = {
      ...source,
      async *stream() {
        yield { offset: 0, data: Buffer.alloc(512, 1) }
        throw new Error('the store is gone')
      },
    }
    await expect(written(format, broken)).rejects.toThrow('the store is gone')
  })
})

it.each(['qcow2', 'vmdk', 'vhdx', 'vhd'] as const)(
  '%s stays as sparse as the disk, over many tables',
  async (format) => {
    const size = 1200 * MiB
    const far = [
      { offset: 5 * MiB, data: randomBytes(MiB) },
      { offset: 600 * MiB, data: randomBytes(MiB) },
      { offset: size - MiB, data: randomBytes(MiB) },
    ]
    const { file } = await written(format, disk(size, far))
    expect((await stat(file)).size).toBeLessThan(8 * MiB)
    expect(await compare(format, file, await rawFile(size, far))).toBe('Images are identical.')
  },
)

it('qemu-img finds nothing to mend in qcow2 and vhdx', async () => {
  for (const format of ['qcow2', 'vhdx'] as const) {
    const { file } = await written(format, disk(odd, scattered))
    const { stdout } = await run('qemu-img', ['check', '-f', format, file])
    expect(stdout).toContain('No errors were found')
  }
})

it('the same disk gives the same bytes', async () => {
  for (const format of imageFormats) {
    const sums = await Promise.all(
      [0, 1].map(async () => {
        const hash = createHash('sha256')
        const { stream } = await streamImage(format, disk(odd, scattered), { identity, signal })
        for await (const part of stream) hash.update(part)
        return hash.digest('hex')
      }),
    )
    expect(sums[0]).toBe(sums[1])
  }
})

it('refuses what a format cannot hold', async () => {
  for (const format of ['vhd', 'vmdk'] as const)
    await expect(streamImage(format, disk(3 * TiB, []), { identity, signal })).rejects.toMatchObject({
      code: 'Unsupported',
    })
  await expect(streamImage('vhdx', disk(65 * TiB, []), { identity, signal })).rejects.toMatchObject({
    code: 'Unsupported',
  })
  await expect(streamImage('raw', disk(1000, []), { identity, signal })).rejects.toMatchObject({
    code: 'InvalidRequest',
  })
})

it('never leaves out content that the map of the disk does not know', async () => {
  const source = disk(odd, scattered)
  const lying: ImageSource = {
    ...source,
    async *runs() {
      yield { offset: 0, length: odd, kind: 'hole' }
    },
  }
  for (const format of ['qcow2', 'vhd', 'vhdx'] as const)
    await expect(written(format, lying)).rejects.toThrow('do not agree')
})

it('vhdx leaves room for the bitmaps that lie between its blocks', async () => {
  const [size, offset] = [4 * GiB + 8 * MiB, 4 * GiB + 2 * MiB]
  const data = randomBytes(MiB)
  const { file } = await written(
    'vhdx',
    disk(size, [
      { offset: 8 * MiB, data },
      { offset, data },
    ]),
  )
  // Behind the first bitmap; qemu-img reads every zero of a VHDX, so the ends are compared by themselves.
  for (const at of [8 * MiB, offset]) {
    const out = join(dir, `part-${at}`)
    await run('qemu-img', [
      'dd',
      '-f',
      'vhdx',
      '-O',
      'raw',
      'bs=1M',
      `skip=${at / MiB}`,
      `count=${at / MiB + 1}`,
      `if=${file}`,
      `of=${out}`,
    ])
    expect((await readFile(out)).equals(data)).toBe(true)
  }
})
