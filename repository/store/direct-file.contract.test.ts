import { constants } from 'node:fs'
import * as fs from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { MiB } from '../../base/index.ts'
import { DirectFile, pageMemory } from './direct-file.ts'
import { realFs, type PosixFs } from './posix-files.ts'

const EXT4 = 0xef53
const TMPFS = 0x01021994

let home = ''
let made = 0
let path = ''
beforeAll(async () => {
  home = await fs.mkdtemp(join(tmpdir(), 'holdfast-direct-'))
})
afterAll(() => fs.rm(home, { recursive: true }))
beforeEach(() => {
  path = join(home, String((made += 1)))
})

/** What a file was asked, by whether it was opened to go past the page cache. */
interface Seen {
  readonly opened: { direct: number; usual: number }
  readonly written: { direct: number; usual: number }
  closed: number
}

type DirectWrite = (bytes: number) => { readonly error?: string; readonly take?: number }

/** The real file system, watched; `type`: what it says that it is; `past`: what becomes of a write past the page cache. */
function watched(type: number, past: DirectWrite = () => ({}), openError?: string): { files: PosixFs; seen: Seen } {
  const seen: Seen = { opened: { direct: 0, usual: 0 }, written: { direct: 0, usual: 0 }, closed: 0 }
  const files = {
    ...realFs,
    statfs: async (where: string) => ({ ...(await fs.statfs(where)), type }),
    open: async (...[where, flags, mode]: Parameters<PosixFs['open']>) => {
      const isDirect = typeof flags === 'number' && (flags & constants.O_DIRECT) !== 0
      if (isDirect && openError !== undefined) throw errno(openError)
      // The file system of the tests may be one that cannot: what is asked of it is the same.
      const handle = await fs.open(where, isDirect ? constants.O_WRONLY : flags, mode)
      seen.opened[isDirect ? 'direct' : 'usual'] += 1
      const write = handle.write.bind(handle) as (
        data: Uint8Array,
        from: number,
        length: number,
        at: number,
      ) => Promise<{ bytesWritten: number }>
      const close = handle.close.bind(handle)
      return Object.assign(handle, {
        write: async (data: Uint8Array, from: number, length: number, at: number) => {
          const { error, take } = isDirect ? past(length) : {}
          if (error !== undefined) throw errno(error)
          if (isDirect) expect([data.byteOffset % 4096, from % 4096, length % 4096, at % 4096]).toEqual([0, 0, 0, 0])
          const answer = await write(data, from, Math.min(length, take ?? length), at)
          seen.written[isDirect ? 'direct' : 'usual'] += answer.bytesWritten
          return answer
        },
        close: async () => {
          seen.closed += 1
          await close()
        },
      })
    },
  } as unknown as PosixFs
  return { files, seen }
}

function errno(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: injected`), { code })
}

function filled(bytes: number): ReturnType<typeof pageMemory> {
  const memory = pageMemory(bytes)
  memory.set(randomBytes(bytes))
  return memory
}

async function save(files: PosixFs, data: Uint8Array): Promise<void> {
  await using file = await DirectFile.create(files, path)
  await file.write(0, data)
  await file.datasync()
}

describe('a file that is written past the page cache', () => {
  it.each([0, 1, 4095, 4096, 4097, 65_536, 4 * MiB + 17])('holds all of %i bytes', async (length) => {
    for (const memory of [filled(length + 8192), Buffer.from(randomBytes(length + 8192))]) {
      const data = memory.subarray(0, length)
      await save(realFs, data)
      expect(Buffer.compare(await fs.readFile(path), data)).toBe(0)
      await fs.rm(path)
    }
  })

  it('has whole pages past it, and the rest the usual way', async () => {
    const { files, seen } = watched(EXT4)
    const data = filled(MiB).subarray(0, 3 * 4096 + 100)
    await save(files, data)
    expect(seen.written).toEqual({ direct: 3 * 4096, usual: 100 })
    expect(seen).toMatchObject({ opened: { direct: 1, usual: 1 }, closed: 2 })
    expect(Buffer.compare(await fs.readFile(path), data)).toBe(0)
  })

  it.each([
    ['memory that begins anywhere', Buffer.from(randomBytes(2 * MiB))],
    ['a view that begins within a page', filled(2 * MiB).subarray(8)],
  ])('takes %s the usual way', async (_, data) => {
    const { files, seen } = watched(EXT4)
    await save(files, data)
    expect(seen.written).toEqual({ direct: 0, usual: data.byteLength })
    expect(Buffer.compare(await fs.readFile(path), data)).toBe(0)
  })

  it('takes places that are within a page the usual way, and keeps holes', async () => {
    const { files, seen } = watched(EXT4)
    const data = filled(MiB)
    {
      await using file = await DirectFile.create(files, path)
      await file.truncate(64 * MiB)
      await Promise.all([file.write(8 * MiB, data), file.write(32 * MiB + 512, data)])
      await file.datasync()
    }
    expect(seen.written).toEqual({ direct: MiB, usual: MiB })
    const stored = await fs.readFile(path)
    expect(stored.byteLength).toBe(64 * MiB)
    expect(Buffer.compare(stored.subarray(8 * MiB, 9 * MiB), data)).toBe(0)
    expect(Buffer.compare(stored.subarray(32 * MiB + 512, 33 * MiB + 512), data)).toBe(0)
    expect((await fs.stat(path)).blocks * 512).toBeLessThan(4 * MiB)
  })

  it('is not tried on other file systems', async () => {
    const { files, seen } = watched(TMPFS)
    await save(files, filled(MiB))
    expect(seen.opened).toEqual({ direct: 0, usual: 1 })
  })

  it('is written the usual way where the file system takes the flag for invalid', async () => {
    const { files, seen } = watched(EXT4, undefined, 'EINVAL')
    const data = filled(MiB)
    await save(files, data)
    expect(seen.written).toEqual({ direct: 0, usual: MiB })
    expect(Buffer.compare(await fs.readFile(path), data)).toBe(0)
  })

  it('goes on the usual way after the file system has refused the size of a write', async () => {
    let writes = 0
    const { files, seen } = watched(EXT4, () => ((writes += 1) === 2 ? { error: 'EINVAL' } : {}))
    const data = [filled(MiB), filled(MiB), filled(MiB)]
    {
      await using file = await DirectFile.create(files, path)
      for (const [index, part] of data.entries()) await file.write(index * MiB, part)
    }
    expect(seen.written).toEqual({ direct: MiB, usual: 2 * MiB })
    expect(Buffer.compare(await fs.readFile(path), Buffer.concat(data))).toBe(0)
  })

  it('goes on after a write that was cut short', async () => {
    const answers = [{ take: 8192 }, { take: 5000 }]
    const { files, seen } = watched(EXT4, () => answers.shift() ?? {})
    const data = filled(MiB)
    await save(files, data)
    expect(seen.written).toEqual({ direct: 13_192, usual: MiB - 13_192 })
    expect(Buffer.compare(await fs.readFile(path), data)).toBe(0)
  })

  it.each(['ENOSPC', 'EIO'])('says %s, and leaves no handle open', async (code) => {
    const { files, seen } = watched(EXT4, () => ({ error: code }))
    await expect(save(files, filled(MiB))).rejects.toMatchObject({ code })
    expect(seen.closed).toBe(2)
  })

  it('leaves no handle open, and no file, where it cannot be opened a second time', async () => {
    const { files, seen } = watched(EXT4, undefined, 'EMFILE')
    await expect(save(files, filled(MiB))).rejects.toMatchObject({ code: 'EMFILE' })
    expect(seen).toMatchObject({ opened: { direct: 0, usual: 1 }, closed: 1 })
    await expect(fs.stat(path)).rejects.toMatchObject({ code: 'ENOENT' })
  })
})
