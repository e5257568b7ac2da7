import { GiB } from '../../base/index.ts'
import type { PartRange } from '../../activities/backup/types.ts'
import type { DiskKey } from '../../drivers/values.ts'

/** Ranges are a multiple of a page, 1 GiB, and 256 GiB by default (repository format §7.1). */
const pageBytes = GiB
const pagesPerPart = 256

/** One part per disk, more above 256 GiB; numbered from 1 over all disks. */
export function planParts(disks: readonly { readonly key: DiskKey; readonly size: number }[]): readonly PartRange[] {
  const parts: PartRange[] = []
  for (const { key, size } of disks) {
    const pages = Math.max(1, Math.ceil(size / pageBytes))
    for (let firstPage = 0; firstPage < pages; firstPage += pagesPerPart) {
      const nPages = Math.min(pagesPerPart, pages - firstPage)
      parts.push({ part: parts.length + 1, disk: key, firstPage, nPages })
    }
  }
  return parts
}

/** Bytes of the disk that a part covers; the last page may be cut short by the end of the disk. */
export function rangeOf(part: PartRange, size: number): { readonly start: number; readonly end: number } {
  return { start: part.firstPage * pageBytes, end: Math.min(size, (part.firstPage + part.nPages) * pageBytes) }
}
