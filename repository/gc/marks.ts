import { HoldfastError } from '../../base/index.ts'
import { fromHex, toHex, type BlobType, type Location } from '../format/index.ts'
import { homesOf } from '../index-view/index.ts'
import type { BadSlots } from '../read/quarantine.ts'
import { Bits } from './bits.ts'
import type { Contents } from './contents.ts'
import type { Latecomers } from './latecomers.ts'
import { packFlag, type PackTable } from './pack-table.ts'
import type { Visitor } from './walk.ts'

/** Packs whose ordinals are remembered: the chunks of a page come from a few, again and again. */
const REMEMBERED = 4096

/**
 * The mark of §9.2: one bit for each slot that a root needs. Where it is set: the hint's pack if it is in V and the slot is not
 * quarantined; else every home in V; else every home in a pending set; else a quarantined one.
 */
export class Marks implements Visitor {
  readonly #bits: Bits
  readonly #table: PackTable
  readonly #contents: Contents
  readonly #bad: BadSlots
  readonly #late: Latecomers
  readonly #warn: (message: string) => void
  #ordinals = new Map<string, number | undefined>()
  #warned = new Set<string>()

  constructor(
    contents: Contents,
    bad: BadSlots,
    late: Latecomers,
    /** For what should be looked at: a quarantined place that is the last one. */
    warn: (message: string) => void,
  ) {
    this.#bits = new Bits(contents.slots)
    this.#table = contents.table
    this.#contents = contents
    this.#bad = bad
    this.#late = late
    this.#warn = warn
  }

  /** Whether any slot of the pack is marked. */
  any(ordinal: number): boolean {
    return this.#bits.any(this.#contents.from(ordinal), this.#contents.from(ordinal + 1))
  }

  has(ordinal: number, slot: number): boolean {
    return this.#bits.has(this.#contents.from(ordinal) + slot)
  }

  /**
   * Rule 1. A hint needs no verification beyond its bound: pages are authenticated and packs are named by their hash. A slot
   * that is not below the pack's count would be the bit of another pack.
   */
  atHint(_type: BlobType, _id: Uint8Array, { pack, slot }: Location): boolean {
    const ordinal = this.#ordinal(pack)
    if (ordinal === undefined || !this.#table.isHome(ordinal)) return false
    if (!this.#bad.isEmpty && this.#bad.has(pack, slot)) return false
    // Nothing of it is condemned, so nothing in it needs a mark.
    if (this.#table.has(ordinal, packFlag.unknown)) return true
    if (slot >= this.#contents.slotsOf(ordinal)) return false
    this.#bits.set(this.#contents.from(ordinal) + slot)
    return true
  }

  /** Rules 2 to 5. */
  async elsewhere(type: BlobType, id: Uint8Array, hint: Location): Promise<boolean> {
    const known = [...homesOf(this.#contents.segments, type, id)]
    if (this.#mark(id, hint, known, false)) return true
    // Not lost before it has been looked for again: its pack may be newer than the listing.
    if (await this.#late.has(hint.pack)) return true
    const homes = await this.#late.homes(type, id)
    for (const { pack } of homes) if (await this.#late.has(pack)) return true
    if (this.#mark(id, hint, [...known, ...homes], true)) return true
    const unknown = this.#contents.unknown ?? (await this.#late.unknown())
    if (unknown === undefined) return false
    throw new HoldfastError('CollectionAborted', `blob ${toHex(id)} is not found, and may be in pack ${unknown}`, {
      hint: 'Nothing was deleted. The table of contents of that pack cannot be read: run `holdfast repo rebuild-index`, then collect again.',
      data: { id: toHex(id), pack: unknown },
    })
  }

  /** `last`: a quarantined home counts too. */
  #mark(id: Uint8Array, hint: Location, homes: readonly Location[], last: boolean): boolean {
    const placed = homes.flatMap(({ pack, slot }) => {
      const ordinal = this.#ordinal(pack)
      if (ordinal === undefined || this.#table.has(ordinal, packFlag.final)) return []
      return slot < this.#contents.slotsOf(ordinal) ? [{ pack, slot, ordinal }] : []
    })
    const sound = placed.filter(({ pack, slot }) => !this.#bad.has(pack, slot))
    const inView = sound.filter(({ ordinal }) => this.#table.isHome(ordinal))
    // Every home in a pending set: the run that condemned it is only presumed dead, and each of them may become final.
    const chosen = inView.length > 0 ? inView : sound
    for (const { ordinal, slot } of chosen) this.#bits.set(this.#contents.from(ordinal) + slot)
    if (chosen.length > 0) return true
    // A pack whose table cannot be read is kept as it is, whatever lies in it.
    const at = this.#ordinal(hint.pack)
    if (at !== undefined && this.#table.has(at, packFlag.unknown) && !this.#table.has(at, packFlag.final)) return true
    if (!last) return false
    for (const { ordinal, slot } of placed) this.#bits.set(this.#contents.from(ordinal) + slot)
    const [bad] = placed
    if (bad !== undefined && !this.#warned.has(bad.pack)) {
      this.#warned.add(bad.pack)
      this.#warn(`pack ${bad.pack} is quarantined and holds the last copy of blobs: ${toHex(id)} and perhaps more`)
    }
    return bad !== undefined
  }

  #ordinal(pack: string): number | undefined {
    if (this.#ordinals.has(pack)) return this.#ordinals.get(pack)
    if (this.#ordinals.size >= REMEMBERED) this.#ordinals = new Map()
    const ordinal = this.#table.ordinalAt(fromHex(pack, 32, 'pack name'), 0)
    this.#ordinals.set(pack, ordinal)
    return ordinal
  }
}
