import type { Damage } from '../types.ts'

type Range = { start: number; end: number }
interface Affected {
  readonly stem: string
  readonly vm: string
  readonly disk: string | null
  readonly ranges: Range[]
}

/** One damage and what needs it. Ranges that touch are joined. */
export class DamageEntry {
  readonly pack: string | null
  readonly object: string
  readonly found: Damage['found']
  readonly proved: boolean
  readonly #messages: string[]
  readonly #affects = new Map<string, Affected>()

  constructor(what: Omit<Damage, 'affects'>) {
    this.pack = what.pack
    this.object = what.object
    this.found = what.found
    this.proved = what.proved
    this.#messages = [what.message]
  }

  also(message: string): void {
    if (!this.#messages.includes(message)) this.#messages.push(message)
  }

  /** `disk` null: a configuration, or a point whose disks are not known. */
  affect(stem: string, vm: string, disk: string | null, range?: Range): void {
    const key = `${stem} ${disk ?? ''} ${disk === null ? 'point' : 'disk'}`
    const affected = this.#affects.get(key) ?? { stem, vm, disk, ranges: [] }
    this.#affects.set(key, affected)
    if (range === undefined) return
    const last = affected.ranges.at(-1)
    if (last !== undefined && last.end === range.start) last.end = range.end
    else affected.ranges.push({ ...range })
  }

  covers(stem: string, disk: string, { start, end }: Range): boolean {
    const ranges = this.#affects.get(`${stem} ${disk} disk`)?.ranges ?? []
    return ranges.some((range) => range.start <= start && range.end >= end)
  }

  toJSON(): Damage {
    const { pack, object, found, proved } = this
    return { pack, object, found, proved, message: this.#messages.join('; '), affects: [...this.#affects.values()] }
  }
}

/** Everything that a verify has found, in the order in which it was found. */
export class DamageLog {
  readonly #entries: DamageEntry[] = []
  readonly #notes = new Set<string>()

  add(what: Omit<Damage, 'affects'>): DamageEntry {
    const entry = new DamageEntry(what)
    this.#entries.push(entry)
    return entry
  }

  note(text: string): void {
    this.#notes.add(text)
  }

  /** Whether a range of a disk is known to be lost. */
  covers(stem: string, disk: string, range: Range): boolean {
    return this.#entries.some((entry) => entry.covers(stem, disk, range))
  }

  get damages(): readonly Damage[] {
    return this.#entries.map((entry) => entry.toJSON())
  }

  get notes(): readonly string[] {
    return [...this.#notes]
  }
}
