import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { describeError, HoldfastError } from '../../base/index.ts'
import { toHex, type BlobType, type Location } from '../format/index.ts'
import { isDead, type GcState } from '../gcstate/index.ts'
import { homesOf } from '../index-view/index.ts'
import { Bits } from './bits.ts'
import type { Contents } from './contents.ts'
import { putCondemned, putFinal, type OwnRecord } from './records.ts'
import { publishRoster } from './rosters.ts'
import { listRoots } from './roots.ts'
import { latecomers, Tally, type Run, type Seen } from './run.ts'
import { RootWalker, type Visitor, type WalkedPages } from './walk.ts'

/** What is to be condemned, and what G1 knows of the roots. */
export interface Plan {
  readonly seen: Seen
  /** Ordinals, ascending: the order of names. */
  readonly candidates: readonly number[]
  /** For a candidate whose live blobs were copied: the packs that hold the copies (§9.7). */
  readonly copies: ReadonlyMap<number, ReadonlySet<string>>
  /** Snapshots all of whose blobs were marked at G1. */
  readonly whole: ReadonlySet<string>
  readonly pages: WalkedPages
}

export interface Condemned {
  readonly outcome: 'collected' | 'stopped'
  readonly epoch: number
  readonly condemned: Tally
  readonly reprieved: Tally
}

/**
 * G2 to G4 (§9.1, §9.4): publish the condemned set, then check, then publish the final one. All of it belongs to this
 * incarnation: what it may make final is known by this call's memory alone (§9.5).
 */
export async function condemn(run: Run, plan: Plan): Promise<Condemned> {
  const { engine, signal } = run
  const { state, contents } = plan.seen
  const { table } = contents
  const packs = plan.candidates.map((ordinal) => table.name(ordinal))
  run.progress(`condemning ${packs.length} packs`)
  const nonce = toHex(randomBytes(16))
  const own = await putCondemned(engine, state, { nonce, owner: run.id, packs }, signal)
  const condemned = new Tally()
  for (const ordinal of plan.candidates) condemned.add(table.size(ordinal))
  const finals = await checked(run, plan, own)
  if (finals === 'stop') {
    await putFinal(engine, own, [], true, signal)
    return { outcome: 'stopped', epoch: own.epoch, condemned, reprieved: condemned }
  }
  await putFinal(engine, own, finals, false, signal)
  const reprieved = new Tally()
  const isFinal = new Set(finals)
  for (const [index, ordinal] of plan.candidates.entries()) {
    if (!isFinal.has(index)) reprieved.add(table.size(ordinal))
  }
  return { outcome: 'collected', epoch: own.epoch, condemned, reprieved }
}

/** As `check`. If it fails, an empty final set is put, so that nothing stays condemned: no other `.f` has been sent yet. */
async function checked(run: Run, plan: Plan, own: OwnRecord): Promise<readonly number[] | 'stop'> {
  try {
    return await check(run, plan, own)
  } catch (error) {
    try {
      await putFinal(run.engine, own, [], true, new AbortController().signal)
    } catch (again) {
      run.note(`the condemned set of epoch ${own.epoch} is abandoned: ${describeError(again)}`)
    }
    throw error
  }
}

/** G3a to G3c: indexes in the record's packs of what is left to be final. */
async function check(run: Run, plan: Plan, own: OwnRecord): Promise<readonly number[] | 'stop'> {
  const { engine, signal } = run
  const { settle } = engine.store.capabilities
  if (settle > 0) await sleep(settle, undefined, { signal })
  const state = await engine.gc.read(engine.store, signal)
  if (mustStop(plan.seen.state, state, own)) return 'stop'

  run.progress('reading the roots again')
  const reprieve = new Reprieve(plan.seen.contents, plan.candidates)
  for (const [ordinal, copies] of plan.copies) {
    // A copy that another run has condemned is no home (§9.7).
    if ([...copies].some((pack) => isDead(state, pack))) reprieve.clear(ordinal)
  }
  const { roots, rosters } = await listRoots(engine, run.points, run.known, signal)
  using late = latecomers(run, plan.seen.table)
  const walker = new RootWalker({
    engine,
    points: run.points,
    contents: plan.seen.contents,
    late,
    reread: run.reread,
    visitor: reprieve,
    before: plan.pages,
    signal,
  })
  for (const root of roots) if (!plan.whole.has(root.snap)) await walker.walk(root)

  const { epoch, nonce, owner } = own
  await publishRoster(engine, { epoch, nonce, owner, snaps: roots.map(({ snap }) => snap) }, rosters, signal)
  return plan.candidates.flatMap((ordinal, index) => (reprieve.isLeft(ordinal) ? [index] : []))
}

/**
 * §9.4, 2: any present record that was not there at G0, other than the own one, or a floor above the own epoch. Throws
 * ListingIncomplete if the own record is not shown (§7.3).
 */
function mustStop(before: GcState, now: GcState, own: OwnRecord): boolean {
  const known = new Set(before.records.map(({ epoch, nonce }) => `${epoch} ${nonce}`))
  const isOwn = ({ epoch, nonce }: { epoch: number; nonce: string }) => epoch === own.epoch && nonce === own.nonce
  if (now.floor > own.epoch) return true
  if (!now.records.some(isOwn)) {
    throw new HoldfastError(
      'ListingIncomplete',
      `the condemned set of epoch ${own.epoch} was stored, and is not listed`,
    )
  }
  return now.records.some((record) => !isOwn(record) && !known.has(`${record.epoch} ${record.nonce}`))
}

/**
 * §9.4, 3: every candidate with a blob that a root needs is left alone, whether or not the blob has another home. By id: a
 * hint may point elsewhere.
 */
class Reprieve implements Visitor {
  readonly #contents: Contents
  readonly #left: Bits

  constructor(contents: Contents, candidates: readonly number[]) {
    this.#contents = contents
    this.#left = new Bits(contents.table.count)
    for (const ordinal of candidates) this.#left.set(ordinal)
  }

  isLeft(ordinal: number): boolean {
    return this.#left.has(ordinal)
  }

  clear(ordinal: number): void {
    this.#left.clear(ordinal)
  }

  atHint(type: BlobType, id: Uint8Array, hint: Location): boolean {
    const { table, segments } = this.#contents
    const at = table.ordinal(hint.pack)
    if (at !== undefined) this.clear(at)
    for (const { pack } of homesOf(segments, type, id)) {
      const ordinal = table.ordinal(pack)
      if (ordinal !== undefined) this.clear(ordinal)
    }
    return true
  }

  elsewhere(): Promise<boolean> {
    return Promise.resolve(true)
  }
}
