import { and, desc, eq, isNull, ne, sql } from 'drizzle-orm'
import { inTransaction, type CatalogContext } from './context.ts'
import { drillEvidence, evidenceKeys } from './schema.ts'

export type EvidenceKeyRow = typeof evidenceKeys.$inferSelect
export type DrillEvidenceRow = typeof drillEvidence.$inferSelect
export interface EvidenceKeyView extends EvidenceKeyRow {
  /** Drills signed with it. */
  readonly drills: number
}

export interface EvidenceQueries {
  /** From now on this key signs; the one before is retired, and stays known. Again: yes. */
  useKey(key: { readonly id: string; readonly publicKey: string }): void
  key(id: string): EvidenceKeyRow | undefined
  /** The one of now first, then the newest; 200 at most. */
  keys(): EvidenceKeyView[]
  /** Once for each drill: what was signed first stays. */
  keep(signed: DrillEvidenceRow): void
  ofDrill(drillId: string): DrillEvidenceRow | undefined
}

export function evidenceQueries(context: CatalogContext): EvidenceQueries {
  const { db, now, publish } = context
  return {
    useKey({ id, publicKey }) {
      inTransaction(context, () => {
        const known = db.select().from(evidenceKeys).where(eq(evidenceKeys.id, id)).get()
        if (known !== undefined && known.retiredMs === null) return
        db.update(evidenceKeys)
          .set({ retiredMs: now() })
          .where(and(isNull(evidenceKeys.retiredMs), ne(evidenceKeys.id, id)))
          .run()
        db.insert(evidenceKeys)
          .values({ id, publicKey, firstMs: now(), retiredMs: null })
          .onConflictDoUpdate({ target: evidenceKeys.id, set: { retiredMs: null } })
          .run()
        publish('settings', 'evidence-key')
      })
    },
    key: (id) => db.select().from(evidenceKeys).where(eq(evidenceKeys.id, id)).get(),
    keys: () =>
      db
        .select({
          id: evidenceKeys.id,
          publicKey: evidenceKeys.publicKey,
          firstMs: evidenceKeys.firstMs,
          retiredMs: evidenceKeys.retiredMs,
          drills: sql<number>`(SELECT count(*) FROM drill_evidence e WHERE e.key_id = evidence_keys.id)`,
        })
        .from(evidenceKeys)
        .orderBy(sql`retired_ms IS NOT NULL`, desc(evidenceKeys.firstMs), evidenceKeys.id)
        .limit(200)
        .all(),
    keep(signed) {
      db.insert(drillEvidence).values(signed).onConflictDoNothing({ target: drillEvidence.drillId }).run()
    },
    ofDrill: (drillId) => db.select().from(drillEvidence).where(eq(drillEvidence.drillId, drillId)).get(),
  }
}
