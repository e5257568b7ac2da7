import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openImage } from './image.ts'

let folder: string
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'holdfast-image-'))))
afterEach(() => rmSync(folder, { recursive: true, force: true }))
const { signal } = new AbortController()

function makeRaw(): { file: string; head: Buffer } {
  const file = join(folder, 'disk.raw')
  const head = randomBytes(2 * 2 ** 20)
  writeFileSync(file, head)
  truncateSync(file, 32 * 2 ** 20)
  return { file, head }
}
const leftovers = (): string[] => readdirSync(tmpdir()).filter((name) => name.startsWith('holdfast-import-'))

test('a qcow2 image reads as the disk that it holds, its holes are zeros, and nothing is left running', async () => {
  const { file, head } = makeRaw()
  const qcow2 = join(folder, 'disk.qcow2')
  execFileSync('qemu-img', ['convert', '-O', 'qcow2', file, qcow2])
  const before = leftovers()
  {
    await using image = await openImage(qcow2, signal)
    expect([image.format, image.source.size]).toEqual(['qcow2', 32 * 2 ** 20])
    const into = Buffer.alloc(head.byteLength)
    await image.source.read(0, into, signal)
    expect(into.equals(head)).toBe(true)
    const extents = []
    for await (const extent of image.source.extents(0, image.source.size, signal)) extents.push(extent)
    expect(extents.reduce((sum, extent) => sum + extent.length, 0)).toBe(image.source.size)
    expect(extents.filter((extent) => extent.kind === 'data').reduce((sum, extent) => sum + extent.length, 0)).toBe(
      head.byteLength,
    )
    expect(leftovers().length).toBe(before.length + 1)
  }
  expect(leftovers()).toEqual(before)
})

async function extentsIn(file: string, start: number, end: number): Promise<object[]> {
  await using image = await openImage(file, signal)
  return await Array.fromAsync(image.source.extents(start, end, signal))
}

test('holes of a raw image are zeros that nobody reads; without qemu-img all of it is read', async () => {
  const { file, head } = makeRaw()
  const end = 32 * 2 ** 20
  const hole = { offset: head.byteLength, length: end - head.byteLength, kind: 'zero' }
  expect(await extentsIn(file, 0, end)).toEqual([{ offset: 0, length: head.byteLength, kind: 'data' }, hole])
  const start = 2 ** 20
  expect(await extentsIn(file, start, end)).toEqual([{ offset: start, length: 2 ** 20, kind: 'data' }, hole])
  const path = process.env['PATH']
  process.env['PATH'] = '/nonexistent'
  try {
    expect(await extentsIn(file, 0, end)).toEqual([{ offset: 0, length: end, kind: 'data' }])
  } finally {
    process.env['PATH'] = path
  }
})

test('a damaged qcow2 image is said, and leaves nothing behind', async () => {
  const file = join(folder, 'broken.qcow2')
  writeFileSync(file, Buffer.concat([Buffer.from('QFI\u00FB', 'latin1'), randomBytes(4096)]))
  const before = leftovers()
  await expect(openImage(file, signal)).rejects.toMatchObject({
    code: 'SourceReadFailed',
    message: expect.stringContaining('broken.qcow2') as string,
  })
  expect(leftovers()).toEqual(before)
})

test('without qemu-nbd the message says what to install', async () => {
  const { file } = makeRaw()
  const qcow2 = join(folder, 'disk.qcow2')
  execFileSync('qemu-img', ['convert', '-O', 'qcow2', file, qcow2])
  const path = process.env['PATH']
  try {
    process.env['PATH'] = folder
    await expect(openImage(qcow2, signal)).rejects.toMatchObject({
      code: 'PackageMissing',
      hint: expect.stringContaining('apt install qemu-utils') as string,
    })
  } finally {
    process.env['PATH'] = path
  }
})

test('a raw image must be a whole number of sectors, and must be there', async () => {
  const file = join(folder, 'odd.raw')
  writeFileSync(file, 'x')
  await expect(openImage(file, signal)).rejects.toMatchObject({ code: 'SizeMismatch' })
  await expect(openImage(join(folder, 'gone.raw'), signal)).rejects.toMatchObject({ code: 'NotFound' })
  expect(existsSync(file)).toBe(true)
})
