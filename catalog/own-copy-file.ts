import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, rm, stat } from 'node:fs/promises'
import Database from 'better-sqlite3'
import { HoldfastError, type SerializedError } from '../base/index.ts'
import { schemaNumber } from './migrate.ts'

/** What the child is told: two paths. */
export interface CopyTask {
  readonly from: string
  readonly to: string
}

/** What it came to. */
export type CopyReply =
  | { readonly schema: number; readonly bytes: number; readonly sha256: string }
  | { readonly error: SerializedError }

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

/** It reads each page once. */
const cacheKiB = 4096

/** The file `from` as it is now, without `leftOut`, in `to`, on disk. Blocks its thread while it checks. */
export async function makeCopy({ from, to }: CopyTask): Promise<Exclude<CopyReply, { error: unknown }>> {
  await removeCopy(to)
  await copyPages(from, to)
  const schema = strip(to)
  await using file = await open(to, 'r')
  await file.sync()
  const { size: bytes } = await stat(to)
  return { schema, bytes, sha256: await hashOfFile(to) }
}

/** With what SQLite may have left beside it. */
export async function removeCopy(path: string): Promise<void> {
  for (const suffix of ['', '-wal', '-shm', '-journal']) await rm(`${path}${suffix}`, { force: true })
}

/** Pages keep their places, so that a repository finds again what has not changed since the copy before. */
async function copyPages(from: string, to: string): Promise<void> {
  const source = new Database(from, { readonly: true, fileMustExist: true })
  try {
    source.pragma(`cache_size = -${cacheKiB}`)
    // One state of it, however long it takes: a backup begins again whenever another connection writes.
    source.exec('BEGIN; SELECT count(*) FROM sqlite_schema')
    await source.backup(to, { progress: () => 10_000 })
  } finally {
    source.close()
  }
}

/** Takes out what must not leave, so that not even free pages hold it. Returns the schema's number. */
function strip(path: string): number {
  const copy = new Database(path)
  try {
    copy.pragma(`cache_size = -${cacheKiB}`)
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
