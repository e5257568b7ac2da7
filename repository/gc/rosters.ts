import type { Engine } from '../engine.ts'
import { putRoster } from './records.ts'
import { removeObject } from './remove.ts'

/**
 * G3c: every root seen, for the next run's cross-check (§9.1). Rosters that were read and are accounted for by this one are
 * removed after it is there: until then they keep the tombstones of what they name (§11.3).
 */
export async function publishRoster(
  engine: Engine,
  fields: { readonly epoch: number; readonly nonce: string; readonly owner: string; readonly snaps: readonly string[] },
  merged: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const name = await putRoster(engine, fields, signal)
  for (const roster of merged) if (roster !== name) await removeObject(engine.store, roster)
}
