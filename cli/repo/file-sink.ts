import { open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { MiB } from '../../base/index.ts'
import { pageMemory, type DirectFile } from '../../repository/index.ts'

/** Where a disk is written to; called with ascending offsets. Each call has taken the bytes when it resolves. */
export interface Sink extends AsyncDisposable {
  write(at: number, data: Uint8Array): Promise<void>
  /** Nothing more comes: the rest reads as zeros. */
  finish(size: number): Promise<void>
}

/** So that the name is there after a power loss, too. Some file systems cannot, and do it by themselves. */
async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path, 'r')
  await folder.sync().catch((error: NodeJS.ErrnoException) => {
    if (!['EINVAL', 'ENOTSUP', 'EOPNOTSUPP'].includes(error.code ?? '')) throw error
  })
}

/** Writes under way at once: the kernel copies one while the next is on its way; more would wait for the inode. */
const FLYING = 2
/** Of one write at most. */
const GATHERED = MiB
/** Dirty memory is given to the disk in steps of so many bytes, beside the decoding, not all of it at the end. */
const FLUSH_BYTES = 256 * MiB

interface Gathered {
  readonly at: number
  readonly memory: Uint8Array
  used: number
}

/** Gets its name when it is whole; an interrupted export leaves nothing that looks like one. */
export class FileSink implements Sink {
  readonly #written: DirectFile
  readonly #partial: string
  readonly #file: string
  readonly #flying = new Set<Promise<void>>()
  /** Memory of writes that have landed. */
  readonly #spare: Uint8Array[] = []
  /** Small parts that follow each other are one write. */
  #gathered: Gathered | undefined
  #flushing: Promise<void> | undefined
  #dirty = 0
  #failure: { readonly error: unknown } | undefined
  #isWhole = false

  constructor(written: DirectFile, partial: string, file: string) {
    this.#written = written
    this.#partial = partial
    this.#file = file
  }

  /** The caller's memory is free again when this resolves: what flies is a copy. */
  async write(at: number, data: Uint8Array): Promise<void> {
    for (let from = 0; from < data.byteLength;) {
      const room = await this.#room(at + from)
      const part = data.subarray(from, from + room.memory.byteLength - room.used)
      room.memory.set(part, room.used)
      room.used += part.byteLength
      from += part.byteLength
    }
  }

  /** Where the byte at `at` goes. */
  async #room(at: number): Promise<Gathered> {
    const known = this.#gathered
    if (known !== undefined && known.at + known.used === at && known.used < known.memory.byteLength) return known
    this.#launch()
    while (this.#flying.size >= FLYING) await Promise.race(this.#flying)
    this.#rethrow()
    return (this.#gathered = { at, memory: this.#spare.pop() ?? pageMemory(GATHERED), used: 0 })
  }

  #launch(): void {
    const gathered = this.#gathered
    if (gathered === undefined) return
    this.#gathered = undefined
    const { at, memory, used } = gathered
    const flight = this.#noting(this.#written.write(at, memory.subarray(0, used))).then(() => {
      this.#spare.push(memory)
      this.#flying.delete(flight)
    })
    this.#flying.add(flight)
    this.#dirty += used
    if (this.#dirty < FLUSH_BYTES || this.#flushing !== undefined) return
    this.#dirty = 0
    this.#flushing = this.#noting(this.#written.datasync()).then(() => void (this.#flushing = undefined))
  }

  async #landed(): Promise<void> {
    await Promise.all(this.#flying)
    await this.#flushing
  }

  async #noting(work: Promise<void>): Promise<void> {
    try {
      await work
    } catch (error) {
      this.#failure ??= { error }
    }
  }

  #rethrow(): void {
    if (this.#failure !== undefined) throw this.#failure.error
  }

  async finish(size: number): Promise<void> {
    this.#launch()
    await this.#landed()
    this.#rethrow()
    await this.#written.truncate(size)
    await this.#written.datasync()
    await rename(this.#partial, this.#file)
    this.#isWhole = true
    await syncFolder(dirname(this.#file))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#landed()
    await this.#written.close()
    if (!this.#isWhole) await rm(this.#partial, { force: true })
  }
}
