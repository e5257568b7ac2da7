import { bounds } from './bounds.ts'
import { fromHex, isZero, packTable, readPackTable } from './bytes.ts'
import { demand, unsupported } from './errors.ts'
import { checkLocation, type Location } from './page.ts'

export const ROOT_ENTRY = 48
const NO_PACK = 0xffffffff

/** One page of a disk as its manifest (§4.4) or a session's result (§7.1) refers to it. */
export type RootEntry =
  | ({ readonly kind: 'page'; /** 64 hex digits */ readonly pageId: string } & Location)
  | { readonly kind: 'zero' }
  | { readonly kind: 'unallocated' }

/** Root entries and the sorted table of the packs they use. */
export interface EncodedRoots {
  readonly entries: Buffer
  readonly packs: readonly string[]
  readonly table: Buffer
}

/** §4.4, root entries, 48 bytes each. */
export function encodeRoots(roots: readonly RootEntry[]): EncodedRoots {
  const packs = [...new Set(roots.flatMap((root) => (root.kind === 'page' ? [root.pack] : [])))].sort()
  const ordinal = new Map(packs.map((pack, index) => [pack, index]))
  const entries = Buffer.alloc(ROOT_ENTRY * roots.length)
  for (const [index, root] of roots.entries()) {
    const at = ROOT_ENTRY * index
    if (root.kind === 'page') {
      checkRoot(root, index)
      entries.set(fromHex(root.pageId, 32, 'page id'), at)
      entries.writeUInt32LE(ordinal.get(root.pack) ?? NO_PACK, at + 32)
      entries.writeUInt32LE(root.off, at + 36)
      entries.writeUInt32LE(root.clen, at + 40)
      entries.writeUInt32LE(root.slot * 2 ** 16, at + 44)
    } else {
      entries.writeUInt32LE(NO_PACK, at + 32)
      entries.writeUInt32LE(root.kind === 'zero' ? 1 : 2, at + 44)
    }
  }
  return { entries, packs, table: packTable(packs, 'root pack table') }
}

/** Throws FormatError or FormatUnsupported; every pack of the table must be used. */
export function decodeRoots(entries: Buffer, table: Buffer): RootEntry[] {
  return decodeRootsWith(entries, readPackTable(table, 'root pack table'))
}

/** As decodeRoots, for a table that is known to be sorted and without duplicates. */
export function decodeRootsWith(entries: Buffer, packs: readonly string[]): RootEntry[] {
  demand(entries.length % ROOT_ENTRY === 0, 'root entries', `${entries.length} bytes`)
  const used = new Uint8Array(packs.length)
  const roots: RootEntry[] = []
  for (let at = 0; at < entries.length; at += ROOT_ENTRY) {
    const index = at / ROOT_ENTRY
    const what = `root entry ${index}`
    const flags = entries.readUInt32LE(at + 44)
    const kind = flags & 3
    if (kind === 3 || (flags & 0xfffc) !== 0) throw unsupported(what, `flags 0x${flags.toString(16)}`)
    const packIdx = entries.readUInt32LE(at + 32)
    if (kind !== 0) {
      const blank = isZero(entries.subarray(at, at + 32)) && isZero(entries.subarray(at + 36, at + 44))
      demand(blank && packIdx === NO_PACK && flags >>> 16 === 0, what, 'an entry without a page is not blank')
      roots.push({ kind: kind === 1 ? 'zero' : 'unallocated' })
      continue
    }
    const pack = packs[packIdx]
    demand(pack !== undefined, what, `pack ${packIdx} of ${packs.length}`)
    used[packIdx] = 1
    const root = {
      kind: 'page',
      pageId: entries.toString('hex', at, at + 32),
      pack,
      slot: flags >>> 16,
      off: entries.readUInt32LE(at + 36),
      clen: entries.readUInt32LE(at + 40),
    } as const
    checkRoot(root, index)
    roots.push(root)
  }
  demand(!used.includes(0), 'root pack table', 'a pack is not used by any entry')
  return roots
}

function checkRoot(root: Omit<Location, 'pack'>, index: number): void {
  const what = `root entry ${index}`
  checkLocation(root, bounds.page.max, what)
  demand(root.clen >= 48 + bounds.page.min, what, `page of ${root.clen - 48} bytes`)
}
