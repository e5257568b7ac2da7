import { HoldfastError } from '../../base/index.ts'
import type { Engine } from '../engine.ts'
import {
  BLOB_HEADER,
  CHUNK_SHIFT,
  PAGE_BYTES,
  pageEntryCount,
  parseName,
  type JournalEntry,
  type JournalRun,
  type SessionResult,
} from '../format/index.ts'
import type { BadSlots } from '../read/quarantine.ts'
import type { ObjectStore } from '../store/index.ts'
import { Homes } from './knowledge.ts'
import { fenced, readLog } from './session-log.ts'

/** What earlier attempts of a part have decided and made durable (§7.6). */
export interface Resumed {
  /** Everything before this byte of the disk is decided, but what `again` names. */
  readonly nextOffset: number
  /** By page, then by entry. */
  readonly entries: ReadonlyMap<number, ReadonlyMap<number, JournalEntry>>
  readonly runs: ReadonlyMap<number, readonly JournalRun[]>
  /** Entries whose slot is quarantined by now: to be decided again. */
  readonly again: ReadonlyMap<number, ReadonlySet<number>>
  /** Bytes of the part's range that are decided. */
  readonly bytesResumed: number
  readonly homes: Homes
  readonly readBytes: number
  readonly newBytes: number
  /** Of an earlier attempt that got as far, if none of its packs is quarantined. */
  readonly result: SessionResult | undefined
}

export function nothingResumed(start: number): Resumed {
  const none = { entries: new Map(), runs: new Map(), again: new Map() }
  return {
    nextOffset: start,
    ...none,
    bytesResumed: 0,
    homes: new Homes(),
    readBytes: 0,
    newBytes: 0,
    result: undefined,
  }
}

/** Reads all journals of the part's earlier attempts, MAC checked. Throws SessionFenced if there is a later one. */
export async function resumePart(
  engine: Engine,
  store: ObjectStore,
  options: {
    readonly session: string
    readonly part: number
    readonly attempt: number
    readonly disk: string
    readonly start: number
    readonly end: number
    readonly diskBytes: number
    /** Whether what no journal names is carried over from the parent. */
    readonly inherits: boolean
    readonly bad: BadSlots
    readonly signal: AbortSignal
  },
): Promise<Resumed> {
  const { session, part, attempt, disk, start, end, bad, signal } = options
  const log = await readLog(engine, store, session, part, signal)
  const entries = new Map<number, Map<number, JournalEntry>>()
  const runs = new Map<number, JournalRun[]>()
  const homes = new Homes()
  const own = new Set<string>()
  let nextOffset = start
  let readBytes = 0
  let result: SessionResult | undefined
  for (const { name, object, content } of log) {
    const at = parseName(name)
    if (at?.kind !== 'session') continue
    if (at.attempt > attempt) throw fenced(part, attempt, at.attempt)
    if (at.attempt === attempt) {
      throw new HoldfastError(
        'SessionFenced',
        `attempt ${attempt} of part ${part} is already taken by another writer`,
        {
          data: { object: name, side: 'logic' },
        },
      )
    }
    for (const pack of object.packs) own.add(pack)
    if (content.type === 'result' && content.disk === disk) result = content
    if (content.type !== 'journal' || content.disk !== disk) continue
    nextOffset = Math.max(nextOffset, content.nextOffset)
    readBytes += content.readBytes ?? 0
    for (const entry of content.entries) {
      // Only what this version writes; a page of another chunk size is decided anew.
      if (entry.shift !== CHUNK_SHIFT) continue
      const page = entries.get(entry.pageNo) ?? new Map<number, JournalEntry>()
      entries.set(entry.pageNo, page.set(entry.entryNo, entry))
    }
    for (const run of content.runs) runs.set(run.pageNo, [...(runs.get(run.pageNo) ?? []), run])
    for (const { pack, stamp } of content.homes) homes.add(pack, stamp)
  }
  if (result?.homes.some(({ pack }) => bad.hasPack(pack)) === true) result = undefined
  nextOffset = Math.min(nextOffset, end)
  if (!options.inherits) nextOffset = Math.min(nextOffset, firstUndecided(options, entries, runs, nextOffset))
  const again = quarantined(entries, bad)
  const repeated = [...again.values()].reduce((sum, page) => sum + page.size, 0) * 2 ** CHUNK_SHIFT
  return {
    nextOffset,
    entries,
    runs,
    again,
    bytesResumed: Math.max(0, nextOffset - start - repeated),
    homes,
    readBytes,
    newBytes: storedBytes(entries, own),
    result,
  }
}

/** An attempt that inherited has journalled nothing about what it carried over: one that does not has to read that. */
function firstUndecided(
  { start, diskBytes }: { readonly start: number; readonly diskBytes: number },
  entries: ReadonlyMap<number, ReadonlyMap<number, JournalEntry>>,
  runs: ReadonlyMap<number, readonly JournalRun[]>,
  before: number,
): number {
  for (let pageNo = start / PAGE_BYTES; pageNo * PAGE_BYTES < before; pageNo++) {
    const decided = new Uint8Array(pageEntryCount(diskBytes, pageNo, CHUNK_SHIFT))
    for (const entry of entries.get(pageNo)?.keys() ?? []) decided[entry] = 1
    for (const { entryNo, count } of runs.get(pageNo) ?? []) decided.fill(1, entryNo, entryNo + count)
    const first = decided.indexOf(0)
    if (first >= 0) return pageNo * PAGE_BYTES + first * 2 ** CHUNK_SHIFT
  }
  return before
}

function quarantined(
  entries: ReadonlyMap<number, ReadonlyMap<number, JournalEntry>>,
  bad: BadSlots,
): Map<number, Set<number>> {
  const again = new Map<number, Set<number>>()
  if (bad.isEmpty) return again
  for (const [pageNo, page] of entries) {
    for (const [entryNo, { chunk }] of page) {
      if (bad.has(chunk.pack, chunk.slot)) again.set(pageNo, (again.get(pageNo) ?? new Set()).add(entryNo))
    }
  }
  return again
}

/** Stored bytes of the distinct blobs in packs that the part's own attempts have put. */
function storedBytes(
  entries: ReadonlyMap<number, ReadonlyMap<number, JournalEntry>>,
  own: ReadonlySet<string>,
): number {
  const places = new Map<string, number>()
  for (const page of entries.values()) {
    for (const { chunk } of page.values()) {
      if (own.has(chunk.pack)) places.set(`${chunk.pack} ${chunk.slot}`, BLOB_HEADER + chunk.clen)
    }
  }
  return [...places.values()].reduce((sum, bytes) => sum + bytes, 0)
}
