import { isHoldfastError, type HoldfastError } from '../../base/index.ts'
import type { StoredEngine } from '../engine.ts'
import type { VerifyLevel } from '../types.ts'
import type { Context } from './context.ts'
import { DamageLog } from './damage-log.ts'
import { PackTocs } from './pack-tocs.ts'
import { Quarantiner } from './quarantine.ts'
import { Rereader } from './reread.ts'
import { readGcState } from './small-objects.ts'
import { Troubles } from './troubles.ts'

/** Steps done and to do. */
export interface Progress {
  done: number
  total: number
}

/** The index before the listing of packs: what it names then is there, or was deleted (§9.1, G6). */
export async function beginVerify(
  engine: StoredEngine,
  ring: Context['ring'],
  options: {
    readonly level: VerifyLevel
    readonly quarantine?: boolean
    readonly signal: AbortSignal
    readonly onProgress: (done: number, total: number, what: string) => void
  },
  open: DisposableStack,
  progress: Progress,
): Promise<Context> {
  const { level, signal, quarantine = false, onProgress } = options
  const { store } = engine
  const log = new DamageLog()
  const note = (text: string): void => {
    log.note(text)
  }
  const reread = new Rereader(engine, signal, note)
  const gc = await readGcState(engine, log, signal)
  const known = await engine.quarantines.read(store, signal)
  try {
    await engine.view.refresh(store, signal)
  } catch (error) {
    // The cache of this host is not the repository: what it lacks is to be mended here, and nothing could be compared.
    if (signal.aborted || !isHoldfastError(error) || !ofStore(error)) throw error
    const message = `the index cannot be read now, packs were not compared with all of it: ${error.message}`
    log.add({ pack: null, object: 'idx/', found: 'L1', message, proved: false })
  }
  const segments = engine.view.openFiles()
  for (const segment of segments) open.use(segment)
  return {
    engine,
    ring,
    level,
    signal,
    log,
    reread,
    troubles: new Troubles(),
    tocs: new PackTocs(reread, signal),
    quarantine: new Quarantiner({ quarantines: engine.quarantines, store, known, dryRun: !quarantine, note }),
    segments,
    gc,
    totals: { points: 0, packs: 0, packsResumed: 0, chunks: 0, bytes: 0 },
    step: (what) => {
      progress.done += 1
      onProgress(progress.done, Math.max(progress.done, progress.total), what)
    },
  }
}

function ofStore({ code }: HoldfastError): boolean {
  return (
    code === 'StoreUnavailable' || code === 'StoreRateLimited' || code === 'StoreDenied' || code === 'ListingIncomplete'
  )
}
