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

const form = /^([0-9a-f]{32})\.json$/

/** One file a point, in a folder of this machine. */
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
    const file = this.#file(operation)
    let text: string
    try {
      text = await readFile(file, 'utf8')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw new HoldfastError('AccessDenied', `cannot read ${file}`, { cause: error })
    }
    const record = JSON.parse(text) as ServedRecord
    if (record.v === 1 && record.operation === operation) return record
    throw new HoldfastError('FormatError', `${file} is not the record of a served point`)
  }

  /** Durable when it returns. */
  async write(record: ServedRecord): Promise<void> {
    await mkdir(this.#dir, { recursive: true, mode: 0o700 })
    const file = this.#file(record.operation)
    {
      await using handle = await open(`${file}.new`, 'w', 0o600)
      await handle.writeFile(`${JSON.stringify(record, null, 2)}\n`)
      await handle.sync()
    }
    await rename(`${file}.new`, file)
    await using folder = await open(this.#dir, 'r')
    await folder.sync()
  }

  async remove(operation: string): Promise<void> {
    await rm(this.#file(operation), { force: true })
  }

  #file(operation: string): string {
    return join(this.#dir, `${operation}.json`)
  }
}
