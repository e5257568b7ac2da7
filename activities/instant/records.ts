import { mkdir, open, readFile, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { HoldfastError } from '../../base/index.ts'
import { socketPath } from '../../drivers/names.ts'
import type { RepositoryRef } from '../../workflows/shared/contract.ts'

/** A point that is served from this machine: what a worker that was killed needs to serve it again, and no secret. */
export interface ServedRecord {
  readonly v: 1
  /** 32 hex digits; names the file and the socket. */
  readonly operation: string
  readonly repository: RepositoryRef
  readonly stem: string
  readonly disks: readonly { readonly key: string; readonly size: number }[]
}

/** Where this operation holds its point, or was about to. */
export interface HoldRecord {
  readonly v: 1
  readonly operation: string
  readonly repository: RepositoryRef
  readonly stem: string
}

const form = /^([0-9a-f]{32})\.json$/

/** In a folder of this machine: one file for each point that is served, one for each that is held in its repository. */
export class ServedRecords {
  readonly #dir: string

  constructor(dir: string) {
    this.#dir = dir
  }

  /** Stays the same however often the worker starts. Throws ConfigInvalid if the folder's path is too long for a socket. */
  socket(operation: string): string {
    return socketPath(join(this.#dir, `${operation}.sock`))
  }

  async list(): Promise<readonly string[]> {
    try {
      return (await readdir(this.#dir)).flatMap((name) => form.exec(name)?.[1] ?? [])
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
      throw error
    }
  }

  /** undefined: there is none. */
  async read(operation: string): Promise<ServedRecord | undefined> {
    return this.#read<ServedRecord>(this.#file(operation), operation)
  }

  /** Durable when it returns. */
  async write(record: ServedRecord): Promise<void> {
    await this.#write(this.#file(record.operation), record)
  }

  /** Durable when it returns: a record that came back would be served again. */
  async remove(operation: string): Promise<void> {
    await this.#remove(this.#file(operation))
  }

  /** undefined: this operation has placed no hold. */
  async readHold(operation: string): Promise<HoldRecord | undefined> {
    return this.#read<HoldRecord>(this.#holdFile(operation), operation)
  }

  async writeHold(record: HoldRecord): Promise<void> {
    await this.#write(this.#holdFile(record.operation), record)
  }

  async removeHold(operation: string): Promise<void> {
    await this.#remove(this.#holdFile(operation))
  }

  async #read<T extends { readonly v: 1; readonly operation: string }>(
    file: string,
    operation: string,
  ): Promise<T | undefined> {
    let text: string
    try {
      text = await readFile(file, 'utf8')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw new HoldfastError('AccessDenied', `cannot read ${file}`, { cause: error })
    }
    const record = JSON.parse(text) as T
    if (record.v === 1 && record.operation === operation) return record
    throw new HoldfastError('FormatError', `${file} is not the record of a served point`)
  }

  async #write(file: string, record: object): Promise<void> {
    await mkdir(this.#dir, { recursive: true, mode: 0o700 })
    {
      await using handle = await open(`${file}.new`, 'w', 0o600)
      await handle.writeFile(`${JSON.stringify(record, null, 2)}\n`)
      await handle.sync()
    }
    await rename(`${file}.new`, file)
    await this.#sync()
  }

  async #remove(file: string): Promise<void> {
    await rm(file, { force: true })
    try {
      await this.#sync()
    } catch (error) {
      // Nothing was ever served.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }

  async #sync(): Promise<void> {
    await using folder = await open(this.#dir, 'r')
    await folder.sync()
  }

  #file(operation: string): string {
    return join(this.#dir, `${operation}.json`)
  }

  #holdFile(operation: string): string {
    return join(this.#dir, `${operation}.hold`)
  }
}
