/**
 * A real file system (ext4, made and changed by e2fsprogs) with text and programs of this machine on it: an upgrade is
 * ordinary, files that are encrypted in place are flagged at the next point, whatever way the points were made.
 */
import { execFileSync } from 'node:child_process'
import { createCipheriv, createHash, randomBytes } from 'node:crypto'
import {
  closeSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { MiB } from '../../base/index.ts'
import type { MeasuredChange } from '../../catalog/index.ts'
import { aPoint, furnish, testCatalog } from '../../catalog/testing.ts'
import type { PointChange } from '../../repository/index.ts'
import { backUp, ModelDisk, noSignal, RepositoryLab } from '../../repository/testing/index.ts'

const block = 4096
const size = 224 * MiB
const texts = fileURLToPath(new URL('../../node_modules/typescript/lib/', import.meta.url))

let lab: RepositoryLab
let folder: string
let image: string
beforeAll(async () => {
  lab = await RepositoryLab.create()
  folder = mkdtempSync(join(tmpdir(), 'holdfast-suspicious-'))
  image = join(folder, 'disk.img')
  const tree = join(folder, 'tree')
  mkdirSync(join(tree, 'docs'), { recursive: true })
  mkdirSync(join(tree, 'bin'))
  for (const name of documents()) cpSync(join(texts, name), join(tree, 'docs', name))
  for (const file of programs(0, 24 * MiB)) cpSync(file, join(tree, 'bin', basename(file)))
  writeFileSync(image, '')
  truncateSync(image, size)
  execFileSync('mke2fs', ['-q', '-t', 'ext4', '-b', String(block), '-d', tree, image], { stdio: 'pipe' })
  rmSync(tree, { recursive: true })
  // An aged disk: what was deleted lies where the upgrade writes.
  const old = join(folder, 'old')
  writeFileSync(old, Buffer.concat(documents().map((name) => readFileSync(join(texts, name)))))
  change([`write ${old} old-1`, `write ${old} old-2`, 'rm old-1', 'rm old-2'])
})
afterAll(async () => {
  await lab?.[Symbol.asyncDispose]()
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
})

function documents(): string[] {
  return readdirSync(texts).filter((name) => /\.(js|d\.ts)$/.test(name))
}

/** Programs of this machine, without those that come before, until they are so many bytes. */
function programs(skip: number, bytes: number): string[] {
  const all = readdirSync('/usr/bin')
    .map((name) => join('/usr/bin', name))
    .filter((path) => {
      const { size: length } = statSync(path, { throwIfNoEntry: false }) ?? { size: 0 }
      return (
        length > 64 * 1024 && length < 8 * MiB && readFileSync(path).subarray(0, 4).toString('latin1') === '\x7fELF'
      )
    })
  let before = 0
  return all.filter((path) => {
    const { size: length } = statSync(path)
    before += length
    return before > skip && before <= skip + bytes
  })
}

/** Commands of debugfs, which writes as the kernel would: bitmaps, extents, directories. */
function change(commands: readonly string[]): void {
  const script = join(folder, 'script')
  writeFileSync(script, `${commands.join('\n')}\n`)
  execFileSync('debugfs', ['-w', '-f', script, image], { stdio: 'pipe' })
}

/** New archives beside the programs that come out of them, and old programs replaced. */
function upgrade(): void {
  const commands: string[] = []
  for (const [index, file] of programs(24 * MiB, 30 * MiB).entries()) {
    const archive = join(folder, `package-${index}.gz`)
    writeFileSync(archive, gzipSync(readFileSync(file)))
    commands.push(`write ${archive} bin/package-${index}.gz`, `write ${file} bin/new-${basename(file)}`)
  }
  for (const file of programs(0, 10 * MiB)) {
    // Its content differs by more than its name: another release.
    const next = join(folder, `next-${basename(file)}`)
    writeFileSync(next, Buffer.from(readFileSync(file)).reverse())
    commands.push(`rm bin/${basename(file)}`, `write ${next} bin/${basename(file)}`)
  }
  change(commands)
}

/** Each block of the file where it is: what a program does that opens a file and writes its ciphertext over it. */
function encryptInPlace(names: readonly string[]): number {
  const cipher = createCipheriv('aes-256-ctr', randomBytes(32), randomBytes(16))
  const file = readFileSync(image)
  let bytes = 0
  for (const name of names) {
    const listed = execFileSync('debugfs', ['-R', `blocks docs/${name}`, image], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const number of listed.trim().split(/\s+/).map(Number)) {
      const at = number * block
      cipher.update(file.subarray(at, at + block)).copy(file, at)
      bytes += block
    }
  }
  writeFileSync(image, file)
  return bytes
}

function diskNow(): ModelDisk {
  const disk = new ModelDisk(size)
  const fd = openSync(image, 'r')
  const piece = Buffer.alloc(MiB)
  for (let at = 0; at < size; at += MiB) {
    readSync(fd, piece, 0, MiB, at)
    if (piece.some((byte) => byte !== 0)) disk.write(at, piece)
  }
  closeSync(fd)
  return disk
}

function measured(change: PointChange | null): MeasuredChange['compared'] {
  if (change === null) return null
  const { beforeSnap: beforeId, beforeMs, ...figures } = change
  return { beforeId, beforeMs, figures }
}

test('an upgrade is ordinary, and files that are encrypted in place are flagged at the next point', async () => {
  await using repository = await lab.open()
  using world = testCatalog()
  const { catalog } = world
  furnish(catalog)
  let last: string | null = null
  let n = 0
  const point = async (mode: 'full' | 'incremental') => {
    n += 1
    const parent = mode === 'full' ? null : last
    const { stem, snap } = await backUp(repository, diskNow(), { vm: 'server', parent, mode })
    last = stem
    const compared = await repository.compareWithPrevious(stem, noSignal)
    catalog.points.record(aPoint(n, { id: snap, stem, createdMs: world.clock.ms + n * 86_400_000 }))
    return catalog.changes.record({ pointId: snap, compared: measured(compared), problem: null })
  }
  const logs = (day: number) => {
    const path = join(folder, `log-${day}`)
    const line = (index: number) =>
      `${day} ${index} ${createHash('sha256').update(`${day}${index}`).digest('hex')} GET /index.html 200\n`
    writeFileSync(path, Array.from({ length: 8000 }, (_, index) => line(index)).join(''))
    change([`write ${path} docs/access-${day}.log`])
  }

  expect(await point('full')).toMatchObject({ figures: null, isSuspicious: false })
  upgrade()
  const upgraded = await point('incremental')
  expect(upgraded, JSON.stringify(upgraded)).toMatchObject({ isSuspicious: false })
  expect((upgraded.figures?.rewrittenBytes ?? 0) + (upgraded.figures?.addedBytes ?? 0)).toBeGreaterThan(30 * MiB)
  expect(upgraded.figures?.rewrittenBytes, JSON.stringify(upgraded)).toBeGreaterThan(15 * MiB)
  for (const day of [1, 2, 3]) {
    logs(day)
    expect(await point('incremental')).toMatchObject({ isSuspicious: false })
  }
  const bytes = encryptInPlace(documents())
  expect(bytes).toBeGreaterThan(15 * MiB)
  // In full, as after a restart that lost the bitmaps.
  const flagged = await point('full')
  expect(flagged, JSON.stringify(flagged)).toMatchObject({ isSuspicious: true, sign: 'encrypted' })
})

test('a part of the documents is enough, without anything known of the VM', async () => {
  await using repository = await lab.open()
  using world = testCatalog()
  furnish(world.catalog)
  const before = await backUp(repository, diskNow(), { vm: 'part' })
  expect(before.stem).toBeTruthy()
  const big = documents()
    .filter((name) => statSync(join(texts, name)).size > 4 * MiB)
    .slice(0, 2)
  // They were encrypted above: what is written over them now is text again, and then noise.
  change(big.flatMap((name) => [`rm docs/${name}`, `write ${join(texts, name)} docs/${name}`]))
  await backUp(repository, diskNow(), { vm: 'part' })
  expect(encryptInPlace(big)).toBeGreaterThan(8 * MiB)
  const { stem, snap } = await backUp(repository, diskNow(), { vm: 'part' })
  const compared = measured(await repository.compareWithPrevious(stem, noSignal))
  world.catalog.points.record(aPoint(1, { id: snap, stem }))
  const row = world.catalog.changes.record({ pointId: snap, compared, problem: null })
  expect(row, JSON.stringify(row)).toMatchObject({ isSuspicious: true })
})
