import { HoldfastError } from '../../base/index.ts'
import type { Engine } from '../engine.ts'
import { CHUNK_SHIFT, PAGE_BYTES, pageEntryCount, parseName, type SessionResult } from '../format/index.ts'
import type { BadSlots } from '../read/quarantine.ts'
import type { ObjectStore } from '../store/index.ts'
import { Homes } from './knowledge.ts'
import { ResumedPages } from './resumed-pages.ts'
import { fenced, readLog } from './session-log.ts'

/** What earlier attempts of a part have decided and made durable (§7.6). */
export interface Resumed {
  /** Everything before this byte of the disk is decided, but what `again` names. */
  readonly nextOffset: number
  readonly pages: ResumedPages
  /** Entries whose slot is quarantined by now: to be decided again. */
  readonly again: ReadonlyMap<number, ReadonlySet<number>>
  /** Bytes of the part's range that are decided. */
  readonly bytesResumed: number
  readonly homes: Homes
  readonly readBytes: number
  readonly newBytes: number
  /** A stamp under which everything was put that earlier attempts have put: of the oldest S0 among them. */
  readonly uploadStamp: number | undefined
  /** Of an earlier attempt that got as far, if none of its packs is quarantined. */
  readonly result: SessionResult | undefined
}

export function nothingResumed(start: number): Resumed {
  return {
    nextOffset: start,
    pages: new ResumedPages(),
    again: new Map(),
    bytesResumed: 0,
    homes: new Homes(),
    readBytes: 0,
    newBytes: 0,
    uploadStamp: undefined,
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
  const pages = new ResumedPages()
  const homes = new Homes()
  const own = new Set<string>()
  let nextOffset = start
  let readBytes = 0
  let uploadStamp: number | undefined
  let result: SessionResult | undefined
  for await (const { name, object, content } of readLog(engine, store, session, part, signal)) {
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
    if (object.packs.length > 0) uploadStamp = Math.min(uploadStamp ?? object.stamp, object.stamp)
    if (content.type === 'result' && content.disk === disk) result = content
    if (content.type !== 'journal' || content.disk !== disk) continue
    nextOffset = Math.max(nextOffset, content.nextOffset)
    readBytes += content.readBytes ?? 0
    for (const entry of content.entries) {
      // Only what this version writes; a page of another chunk size is decided anew.
      if (entry.shift === CHUNK_SHIFT) pages.addChunk(entry)
    }
    for (const run of content.runs) pages.addRun(run)
    for (const { pack, stamp } of content.homes) homes.add(pack, stamp)
  }
  if (result?.homes.some(({ pack }) => bad.hasPack(pack)) === true) result = undefined
  nextOffset = Math.min(nextOffset, end)
  if (!options.inherits) nextOffset = Math.min(nextOffset, firstUndecided(options, pages, nextOffset))
  const again = quarantined(pages, bad)
  const repeated = [...again.values()].reduce((sum, page) => sum + page.size, 0) * 2 ** CHUNK_SHIFT
  return {
    nextOffset,
    pages,
    again,
    bytesResumed: Math.max(0, nextOffset - start - repeated),
    homes,
    readBytes,
    newBytes: pages.storedBytes((pack) => own.has(pack)),
    uploadStamp,
    result,
  }
}

/** An attempt that inherited has journalled nothing about what it carried over: one that does not has to read that. */
function firstUndecided(
  { start, diskBytes }: { readonly start: number; readonly diskBytes: number },
  pages: ResumedPages,
  before: number,
): number {
  for (let pageNo = start / PAGE_BYTES; pageNo * PAGE_BYTES < before; pageNo++) {
    const first = pages.firstUndecided(pageNo, pageEntryCount(diskBytes, pageNo, CHUNK_SHIFT))
    if (first !== undefined) return pageNo * PAGE_BYTES + first * 2 ** CHUNK_SHIFT
  }
  return before
}

function quarantined(pages: ResumedPages, bad: BadSlots): Map<number, Set<number>> {
  const again = new Map<number, Set<number>>()
  if (bad.isEmpty) return again
  for (const pageNo of pages.pageNumbers()) {
    for (const { entryNo, pack, slot } of pages.chunks(pageNo)) {
      if (bad.has(pack, slot)) again.set(pageNo, (again.get(pageNo) ?? new Set()).add(entryNo))
    }
  }
  return again
}
