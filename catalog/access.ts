import { and, desc, eq, gt, isNull, lte, or } from 'drizzle-orm'
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
  /** Of workers: the only site that it is for; null: any. */
  readonly site: string | null
  readonly createdMs: number
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
    readonly site?: string | null
    readonly expiresMs?: number | null
  }): void
  /** Valid tokens, 1,000 at most. */
  tokens(): TokenRow[]
  /** Those of a site, the newest first, whether or not they have run out. */
  ofSite(site: string): TokenRow[]
  /** It opens nothing any more, and what it has opened neither. Throws NotFound. */
  revoke(site: string, id: string): void
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
    putToken({ expiresMs = null, site = null, ...given }) {
      const token = { ...given, site }
      inTransaction(context, () => {
        const known = db.select().from(tokens).where(eq(tokens.id, token.id)).get()
        if (known && known.hash !== token.hash) db.delete(sessions).where(eq(sessions.tokenId, token.id)).run()
        db.insert(tokens)
          .values({ ...token, expiresMs, createdMs: now() })
          .onConflictDoUpdate({ target: tokens.id, set: { ...token, expiresMs } })
          .run()
      })
    },
    tokens: () => db.select().from(tokens).where(valid()).limit(1000).all(),
    ofSite: (site) =>
      db
        .select()
        .from(tokens)
        .where(eq(tokens.site, site))
        .orderBy(desc(tokens.createdMs), desc(tokens.id))
        .limit(100)
        .all(),
    revoke(site, id) {
      inTransaction(context, () => {
        const gone = db
          .delete(tokens)
          .where(and(eq(tokens.site, site), eq(tokens.id, id)))
          .run()
        if (gone.changes === 0) throw new HoldfastError('NotFound', `there is no token ${id} of site ${site}`)
        db.delete(sessions).where(eq(sessions.tokenId, id)).run()
      })
    },
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
