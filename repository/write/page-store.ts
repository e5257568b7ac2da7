import type { Engine } from '../engine.ts'
import { BLOB_HEADER, BLOB_OVERHEAD, BLOB_PAGE, encodePage, toHex, type Page, type RootEntry } from '../format/index.ts'
import { sha256 } from '../keys/index.ts'
import type { PageRoot } from '../read/blob-reader.ts'
import { sealBlob } from '../workers/index.ts'
import type { Homes, Knowledge } from './knowledge.ts'
import type { Placed } from './pack-builder.ts'
import type { PackWriter } from './pack-writer.ts'

/** Root entry of a finished page; that of a page just stored names its pack when the pack is closed. */
export type OpenRoot =
  | { readonly kind: 'done'; readonly root: RootEntry }
  | { readonly kind: 'stored'; readonly pageId: string; readonly placed: Placed }

/** S4: turns finished pages into root entries, reusing what is stored already. */
export class PageStore {
  readonly #engine: Engine
  readonly #knowledge: Knowledge
  readonly #packs: PackWriter
  readonly #homes: Homes
  readonly #diskBytes: number
  readonly #signal: AbortSignal
  /** Pages stored by this attempt and not yet in the index. */
  readonly #placed = new Map<string, Placed>()

  constructor(options: {
    readonly engine: Engine
    readonly knowledge: Knowledge
    readonly packs: PackWriter
    readonly homes: Homes
    readonly diskBytes: number
    readonly signal: AbortSignal
  }) {
    this.#engine = options.engine
    this.#knowledge = options.knowledge
    this.#packs = options.packs
    this.#homes = options.homes
    this.#diskBytes = options.diskBytes
    this.#signal = options.signal
  }

  /** `parentRoot`: of the same page of the parent, whose chunks may have been carried over. */
  async finish(page: Page, hintReplaced: boolean, parentRoot: RootEntry | undefined): Promise<OpenRoot> {
    const hole = wholeHole(page)
    if (hole !== undefined) return { kind: 'done', root: { kind: hole } }
    const id = this.#engine.ring.identity().pageId(page)
    const pageId = toHex(id)
    if (parentRoot?.kind === 'page' && parentRoot.pageId === pageId && !hintReplaced) {
      // Clean after all (§6.7).
      if (!this.#knowledge.bad.has(parentRoot.pack, parentRoot.slot)) return { kind: 'done', root: parentRoot }
    }
    const pending = this.#placed.get(pageId)
    if (pending !== undefined) return { kind: 'stored', pageId, placed: pending }
    return (await this.#known(id, page)) ?? (await this.#put(id, page))
  }

  async #known(id: Buffer, page: Page): Promise<OpenRoot | undefined> {
    const home = this.#knowledge.home(BLOB_PAGE, id)
    if (home === undefined) return undefined
    const { pack, slot, off, clen, stamp } = home
    const root: PageRoot = { kind: 'page', pageId: toHex(id), pack, slot, off, clen }
    const { bad } = this.#knowledge
    if (!bad.isEmpty) {
      // An id found in the index must not bring back quarantined hints.
      const stored = await this.#engine.blobs.page(root, page.pageNo, this.#diskBytes, this.#signal)
      if (stored.entries.some((entry) => entry.kind === 'chunk' && bad.has(entry.pack, entry.slot))) return undefined
    }
    this.#homes.add(pack, stamp)
    return { kind: 'done', root }
  }

  async #put(id: Buffer, page: Page): Promise<OpenRoot> {
    const payload = encodePage(page)
    const blob = Buffer.allocUnsafe(BLOB_HEADER + BLOB_OVERHEAD + payload.length)
    const innerHash = sha256(payload)
    sealBlob(this.#engine.ring, { type: BLOB_PAGE, id, innerHash, ulen: payload.length, comp: 0, payload }, blob)
    const placed = await this.#packs.append(blob)
    const pageId = toHex(id)
    this.#placed.set(pageId, placed)
    return { kind: 'stored', pageId, placed }
  }
}

/** After the meta packs have their names. */
export function namedRoot(open: OpenRoot): RootEntry {
  if (open.kind === 'done') return open.root
  const { pack, slot, off, clen } = open.placed
  if (pack.name === undefined) throw new TypeError('the pack of a page has no name yet')
  return { kind: 'page', pageId: open.pageId, pack: pack.name, slot, off, clen }
}

function wholeHole(page: Page): 'zero' | 'unallocated' | undefined {
  const first = page.entries[0]?.kind
  if (first === undefined || first === 'chunk') return undefined
  return page.entries.every((entry) => entry.kind === first) ? first : undefined
}
