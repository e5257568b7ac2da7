import { spawn } from 'node:child_process'
import {
  copyFileSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
  closeSync,
  readFileSync,
  readlinkSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isHoldfastError } from '../base/index.ts'
import { isExhaustive } from '../tests/support/sampling.ts'
import { sandboxHere } from './restraints.ts'
import { layouts, type LayoutDisk } from './testing/maker.ts'
import { contentOf, openImages } from './testing/open.ts'

/** Disks that somebody has broken, or made to break their reader: nothing but the micro-VM may be hurt. */

let images: { readonly [name in LayoutDisk]: string }
let dir: string

beforeAll(async () => {
  images = await layouts()
  dir = mkdtempSync(join(tmpdir(), 'hf-hostile-'))
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

/** Same seed, same numbers (mulberry32). */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** A copy with `count` bytes of `ranges` changed. */
function broken(of: LayoutDisk, ranges: readonly (readonly [number, number])[], count: number, seed: number): string {
  const file = join(dir, `${of}-${seed}.img`)
  copyFileSync(images[of], file)
  const next = random(seed)
  const fd = openSync(file, 'r+')
  try {
    for (let n = 0; n < count; n += 1) {
      const [start, end] = ranges[Math.floor(next() * ranges.length)] ?? [0, 512]
      writeSync(fd, Buffer.from([Math.floor(next() * 256)]), 0, 1, start + Math.floor(next() * (end - start)))
    }
  } finally {
    closeSync(fd)
  }
  return file
}

/** Opens it and reads what there is; every end is fine that is told as an error of ours. */
async function usedUp(files: readonly string[]): Promise<string> {
  try {
    await using opened = await openImages(files)
    const { session } = opened
    let told = session.volumes.map(({ id, state }) => `${id}:${state}`).join(' ')
    for (const { id } of session.volumes.filter(({ state }) => state === 'files')) {
      try {
        const found = await session.search({ volume: id, path: '/' }, '*', AbortSignal.timeout(60_000))
        const archive = await session.archive(id, ['/'], 'tar', AbortSignal.timeout(60_000))
        await contentOf(archive.stream)
        told += ` ${id}: ${found.items.length} found, ${archive.figures.members} members, ${archive.figures.unreadable} unreadable`
      } catch (error) {
        if (!isHoldfastError(error)) throw error
        told += ` ${id}: ${error.code}`
      }
    }
    return told
  } catch (error) {
    if (!isHoldfastError(error)) throw error
    return error.code
  }
}

const MiB = 1024 * 1024

describe('a broken disk', () => {
  test.each([
    ['ext4', 'bare', [[1024, 2048]], 40],
    ['folders and inodes of ext4', 'bare', [[300 * 1024, 8 * MiB]], 400],
    ['folders and inodes of ext2, which has no checksums', 'mbr', [[61 * MiB + 300 * 1024, 68 * MiB]], 1_000],
    ['XFS and its neighbours', 'gpt', [[101 * MiB, 102 * MiB]], 2_000],
    [
      'Btrfs',
      'bta',
      [
        [64 * 1024, 68 * 1024],
        [16 * MiB, 32 * MiB],
      ],
      3_000,
    ],
    ['NTFS', 'mbr', [[MiB, 2 * MiB]], 3_000],
    ['the tables of partitions', 'gpt', [[0, 34 * 512]], 200],
    ['LVM', 'lvm', [[81 * MiB, 82 * MiB]], 500],
    ['RAID', 'mda', [[60 * MiB, 62 * MiB]], 500],
  ] as const)('with damage to %s is told, and hurts nobody', async (_what, of, ranges, count) => {
    for (const seed of isExhaustive ? [1, 2, 3] : [1])
      console.log(`${of} ${seed}: ${await usedUp([broken(of, ranges, count, seed)])}`)
  })

  test('that was cut off is opened as far as it goes', async () => {
    const file = join(dir, 'cut.img')
    copyFileSync(images.gpt, file)
    truncateSync(file, 90 * MiB)
    console.log(`cut: ${await usedUp([file])}`)
  })

  test('of noise has nothing in it', async () => {
    const file = join(dir, 'noise.img')
    const next = random(7)
    writeFileSync(file, Buffer.from(Array.from({ length: 4 * MiB }, () => Math.floor(next() * 256))))
    expect(await usedUp([file])).toMatch(/^d0:(empty|damaged)/)
  })

  test('whose folder leads back to one above it comes to an end', async () => {
    // ext4 without checksums of folders: the entry of deep/er gets the inode of the root.
    const file = join(dir, 'loop.img')
    copyFileSync(images.mbr, file)
    const fd = openSync(file, 'r+')
    const area = Buffer.alloc(40 * MiB)
    readSync(fd, area, 0, area.length, 61 * MiB)
    const name = Buffer.from([2, 2, 0x65, 0x72])
    const at = area.indexOf(name)
    expect(at).toBeGreaterThan(0)
    writeSync(fd, Buffer.from([2, 0, 0, 0]), 0, 4, 61 * MiB + at - 6)
    closeSync(fd)
    const told = await usedUp([file])
    console.log(`loop: ${told}`)
    expect(told).toMatch(/d0p2: /)
  })
})

describe('the micro-VM', () => {
  test('is unprivileged, in a sandbox, without a network, and bounded', async () => {
    await using opened = await openImages([images.bare])
    const { pid } = opened.session
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    expect(status).toMatch(/^Seccomp:\t2$/m)
    expect(status).toMatch(/^NoNewPrivs:\t1$/m)
    expect(status).toMatch(/^CapEff:\t0{16}$/m)
    if (process.getuid?.() === 0) expect(status).toMatch(/^Uid:\t65534\t65534\t65534\t65534$/m)
    const { isApart } = await sandboxHere()
    expect(readlinkSync(`/proc/${pid}/ns/net`) !== readlinkSync('/proc/self/ns/net')).toBe(isApart)
    const limits = readFileSync(`/proc/${pid}/limits`, 'utf8')
    expect(limits).toMatch(/^Max file size +0 +0 /m)
    expect(limits).toMatch(/^Max address space +2147483648 /m)
    expect(readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')).toContain('none')
  })

  test('dies with whoever started it, however that dies', async () => {
    const script = `
      import { openImages } from ${JSON.stringify(join(import.meta.dirname, 'testing/open.ts'))}
      const { session } = await openImages([${JSON.stringify(images.bare)}])
      console.log('pid ' + session.pid)
      setInterval(() => undefined, 1000)`
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const pid = await new Promise<number>((resolve, reject) => {
      child.stdout.on('data', (text: Buffer) => {
        const found = /pid (\d+)/.exec(text.toString())?.[1]
        if (found !== undefined) resolve(Number(found))
      })
      child.once('exit', () => reject(new Error('it did not start')))
    })
    expect(isThere(pid)).toBe(true)
    child.kill('SIGKILL')
    for (let n = 0; n < 100 && isThere(pid); n += 1) await sleep(50)
    expect(isThere(pid)).toBe(false)
  })
})

function isThere(pid: number): boolean {
  try {
    return !/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}
