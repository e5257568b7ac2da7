import { createHash } from 'node:crypto'
import { fromHex, writeU64 } from './bytes.ts'
import type { Page } from './page.ts'
import type { RootEntry } from './root-entry.ts'

const kinds = { chunk: 0, page: 0, zero: 1, unallocated: 2 } as const

/**
 * §6.5: what a page's id is the HMAC of. Hints are left out, so a chunk that moves does not change its page's identity.
 */
export function pageIdentity(page: Page): Buffer {
  const label = Buffer.from('holdfast/r1/page\0', 'latin1')
  const whole = Buffer.alloc(label.length + 14 + 33 * page.entries.length)
  label.copy(whole)
  let at = label.length
  whole.writeUInt8(1, at)
  whole.writeUInt8(page.chunkShift, at + 1)
  writeU64(whole, at + 2, page.pageNo)
  whole.writeUInt32LE(page.entries.length, at + 10)
  at += 14
  for (const entry of page.entries) {
    whole.writeUInt8(kinds[entry.kind], at)
    if (entry.kind === 'chunk') whole.set(entry.id, at + 1)
    at += 33
  }
  return whole
}

/** §6.5: commits to every byte of the disk through ids. Needs no key. Hex. */
export function imageRoot(diskBytes: number, roots: readonly RootEntry[]): string {
  const head = Buffer.alloc(12)
  writeU64(head, 0, diskBytes)
  head.writeUInt32LE(roots.length, 8)
  const hash = createHash('sha256').update('holdfast/r1/image\0', 'latin1').update(head)
  const blank = Buffer.alloc(32)
  for (const root of roots) {
    hash.update(Buffer.of(kinds[root.kind]))
    hash.update(root.kind === 'page' ? fromHex(root.pageId, 32, 'page id') : blank)
  }
  return hash.digest('hex')
}
