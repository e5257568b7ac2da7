import { HoldfastError } from '../base/index.ts'
import type { StoredEngine } from './engine.ts'
import type { Fmt } from './format/index.ts'
import { GcStateReader } from './gcstate/index.ts'
import { IndexView } from './index-view/index.ts'
import { requireFmt } from './objects.ts'
import { Quarantines } from './read/quarantine.ts'
import { connectTo, type Connect } from './store/index.ts'
import type { RepositoryLocation, VerifyLevel, VerifyReport } from './types.ts'
import { FileLedger, verifyStored } from './verify/index.ts'
import { processBudget, WorkerPool, type BufferBudget } from './workers/index.ts'

/** What can be given instead, inside the room. */
export interface StoredInternals {
  readonly connect?: Connect
  readonly budget?: BufferBudget
  readonly clock?: () => number
  readonly warn?: (message: string) => void
  readonly pool?: WorkerPool
}

export interface VerifyWithoutKeys {
  readonly location: RepositoryLocation
  /** As that of `openRepository`. */
  readonly cacheDir: string
  readonly threads?: number
  readonly level: Exclude<VerifyLevel, 'full'>
  readonly quarantine?: boolean
  readonly budget?: number
  readonly signal: AbortSignal
  readonly onProgress: (done: number, total: number, what: string) => void
}

/** See `verifyStored`. Throws RepositoryMissing, FormatUnsupported. */
export async function verifyWithoutKeys(
  options: VerifyWithoutKeys,
  internals: StoredInternals = {},
): Promise<VerifyReport> {
  const { location, cacheDir, threads } = options
  const connect = internals.connect ?? connectTo(location)
  const store = connect()
  const warn = internals.warn ?? ((message: string) => process.emitWarning(message, 'RepositoryWarning'))
  const clock = internals.clock ?? Date.now
  const { fmt } = await requireFmt(store, location)
  requireReadable(fmt)
  using view = new IndexView({ cacheDir, repo: fmt.repo, warn })
  await using own = internals.pool === undefined ? new WorkerPool(threads) : undefined
  const engine: StoredEngine = {
    fmt,
    store,
    connect,
    // Without the MK a record is taken for genuine, as a writer takes it (§5.5): nothing is deleted by it here.
    gc: new GcStateReader(fmt.repo, () => true),
    view,
    pool: internals.pool ?? own ?? new WorkerPool(threads),
    budget: internals.budget ?? processBudget,
    quarantines: new Quarantines({ repo: fmt.repo, clock, warn }),
    clock,
    warn,
  }
  return await verifyStored(engine, { ...options, ledger: FileLedger.in(cacheDir, fmt.repo, warn) })
}

/** Features that came later are signed objects, which only keys can judge; those of `fmt` can be told. */
function requireReadable(fmt: Fmt): void {
  if (fmt.features.read.length === 0) return
  throw new HoldfastError('FormatUnsupported', `the repository needs ${fmt.features.read.join(', ')} to be read`)
}
