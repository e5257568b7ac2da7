import { and, eq, sql } from 'drizzle-orm'
import { inTransaction, type CatalogContext } from './context.ts'
import type { MirrorPair } from './mirrors.ts'
import { shipments } from './schema.ts'

export type ShipmentRow = typeof shipments.$inferSelect

export interface ShipmentQueries {
  /** Takes the place of what was said before of the two; the time it was sent stays that of the first. */
  put(pair: MirrorPair, of: { readonly untilMs: number; readonly note: string; readonly user: string }): ShipmentRow
  /** It has arrived, or will not: whether there was one. */
  end(pair: MirrorPair): boolean
  /** All that were said and not ended, also those that are overdue. */
  list(): ShipmentRow[]
  /** Those that are expected still: of a pair, whether it is. */
  underWay(nowMs: number): (pair: MirrorPair) => boolean
}

export function shipmentQueries(context: CatalogContext): ShipmentQueries {
  const { db, now, publish } = context
  const of = ({ sourceId, targetId }: MirrorPair) =>
    and(eq(shipments.sourceId, sourceId), eq(shipments.targetId, targetId))
  const announce = ({ sourceId, targetId }: MirrorPair): void => {
    publish('repository', sourceId)
    publish('repository', targetId)
  }
  const list = (): ShipmentRow[] =>
    db
      .select()
      .from(shipments)
      .orderBy(sql`1, 2`)
      .all()
  return {
    list,
    put({ sourceId, targetId }, given) {
      return inTransaction(context, () => {
        const row = { sourceId, targetId, sentMs: now(), ...given }
        const made = db
          .insert(shipments)
          .values(row)
          .onConflictDoUpdate({ target: [shipments.sourceId, shipments.targetId], set: given })
          .returning()
          .get()
        announce(row)
        return made
      })
    },
    end(pair) {
      return inTransaction(context, () => {
        const { changes } = db.delete(shipments).where(of(pair)).run()
        if (changes > 0) announce(pair)
        return changes > 0
      })
    },
    underWay(nowMs) {
      const expected = new Set(
        list().flatMap((row) => (row.untilMs > nowMs ? [`${row.sourceId} ${row.targetId}`] : [])),
      )
      return ({ sourceId, targetId }) => expected.has(`${sourceId} ${targetId}`)
    },
  }
}
