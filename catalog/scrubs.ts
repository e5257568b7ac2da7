import { and, asc, eq, gt, sql } from 'drizzle-orm'
import { HoldfastError } from '../base/index.ts'
import { inTransaction, type CatalogContext } from './context.ts'
import { given, lazy } from './lazy.ts'
import { repositories, scrubs, verifyPasses, verifyRuns } from './schema.ts'

export type ScrubRow = typeof scrubs.$inferSelect

/** What is read of a repository a day without being asked for. */
export interface ScrubPace {
  readonly level: 'data' | 'full'
  readonly budgetBytes: number
}

/** How far reading has come; see the columns. */
export type ScrubCount = Pick<ScrubRow, 'packs' | 'bytes' | 'readPacks' | 'readBytes' | 'oldestMs'>

export interface ScrubQueries {
  find(repositoryId: string): ScrubRow | undefined
  /** Repositories of which a part is read every day, by their ids. */
  paces(): readonly (ScrubPace & { readonly repositoryId: string })[]
  /** Null: nothing by itself. Throws NotFound. */
  setPace(repositoryId: string, pace: ScrubPace | null): void
  recordCount(repositoryId: string, count: ScrubCount, atMs: number): void
  /** When a verify that reads packs last began, whoever asked for it, whatever came of it; null: never. */
  lastMs(repositoryId: string): number | null
  /** Passes over packs, sorted: the part behind the one of this prefix (-1: the first), 40 bytes each; undefined: none is left. */
  passesAfter(
    repositoryId: string,
    prefix: number,
  ): { readonly prefix: number; readonly passes: Uint8Array } | undefined
  /** Later passes count: of what is known and what is told, whichever is newer. Throws NotFound, InvalidRequest. */
  recordPasses(repositoryId: string, passes: Uint8Array): void
}

/** Name 32 ‖ L3 u32 ‖ L4 u32, little-endian, in Unix seconds: as the ledger of a worker has them. */
const RECORD = 40
const NAME = 32

export function scrubQueries(context: CatalogContext): ScrubQueries {
  const { db, now, publish } = context
  const byId = lazy(() =>
    db
      .select()
      .from(scrubs)
      .where(eq(scrubs.repositoryId, given('id')))
      .prepare(),
  )
  const find = (id: string): ScrubRow | undefined => byId().get({ id })
  const write = (repositoryId: string, set: Partial<ScrubRow>): void => {
    inTransaction(context, () => {
      mustExist(repositoryId)
      db.insert(scrubs)
        .values({ repositoryId, ...set })
        .onConflictDoUpdate({ target: scrubs.repositoryId, set })
        .run()
      publish('repository', repositoryId)
    })
  }
  const mustExist = (id: string): void => {
    if (db.select({ id: repositories.id }).from(repositories).where(eq(repositories.id, id)).get() === undefined)
      throw new HoldfastError('NotFound', `there is no repository ${id}`)
  }
  const part = (repositoryId: string, prefix: number) =>
    and(eq(verifyPasses.repositoryId, repositoryId), eq(verifyPasses.prefix, prefix))
  return {
    find,
    paces: () =>
      db
        .select({ repositoryId: scrubs.repositoryId, level: scrubs.level, budgetBytes: scrubs.budgetBytes })
        .from(scrubs)
        .orderBy(asc(scrubs.repositoryId))
        .all()
        .flatMap(({ repositoryId, level, budgetBytes }) =>
          level === null || budgetBytes === null ? [] : [{ repositoryId, level, budgetBytes }],
        ),
    setPace(repositoryId, pace) {
      write(repositoryId, { level: pace?.level ?? null, budgetBytes: pace?.budgetBytes ?? null, changedMs: now() })
    },
    recordCount: (repositoryId, count, countedMs) => write(repositoryId, { ...count, countedMs }),
    lastMs: (repositoryId) =>
      db
        .select({ ms: sql<number | null>`max(${verifyRuns.startedMs})` })
        .from(verifyRuns)
        .where(and(eq(verifyRuns.repositoryId, repositoryId), sql`${verifyRuns.level} <> 'quick'`))
        .get()?.ms ?? null,
    passesAfter: (repositoryId, prefix) =>
      db
        .select({ prefix: verifyPasses.prefix, passes: verifyPasses.passes })
        .from(verifyPasses)
        .where(and(eq(verifyPasses.repositoryId, repositoryId), gt(verifyPasses.prefix, prefix)))
        .orderBy(asc(verifyPasses.prefix))
        .limit(1)
        .get(),
    recordPasses(repositoryId, told) {
      inTransaction(context, () => {
        mustExist(repositoryId)
        if (told.length % RECORD !== 0) throw new HoldfastError('InvalidRequest', `passes come in ${RECORD} bytes each`)
        for (const [prefix, fresh] of Map.groupBy(recordsOf(told), (record) => record.readUInt8(0))) {
          const known = db.select().from(verifyPasses).where(part(repositoryId, prefix)).get()?.passes
          const passes = merged(known, fresh)
          db.insert(verifyPasses)
            .values({ repositoryId, prefix, passes })
            .onConflictDoUpdate({ target: [verifyPasses.repositoryId, verifyPasses.prefix], set: { passes } })
            .run()
        }
      })
    },
  }
}

function recordsOf(bytes: Uint8Array): Buffer[] {
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Array.from({ length: all.length / RECORD }, (_, n) => all.subarray(n * RECORD, (n + 1) * RECORD))
}

/** Sorted by name; of two passes of one pack the later ones. */
function merged(known: Uint8Array | undefined, fresh: readonly Buffer[]): Buffer {
  const sorted = [...(known === undefined ? [] : recordsOf(known)), ...fresh].sort((a, b) =>
    a.compare(b, 0, NAME, 0, NAME),
  )
  const out: Buffer[] = []
  for (const record of sorted) {
    const last = out.at(-1)
    if (last === undefined || last.compare(record, 0, NAME, 0, NAME) !== 0) {
      out.push(Buffer.from(record))
      continue
    }
    for (const at of [NAME, NAME + 4]) last.writeUInt32LE(Math.max(last.readUInt32LE(at), record.readUInt32LE(at)), at)
  }
  return Buffer.concat(out)
}
