import { asc, eq, inArray } from 'drizzle-orm'
import { HoldfastError } from '../base/index.ts'
import { defaultSlots, fullFor, grantable, slotKindOf } from '../policy/index.ts'
import { inTransaction, type CatalogContext } from './context.ts'
import { slotClaims, slotLimits } from './schema.ts'

export type SlotClaimRow = typeof slotClaims.$inferSelect

export interface NewClaim {
  readonly runId: string
  readonly workflowId: string
  readonly kind: string
  readonly title: string
  readonly priority: number
  /** `host/lab`, `repository/main`, `link/lyon` */
  readonly needs: readonly string[]
}

export interface SlotAnswer {
  readonly granted: boolean
  /** What is full; empty if granted. */
  readonly waitsFor: readonly string[]
}

export interface SlotQueries {
  /** Idempotent by run: a claim that is there keeps its place in line. */
  claim(claim: NewClaim): SlotAnswer
  /** What it held or waited for is free for others; says whether there was a claim. */
  release(runId: string): boolean
  /** Stands still, or goes on. */
  park(runIds: readonly string[], parked: boolean): void
  /** Its run was seen to be open. */
  renew(runId: string): void
  /** Granted, and its run was not told yet. */
  untold(): SlotClaimRow[]
  told(runId: string): void
  /** Those whose lease has ended: whether their runs are still there has to be asked. */
  expired(): SlotClaimRow[]
  /** All claims, in the order in which they came. */
  list(): SlotClaimRow[]
  limitOf(resource: string): number
  /** What differs from the defaults. */
  limits(): { readonly resource: string; readonly slots: number }[]
  /** null: the default again. Throws InvalidRequest. */
  setLimit(resource: string, slots: number | null): void
}

/** How long a claim stands on the word of its last look at the engine. */
export const slotLeaseMs = 120_000

export function slotQueries(context: CatalogContext): SlotQueries {
  const { db, now, publish } = context
  const list = (): SlotClaimRow[] =>
    db.select().from(slotClaims).orderBy(asc(slotClaims.requestedMs), asc(slotClaims.runId)).all()
  const limitOf = (resource: string): number => {
    const own = db.select().from(slotLimits).where(eq(slotLimits.resource, resource)).get()
    if (own !== undefined) return own.slots
    const kind = slotKindOf(resource)
    return kind === undefined ? 0 : defaultSlots[kind]
  }
  const change = (runIds: readonly string[], set: Partial<SlotClaimRow>): void => {
    if (runIds.length === 0) return
    db.update(slotClaims)
      .set(set)
      .where(inArray(slotClaims.runId, [...runIds]))
      .run()
  }
  const grant = (): void => {
    const claims = list()
    const limits = new Map<string, number>()
    const cached = (resource: string): number => {
      const limit = limits.get(resource) ?? limitOf(resource)
      limits.set(resource, limit)
      return limit
    }
    change(grantable(claims, cached, now()), { grantedMs: now() })
    publish('slots', null)
  }
  return {
    claim: (claim) =>
      inTransaction(context, () => {
        const row = { ...claim, requestedMs: now(), leaseMs: now() + slotLeaseMs, parked: false }
        const { changes } = db.insert(slotClaims).values(row).onConflictDoNothing().run()
        if (changes > 0) grant()
        const claims = list()
        const mine = claims.find(({ runId }) => runId === claim.runId)
        // Whoever hears it from here needs no further word.
        if (mine !== undefined && mine.grantedMs !== null) {
          change([claim.runId], { toldMs: now() })
          return { granted: true, waitsFor: [] }
        }
        return { granted: false, waitsFor: mine === undefined ? [] : fullFor(mine, claims, limitOf) }
      }),
    release: (runId) =>
      inTransaction(context, () => {
        const { changes } = db.delete(slotClaims).where(eq(slotClaims.runId, runId)).run()
        if (changes > 0) grant()
        return changes > 0
      }),
    park: (runIds, parked) => {
      inTransaction(context, () => {
        change(runIds, { parked })
        grant()
      })
    },
    renew: (runId) => change([runId], { leaseMs: now() + slotLeaseMs }),
    untold: () => list().filter(({ grantedMs, toldMs }) => grantedMs !== null && toldMs === null),
    told: (runId) => change([runId], { toldMs: now() }),
    expired: () => list().filter(({ leaseMs }) => leaseMs <= now()),
    list,
    limitOf,
    limits: () => db.select().from(slotLimits).orderBy(asc(slotLimits.resource)).all(),
    setLimit(resource, slots) {
      if (slotKindOf(resource) === undefined || resource.endsWith('/'))
        throw new HoldfastError('InvalidRequest', `${resource} is no resource`, {
          hint: 'Resources are host/<hypervisor>, repository/<repository>, link/<site> and datastore/<name>.',
        })
      if (slots !== null && (!Number.isInteger(slots) || slots < 1 || slots > 10_000))
        throw new HoldfastError('InvalidRequest', `a resource has 1 to 10,000 slots, not ${slots}`)
      inTransaction(context, () => {
        if (slots === null) db.delete(slotLimits).where(eq(slotLimits.resource, resource)).run()
        else
          db.insert(slotLimits)
            .values({ resource, slots })
            .onConflictDoUpdate({ target: slotLimits.resource, set: { slots } })
            .run()
        publish('settings', resource)
        grant()
      })
    },
  }
}
