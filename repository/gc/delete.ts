import { names, parseName } from '../format/index.ts'
import type { GcState } from '../gcstate/index.ts'
import { inParallel, listAll, throwIfAborted } from '../store/index.ts'
import type { PackTable } from './pack-table.ts'
import { removeObject } from './remove.ts'
import { Tally, type Run } from './run.ts'

const PARALLEL = 8

export interface Deleted {
  readonly deleted: Tally
  /** Not due yet, or locked by the store. */
  readonly waiting: Tally
}

/**
 * G5: deletes the packs of every final set whose delay has passed, whoever's it is: finals are dead for ever (§9.1). Only what
 * the listing showed is asked for; what it did not show was gone. Quarantine objects go with their packs.
 */
export async function deleteFinals(run: Run, state: GcState, table: PackTable): Promise<Deleted> {
  const { engine, waits, signal } = run
  const deleted = new Tally()
  const waiting = new Tally()
  const ages = await finalAges(run)
  const bad = new Map<string, string[]>()
  for (const { name } of await listAll(engine.store, 'bad/')) {
    const parsed = parseName(name)
    if (parsed?.kind === 'quarantine') bad.set(parsed.pack, [...(bad.get(parsed.pack) ?? []), name])
  }
  const done = new Set<number>()
  for (const record of state.records) {
    if (!record.final) continue
    const isDue = (ages.get(`${record.epoch} ${record.nonce}`) ?? 0) >= waits.deleteDelayMs
    await inParallel(record.set, PARALLEL, async (pack) => {
      throwIfAborted(signal)
      const ordinal = table.ordinal(pack)
      if (ordinal === undefined || done.has(ordinal)) return
      const size = table.size(ordinal)
      if (!isDue) {
        waiting.add(size)
        return
      }
      done.add(ordinal)
      if ((await removeObject(engine.store, names.pack(pack))) === 'locked') {
        waiting.add(size)
        return
      }
      for (const name of bad.get(pack) ?? []) await removeObject(engine.store, name)
      deleted.add(size)
      if (deleted.packs % 100 === 0) run.progress(`deleted ${deleted.packs} packs`)
    })
  }
  return { deleted, waiting }
}

/** How long each final set has been there, in milliseconds by the store's clock. */
export async function finalAges(run: Run): Promise<Map<string, number>> {
  return await recordAges(run, 'final')
}

/** Ages of `.c` or `.f` by epoch and nonce. */
export async function recordAges(run: Run, kind: 'condemned' | 'final'): Promise<Map<string, number>> {
  const { store } = run.engine
  const nowMs = Number(await store.now())
  const ages = new Map<string, number>()
  for (const { name, modified } of await listAll(store, 'gc/')) {
    const parsed = parseName(name)
    if (parsed?.kind === kind) ages.set(`${parsed.epoch} ${parsed.nonce}`, Math.max(0, nowMs - Number(modified)))
  }
  return ages
}
