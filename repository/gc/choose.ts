import { BLOB_HEADER, bounds, TOC_ENTRY } from '../format/index.ts'
import type { BadSlots } from '../read/quarantine.ts'
import { Bits } from './bits.ts'
import type { Contents } from './contents.ts'
import type { Marks } from './marks.ts'
import type { Locks } from './locked.ts'
import { packFlag } from './pack-table.ts'
import { Tally } from './run.ts'

/** What G1 has decided (§9.3, §9.7). Ordinals are those of the listing. */
export interface Choice {
  /** Without any marked slot: to be condemned as they are. */
  readonly garbage: readonly number[]
  /** With few live blobs, or in an abandoned set: to be condemned once these are copied. The emptiest first. */
  readonly copy: readonly number[]
  readonly live: Tally
  readonly young: Tally
  readonly unknown: Tally
  /** In a final set already. */
  readonly final: Tally
  /** Would be one of the first two, and the store keeps it. */
  readonly locked: Tally
  /** Of `copy`: to be emptied, for its set was abandoned, and not to be condemned before its lock has ended. */
  readonly keep: ReadonlyMap<number, number>
}

export interface ChoiceOptions {
  readonly contents: Contents
  readonly marks: Marks
  readonly bad: BadSlots
  /** Share of live bytes below which a pack is compacted. */
  readonly compactBelow: number
  /** Stored bytes that may be copied. */
  readonly copyBytes: number
  /** Whether packs in a pending set may be evacuated: the run that condemned them is taken for dead. */
  readonly isAbandoned: (pack: string) => boolean
  readonly readLocks: (ordinals: readonly number[] | Uint32Array) => Promise<Locks>
  readonly signal: AbortSignal
}

/** Candidates of §9.3, and packs that §9.7 empties first. One `.c` names about a million at most; the next run goes on. */
export async function choose(options: ChoiceOptions): Promise<Choice> {
  const { contents, marks, readLocks } = options
  const { table } = contents
  const [live, young, unknown, final, locked] = [new Tally(), new Tally(), new Tally(), new Tally(), new Tally()]
  // Of millions of packs either may be nearly all: four bytes each, and never copied to grow.
  const unmarked = new Ordinals(table.count)
  const used = new Ordinals(table.count)
  for (let ordinal = 0; ordinal < table.count; ordinal++) {
    const size = table.size(ordinal)
    if (table.has(ordinal, packFlag.final)) final.add(size)
    else if (marks.any(ordinal)) {
      live.add(size)
      if (!table.has(ordinal, packFlag.young | packFlag.unknown)) used.push(ordinal)
    } else if (table.has(ordinal, packFlag.unknown)) unknown.add(size)
    else if (table.has(ordinal, packFlag.young)) young.add(size)
    else unmarked.push(ordinal)
  }
  const ofGarbage = await readLocks(unmarked.all)
  const garbage: number[] = []
  for (const ordinal of unmarked.all) {
    if (ofGarbage.isLocked(ordinal)) locked.add(table.size(ordinal))
    else if (garbage.length < bounds.condemned.packs) garbage.push(ordinal)
  }
  const room = bounds.condemned.packs - garbage.length
  const wanted = (await emptiest(options, used.all)).slice(0, room)
  const ofWanted = await readLocks(wanted)
  const keep = new Map<number, number>()
  const copy = wanted.filter((ordinal) => {
    if (!table.isHome(ordinal)) {
      if (ofWanted.isLocked(ordinal)) keep.set(ordinal, ofWanted.until(ordinal))
      return true
    }
    const isLocked = ofWanted.isLocked(ordinal)
    if (isLocked) locked.add(table.size(ordinal))
    return !isLocked && !ofWanted.isYoung(ordinal)
  })
  return { garbage, copy, live, young, unknown, final, locked, keep }
}

class Ordinals {
  readonly #ordinals: Uint32Array
  #count = 0

  constructor(most: number) {
    this.#ordinals = new Uint32Array(most)
  }

  push(ordinal: number): void {
    this.#ordinals[this.#count] = ordinal
    this.#count += 1
  }

  get all(): Uint32Array {
    return this.#ordinals.subarray(0, this.#count)
  }
}

async function emptiest(options: ChoiceOptions, used: Uint32Array): Promise<number[]> {
  const { contents, marks, bad, compactBelow, copyBytes, isAbandoned, signal } = options
  const { table } = contents
  const wanted = used.filter((ordinal) => {
    if (!bad.isEmpty && bad.hasPack(table.name(ordinal))) return false
    return table.isHome(ordinal) ? compactBelow > 0 : isAbandoned(table.name(ordinal))
  })
  if (wanted.length === 0) return []
  const bytes = await liveBytes(contents, marks, wanted, signal)
  const share = (ordinal: number) => (bytes[ordinal] ?? 0) / table.size(ordinal)
  // An abandoned set blocks its record's retirement: it is emptied at any fill, and first.
  const order = (ordinal: number) => (table.isHome(ordinal) ? share(ordinal) : share(ordinal) - 1)
  const chosen: number[] = []
  let sum = 0
  for (const ordinal of wanted.sort((a, b) => order(a) - order(b))) {
    if (table.isHome(ordinal) && share(ordinal) >= compactBelow) break
    sum += bytes[ordinal] ?? 0
    if (sum > copyBytes) break
    chosen.push(ordinal)
  }
  return chosen
}

/** Bytes of the marked slots of these packs, by ordinal; each slot counts once, however many segments name it. */
async function liveBytes(
  contents: Contents,
  marks: Marks,
  wanted: Uint32Array,
  signal: AbortSignal,
): Promise<Uint32Array> {
  const bytes = new Uint32Array(contents.table.count)
  const isWanted = new Bits(contents.table.count)
  for (const ordinal of wanted) isWanted.set(ordinal)
  const counted = new Bits(contents.slots)
  await contents.each(signal, (ordinal, slot, clen) => {
    if (!isWanted.has(ordinal) || !marks.has(ordinal, slot) || !counted.set(contents.from(ordinal) + slot)) return
    bytes[ordinal] = (bytes[ordinal] ?? 0) + BLOB_HEADER + TOC_ENTRY + clen
  })
  return bytes
}
