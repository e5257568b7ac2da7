import { eq, lte, sql } from 'drizzle-orm'
import { HoldfastError } from '../base/index.ts'
import type { DrillCheckSpec, VmOverride } from '../policy/index.ts'
import { inTransaction, type CatalogContext } from './context.ts'
import { isSameJson, requireRevision } from './revision.ts'
import { categories, vms } from './schema.ts'
import type { CategoryName } from './types.ts'
import type { VmRow } from './vms.ts'

/** What somebody sets for one VM; what is not said stays. */
export interface VmChange {
  readonly category?: CategoryName | undefined
  readonly excludedReason?: string | null | undefined
  /** Only of a VM that is left out: when it is protected again by itself; null: when somebody says so. */
  readonly excludedUntilMs?: number | null | undefined
  readonly drillChecks?: readonly DrillCheckSpec[] | undefined
  readonly override?: VmOverride | undefined
}

/** `before` with the change; its revision goes up where something is different then. Throws StaleRevision, InvalidRequest. */
export function changeVm(context: CatalogContext, before: VmRow, change: VmChange, seen: number | null): void {
  requireRevision(`the VM ${before.name}`, before.revision, seen)
  if (change.category !== undefined && !isCategory(context, change.category))
    throw new HoldfastError('InvalidRequest', `there is no category ${change.category}`)
  const said = { ...change, ...exclusionEnd(before, change) }
  const set = Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined))
  if (isSameJson({ ...before, ...set }, before)) return
  const revision = before.revision + 1
  context.db
    .update(vms)
    .set({ ...set, revision })
    .where(eq(vms.id, before.id))
    .run()
  context.publish('vm', before.id)
}

/** Protects again what was left out until now. */
export function endExclusions(context: CatalogContext): { readonly id: string; readonly name: string }[] {
  const { db, now, publish } = context
  return inTransaction(context, () => {
    const over = db
      .update(vms)
      .set({ excludedReason: null, excludedUntilMs: null, revision: sql`${vms.revision} + 1` })
      .where(lte(vms.excludedUntilMs, now()))
      .returning({ id: vms.id, name: vms.name })
      .all()
    for (const { id } of over) publish('vm', id)
    return over
  })
}

/**
 * What a change means for the end of an exclusion: it belongs to its reason, so that another reason without an end has none.
 * Throws InvalidRequest for the end of one that there is not.
 */
function exclusionEnd(
  { name, excludedReason: saved }: Pick<VmRow, 'name' | 'excludedReason'>,
  { excludedReason, excludedUntilMs }: VmChange,
): Pick<VmChange, 'excludedUntilMs'> {
  const reason = excludedReason === undefined ? saved : excludedReason
  if (reason === null && excludedUntilMs !== undefined && excludedUntilMs !== null)
    throw new HoldfastError('InvalidRequest', `${name} is not left out, so nothing ends`, {
      hint: 'Say as well why it is left out.',
    })
  return excludedReason === undefined ? {} : { excludedUntilMs: excludedUntilMs ?? null }
}

const isCategory = ({ db }: CatalogContext, name: CategoryName): boolean =>
  db.select({ name: categories.name }).from(categories).where(eq(categories.name, name)).get() !== undefined
