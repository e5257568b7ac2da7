import { and, eq, gt, isNull, lte, or } from 'drizzle-orm'
import { HoldfastError } from '../base/index.ts'
import { inTransaction, type CatalogContext } from './context.ts'
import { sessions, tokens } from './schema.ts'

/** `monitor`: reads figures, and nothing else. */
export type Role = 'admin' | 'worker' | 'monitor'
export interface TokenRow {
  readonly id: string
  readonly name: string
  readonly hash: string
  readonly role: Role
  readonly expiresMs: number | null
}
export interface SessionRow {
  readonly token: TokenRow
  readonly expiresMs: number
}

/** Secrets come as SHA-256 in hex: the catalog never sees one, and a stolen catalog opens nothing. */
export interface AccessQueries {
  /** Makes token `id` valid with this hash; sessions of another hash end. */
  putToken(token: {
    readonly id: string
    readonly name: string
    readonly hash: string
    readonly role: Role
    readonly expiresMs?: number | null
  }): void
  /** Valid tokens, 100 at most. */
  tokens(): TokenRow[]
  openSession(hash: string, tokenId: string, lifeMs: number): number
  session(hash: string): SessionRow | undefined
  /** Moves the end of a session that is in use. */
  extendSession(hash: string, lifeMs: number): void
  closeSession(hash: string): void
}

export function accessQueries(context: CatalogContext): AccessQueries {
  const { db, now } = context
  const valid = () => or(isNull(tokens.expiresMs), gt(tokens.expiresMs, now()))
  return {
    putToken({ expiresMs = null, ...token }) {
      inTransaction(context, () => {
        const known = db.select().from(tokens).where(eq(tokens.id, token.id)).get()
        if (known && known.hash !== token.hash) db.delete(sessions).where(eq(sessions.tokenId, token.id)).run()
        db.insert(tokens)
          .values({ ...token, expiresMs, createdMs: now() })
          .onConflictDoUpdate({ target: tokens.id, set: { ...token, expiresMs } })
          .run()
      })
    },
    tokens: () => db.select().from(tokens).where(valid()).limit(100).all(),
    openSession(hash, tokenId, lifeMs) {
      return inTransaction(context, () => {
        db.delete(sessions).where(lte(sessions.expiresMs, now())).run()
        if (!db.select().from(tokens).where(eq(tokens.id, tokenId)).get()) {
          throw new HoldfastError('Unauthorized', 'the token of this session is gone')
        }
        const expiresMs = now() + lifeMs
        db.insert(sessions).values({ hash, tokenId, createdMs: now(), expiresMs }).run()
        return expiresMs
      })
    },
    session(hash) {
      const found = db
        .select({ token: tokens, expiresMs: sessions.expiresMs })
        .from(sessions)
        .innerJoin(tokens, eq(tokens.id, sessions.tokenId))
        .where(and(eq(sessions.hash, hash), gt(sessions.expiresMs, now()), valid()))
        .get()
      return found
    },
    extendSession(hash, lifeMs) {
      db.update(sessions)
        .set({ expiresMs: now() + lifeMs })
        .where(eq(sessions.hash, hash))
        .run()
    },
    closeSession(hash) {
      db.delete(sessions).where(eq(sessions.hash, hash)).run()
    },
  }
}
