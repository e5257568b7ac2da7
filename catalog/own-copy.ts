import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, rename, rm, stat } from 'node:fs/promises'
import Database from 'better-sqlite3'
import { HoldfastError } from '../base/index.ts'
import type { CatalogContext } from './context.ts'
import { schemaNumber } from './migrate.ts'

/**
 * Tables whose rows never leave this machine: what opens doors, what is of the moment, and what is large and can be lost
 * (passes over packs cost a second pass). A table that holds a secret, or a hash of one, belongs here.
 */
const leftOut = [
  'sessions',
  'tokens',
  'idempotency_keys',
  'events',
  'slot_claims',
  'repository_watches',
  'clock_watch',
  'incidents',
  'incident_notices',
  'deliveries',
  'verify_passes',
] as const

export interface CatalogCopy {
  readonly createdMs: number
  /** Every change up to this event is in it. */
  readonly coveredSeq: number
  /** Number of the last migration: what a program must know to read it. */
  readonly schema: number
  readonly bytes: number
  readonly sha256: string
}

/**
 * A consistent copy while others write, without `leftOut`. Whole or not at all at `path`; again: replaces it. Pages keep
 * their places, so that a repository finds again what has not changed since the copy before.
 */
export async function copyCatalog(
  { sqlite, now }: CatalogContext,
  path: string,
  newestSeq: () => number,
  onProgress: () => void,
): Promise<CatalogCopy> {
  const createdMs = now()
  const coveredSeq = newestSeq()
  const partial = `${path}.partial`
  await removeCopy(partial)
  try {
    await sqlite.backup(partial, {
      progress: () => {
        onProgress()
        return 1000
      },
    })
    const schema = strip(partial)
    await using file = await open(partial, 'r')
    await file.sync()
    const { size: bytes } = await stat(partial)
    const sha256 = await hashOfFile(partial)
    await rename(partial, path)
    return { createdMs, coveredSeq, schema, bytes, sha256 }
  } catch (error) {
    await removeCopy(partial)
    throw error
  }
}

/** With what SQLite may have left beside it. */
export async function removeCopy(path: string): Promise<void> {
  for (const suffix of ['', '-wal', '-shm', '-journal']) await rm(`${path}${suffix}`, { force: true })
}

/** Takes out what must not leave, so that not even free pages hold it. Returns the schema's number. */
function strip(path: string): number {
  const copy = new Database(path)
  try {
    copy.pragma('journal_mode = DELETE')
    copy.pragma('secure_delete = ON')
    copy.pragma('foreign_keys = OFF')
    const there = new Set(
      copy
        .prepare<[], { name: string }>("SELECT name FROM sqlite_schema WHERE type = 'table'")
        .all()
        .map(({ name }) => name),
    )
    copy.transaction(() => {
      for (const table of leftOut) if (there.has(table)) copy.exec(`DELETE FROM ${table}`)
    })()
    const found = String(copy.pragma('quick_check(1)', { simple: true }))
    if (found !== 'ok') {
      throw new HoldfastError('FormatError', `the catalog is damaged: ${found}`, {
        hint: 'Its older copies in the repositories stay. Stop the server and rebuild: see docs/runbooks/own-recovery.md.',
      })
    }
    return schemaNumber(copy)
  } finally {
    copy.close()
  }
}

async function hashOfFile(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const piece of createReadStream(path)) hash.update(piece as Buffer)
  return hash.digest('hex')
}
