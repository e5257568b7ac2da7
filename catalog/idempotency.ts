import { and, eq, gte, lt } from 'drizzle-orm'
import { HoldfastError } from '../base/index.ts'
import { inTransaction, type CatalogContext } from './context.ts'
import { idempotencyKeys } from './schema.ts'

/** `request`: hash of method, path and body. */
export interface Reservation {
  /** 'new': go on. 'unfinished': an earlier attempt got no answer; use the same workflow id. 'answered': give `response` again. */
  readonly state: 'new' | 'unfinished' | 'answered'
  readonly workflowId: string
  readonly status: number | null
  readonly response: string | null
}

export interface IdempotencyQueries {
  /**
   * Writes down, before anything starts, which workflow this key is going to start. Throws InvalidRequest if the key
   * came with another request. Keys are kept for 24 h.
   */
  reserve(key: string, request: string, workflowId: string): Reservation
  /** What an earlier request wrote down; undefined: none did. Throws InvalidRequest if the key came with another one. */
  find(key: string, request: string): Reservation | undefined
  answer(key: string, status: number, response: string): void
  /** The request was refused and started nothing: the key may be used again. */
  release(key: string): void
}

const keepMs = 86_400_000

export function idempotencyQueries(context: CatalogContext): IdempotencyQueries {
  const { db, now } = context
  return {
    reserve(key, request, workflowId) {
      return inTransaction(context, () => {
        db.delete(idempotencyKeys)
          .where(lt(idempotencyKeys.createdMs, now() - keepMs))
          .run()
        const known = db.select().from(idempotencyKeys).where(eq(idempotencyKeys.key, key)).get()
        if (!known) {
          db.insert(idempotencyKeys).values({ key, request, workflowId, createdMs: now() }).run()
          return { state: 'new', workflowId, status: null, response: null }
        }
        return reservation(known, request)
      })
    },
    find(key, request) {
      const known = db
        .select()
        .from(idempotencyKeys)
        .where(and(eq(idempotencyKeys.key, key), gte(idempotencyKeys.createdMs, now() - keepMs)))
        .get()
      return known && reservation(known, request)
    },
    answer(key, status, response) {
      db.update(idempotencyKeys).set({ status, response }).where(eq(idempotencyKeys.key, key)).run()
    },
    release(key) {
      db.delete(idempotencyKeys).where(eq(idempotencyKeys.key, key)).run()
    },
  }
}

function reservation(known: typeof idempotencyKeys.$inferSelect, request: string): Reservation {
  const { workflowId, status, response } = known
  if (known.request !== request)
    throw new HoldfastError('InvalidRequest', 'this Idempotency-Key came with another request before', {
      hint: 'Use a new key for a new request.',
    })
  return { state: status === null ? 'unfinished' : 'answered', workflowId, status, response }
}
