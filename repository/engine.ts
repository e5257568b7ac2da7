import type { FeatureGate } from './features.ts'
import type { Fmt } from './format/index.ts'
import type { GcStateReader } from './gcstate/index.ts'
import type { Recheck } from './gc/index.ts'
import type { IndexView } from './index-view/index.ts'
import type { KeyInventory, KeyRing } from './keys/index.ts'
import type { Retention } from './lock/index.ts'
import type { BlobReader } from './read/blob-reader.ts'
import type { Quarantines } from './read/quarantine.ts'
import type { Connect, ObjectStore } from './store/index.ts'
import type { BufferBudget, WorkerPool } from './workers/index.ts'

/** What of a repository can be worked on without any key: stored bytes, not what they mean. */
export interface StoredEngine {
  readonly fmt: Fmt
  /** The connection for reading and single requests. A writer's attempt opens its own. */
  readonly store: ObjectStore
  readonly connect: Connect
  readonly gc: GcStateReader
  readonly view: IndexView
  readonly pool: WorkerPool
  readonly budget: BufferBudget
  readonly quarantines: Quarantines
  readonly clock: () => number
  /** For what costs no data but should be looked at: ignored replicas, damaged segments, objects whose MAC fails. */
  readonly warn: (message: string) => void
}

/** What an open repository consists of; every room of the engine works on it. */
export interface Engine extends StoredEngine {
  readonly ring: KeyRing
  readonly inventory: KeyInventory
  /** Names of competing key sets (§5.3); not empty: read only. */
  readonly keyConflict: readonly string[]
  /** A newer generation of the KEK that the secret does not open (§5.6): read only. */
  readonly keySuperseded: number | undefined
  readonly features: FeatureGate
  /** Until when what is written is locked (§11.5). */
  readonly retention: Retention
  /** §9.8: what is repeated of the probe before each collection; undefined: for simulations, neither that nor its age. */
  readonly recheck: Recheck | undefined
  readonly blobs: BlobReader
}

/** The same repository for who must write nothing, a dry run: what is found damaged on the way is not quarantined. */
export function lookOnly(engine: Engine): Engine {
  const quarantines = engine.quarantines.lookOnly()
  return { ...engine, quarantines, blobs: engine.blobs.with(quarantines) }
}
