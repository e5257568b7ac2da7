import { lte } from 'drizzle-orm'
import { HoldfastError } from '../base/index.ts'
import { inTransaction, type CatalogContext } from './context.ts'
import { vms } from './schema.ts'
import type { VmChange, VmRow } from './vms.ts'

/**
 * What a change means for the end of an exclusion: it belongs to its reason, so that another reason without an end has none.
 * Throws InvalidRequest for the end of one that there is not.
 */
export function exclusionEnd(
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

/** Protects again what was left out until now. */
export function endExclusions(context: CatalogContext): { readonly id: string; readonly name: string }[] {
  const { db, now, publish } = context
  return inTransaction(context, () => {
    const over = db
      .update(vms)
      .set({ excludedReason: null, excludedUntilMs: null })
      .where(lte(vms.excludedUntilMs, now()))
      .returning({ id: vms.id, name: vms.name })
      .all()
    for (const { id } of over) publish('vm', id)
    return over
  })
}
