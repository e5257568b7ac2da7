import * as fs from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { parseName } from '../format/index.ts'
import type { PosixStore } from '../store/index.ts'
import { MemoryBucket } from './memory-store.ts'

type PosixFs = NonNullable<NonNullable<ConstructorParameters<typeof PosixStore>[1]>['files']>

/** What the medium holds after the power came back: what was synced, and of the rest whatever it happened to hold. */
export type Loss = 'process' | 'power'

/**
 * A file system that stops in the middle of everything: after so many ticks every call fails. A tick is a byte that is written
 * or a call that changes something, so that it can stop after any byte and between any two calls.
 */
export class PowerCut {
  readonly files: PosixFs
  readonly #at: number
  readonly #random: () => number
  ticks = 0
  /** Files whose bytes were not synced, with how many were written. */
  readonly #unsynced = new Map<string, number>()
  /** Names whose folder was not synced since they were made. */
  readonly #names = new Set<string>()

  constructor(at: number, random: () => number) {
    this.#at = at
    this.#random = random
    this.files = {
      ...fs,
      open: (async (path: string, flags: string, mode?: number) => {
        if (flags === 'wx') this.#tick()
        this.#alive()
        return this.#handle(await fs.open(path, flags, mode), path, flags === 'wx')
      }) as PosixFs['open'],
      link: async (from, to) => {
        this.#tick()
        await fs.link(from, to)
        this.#names.add(String(to))
        // Another name of the same bytes: the first one goes, and what was not synced stays so.
        const bytes = this.#unsynced.get(String(from))
        if (bytes !== undefined) this.#unsynced.set(String(to), bytes)
      },
      rename: async (from, to) => {
        this.#tick()
        await fs.rename(from, to)
      },
      unlink: async (path) => {
        this.#tick()
        await fs.unlink(path)
        this.#unsynced.delete(String(path))
      },
    }
  }

  get isDead(): boolean {
    return this.ticks >= this.#at
  }

  /** What a sync had not reached is torn, zeroed or gone, each as chance will have it. */
  async loseWhatWasNotSynced(): Promise<void> {
    for (const path of this.#names) {
      if (this.#random() >= 0.5) continue
      await fs.rm(path, { force: true })
      this.#unsynced.delete(path)
    }
    for (const [path, bytes] of this.#unsynced) {
      if (this.#random() < 0.5) await fs.truncate(path, Math.floor(bytes * this.#random()))
      else await fs.writeFile(path, Buffer.alloc(bytes))
    }
  }

  #alive(): void {
    if (this.isDead) throw Object.assign(new Error('the process has ended'), { code: 'ESHUTDOWN' })
  }

  #tick(): void {
    this.#alive()
    this.ticks += 1
    this.#alive()
  }

  #handle(handle: fs.FileHandle, path: string, isNew: boolean): fs.FileHandle {
    if (isNew) this.#unsynced.set(path, 0)
    const own = {
      write: async (body: Uint8Array, offset: number, length: number, position: number) => {
        this.#alive()
        const fits = Math.min(length, this.#at - this.ticks)
        const written = await handle.write(body, offset, fits, position)
        this.ticks += fits
        this.#unsynced.set(path, position + fits)
        this.#alive()
        return written
      },
      datasync: async () => {
        this.#tick()
        await handle.datasync()
        this.#unsynced.delete(path)
      },
      // Of a folder.
      sync: async () => {
        this.#tick()
        await handle.sync()
        for (const name of this.#names) if (dirname(name) === path) this.#names.delete(name)
      },
    }
    return new Proxy(handle, {
      get(target, property) {
        if (property in own) return own[property as keyof typeof own]
        const member: unknown = Reflect.get(target, property, target)
        return typeof member === 'function' ? (member.bind(target) as unknown) : member
      },
    })
  }
}

/** Lays a bucket's objects out as a directory store has them. */
export async function layOut(bucket: MemoryBucket, root: string): Promise<void> {
  await fs.mkdir(join(root, 'tmp'), { recursive: true })
  for (const [name, { body }] of bucket.objects) {
    await fs.mkdir(dirname(join(root, name)), { recursive: true })
    await fs.writeFile(join(root, name), body)
  }
}

/** The objects of a directory store: every file under a name that an object can have (§14.2). */
export async function bucketOf(root: string): Promise<MemoryBucket> {
  const bucket = new MemoryBucket()
  for (const entry of await fs.readdir(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    const name = path.slice(root.length + 1)
    if (entry.isFile() && parseName(name) !== undefined) bucket.set(name, await fs.readFile(path))
  }
  return bucket
}
