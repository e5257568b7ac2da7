import { names, parseName } from '../format/index.ts'
import type { GcRecord } from '../gcstate/index.ts'
import { listAll } from '../store/index.ts'
import { finalAges } from './delete.ts'
import { packPages, type PackTable } from './pack-table.ts'
import { putFloor } from './records.ts'
import { removeObject } from './remove.ts'
import type { Run } from './run.ts'

/** Floors that are kept, the highest ones (§3.2). */
const KEPT_FLOORS = 8

export interface Retired {
  readonly present: number
  readonly retired: number
  readonly floor: number
}

/**
 * G7 (§9.6): records all of whose packs are gone, verified by a LIST after the record was read, are retired in order of their
 * epochs: the floor first, then `.c` and `.f`. A `.c` goes before its `.f`: alone it would condemn again what its final set has
 * reprieved.
 *
 * For economy `n` is at most `minStamp`, the smallest stamp of any segment left, so that nothing known becomes stale; and a
 * record waits until its packs were gone when the run began and its delays have passed.
 */
export async function retire(run: Run, before: PackTable, minStamp: number): Promise<Retired> {
  const { engine, waits, signal } = run
  const state = await engine.gc.read(engine.store, signal)
  const ages = await finalAges(run)
  const records = [...state.records].sort((a, b) => a.epoch - b.epoch)
  const isDue = (record: GcRecord): boolean => {
    if (waits.retireDelayMs === 0) return true
    const age = ages.get(keyOf(record))
    const gone = ![...record.set].some((pack) => before.ordinal(pack) !== undefined)
    return gone && (age === undefined || age >= waits.deleteDelayMs + waits.retireDelayMs)
  }
  const upTo = await gonePacks(run, records)
  let n = Math.min(upTo, minStamp)
  for (const record of records) if (record.epoch <= n && !isDue(record)) n = Math.min(n, record.epoch - 1)
  const retired = records.filter(({ epoch }) => epoch <= n)
  let { floor } = state
  if (retired.length > 0 && n + 1 > floor) {
    await putFloor(engine, n + 1, signal)
    floor = n + 1
  }
  await sweep(run, floor)
  return { present: records.length, retired: retired.length, floor }
}

/** The highest epoch up to which every record's packs are gone. Throws what the store throws. */
async function gonePacks({ engine, signal }: Run, records: readonly GcRecord[]): Promise<number> {
  // Those with an empty set need no look.
  const open = new Set(records.filter(({ set }) => set.size > 0))
  const present = new Set<GcRecord>()
  if (open.size > 0) {
    for await (const page of packPages(engine.store, signal)) {
      for (const { sha } of page) {
        for (const record of open) {
          if (!record.set.has(sha)) continue
          present.add(record)
          open.delete(record)
        }
      }
      if (open.size === 0) break
    }
  }
  let upTo = Infinity
  for (const record of present) upTo = Math.min(upTo, record.epoch - 1)
  return upTo === Infinity ? Math.max(0, ...records.map(({ epoch }) => epoch)) : upTo
}

/** Removes records below the floor, and floors that nobody needs. Again: yes. */
async function sweep({ engine }: Run, floor: number): Promise<void> {
  const { store } = engine
  const finals: { name: string; key: string }[] = []
  /** A `.c` that stays needs its `.f`. */
  const locked = new Set<string>()
  for (const { name } of await listAll(store, 'gc/')) {
    const parsed = parseName(name)
    if (parsed?.kind === 'condemned' && parsed.epoch < floor) {
      if ((await removeObject(store, name)) === 'locked') locked.add(keyOf(parsed))
    }
    if (parsed?.kind === 'final' && parsed.epoch < floor) finals.push({ name, key: keyOf(parsed) })
  }
  for (const { name, key } of finals) if (!locked.has(key)) await removeObject(store, name)
  const floors = (await listAll(store, 'floor/')).filter(({ name }) => parseName(name)?.kind === 'floor')
  for (const { name } of floors.slice(KEPT_FLOORS)) {
    if (name !== names.floor(floor)) await removeObject(store, name)
  }
}

function keyOf({ epoch, nonce }: Pick<GcRecord, 'epoch' | 'nonce'>): string {
  return `${epoch} ${nonce}`
}
