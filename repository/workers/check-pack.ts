import { isHoldfastError } from '../../base/index.ts'
import {
  BLOB_HEADER,
  BLOB_PAGE,
  checkPackKind,
  decodeBlobHeader,
  decodePackHeader,
  decodePage,
  formatError,
  free,
  readTail,
  scanPack,
  slice,
  toHex,
  type TocEntry,
} from '../format/index.ts'
import { sha256, type KeyRing } from '../keys/index.ts'
import { openBlob } from './blobs.ts'
import type { Fault, PackCheck } from './protocol.ts'

/**
 * §12.1 L3 and L4 of a whole pack: hash, header, TOC, and every blob decrypted, decompressed, hashed and identified; a page
 * by its page id. Says what is wrong instead of throwing; memory is that of one blob.
 */
export function checkPack(ring: KeyRing, pack: Uint8Array): PackCheck {
  const hash = sha256(pack)
  const { entries, structure } = entriesOf(ring, pack)
  let content = 0
  const bad: { slot: number; off: number; id: string; why: Fault }[] = []
  const found: { off: number; id: string }[] = []
  for (const [slot, entry] of entries.entries()) {
    const id = toHex(entry.id)
    try {
      content += checkBlobAt(ring, pack, entry)
      if (structure !== null) found.push({ off: entry.off, id })
    } catch (error) {
      bad.push({ slot, off: entry.off, id, why: faultOf(error) })
    }
  }
  return { sha256: hash, structure, blobs: entries.length, content, bad, found }
}

function entriesOf(ring: KeyRing, pack: Uint8Array): { entries: readonly TocEntry[]; structure: Fault | null } {
  try {
    const { footer, entries } = readTail(pack, pack.length)
    const structure = headerProblem(ring, pack, footer.repo, entries)
    return { entries, structure }
  } catch (error) {
    const structure = faultOf(error)
    try {
      return { entries: scanPack(pack), structure }
    } catch (scanError) {
      const { message } = faultOf(scanError)
      return { entries: [], structure: { ...structure, message: `${structure.message}; ${message}` } }
    }
  }
}

/** The header is read by nobody who looks for a blob, so a bad one leaves the TOC as it is. */
function headerProblem(
  ring: KeyRing,
  pack: Uint8Array,
  footerRepo: string,
  entries: readonly TocEntry[],
): Fault | null {
  try {
    const header = decodePackHeader(pack)
    checkPackKind(header.kind, entries)
    const foreign = [header.repo, footerRepo].find((repo) => repo !== ring.repo)
    return foreign === undefined ? null : { message: `belongs to repository ${foreign}`, proved: true }
  } catch (error) {
    return faultOf(error)
  }
}

/** Bytes of content. */
function checkBlobAt(ring: KeyRing, pack: Uint8Array, entry: TocEntry): number {
  const bytes = slice(pack, entry.off, BLOB_HEADER + entry.clen, 'blob')
  const header = decodeBlobHeader(bytes)
  const { ulen, keyNo, crcCt, comp } = entry
  if (header.ulen !== ulen || header.keyNo !== keyNo || header.crcCt !== crcCt || header.comp !== comp) {
    throw formatError('blob header', 'differs from its TOC entry')
  }
  const content = openBlob(ring, bytes, { type: entry.type, id: entry.id, clen: entry.clen, ulen })
  const length = content.length
  if (entry.type === BLOB_PAGE) {
    const id = ring.identity().pageId(decodePage(content))
    if (!id.equals(entry.id)) throw formatError(`page ${toHex(entry.id)}`, 'its entries give another page id')
  }
  free(content)
  return length
}

function faultOf(error: unknown): Fault {
  if (!isHoldfastError(error)) throw error
  return { message: error.message, proved: error.code === 'FormatError' }
}
