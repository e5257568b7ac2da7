import * as fs from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHash, randomBytes } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { MiB } from '../../base/index.ts'
import { MemoryBucket } from '../testing/index.ts'
import { storeContract } from './contract.ts'
import { FaultyStore } from './faulty.ts'
import { realFs, type PosixFs } from './posix-files.ts'
import { PosixStore, type PosixOptions } from './posix.ts'
import { listAll, type ObjectStore } from './store.ts'

vi.setConfig({ testTimeout: 30_000 })

let home = ''
let root = ''
let made = 0
beforeAll(async () => {
  home = await fs.mkdtemp(join(tmpdir(), 'holdfast-posix-'))
})
afterAll(() => fs.rm(home, { recursive: true }))

async function place(): Promise<string> {
  const path = join(home, String((made += 1)))
  await fs.mkdir(path)
  return path
}
beforeEach(async () => {
  root = await place()
})

const signal = new AbortController().signal
const connect = (options: PosixOptions = {}) => new PosixStore(root, { reserveBytes: 0, ...options })
const put = (store: ObjectStore, name: string, body: Uint8Array, defer = false) =>
  store.putIfAbsent(name, body, { sha256: createHash('sha256').update(body).digest(), defer, signal })
const body = (text: string) => Buffer.from(text)

storeContract('posix', async () => {
  const path = await place()
  return { page: 100, connect: () => new PosixStore(path, { reserveBytes: 0, page: 100 }) }
})
storeContract('posix without hard links', async () => {
  const path = await place()
  const files = { ...realFs, link: failing('EPERM') }
  // Check, then rename: not atomic, so the race of many writers is not for it. Here they share one process' order.
  const one = serialized(new PosixStore(path, { reserveBytes: 0, page: 100, files }))
  return { page: 100, connect: () => one }
})
storeContract('memory', async () => {
  const bucket = new MemoryBucket()
  return { page: 1000, connect: () => bucket.connect() }
})
storeContract('faulty, without faults', async () => {
  const bucket = new MemoryBucket()
  return { page: 1000, connect: () => new FaultyStore(bucket.connect(), () => undefined) }
})

function errno(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: injected`), { code })
}

function failing(code: string): () => Promise<never> {
  return () => Promise.reject(errno(code))
}

/** Puts one after the other. */
function serialized(store: PosixStore): ObjectStore {
  let last: Promise<unknown> = Promise.resolve()
  return new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== 'function') return value
      const bound = (value as (...args: unknown[]) => Promise<unknown>).bind(target)
      if (name !== 'putIfAbsent') return bound
      return (...args: unknown[]) => {
        last = last.then(
          () => bound(...args),
          () => bound(...args),
        )
        return last
      }
    },
  })
}

/** File handles whose method fails the first `times` times. */
function withHandles(method: 'datasync' | 'write' | 'sync', code: string, times = Infinity): PosixFs {
  let failures = 0
  return {
    ...realFs,
    open: async (...args: Parameters<PosixFs['open']>) => {
      const handle = await fs.open(...args)
      const original = handle[method].bind(handle) as (...rest: unknown[]) => Promise<unknown>
      Object.assign(handle, {
        [method]: (...rest: unknown[]) => (failures++ < times ? Promise.reject(errno(code)) : original(...rest)),
      })
      return handle
    },
  }
}

describe('a posix store', () => {
  it('says that link is missing by what it can promise', async () => {
    const store = connect({ files: { ...realFs, link: failing('EOPNOTSUPP') } })
    expect(store.capabilities.putIfAbsent).toBe('native')
    expect(await put(store, 'x', body('1'))).toBe('created')
    expect(await put(store, 'x', body('2'))).toBe('exists')
    expect(store.capabilities.putIfAbsent).toBe('emulated')
    expect(await fs.readdir(join(root, 'tmp'))).toEqual([])
  })

  it('takes a link that was sent twice for its own success, as over NFS', async () => {
    const twice: PosixFs['link'] = async (from, to) => {
      await fs.link(from, to)
      throw errno('EEXIST')
    }
    expect(await put(connect({ files: { ...realFs, link: twice } }), 'x', body('1'))).toBe('created')
  })

  it('leaves nothing under a name whose bytes were not synced, and writes them again into another file', async () => {
    const store = connect({ files: withHandles('datasync', 'EIO', 1) })
    expect(await put(store, 'x', body('1'))).toBe('created')
    const broken = connect({ files: withHandles('datasync', 'EIO') })
    await expect(put(broken, 'y', body('2'))).rejects.toMatchObject({ code: 'StoreUnavailable' })
    expect((await listAll(connect(), '')).map(({ name }) => name)).toEqual(['x'])
    expect(await fs.readdir(join(root, 'tmp'))).toEqual([])
  })

  it('names path and reason where it is denied or full', async () => {
    const denied = connect({ files: { ...realFs, open: failing('EACCES') } })
    await expect(put(denied, 'x', body('1'))).rejects.toMatchObject({
      code: 'StoreDenied',
      message: expect.stringContaining(root) as string,
      hint: expect.stringContaining(root) as string,
    })
    for (const code of ['ENOSPC', 'EDQUOT']) {
      const full = connect({ files: withHandles('write', code) })
      await expect(put(full, 'x', body('1'))).rejects.toMatchObject({ code: 'StoreFull' })
    }
    const readOnly = connect({ files: { ...realFs, link: failing('EROFS') } })
    await expect(put(readOnly, 'x', body('1'))).rejects.toMatchObject({ code: 'StoreDenied' })
  })

  it('fails whoever flushes as long as a deferred put could not be published', async () => {
    let broken = true
    const link: PosixFs['link'] = (from, to) => (broken ? Promise.reject(errno('EIO')) : fs.link(from, to))
    const store = connect({ files: { ...realFs, link } })
    await put(store, 'pack/aa/1', body('1'), true)
    await expect(store.flush()).rejects.toMatchObject({ code: 'StoreUnavailable' })
    await put(store, 'pack/aa/2', body('2'), true)
    await expect(store.flush()).rejects.toMatchObject({ code: 'StoreUnavailable' })
    broken = false
    await store.flush()
    expect(await listAll(connect(), 'pack/')).toHaveLength(2)
  })

  it('fails a flush whose directory could not be synced, and syncs it at the next', async () => {
    const folder = join(root, 'pack', 'aa')
    let failures = 0
    let synced = 0
    const files: PosixFs = {
      ...realFs,
      open: async (path, ...rest) => {
        const handle = await fs.open(path, ...rest)
        if (path !== folder) return handle
        const sync = handle.sync.bind(handle)
        return Object.assign(handle, {
          sync: async () => {
            if (failures++ === 0) throw errno('EIO')
            await sync()
            synced += 1
          },
        })
      },
    }
    const store = connect({ files })
    await put(store, 'pack/aa/1', body('1'), true)
    await expect(store.flush()).rejects.toMatchObject({ code: 'StoreUnavailable' })
    // Linked already, but not durable: the next flush owes the sync.
    await store.flush()
    expect(synced).toBe(1)
  })

  it('gives up its reserve when the disk is full, so that small objects still fit', async () => {
    let left = Infinity
    const real = withWrites(() => left)
    const store = connect({ reserveBytes: 2 * MiB, files: real })
    await put(store, 'first', body('1'))
    expect((await fs.stat(join(root, '.reserve'))).size).toBe(2 * MiB)
    const files = { ...real, unlink: async (path: string) => (await fs.unlink(path), void (left = MiB)) } as PosixFs
    const full = connect({ reserveBytes: 2 * MiB, files })
    left = 0
    expect(await put(full, 'gc/record', body('small'))).toBe('created')
    expect(await exists(join(root, '.reserve'))).toBe(false)
  })

  it('gives up its reserve for a link that finds the disk full, and makes the link', async () => {
    let failures = 1
    const link: PosixFs['link'] = (from, to) => (failures-- > 0 ? Promise.reject(errno('ENOSPC')) : fs.link(from, to))
    await put(connect({ reserveBytes: MiB }), 'first', body('1'))
    expect(await put(connect({ reserveBytes: MiB, files: { ...realFs, link } }), 'gc/record', body('2'))).toBe(
      'created',
    )
    expect(await exists(join(root, '.reserve'))).toBe(false)
  })

  it.each(['large', 'small'])('keeps its reserve when a %s pack finds the disk full', async (size) => {
    let left = Infinity
    const link: PosixFs['link'] = (from, to) => (left === 0 ? Promise.reject(errno('ENOSPC')) : fs.link(from, to))
    const store = connect({ reserveBytes: MiB, files: { ...withWrites(() => left), link } })
    await put(store, 'first', body('1'))
    const pack = `pack/aa/aa${'0'.repeat(62)}`
    await put(store, pack, body('a pack that is linked only when there is no space left'), true)
    left = 0
    const content = size === 'large' ? randomBytes(3 * MiB) : body('small')
    await expect(put(store, pack, content, true)).rejects.toMatchObject({ code: 'StoreFull' })
    await expect(store.flush()).rejects.toMatchObject({ code: 'StoreFull' })
    expect((await fs.stat(join(root, '.reserve'))).size).toBe(MiB)
  })

  it('removes what it was writing when that is discarded, also what is still under way', async () => {
    let go = () => {}
    const gate = new Promise<void>((resolve) => (go = resolve))
    const files: PosixFs = {
      ...realFs,
      open: async (path, ...rest) => {
        const handle = await fs.open(path, ...rest)
        const datasync = handle.datasync.bind(handle)
        return Object.assign(handle, {
          datasync: async () => {
            if ((await handle.stat()).size === 4) await gate
            await datasync()
          },
        })
      },
    }
    const store = connect({ files })
    await put(store, 'pack/aa/1', body('1'), true)
    const slow = put(store, 'pack/aa/slow', body('slow'), true)
    const given = Promise.allSettled([slow])
    const discarded = store.discard()
    go()
    await discarded
    expect(await given).toMatchObject([{ status: 'rejected', reason: { code: 'Cancelled' } }])
    expect(await fs.readdir(join(root, 'tmp'))).toEqual([])
    await store.flush()
    expect(await listAll(connect(), '')).toEqual([])
  })

  it('leaves nothing in tmp/ of an object that could not be linked', async () => {
    const store = connect({ files: { ...realFs, link: failing('EROFS') } })
    await expect(put(store, 'x', body('1'))).rejects.toMatchObject({ code: 'StoreDenied' })
    expect(await fs.readdir(join(root, 'tmp'))).toEqual([])
  })

  it('sweeps what was left in tmp/ a day ago, and never lists it', async () => {
    await fs.mkdir(join(root, 'tmp'))
    await fs.writeFile(join(root, 'tmp', 'old'), 'x')
    await fs.writeFile(join(root, 'tmp', 'young'), 'x')
    const yesterday = Date.now() / 1000 - 25 * 3600
    await fs.utimes(join(root, 'tmp', 'old'), yesterday, yesterday)
    await fs.writeFile(join(root, '.hidden'), 'x')
    await put(connect(), 'x', body('1'))
    expect(await fs.readdir(join(root, 'tmp'))).toEqual(['young'])
    expect((await listAll(connect(), '')).map(({ name }) => name)).toEqual(['x'])
  })

  it('sweeps again after an hour, in a process that lives on', async () => {
    let now = Date.now()
    const at = { clock: () => now }
    await put(connect(at), 'x', body('1'))
    await fs.writeFile(join(root, 'tmp', 'left'), 'x')
    const dayBefore = now / 1000 - 25 * 3600
    await fs.utimes(join(root, 'tmp', 'left'), dayBefore, dayBefore)
    now += 3_599_000
    await put(connect(at), 'y', body('1'))
    expect(await fs.readdir(join(root, 'tmp'))).toEqual(['left'])
    now += 2_000
    await put(connect(at), 'z', body('1'))
    expect(await fs.readdir(join(root, 'tmp'))).toEqual([])
  })

  it('does not take a share that was unmounted for an empty repository', async () => {
    const store = connect()
    await put(store, 'x', body('1'))
    await fs.rename(root, `${root}-away`)
    await expect(store.head('x')).rejects.toMatchObject({ code: 'RepositoryMissing' })
    await fs.mkdir(root)
    await expect(store.head('x')).rejects.toMatchObject({ code: 'StoreUnavailable' })
    await expect(store.list('')).rejects.toMatchObject({ code: 'StoreUnavailable' })
    await expect(store.get('x', MiB, signal)).rejects.toMatchObject({ code: 'StoreUnavailable' })
    await expect(put(store, 'y', body('1'))).rejects.toMatchObject({ code: 'StoreUnavailable' })
  })

  it('syncs every directory that a listing has read', async () => {
    await put(connect(), 'snap/s/x.m', body('1'))
    const synced: string[] = []
    const files: PosixFs = {
      ...realFs,
      open: async (path, ...rest) => {
        const handle = await fs.open(path, ...rest)
        const sync = handle.sync.bind(handle)
        return Object.assign(handle, { sync: () => (synced.push(join(String(path), '.')), sync()) })
      },
    }
    await listAll(connect({ files }), 'snap/')
    expect(synced.sort()).toEqual([join(root, 'snap'), join(root, 'snap', 's')])
  })

  it('refuses names in its own folder', async () => {
    await expect(put(connect(), 'tmp/x', body('1'))).rejects.toThrow(TypeError)
  })

  it('reads from a copy that cannot be written', async () => {
    await put(connect(), 'snap/s/x.m', body('1'))
    const files = { ...withHandles('sync', 'EROFS'), mkdir: failing('EROFS'), link: failing('EROFS') }
    const store = connect({ files })
    expect(await listAll(store, '')).toHaveLength(1)
    expect(Buffer.from(await store.get('snap/s/x.m', MiB, signal)).toString()).toBe('1')
  })
})

/** A disk with so many bytes left for each file. */
function withWrites(left: () => number): PosixFs {
  return {
    ...realFs,
    open: async (...args: Parameters<PosixFs['open']>) => {
      const handle = await fs.open(...args)
      const write = handle.write.bind(handle) as (...rest: unknown[]) => Promise<unknown>
      return Object.assign(handle, {
        write: (bytes: Uint8Array, at: number, length: number, position: number) =>
          position + length > left() ? Promise.reject(errno('ENOSPC')) : write(bytes, at, length, position),
      })
    },
  }
}

async function exists(path: string): Promise<boolean> {
  return await fs.stat(path).then(
    () => true,
    () => false,
  )
}

it('the last of the scratch objects that are deleted at once takes their folder away, and tries it once', async () => {
  let tries = 0
  const files: PosixFs = {
    ...realFs,
    rmdir: async (path) => {
      tries += 1
      await realFs.rmdir(path)
    },
  }
  const store = new PosixStore(root, { files, reserveBytes: 0 })
  const names = Array.from({ length: 20 }, (_, index) => `probe-tmp/${'ab'.repeat(16)}/x${index}`)
  const { signal } = new AbortController()
  for (const name of names) await store.putIfAbsent(name, Buffer.from('x'), { sha256: Buffer.alloc(32), signal })
  await Promise.all(names.map((name) => store.delete(name)))
  expect(tries).toBe(1)
  await expect(fs.stat(join(root, 'probe-tmp', 'ab'.repeat(16)))).rejects.toMatchObject({ code: 'ENOENT' })
})
