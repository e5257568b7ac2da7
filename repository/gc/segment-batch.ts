import { encodeSegment, type SegmentPack, type TocEntry } from '../format/index.ts'

/** Entries of one segment: about 15 MiB while it is made. */
const ENTRIES = 65_536

type Entry = Parameters<typeof encodeSegment>[0]['entries'][number]

/** Collects the tables of contents of whole packs into level-0 segments (§4.6) of bounded size. */
export class SegmentBatch {
  readonly #fields: { readonly repo: string; readonly stampEpoch: number; readonly producer: string }
  readonly #clock: () => number
  readonly #sink: (content: Buffer) => Promise<void>
  #packs: SegmentPack[] = []
  #entries: Entry[] = []

  /** `stampEpoch`: valid for every pack that is added. */
  constructor(
    fields: { readonly repo: string; readonly stampEpoch: number; readonly producer: string },
    clock: () => number,
    sink: (content: Buffer) => Promise<void>,
  ) {
    this.#fields = fields
    this.#clock = clock
    this.#sink = sink
  }

  /** May be called again before it has resolved. */
  async add(pack: SegmentPack, toc: readonly TocEntry[]): Promise<void> {
    this.#packs.push(pack)
    for (const [slot, { id, off, clen, type }] of toc.entries()) {
      this.#entries.push({ id, off, clen, type, slot, pack: pack.sha })
    }
    if (this.#entries.length >= ENTRIES) await this.close()
  }

  /** Hands over what has been added since the last segment. */
  async close(): Promise<void> {
    const packs = this.#packs
    const entries = this.#entries
    this.#packs = []
    this.#entries = []
    if (packs.length === 0) return
    const createdMs = this.#clock()
    const flat = { level: 0, prefixBits: 0, prefix: 0, supersedes: [], createdMs } as const
    await this.#sink(encodeSegment({ ...this.#fields, ...flat, packs, entries }))
  }
}
