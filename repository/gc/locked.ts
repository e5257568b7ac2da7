import { names } from '../format/index.ts'
import { DAY_MS } from '../lock/index.ts'
import { inParallel, throwIfAborted } from '../store/index.ts'
import type { PackTable } from './pack-table.ts'
import type { Run } from './run.ts'

const PARALLEL = 16

/** What the store says of the lock of each of some packs, by ordinal. */
export interface Locks {
  /** Under retention or a legal hold: neither condemned nor emptied (§9.3, §9.7). */
  isLocked(ordinal: number): boolean
  /** Younger than one generation: not emptied (§9.7). */
  isYoung(ordinal: number): boolean
  /** Unix ms; 0: no retention. */
  until(ordinal: number): number
}

/**
 * Asks the store for the locks of these packs. A listing does not tell them, so each is one HEAD, but for those of which the
 * index says that they are locked still.
 */
export async function readLocks(run: Run, table: PackTable, ordinals: readonly number[] | Uint32Array): Promise<Locks> {
  const { engine, nowMs, signal, progress } = run
  const untils = new Map<number, number>()
  const young = new Set<number>()
  if (engine.store.capabilities.objectLock !== 'none' && ordinals.length > 0) {
    progress(`asking for the locks of ${ordinals.length} packs`)
    const youngAfter = nowMs - engine.fmt.generationDays * DAY_MS
    const asked = [...ordinals]
    const days = await engine.view.lockDays(new Set(asked.map((ordinal) => table.name(ordinal))))
    await inParallel(asked, PARALLEL, async (ordinal) => {
      throwIfAborted(signal)
      const sha = table.name(ordinal)
      const known = (days.get(sha) ?? 0) * DAY_MS
      if (known > nowMs) {
        untils.set(ordinal, known)
        return
      }
      const info = await engine.store.head(names.pack(sha))
      if (info === undefined) return
      if (Number(info.modified) > youngAfter) young.add(ordinal)
      const until = info.isHeld === true ? Infinity : Number(info.retainUntil ?? 0)
      if (until > nowMs) untils.set(ordinal, until)
    })
  }
  return {
    isLocked: (ordinal) => untils.has(ordinal),
    isYoung: (ordinal) => young.has(ordinal),
    until: (ordinal) => untils.get(ordinal) ?? 0,
  }
}
