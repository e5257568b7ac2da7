import { randomBytes } from 'node:crypto'
import type { Engine } from '../engine.ts'
import { BLOB_PAGE, names, toHex } from '../format/index.ts'
import { isDead } from '../gcstate/index.ts'
import { segmentObject } from '../index-view/index.ts'
import { inParallel, throwIfAborted } from '../store/index.ts'
import { Rereader } from '../verify/reread.ts'
import { requireWritable } from '../write/writable.ts'
import { putSmall } from '../write/session-log.ts'
import { incompletePacks } from './contents.ts'
import { PackTable } from './pack-table.ts'
import { SegmentBatch } from './segment-batch.ts'
import { TocReader } from './toc.ts'
import type { RebuildOptions, RebuildReport } from './types.ts'

const PARALLEL = 8

/**
 * Writes index segments for every pack that the index does not know whole, from the packs' own tables of contents (§8.2: known
 * under a reading that was complete before the listing). Where a table is damaged the pack is scanned, and quarantined: what is
 * found can be restored, and is not relied upon. Changes nothing that is there. Again: yes, beside anything.
 */
export async function rebuildIndex(engine: Engine, options: RebuildOptions): Promise<RebuildReport> {
  const { dryRun = false, signal, onProgress } = options
  const started = performance.now()
  if (!dryRun) await requireWritable(engine, signal)
  const { store, view, ring, clock } = engine
  const notes: string[] = []
  const reread = new Rereader(engine, signal, (note) => void notes.push(note))
  const tocs = new TocReader(engine, reread, signal)
  const state = await engine.gc.read(store, signal)
  await view.refresh(store, signal)
  using open = new DisposableStack()
  const segments = view.openFiles()
  for (const segment of segments) open.use(segment)
  const table = await PackTable.list(store, () => 0, signal)
  const missing = (await incompletePacks(table, segments, signal)).filter(
    (ordinal) => !isDead(state, table.name(ordinal)),
  )
  const counts = { indexed: 0, scanned: 0, unreadable: 0, written: 0, blobs: 0 }
  const fields = { repo: ring.repo, stampEpoch: state.base, producer: toHex(randomBytes(16)) }
  const batch = new SegmentBatch(fields, clock, async (content) => {
    counts.written += 1
    if (dryRun) return
    const { sha, name } = segmentObject(content)
    await putSmall(store, name, content, signal)
    await view.add(sha, content)
  })
  let done = 0
  await inParallel(missing, PARALLEL, async (ordinal) => {
    throwIfAborted(signal)
    const sha = table.name(ordinal)
    const size = table.size(ordinal)
    const found = await tocs.find(sha, size)
    onProgress((done += 1), missing.length, names.pack(sha))
    if (found.how === 'none') {
      counts.unreadable += 1
      notes.push(`pack ${sha} is not indexed: ${found.why}`)
      return
    }
    if (found.how === 'scanned') {
      counts.scanned += 1
      notes.push(`pack ${sha} was scanned, ${found.entries.length} blobs found: ${found.why}`)
      if (!dryRun) await engine.quarantines.report(store, sha, 'L2')
    }
    counts.indexed += 1
    counts.blobs += found.entries.length
    await batch.add({ sha, size, lockUntilDay: 0, meta: found.entries[0]?.type === BLOB_PAGE }, found.entries)
  })
  await batch.close()
  const packs = table.count
  return {
    dryRun,
    packs,
    missing: missing.length,
    ...counts,
    notes,
    durationMs: Math.round(performance.now() - started),
  }
}
