import { HoldfastError } from '../../base/index.ts'
import type { Engine } from '../engine.ts'
import { encodeCondemned, encodeFinal, encodeFloor, encodeRoster, names, toHex } from '../format/index.ts'
import type { GcState } from '../gcstate/index.ts'
import { recordSigner, sha256 } from '../keys/index.ts'
import { getWhole } from '../store/index.ts'
import { putSmall } from '../write/session-log.ts'

/** A `.c` that this incarnation has written: the only thing that may become its `.f` (§9.5). Lives in memory alone. */
export interface OwnRecord {
  readonly epoch: number
  readonly nonce: string
  readonly owner: string
  readonly packs: readonly string[]
  readonly sha: string
}

/** G2: condemns packs, sorted by name, under the epoch after the base. */
export async function putCondemned(
  engine: Engine,
  state: GcState,
  own: { readonly nonce: string; readonly owner: string; readonly packs: readonly string[] },
  signal: AbortSignal,
): Promise<OwnRecord> {
  const epoch = state.base + 1
  const { ring } = engine
  const seen = state.records.map((record) => ({ epoch: record.epoch, nonce: record.nonce }))
  const fields = { repo: ring.repo, epoch, createdMs: engine.clock(), floorSeen: state.floor, seen, ...own }
  const body = encodeCondemned(fields, recordSigner(ring))
  await put(engine, names.record('condemned', epoch, own.nonce), body, signal)
  return { ...own, epoch, sha: toHex(sha256(body)) }
}

/** G4, or an empty set where the run has to stop. `finals`: ordinals in the record's packs, ascending. */
export async function putFinal(
  engine: Engine,
  own: OwnRecord,
  finals: readonly number[],
  stopped: boolean,
  signal: AbortSignal,
): Promise<void> {
  const { ring } = engine
  const { epoch, nonce, sha: condemnedSha, packs } = own
  const fields = { repo: ring.repo, epoch, createdMs: engine.clock(), nonce, condemnedSha, nPacks: packs.length }
  const body = encodeFinal({ ...fields, stopped, ordinals: finals }, recordSigner(ring))
  await put(engine, names.record('final', epoch, nonce), body, signal)
}

/** G3c: every root seen, for the next run's cross-check. Returns its name. */
export async function putRoster(
  engine: Engine,
  fields: { readonly epoch: number; readonly nonce: string; readonly owner: string; readonly snaps: readonly string[] },
  signal: AbortSignal,
): Promise<string> {
  const { ring } = engine
  const name = names.record('roster', fields.epoch, fields.nonce)
  const body = encodeRoster({ repo: ring.repo, createdMs: engine.clock(), ...fields }, recordSigner(ring))
  await put(engine, name, body, signal)
  return name
}

/** G7: records with a smaller epoch are retired. Another party may have written the same floor: it has the same bytes. */
export async function putFloor(engine: Engine, n: number, signal: AbortSignal): Promise<void> {
  await putSmall(
    engine.store,
    names.floor(n),
    encodeFloor({ repo: engine.ring.repo, n }, recordSigner(engine.ring)),
    signal,
  )
}

/** The name is drawn at random: if it is taken, by other bytes than these, the store does not keep what was promised. */
async function put(engine: Engine, name: string, body: Uint8Array, signal: AbortSignal): Promise<void> {
  if ((await putSmall(engine.store, name, body, signal)) === 'created') return
  const there = await getWhole(engine.store, name, signal)
  if (there !== undefined && Buffer.compare(there, body) === 0) return
  throw new HoldfastError('StoreUnfit', `${name} is taken by an object that this run has not written`)
}
