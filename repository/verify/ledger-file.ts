import { mkdir, open, readFile, rename, rm, truncate, type FileHandle } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { buffer, fromHex, toHex } from '../format/index.ts'
import type { LedgerPass, VerifyLedger } from '../types.ts'

/** name 32 ‖ L3 u32 ‖ L4 u32, in Unix seconds. */
const RECORD = 40
/** Records that are read at a time. */
const BATCH = 4096
/** Additions that are kept beside the sorted file before they are merged into it. */
const MAX_ADDED = 65_536

/**
 * The ledger of one host: a sorted file and, beside it, what was added since. Memory follows the additions, 5 MiB at most. It
 * is a cache: whatever in it cannot be used is forgotten, which costs a second pass.
 */
export class FileLedger implements VerifyLedger {
  readonly #path: string
  readonly #warn: (message: string) => void
  /** By pack in hex: seconds of the last pass on L3 and L4. */
  #added: Map<string, { l3: number; l4: number }> | undefined
  /** One change of the files after the other. */
  #turn: Promise<void> = Promise.resolve()
  #broken = false

  /** The ledger of a repository in the cache directory of this host. */
  static in(cacheDir: string, repo: string, warn: (message: string) => void): FileLedger {
    return new FileLedger(join(cacheDir, repo, 'verified'), warn)
  }

  constructor(path: string, warn: (message: string) => void) {
    this.#path = path
    this.#warn = warn
  }

  async *passes(signal: AbortSignal): AsyncGenerator<LedgerPass> {
    await this.#inTurn(() => this.#merge())
    if (this.#broken) return
    for await (const record of records(this.#path)) {
      signal.throwIfAborted()
      yield {
        pack: toHex(record.subarray(0, 32)),
        l3Ms: record.readUInt32LE(32) * 1000,
        l4Ms: record.readUInt32LE(36) * 1000,
      }
    }
  }

  async record(
    passes: readonly { readonly pack: string; readonly level: 'L3' | 'L4'; readonly atMs: number }[],
  ): Promise<void> {
    await this.#inTurn(async () => {
      const added = await this.#load()
      const lines = passes.map(({ pack, level, atMs }) => {
        const seconds = Math.floor(atMs / 1000)
        const known = added.get(pack)
        const next = { l3: known?.l3 ?? 0, l4: known?.l4 ?? 0 }
        const of = level === 'L3' ? 'l3' : 'l4'
        // What another host has read may be told after what this one has.
        next[of] = Math.max(next[of], seconds)
        added.set(pack, next)
        return encode(pack, next)
      })
      await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 })
      await using file = await open(this.#addedPath, 'a', 0o600)
      await file.write(Buffer.concat(lines))
      if (added.size >= MAX_ADDED) await this.#merge()
    })
  }

  get #addedPath(): string {
    return `${this.#path}.added`
  }

  /** A cache that fails must not fail a verify. */
  async #inTurn(work: () => Promise<void>): Promise<void> {
    const mine = this.#turn.then(async () => {
      if (this.#broken) return
      try {
        await work()
      } catch (error) {
        this.#broken = true
        this.#warn(`the ledger of verify passes ${this.#path} cannot be kept: ${String(error)}`)
      }
    })
    this.#turn = mine
    await mine
  }

  async #load(): Promise<Map<string, { l3: number; l4: number }>> {
    if (this.#added !== undefined) return this.#added
    const added = new Map<string, { l3: number; l4: number }>()
    const bytes = await readFile(this.#addedPath).catch(absent)
    // Killed in the middle of a record: what comes after it must begin at its place.
    if (bytes !== undefined && bytes.length % RECORD !== 0) {
      await truncate(this.#addedPath, bytes.length - (bytes.length % RECORD))
    }
    for (let at = 0; bytes !== undefined && at + RECORD <= bytes.length; at += RECORD) {
      added.set(toHex(bytes.subarray(at, at + 32)), {
        l3: bytes.readUInt32LE(at + 32),
        l4: bytes.readUInt32LE(at + 36),
      })
    }
    this.#added = added
    return added
  }

  /** Sorted file and additions become one sorted file. Killed in between: the additions are merged again. */
  async #merge(): Promise<void> {
    const added = await this.#load()
    if (added.size === 0) return
    const next = `${this.#path}.${process.pid}.next`
    {
      await using out = await open(next, 'w', 0o600)
      const writer = new Batches(out)
      const rest = [...added].sort(([a], [b]) => (a < b ? -1 : 1))
      let index = 0
      const upTo = async (pack: string | undefined): Promise<void> => {
        for (let item = rest[index]; item !== undefined && (pack === undefined || item[0] < pack); item = rest[index]) {
          await writer.write(encode(...item))
          index += 1
        }
      }
      for await (const record of records(this.#path)) {
        const pack = toHex(record.subarray(0, 32))
        await upTo(pack)
        const item = rest[index]
        if (item?.[0] !== pack) {
          await writer.write(record)
          continue
        }
        const { l3, l4 } = item[1]
        const old = { l3: record.readUInt32LE(32), l4: record.readUInt32LE(36) }
        await writer.write(encode(pack, { l3: Math.max(l3, old.l3), l4: Math.max(l4, old.l4) }))
        index += 1
      }
      await upTo(undefined)
      await writer.end()
    }
    await rename(next, this.#path)
    await rm(this.#addedPath, { force: true })
    added.clear()
  }
}

function encode(pack: string, { l3, l4 }: { readonly l3: number; readonly l4: number }): Buffer {
  const record = Buffer.alloc(RECORD)
  record.set(fromHex(pack, 32, 'pack name'))
  record.writeUInt32LE(l3, 32)
  record.writeUInt32LE(l4, 36)
  return record
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
}

async function* records(path: string): AsyncGenerator<Buffer> {
  const file = await open(path, 'r').catch(absent)
  if (file === undefined) return
  await using handle = file
  const batch = Buffer.alloc(RECORD * BATCH)
  for (let at = 0; ; at += batch.length) {
    const { bytesRead } = await handle.read(batch, 0, batch.length, at)
    for (let record = 0; record + RECORD <= bytesRead; record += RECORD) {
      yield buffer(batch).subarray(record, record + RECORD)
    }
    if (bytesRead < batch.length) return
  }
}

/** Writes small records in larger pieces. */
class Batches {
  readonly #file: FileHandle
  #waiting: Buffer[] = []

  constructor(file: FileHandle) {
    this.#file = file
  }

  async write(record: Buffer): Promise<void> {
    this.#waiting.push(Buffer.from(record))
    if (this.#waiting.length >= BATCH) await this.end()
  }

  async end(): Promise<void> {
    await this.#file.write(Buffer.concat(this.#waiting.splice(0)))
  }
}
