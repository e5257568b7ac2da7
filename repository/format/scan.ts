import { BLOB_HEADER } from './bounds.ts'
import { buffer } from './bytes.ts'
import { ciphertextMatches, decodeBlobHeader } from './blob.ts'
import { formatError } from './errors.ts'
import { checkPackSize, PACK_HEADER } from './pack.ts'
import { isHoldfastError } from '../../base/index.ts'
import type { TocEntry } from './toc.ts'

const magic = Buffer.from('BLB1', 'latin1')

/**
 * §4.2: the blobs of a pack whose tail is lost or foreign. A header counts only if its CRC and then that of its ciphertext
 * hold; the search continues after it. In a sound pack the result equals the TOC.
 *
 * A pack made to look like millions of overlapping blobs would cost hours of CRC: after 16 times the pack's size the scan
 * gives up with FormatError.
 */
export function scanPack(pack: Uint8Array): TocEntry[] {
  checkPackSize(pack.length)
  const bytes = buffer(pack)
  let budget = 16 * bytes.length
  const found: TocEntry[] = []
  for (let at = bytes.indexOf(magic, PACK_HEADER); at >= 0;) {
    const candidate = headerAt(bytes, at)
    let next = at + 1
    if (candidate !== undefined) {
      const end = at + BLOB_HEADER + candidate.clen
      budget -= candidate.clen
      if (budget < 0) throw formatError('pack', 'too many overlapping blob headers to scan')
      if (end <= bytes.length && ciphertextMatches(candidate.crcCt, bytes.subarray(at + BLOB_HEADER, end))) {
        const { nonce: _, ...facts } = candidate
        found.push({ ...facts, off: at })
        next = end
      }
    }
    at = bytes.indexOf(magic, next)
  }
  return found
}

/** The header that begins at `at`; undefined if what stands there is none that this version can use. */
function headerAt(bytes: Buffer, at: number): ReturnType<typeof decodeBlobHeader> | undefined {
  if (at + BLOB_HEADER > bytes.length) return undefined
  try {
    return decodeBlobHeader(bytes.subarray(at, at + BLOB_HEADER))
  } catch (error) {
    if (isHoldfastError(error)) return undefined
    throw error
  }
}
