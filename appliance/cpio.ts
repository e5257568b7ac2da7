/** An entry of the archive; `mode` holds permissions only. */
export type CpioEntry =
  | { readonly path: string; readonly kind: 'folder'; readonly mode: number }
  | { readonly path: string; readonly kind: 'file'; readonly mode: number; readonly data: Uint8Array }
  | { readonly path: string; readonly kind: 'link'; readonly target: string }

const kinds = { folder: 0o040000, file: 0o100000, link: 0o120000 } as const

/**
 * Writes an archive in the `newc` format that the kernel unpacks as its first root (kernel documentation,
 * driver-api/early-userspace/buffer-format). Same entries, same bytes: sorted by path, owned by 0:0, time 0.
 * Folders above an entry are added where they are missing.
 */
export function writeCpio(entries: readonly CpioEntry[]): Buffer {
  const byPath = new Map<string, CpioEntry>()
  for (const entry of entries) {
    for (let at = entry.path.indexOf('/'); at > 0; at = entry.path.indexOf('/', at + 1)) {
      const path = entry.path.slice(0, at)
      if (!byPath.has(path)) byPath.set(path, { path, kind: 'folder', mode: 0o755 })
    }
    byPath.set(entry.path, entry)
  }
  const sorted = [...byPath.values()].sort((a, b) => (a.path < b.path ? -1 : 1))
  const parts = sorted.flatMap((entry, i) => writeEntry(entry, i + 1))
  parts.push(...writeEntry({ path: 'TRAILER!!!', kind: 'file', mode: 0, data: new Uint8Array() }, 0, true))
  return Buffer.concat(parts)
}

function writeEntry(entry: CpioEntry, inode: number, trailer = false): Buffer[] {
  const data = entry.kind === 'file' ? entry.data : Buffer.from(entry.kind === 'link' ? entry.target : '')
  const mode = trailer ? 0 : kinds[entry.kind] | (entry.kind === 'link' ? 0o777 : entry.mode)
  const name = Buffer.from(`${entry.path}\0`)
  const links = entry.kind === 'folder' ? 2 : 1
  // ino, mode, uid, gid, nlink, mtime, filesize, devmajor, devminor, rdevmajor, rdevminor, namesize, check
  const fields = [inode, mode, 0, 0, links, 0, data.length, 0, 0, 0, 0, name.length, 0]
  const header = Buffer.from(`070701${fields.map((n) => n.toString(16).padStart(8, '0')).join('')}`)
  return [header, name, padding(header.length + name.length), Buffer.from(data), padding(data.length)]
}

function padding(length: number): Buffer {
  return Buffer.alloc((4 - (length % 4)) % 4)
}
