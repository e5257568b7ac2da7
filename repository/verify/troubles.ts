import type { DamageEntry } from './damage-log.ts'

/** What is wrong with one pack, for the references that point into it. */
export interface PackTrouble {
  /** The damage that a reference to `off` runs into; undefined if this blob can be read all the same. */
  hit(off: number, id: string): DamageEntry | undefined
}

/** Packs in which something is wrong. Few: what is sound leaves nothing behind. */
export class Troubles {
  readonly #packs = new Map<string, PackTrouble[]>()

  hit(pack: string, off: number, id: string): DamageEntry | undefined {
    for (const trouble of this.#packs.get(pack) ?? []) {
      const entry = trouble.hit(off, id)
      if (entry !== undefined) return entry
    }
    return undefined
  }

  has(pack: string): boolean {
    return this.#packs.has(pack)
  }

  /** Nothing of the pack can be read. */
  whole(pack: string, entry: DamageEntry): void {
    this.#add(pack, { hit: () => entry })
  }

  /** Only these blobs can be read. */
  allBut(pack: string, sound: readonly { readonly off: number; readonly id: string }[], entry: DamageEntry): void {
    const known = new Map(sound.map(({ off, id }) => [off, id]))
    this.#add(pack, { hit: (off, id) => (known.get(off) === id ? undefined : entry) })
  }

  /** These blobs cannot be read. */
  blobs(pack: string, offsets: Iterable<number>, entry: DamageEntry): void {
    const bad = new Set(offsets)
    this.#add(pack, { hit: (off) => (bad.has(off) ? entry : undefined) })
  }

  #add(pack: string, trouble: PackTrouble): void {
    const list = this.#packs.get(pack) ?? []
    list.push(trouble)
    this.#packs.set(pack, list)
  }
}
